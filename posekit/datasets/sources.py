"""Reads the data sets that a person names (MPII, LSP, LSP Extended, COCO files) into one table of people."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from posekit.datasets.coco import read_coco
from posekit.datasets.drawn import make_sample
from posekit.datasets.exchanged import repair_lspet
from posekit.datasets.lsp import read_lsp
from posekit.datasets.mpii import ALL_PEOPLE, read_mpii
from posekit.datasets.people import People, combine, with_images
from posekit.errors import PosekitError
from posekit.paths import drawn_folder

#: The environment variable that names data sets, separated as in PATH, and the older ones that name one each.
DATA_VARIABLE = "POSEKIT_DATA"
SINGLE_VARIABLES = ("POSEKIT_MPII", "POSEKIT_LSPET")


def data_from_environment() -> list[Path]:
    """The data sets that POSEKIT_DATA, POSEKIT_MPII and POSEKIT_LSPET name, in this order, each once."""
    named = os.environ.get(DATA_VARIABLE, "").split(os.pathsep)
    named += [os.environ.get(variable, "") for variable in SINGLE_VARIABLES]
    return each_once(Path(path) for path in named if path)


def each_once(folders: Sequence[Path]) -> list[Path]:
    """The folders in their order, without those that another spelling named before."""
    return list({Path(folder).resolve(): Path(folder) for folder in folders}.values())


def read_people(data: Sequence[Path] = (), progress: bool = True, repaired: bool = False) -> tuple[People, str]:
    """All people of the named data sets whose photograph exists, in one table, and a sentence about the others.

    data: folders, and .json files of COCO keypoints; the first one decides the table's first people. If it is
    empty, the people that posekit draws are read from `drawn_folder()`, and drawn first if they are missing. The
    table's name lists the data sets with their numbers of people, such as mpii-2203-lspet-9844; complete MPII is
    just "mpii".
    repaired: people of LSP Extended whose right and left look exchanged are repaired, or their doubtful joints are
    left out (`posekit.datasets.exchanged`); the table's name says so.
    Raises `PosekitError` for a folder of an unknown kind, or one that cannot be read.
    """
    if not data:
        drawn = drawn_folder()
        drawn.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(drawn.with_name(".sample-lock")):  # two commands at once draw once
            make_sample(drawn, progress=progress)
        return read_mpii(drawn, name="sample"), ""
    parts, sentences = [], []
    for folder in each_once(data):
        read, not_people = _read(folder)
        people, left_out = with_images(read)
        if repaired and people.name == "lspet":
            people = replace(repair_lspet(people), name="lspet-repaired")
        complete = people.name == "mpii" and len(people) > 0.99 * ALL_PEOPLE
        parts.append(people if complete else replace(people, name=f"{people.name}-{len(people)}"))
        sentences += [not_people, left_out]
    name = "-".join(part.name for part in parts)
    return (parts[0] if len(parts) == 1 else combine(parts, name)), "\n".join(filter(None, sentences))


def _read(path: Path) -> tuple[People, str]:
    """All people of a data set, and a sentence about annotations that are not people."""
    if path.suffix.lower() == ".json":
        return read_coco(path)
    if (path / "joints.mat").is_file():
        return read_lsp(path), ""
    if path.is_dir() and not (path / "annotations").is_dir():
        raise PosekitError(
            f"{path} holds neither annotations/ (MPII) nor joints.mat (LSP, LSP Extended); "
            "name the folder that does, or a .json file of COCO keypoints"
        )
    return read_mpii(path), ""

"""From what a person names to one table of people: folders of MPII, LSP or LSP Extended, or nothing at all."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from posekit.datasets.drawn import make_sample
from posekit.datasets.lsp import read_lsp
from posekit.datasets.mpii import ALL_PEOPLE, read_mpii
from posekit.datasets.people import People, combine, with_images
from posekit.errors import PosekitError

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


def read_people(data: Sequence[Path], drawn: Path, progress: bool = True) -> tuple[People, str]:
    """Everybody of the named data sets whose photograph is there, in one table, and a sentence on who is left out.

    data: folders, of which the first decides the table's first people; nothing means the people that posekit
    draws, in the folder `drawn`, where they are made if they are missing. The table's name tells every data set
    and how many people of it are there, such as mpii-2203-lspet-9844; the whole of MPII is just "mpii".
    Raises `PosekitError` for a folder that is of no kind known here, or that cannot be read.
    """
    if not data:
        drawn.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(drawn.with_name(".sample-lock")):  # two commands at once draw once
            make_sample(drawn, progress=progress)
        return read_mpii(drawn, name="sample"), ""
    parts, sentences = [], []
    for folder in each_once(data):
        people, left_out = with_images(_read(folder))
        complete = people.name == "mpii" and len(people) > 0.99 * ALL_PEOPLE
        parts.append(people if complete else replace(people, name=f"{people.name}-{len(people)}"))
        sentences.append(left_out)
    name = "-".join(part.name for part in parts)
    return (parts[0] if len(parts) == 1 else combine(parts, name)), "\n".join(filter(None, sentences))


def _read(folder: Path) -> People:
    if (folder / "joints.mat").is_file():
        return read_lsp(folder)
    if folder.is_dir() and not (folder / "annotations").is_dir():
        raise PosekitError(
            f"{folder} holds neither annotations/ (MPII) nor joints.mat (LSP, LSP Extended); "
            "name the folder that does"
        )
    return read_mpii(folder)

"""What notebooks and figures tell of: the records of a study, or those that came with the repository."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from posekit.analysis.cheaper_networks import training_command
from posekit.analysis.optimizers import Grid, make_grid
from posekit.errors import PosekitError
from posekit.paths import REPOSITORY, home
from posekit.study.configurations import OWN_MODEL, VARIANT_PROFILES
from posekit.study.runs import Run, read_runs
from posekit.study.study import Study

#: The six models on real photographs, as large as they could be trained.
PUBLISHED = "mpii-1992-lspet-6000-half"

#: The optimizers at eight learning rates, which are too many trainings for the size above.
PUBLISHED_GRID = "mpii-1992-quick"

#: The data set of the variants of the original network.
PUBLISHED_DATA = "mpii-1992-lspet-6000"

_SHIPPED = {PUBLISHED, PUBLISHED_GRID, *(f"{PUBLISHED_DATA}-{profile}" for profile in VARIANT_PROFILES)}


@dataclass(frozen=True)
class Results:
    """The runs of a study, by model and seed, and the optimizers at many rates, of the study `grid_study`.

    A study that has not trained at other rates than its profile's tells the grid of `PUBLISHED_GRID`.
    """

    name: str
    runs: Sequence[Run]
    grid: Grid
    grid_study: str

    @classmethod
    def read(cls, name: str, unfinished: bool = False) -> "Results":
        """Those of a folder of data/runs; unfinished: with runs that are still going.

        Raises `PosekitError` if there are none.
        """
        runs = read_runs(_folder(name), unfinished)
        if not runs:
            raise PosekitError(f"there are no finished runs in {_folder(name)}; train them first (posekit study)")
        own = _grid(name)
        return cls(name, runs, own or _grid(PUBLISHED_GRID), name if own else PUBLISHED_GRID)

    @classmethod
    def from_environment(cls, unfinished: bool = False) -> "Results":
        """Those of the study that the environment names (`Study.from_environment`); else those that came along.

        The six models are trained where they are missing; unfinished: only if there is nothing at all yet.
        """
        if not (os.environ.get("POSEKIT_PROFILE") or os.environ.get("POSEKIT_MPII")):
            return cls.read(PUBLISHED, unfinished)
        study = Study.from_environment()
        if not (unfinished and study.runs(unfinished)):
            study.run_all()
        return cls.read(study.name, unfinished)


def read_variants(data: str) -> list[Run]:
    """All runs of variants (`posekit.study.configurations.VARIANT_PROFILES`) on a data set, those still going as
    well.

    Raises `PosekitError` if there are none.
    """
    folders = [_folder(f"{data}-{profile}") for profile in VARIANT_PROFILES]
    runs = [run for folder in folders for run in read_runs(folder, unfinished=True)]
    runs = [run for run in runs if run.config.model == OWN_MODEL.number]  # the recipe that all share
    if not runs:
        raise PosekitError(
            f"there are no runs of variants in {folders[0]} and its neighbours; train them "
            f"first: {training_command(data, 'short-original')}"
        )
    return runs


def _folder(name: str) -> Path:
    """Of a study's records. What came with the repository lies in it, wherever `home` is."""
    shipped = REPOSITORY / "data" / "runs" / name
    return shipped if name in _SHIPPED and shipped.exists() else home() / "data" / "runs" / name


def _grid(name: str) -> Grid:
    """The optimizers at the rates that a study trained them at; empty if that is the profile's rate alone."""
    variations = read_runs(_folder(name) / "variations")
    return make_grid(read_runs(_folder(name)), variations) if variations else {}

"""What notebooks and figures tell of: the records of a study, or those that came with the repository."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from posekit.analysis.cheaper_networks import training_command
from posekit.analysis.optimizers import Grid, make_grid
from posekit.datasets.sources import data_from_environment
from posekit.errors import PosekitError
from posekit.paths import REPOSITORY, home
from posekit.study.configurations import COMPARISON_SIZES
from posekit.study.runs import OTHER_SETTINGS, Run, read_runs
from posekit.study.study import Study

#: The six models on real photographs, as large as they could be trained.
PUBLISHED = "mpii-1992-lspet-6000-half"

#: The optimizers at eight learning rates, which are too many trainings for the size above.
PUBLISHED_GRID = "mpii-1992-quick"

#: The data set of the variants of the original network.
PUBLISHED_DATA = "mpii-1992-lspet-6000"


@dataclass(frozen=True)
class Results:
    """The runs of a study, by model and seed, and the optimizers at many rates, of the study `grid_study`.

    A study that has not trained at other rates than its size's tells the grid of `PUBLISHED_GRID`.
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
        if not (os.environ.get("POSEKIT_SIZE") or data_from_environment()):
            return cls.read(PUBLISHED, unfinished)
        study = Study.from_environment()
        if not (unfinished and study.runs(unfinished)):
            study.run_all()
        return cls.read(study.name, unfinished)


def read_networks(data: str) -> list[Run]:
    """All runs of networks that are compared by cost on a data set, those still going as well.

    Raises `PosekitError` if there are none.
    """
    folders = [_folder(f"{data}-{size}") for size in COMPARISON_SIZES]
    runs = [run for folder in folders for run in read_runs(folder, unfinished=True)]
    if not runs:
        raise PosekitError(
            f"there are no runs in {folders[0]} and {folders[1]}; train the first: "
            f"{training_command(data, 'original', 'short')}"
        )
    return runs


def _folder(name: str) -> Path:
    """Of a study's records: the person's own, else those that came with the repository."""
    own, shipped = home() / "data" / "runs" / name, REPOSITORY / "data" / "runs" / name
    return shipped if shipped.exists() and not any(own.rglob("run.json")) else own


def _grid(name: str) -> Grid:
    """The optimizers at the rates that a study trained them at; empty if that is the size's rate alone."""
    others = read_runs(_folder(name) / OTHER_SETTINGS)
    return make_grid(read_runs(_folder(name)), others) if others else {}

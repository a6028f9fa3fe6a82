"""What notebooks and figures tell of: the records of a study, or those that came with the repository."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from posekit.errors import PosekitError
from posekit.grid import Grid, make_grid
from posekit.records import Run, read_runs
from posekit.study import Study, home

#: The six models on real photographs, as large as they could be trained.
PUBLISHED = "mpii-1992-lspet-6000-half"

#: The optimizers at eight learning rates, which are too many trainings for the size above.
PUBLISHED_GRID = "mpii-1992-quick"


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
        folder = home() / "data" / "runs" / name
        runs = read_runs(folder, unfinished)
        if not runs:
            raise PosekitError(f"there are no finished runs in {folder}; train them first (posekit study)")
        own = _grid(name)
        return cls(name, runs, own or _grid(PUBLISHED_GRID), name if own else PUBLISHED_GRID)

    @classmethod
    def from_environment(cls, unfinished: bool = False) -> "Results":
        """Those of the study that the environment names (see `Study.from_environment`), whose six models are
        trained if there is nothing yet; where it names none, those that came with the repository."""
        if not (os.environ.get("POSEKIT_PROFILE") or os.environ.get("POSEKIT_MPII")):
            return cls.read(PUBLISHED, unfinished)
        study = Study.from_environment()
        if not study.runs(unfinished):
            study.run_all()
        return cls.read(study.name, unfinished)


def _grid(name: str) -> Grid:
    """The optimizers at the rates that a study trained them at; empty if that is the profile's rate alone."""
    folder = home() / "data" / "runs" / name
    variations = read_runs(folder / "variations")
    return make_grid(read_runs(folder), variations) if variations else {}

"""What notebooks and figures show: the records of a study, or those in the repository."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from posekit.analysis.cheaper_networks import training_command
from posekit.analysis.optimizers import Grid, make_grid
from posekit.analysis.yardsticks import Yardstick, yardsticks
from posekit.datasets.sources import data_from_environment
from posekit.errors import PosekitError
from posekit.paths import REPOSITORY, records_folder
from posekit.study.configurations import COMPARISON_SIZES, REPORT_MODELS
from posekit.study.runs import OTHER_SETTINGS, Run, read_runs
from posekit.study.seeds import Seeds, by_configuration
from posekit.study.study import Study

#: The six models on real photographs, as large as they could be trained.
PUBLISHED = "mpii-2203-lspet-9844-lsp-2000-half"

#: The optimizers at eight learning rates, which are too many trainings for the size above.
PUBLISHED_GRID = "mpii-1992-quick"

#: A study that `PUBLISHED` took the place of: its records are kept to compare verdicts, and drawn only when named.
SUPERSEDED = "mpii-1992-lspet-6000-half"

#: Studies whose verdicts stand beside those of `PUBLISHED`.
OLDER = (SUPERSEDED, PUBLISHED_GRID)

#: The data set of the networks that are compared by cost.
PUBLISHED_DATA = "mpii-1992-lspet-6000"


@dataclass(frozen=True)
class Results:
    """The runs of a study by model and seed, and what else its claims are judged by.

    others: its runs with another learning rate or batch size than the size's. grid: the optimizers at many
    rates, of the study `grid_study`, which is `PUBLISHED_GRID` where this one has no more than two rates of an
    optimizer: the best of two is always the lowest or the highest that was tried.
    """

    name: str
    runs: Sequence[Run]
    others: Sequence[Run]
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
        several = len({rate for _, rate in own}) > 2
        grid = (own, name) if several else (_grid(PUBLISHED_GRID), PUBLISHED_GRID)
        return cls(name, runs, read_runs(_folder(name) / OTHER_SETTINGS), *grid)

    @property
    def yardsticks(self) -> list[Yardstick]:
        """On whom the runs are tested, and by which metric."""
        return yardsticks(self.runs)

    @property
    def configurations(self) -> dict[tuple[str, float], Seeds]:
        """The finished runs of each model of the report, by its name and learning rate, at the usual batch
        size."""
        usual = {run.config.batch_size for run in self.runs}
        chosen = [
            run
            for run in (*self.runs, *self.others)
            if run.finished and run.config.model in REPORT_MODELS and run.config.batch_size in usual
        ]
        return {(s.config.model, s.config.learning_rate): s for s in by_configuration(chosen)}

    @property
    def grid_runs(self) -> list[Run]:
        """The runs of the grid."""
        return [run for seeds in self.grid.values() for run in seeds.runs]

    @property
    def older(self) -> "list[Results]":
        """The studies of `OLDER`, without this one."""
        return [Results.read(name) for name in OLDER if name != self.name]

    @property
    def older_runs(self) -> list[Run]:
        """The runs of all studies in `older`."""
        return [run for study in self.older for run in study.runs]

    def of(self, model: str) -> Seeds | None:
        """The finished runs of a model with the size's own settings; None if there are none."""
        runs = [run for run in self.runs if run.finished and run.config.model == model]
        return by_configuration(runs)[0] if runs else None

    @classmethod
    def from_environment(cls, unfinished: bool = False) -> "Results":
        """Those of the study that the environment names (`Study.from_environment`); else those in the repository.

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
    """Of a study's records: the person's own, else those in the repository."""
    own, shipped = records_folder() / name, REPOSITORY / "data" / "runs" / name
    return shipped if shipped.exists() and not any(own.rglob("run.json")) else own


def _grid(name: str) -> Grid:
    """The optimizers at the rates that a study trained them at."""
    return make_grid(read_runs(_folder(name)), read_runs(_folder(name) / OTHER_SETTINGS))

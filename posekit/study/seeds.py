"""Runs of one configuration that differ in nothing but their seed, put together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from posekit.study.configurations import in_order, label_of
from posekit.study.runs import Run
from posekit.training.run_config import RunConfig


@dataclass(frozen=True)
class Seeds:
    """The finished runs of one configuration, by seed."""

    runs: tuple[Run, ...]

    @property
    def config(self) -> RunConfig:
        """That of the first seed."""
        return self.runs[0].config

    @property
    def label(self) -> str:
        return label_of(self.config)

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(run.config.seed for run in self.runs)

    def distances(self, data_set: str | None = None) -> np.ndarray:
        """(S, N, 16) float64, as `posekit.evaluation.intervals` takes them: see `Run.distances`."""
        return np.stack([run.distances(data_set) for run in self.runs])

    def only(self, numbers: Sequence[int]) -> "Seeds":
        """The runs of some seeds."""
        return Seeds(tuple(run for run in self.runs if run.config.seed in numbers))

    def of(self, number: int) -> np.ndarray:
        """(N, 16) float64 in head sizes: those of one seed."""
        return self.runs[self.numbers.index(number)].distances()


def by_configuration(runs: Sequence[Run]) -> list[Seeds]:
    """Runs by configuration, in the order of model, learning rate and batch size; each in the order of seeds."""
    groups: dict[RunConfig, list[Run]] = {}
    for run in runs:
        groups.setdefault(replace(run.config, seed=0), []).append(run)
    models = in_order({config.model for config in groups})
    return [
        Seeds(tuple(sorted(groups[config], key=lambda run: run.config.seed)))
        for config in sorted(groups, key=lambda c: (models.index(c.model), c.learning_rate, c.batch_size))
    ]

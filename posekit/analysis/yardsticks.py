"""On whom the networks of a study are tested, and by which metric: one yardstick per set of validation people."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from posekit.evaluation.evaluate import metric_of
from posekit.evaluation.intervals import Comparison, Interval, SeedChance, compare, interval, seed_chance
from posekit.evaluation.pckh import pckh
from posekit.study.runs import Run
from posekit.study.seeds import Seeds

_TITLES = {"mpii": "MPII", "lsp": "LSP", "lspet": "LSP Extended", "sample": "drawn people"}

#: All joints but pelvis and thorax, counted together: the mean of every score here.
MEAN = "weighted14"


@dataclass(frozen=True)
class Yardstick:
    """A set of validation people and its metric: the share of their joints that lie within a distance, in
    percent."""

    title: str  # of the people, such as "MPII"
    data_set: str | None  # as `Run.distances` takes it
    metric: str
    threshold: float  # in the unit of the records: head sizes, or torso lengths

    def score(self, run: Run) -> float:
        """Percent."""
        return pckh(run.distances(self.data_set), self.threshold).mean(MEAN)

    def scores(self, seeds: Seeds) -> list[float]:
        """Percent, of each seed."""
        return [self.score(run) for run in seeds.runs]

    def people(self, run: Run) -> int:
        return len(run.distances(self.data_set))

    def interval(self, seeds: Seeds) -> Interval:
        """The mean of the seeds with its 95 % interval over people, in percent."""
        return interval(seeds.distances(self.data_set), MEAN, self.threshold)

    def chance(self, configurations: Sequence[Seeds]) -> SeedChance:
        """How far seeds scatter, pooled over configurations."""
        return seed_chance([seeds.distances(self.data_set) for seeds in configurations], MEAN, self.threshold)

    def compare(
        self, first: Seeds, second: Seeds, chance: SeedChance | None = None, same_seeds: bool = False
    ) -> Comparison:
        """First minus second, in percentage points: see `posekit.evaluation.intervals.compare`."""
        sides: list[np.ndarray] = [seeds.distances(self.data_set) for seeds in (first, second)]
        return compare(*sides, MEAN, self.threshold, chance=chance, same_seeds=same_seeds)


def yardsticks(runs: Sequence[Run]) -> list[Yardstick]:
    """Those of the finished runs of a study: its first data set, then the further ones of all its runs."""
    finished = [run for run in runs if run.finished]
    if not finished:
        return []
    first = finished[0].config.data.split("-")[0]
    found = [Yardstick(_TITLES.get(first, first), None, *metric_of(first))]
    for name in sorted(set.intersection(*(set(run.further) for run in finished))):
        found.append(Yardstick(_TITLES.get(name, name), name, *metric_of(name)))
    return found

"""Models against each other: the runs of both sides, their difference on every set of people, and the verdict."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from posekit.analysis.deciding import deciding_number
from posekit.analysis.judging import Rule, Verdict, points
from posekit.analysis.results import Results
from posekit.study.configurations import MODELS, get_size
from posekit.study.seeds import Seeds


@dataclass(frozen=True)
class Finding:
    """What was found on one set of people, or without people where a claim is not about accuracy."""

    people: str  # such as "MPII"; "" where the finding is not about people
    verdict: Verdict
    evidence: str = ""  # what was counted or measured
    differences: tuple[tuple[str, str], ...] = ()  # of whom, such as "RMSprop minus Adam", and how many points
    needed: str = ""  # people or seeds that would decide it


@dataclass(frozen=True)
class Side:
    """One side of a comparison: what it is called, and those of its runs that are trained."""

    name: str
    model: str
    rate: float
    seeds: Seeds | None

    def missing(self, planned: int) -> tuple[int, ...]:
        """The seeds that would make it so many."""
        trained = self.seeds.numbers if self.seeds else ()
        free = [number for number in range(planned + len(trained)) if number not in trained]
        return tuple(free[: max(planned - len(trained), 0)])


Pair = tuple[Side, Side]


class Contest:
    """Compares the runs of one study on all of its sets of people."""

    def __init__(self, results: Results) -> None:
        self.size = get_size(results.runs[0].config.size)
        self.configurations = results.configurations
        self.yardsticks = results.yardsticks
        self.chances = {y: y.chance(list(self.configurations.values())) for y in self.yardsticks}

    def side(self, model: str, rate: float | None = None, name: str = "") -> Side:
        """rate None: that of the study's size. name "": the model's title."""
        model_of = MODELS[model]
        rate = self.size.learning_rates[model_of.optimizer] if rate is None else rate
        return Side(name or model_of.title, model, rate, self.configurations.get((model, rate)))

    def judge(self, rule: Rule, pairs: Sequence[Pair], same_seeds: bool = False) -> tuple[Finding, ...]:
        """For each set of people: the differences of all pairs whose runs are trained, and the verdict.

        same_seeds: both sides of a pair start from the same state, see `posekit.evaluation.intervals.compare`.
        """
        trained = [pair for pair in pairs if all(side.seeds for side in pair)]
        trained = [_with_common_seeds(pair) for pair in trained] if same_seeds else trained
        trained = [pair for pair in trained if all(side.seeds for side in pair)]
        complete = len(trained) == len(pairs)
        compared = {
            y: [y.compare(first.seeds, second.seeds, self.chances[y], same_seeds) for first, second in trained]
            for y in self.yardsticks
        }
        verdicts = rule.judge({y.title: comparisons for y, comparisons in compared.items()}, complete)
        findings = []
        for yardstick, comparisons in compared.items():
            verdict, needed = verdicts[yardstick.title], ""
            if verdict == "undecided" and complete and not any(np.isnan(c.seeds_p) for c in comparisons):
                people = yardstick.people(trained[0][0].seeds.runs[0])
                seeds = tuple(min(len(side.seeds.runs) for side in sides) for sides in zip(*trained, strict=True))
                needs = rule.needs(comparisons, len(pairs) * len(self.yardsticks))
                needed = deciding_number(needs, people, seeds)
            names = [f"{first.name} minus {second.name}" for first, second in trained]
            differences = tuple(zip(names, map(points, comparisons), strict=True))
            findings.append(Finding(yardstick.title, verdict, differences=differences, needed=needed))
        return tuple(findings)


def missing_runs(pairs: Sequence[Pair], planned: int) -> tuple[str, ...]:
    """The runs that would make it so many seeds on every side, such as "Models 1, 2 at 0.00025: seeds 1, 2"."""
    wanted: dict[tuple[float, tuple[int, ...]], list[str]] = {}
    for side in dict((side.model, side) for pair in pairs for side in pair).values():
        if seeds := side.missing(planned):
            wanted.setdefault((side.rate, seeds), []).append(MODELS[side.model].title)
    return tuple(
        f"{listed_models(titles)} at {rate:g}: seed{'s'[: len(seeds) > 1]} {', '.join(map(str, seeds))}"
        for (rate, seeds), titles in wanted.items()
    )


def listed_models(titles: Sequence[str]) -> str:
    """Titles of models in one, such as "Models 1, 2"."""
    numbers = sorted(title.removeprefix("Model ") for title in titles)
    return f"Model{'s'[: len(titles) > 1]} {', '.join(numbers)}"


def _with_common_seeds(pair: Pair) -> Pair:
    """Both sides with the seeds that both have."""
    first, second = pair
    both = [number for number in first.seeds.numbers if number in second.seeds.numbers]
    return tuple(
        Side(side.name, side.model, side.rate, side.seeds.only(both) if both else None) for side in (first, second)
    )

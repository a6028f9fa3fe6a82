"""The rules by which a claim is judged, as docs/judging_claims.md states them: numbers in, a verdict out.

A claim is judged on each set of validation people. Differences are percentage points, with 95 % intervals of
people and seeds (`posekit.evaluation.intervals.compare`). Where a side has one seed, there is no such interval
and no verdict.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from posekit.analysis.deciding import Need
from posekit.analysis.texts import difference_text
from posekit.evaluation.intervals import Comparison, holm

Verdict = Literal["holds", "does not hold", "undecided"]

#: Percentage points: a smaller difference is of no practical importance here.
MARGIN = 2.0

#: Two-sided, over all comparisons of a claim.
LEVEL = 0.05


#: Comparisons of a claim by set of people, and whether none is missing: a verdict for each set.
Judge = Callable[[Mapping[str, Sequence[Comparison]], bool], dict[str, Verdict]]


@dataclass(frozen=True)
class Rule:
    """A rule about differences, first side minus second.

    needs: what would decide a claim on one set of people if the measured differences were the true ones; given its
    comparisons, and how many the claim has on all sets of people together.
    """

    name: str
    judge: Judge
    needs: Callable[[Sequence[Comparison], int], list[Need]]


def best(sides: Mapping[str, Sequence[Comparison]], complete: bool) -> dict[str, Verdict]:
    """Rule "best", of one side against each of its rivals: p is corrected over all sets of people together."""
    adjusted = iter(holm([comparison.seeds_p for comparisons in sides.values() for comparison in comparisons]))
    found: dict[str, Verdict] = {}
    for people, comparisons in sides.items():
        clear = [(comparison.difference, next(adjusted) < LEVEL) for comparison in comparisons]
        if any(difference < 0 and sure for difference, sure in clear):
            found[people] = "does not hold"
        else:
            ahead = [difference > 0 and sure for difference, sure in clear]
            found[people] = "holds" if complete and ahead and all(ahead) else "undecided"
    return found


def equal(comparison: Comparison) -> Verdict:
    """Rule "equal": the whole interval lies within the margin, or wholly outside."""
    low, high = comparison.seeds_low, comparison.seeds_high
    if -MARGIN < low and high < MARGIN:
        return "holds"
    return "does not hold" if low > MARGIN or high < -MARGIN else "undecided"


def no_loss(comparisons: Sequence[Comparison], complete: bool = True) -> Verdict:
    """Rule "no loss", of the new side minus the old one: the lower end of every interval lies above -`MARGIN`."""
    if any(comparison.seeds_high < -MARGIN for comparison in comparisons):
        return "does not hold"
    good = [comparison.seeds_low > -MARGIN for comparison in comparisons]
    return "holds" if complete and good and all(good) else "undecided"


def above(intervals: Sequence[tuple[float, float]], value: float) -> Verdict:
    """Rules "faster" and "saves": all intervals (low, high) lie above a value, or one lies below."""
    if any(high < value for _, high in intervals):
        return "does not hold"
    return "holds" if intervals and all(low > value for low, _ in intervals) else "undecided"


def first_step(first_is_largest: Mapping[str, Sequence[bool]], models: Sequence[str]) -> Verdict:
    """Rule "first step": of each model, whether the loss falls most after the first epoch, by seed.

    models are those that the claim is about; each needs at least two seeds.
    """
    several = {model: seeds for model, seeds in first_is_largest.items() if len(seeds) > 1}
    if any(not any(seeds) for seeds in several.values()):
        return "does not hold"
    complete = set(several) >= set(models)
    return "holds" if complete and all(map(all, several.values())) else "undecided"


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """One verdict from those on each set of people: those that decide must agree."""
    decided = set(verdicts) - {"undecided"}
    return decided.pop() if len(decided) == 1 else "undecided"


def contradict(verdicts: Sequence[Verdict]) -> bool:
    """Whether a claim holds on one set of people and does not hold on another."""
    return {"holds", "does not hold"} <= set(verdicts)


def _needed_for_best(comparisons: Sequence[Comparison], family: int) -> list[Need]:
    """family is the factor of Holm's correction for the smallest p."""
    strict = stats.norm.ppf(1 - LEVEL / 2) / stats.norm.ppf(1 - LEVEL / (2 * family))
    return _one_or_all([(c, abs(c.difference) * strict, c.difference < 0) for c in comparisons])


def _needed_for_equal(comparisons: Sequence[Comparison], family: int) -> list[Need]:
    return [(c, abs(MARGIN - abs(c.difference))) for c in comparisons]


def _needed_for_no_loss(comparisons: Sequence[Comparison], family: int) -> list[Need]:
    return _one_or_all([(c, abs(c.difference + MARGIN), c.difference < -MARGIN) for c in comparisons])


def _one_or_all(needs: list[tuple[Comparison, float, bool]]) -> list[Need]:
    """Of those against whom the claim falls, the one nearest to deciding it; where there is none, all."""
    against = [(c, width) for c, width, falls in needs if falls]
    return [min(against, key=lambda need: _times(*need))] if against else [(c, width) for c, width, _ in needs]


BEST = Rule("best", best, _needed_for_best)
EQUAL = Rule(
    "equal",
    lambda sides, complete: {people: equal(cs[0]) if cs else "undecided" for people, cs in sides.items()},
    _needed_for_equal,
)
NO_LOSS = Rule(
    "no loss",
    lambda sides, complete: {people: no_loss(cs, complete) for people, cs in sides.items()},
    _needed_for_no_loss,
)


def points(comparison: Comparison) -> str:
    """A difference in percentage points with its interval of people and seeds, where there is one."""
    if np.isnan(comparison.seeds_low):
        return f"{comparison.difference:+z.1f} (one seed)"
    return difference_text(comparison.difference, comparison.seeds_low, comparison.seeds_high)


def _times(comparison: Comparison, width: float) -> float:
    """By what the variance must be divided until the interval's half-width is as given."""
    half = (comparison.seeds_high - comparison.seeds_low) / 2
    return (half / width) ** 2 if width > 0 else math.inf

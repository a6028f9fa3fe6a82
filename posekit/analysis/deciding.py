"""How many people or seeds would decide an undecided claim, if the measured differences were the true ones."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from statistics import harmonic_mean

import numpy as np
from scipy import stats

from posekit.analysis.texts import listed
from posekit.evaluation.intervals import Comparison, total_variance

#: A comparison, and the half-width in percentage points that its interval must come below.
Need = tuple[Comparison, float]

#: Points: a limit of a rule that is so near is on it.
NEAR = 0.05

MOST = 10**6


def half_width(comparison: Comparison, people: float, now: float, instead: float) -> float:
    """Of the interval over people and seeds with `people` times as many people, and `instead` seeds on each side
    in the place of `now`, in percentage points.

    The variances stay per person and per seed; the seeds' degrees of freedom grow with their number, see
    `posekit.evaluation.intervals.compare`. The people's are so many that they do not matter.
    """
    of_people, of_seeds = comparison.people_variance / people, comparison.seeds_variance * now / instead
    degrees = comparison.seeds_degrees * (instead - 1) / (now - 1)
    variance, freedom = total_variance([(of_people, math.inf), (of_seeds, degrees)])
    return float(stats.t.ppf(0.975, freedom) * np.sqrt(variance))


def deciding_number(needs: Sequence[Need], people: int, seeds: tuple[int, int]) -> str:
    """How many people or seeds would bring every interval below the half-width that its rule needs, in words.

    people: how many there are; seeds: of each side. The seeds' part of a variance is v / S on each side, so sides
    with different numbers are worth their harmonic mean on both. Where more people alone would do, or more seeds
    alone, the answer names what adds more variance; where neither would, so many times as many of both. "" where
    no interval is known, or nothing is missing.
    """
    if not needs or any(math.isnan(comparison.people_variance) for comparison, _ in needs):
        return ""
    if any(width < NEAR for _, width in needs):
        return "no number decides: the difference lies on the limit of the rule"
    now, had = harmonic_mean(seeds), listed(dict.fromkeys(map(str, seeds)))

    def narrow(more_people: float, more_seeds: float) -> bool:
        return all(half_width(c, more_people, now, now * more_seeds) < width for c, width in needs)

    if narrow(1, 1):
        return ""
    of_people = _smallest(lambda more: narrow(more, 1))
    of_seeds = _smallest(partial(narrow, 1))
    hardest, _ = max(needs, key=lambda need: half_width(need[0], 1, now, now) / need[1])
    if of_people and (not of_seeds or hardest.people_variance >= hardest.seeds_variance):
        return f"about {_rounded(people * of_people)} people instead of {people:,}"
    if of_seeds:
        return f"about {_rounded(now * of_seeds)} seeds per model instead of {had}"
    if not (both := _smallest(lambda more: narrow(more, more))):
        return "more than a million people"
    more_people = f"{_rounded(people * both)} people instead of {people:,}"
    return f"about {more_people} and {_rounded(now * both)} seeds per model instead of {had}"


def _smallest(enough: Callable[[float], bool]) -> float | None:
    """The smallest factor above 1 that is enough, to a percent; None if not even `MOST` is."""
    low, high = 1.0, 2.0
    while not enough(high):
        if high > MOST:
            return None
        low, high = high, 2 * high
    while high / low > 1.01:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _rounded(number: float) -> str:
    """Upward to two digits: it is an estimate."""
    step = 10 ** max(int(np.floor(np.log10(number))) - 1, 0)
    return f"{math.ceil(number / step) * step:,}"

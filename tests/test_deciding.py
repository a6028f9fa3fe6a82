"""How many people or seeds would decide a claim, against the formula of the interval."""

import re

import numpy as np
import pytest
from scipy import stats

from posekit.analysis.deciding import deciding_number, half_width
from posekit.analysis.judging import BEST, EQUAL, NO_LOSS
from posekit.evaluation.intervals import Comparison, compare

NAN, INF = float("nan"), float("inf")
ONE_SEED = Comparison(9, 8, 10, 0.0001, NAN, NAN, NAN)


def difference(value: float, people: float, seeds: float, degrees: float = INF) -> Comparison:
    """A difference of people and seeds whose interval has the half-width that its variances give."""
    freedom = INF if seeds == 0 else degrees * ((people + seeds) / seeds) ** 2
    reach = stats.t.ppf(0.975, freedom) * np.sqrt(people + seeds)
    return Comparison(value, NAN, NAN, NAN, value - reach, value + reach, 0.5, people, seeds, degrees)


def numbers(needs, people: int = 100, seeds: tuple[int, int] = (3, 3)) -> list[int]:
    return [int(text.replace(",", "")) for text in re.findall(r"[\d,]+", deciding_number(needs, people, seeds))]


def test_the_half_width_is_that_of_the_interval():
    rng = np.random.default_rng(0)
    first, second = (np.where(rng.random((seeds, 60, 16)) < 0.6, 0.1, 2.0) for seeds in (3, 3))
    found = compare(first, second, resamples=50)
    half = (found.seeds_high - found.seeds_low) / 2
    assert half_width(found, 1, 3, 3) == pytest.approx(half, rel=0.01)  # the people's degrees are left out


def test_more_people_where_they_add_more_variance():
    """No loss of 0 points needs a half-width of 2, so a variance of (2 / 1.96)^2 = 1.04: beside the seeds' 0.25,
    the people's 3.75 of 100 people must become 0.79."""
    needs = NO_LOSS.needs([difference(0, 3.75, 0.25)], 1)
    found, now = numbers(needs)
    assert now == 100 and found == pytest.approx(100 * 3.75 / ((2 / 1.95996) ** 2 - 0.25), rel=0.07)
    assert "people" in deciding_number(needs, 100, (3, 3)) and "seeds" not in deciding_number(needs, 100, (3, 3))


def test_more_seeds_also_tell_better_how_seeds_scatter():
    """Two seeds: t of one degree is 12.7. With n seeds it is t of n - 1, and 2 / n of the variance is left."""
    needs = NO_LOSS.needs([difference(0, 0.01, 1.0, degrees=1)], 1)
    found, now = numbers(needs, seeds=(2, 2))

    def reach(n: int) -> float:
        variance = 0.01 + 1.0 * 2 / n
        return stats.t.ppf(0.975, (n - 1) * (variance / (2 / n)) ** 2) * np.sqrt(variance)

    smallest = next(n for n in range(2, 100) if reach(n) < 2)
    assert now == 2 and smallest <= found <= smallest + 1 and smallest < 10


def test_sides_with_different_numbers_of_seeds_get_one_number_for_both():
    """Three and two seeds whose scatter v is known well: v (1/3 + 1/2) is left now, and 2 v / N with N on both."""
    v = 3.0
    needs = NO_LOSS.needs([difference(0, 0.01, v * (1 / 3 + 1 / 2))], 1)
    smallest = next(n for n in range(2, 100) if 1.95996 * np.sqrt(0.01 + 2 * v / n) < 2)
    assert numbers(needs, seeds=(3, 2)) == [smallest, 3, 2]


def test_both_where_one_alone_cannot_decide():
    needs = EQUAL.needs([difference(0, 2.5, 1.5)], 1)  # each alone is more than 1.04
    people, people_now, seeds, seeds_now = numbers(needs)
    assert (people_now, seeds_now) == (100, 3)
    times = 4 / (2 / 1.95996) ** 2
    assert people == pytest.approx(100 * times, rel=0.07) and seeds == pytest.approx(3 * times, abs=1)


def test_on_the_limit_no_number_decides():
    assert "no number decides" in deciding_number(NO_LOSS.needs([difference(-2, 3.75, 0.25)], 1), 100, (3, 3))
    assert deciding_number(NO_LOSS.needs([ONE_SEED], 1), 100, (3, 3)) == deciding_number([], 100, (3, 3)) == ""


def test_the_hardest_pair_decides_or_the_one_that_loses():
    easy, hard = (difference(d, 4, 0) for d in (1, 0))
    allowed = (2 / 1.95996) ** 2
    assert numbers(NO_LOSS.needs([easy, hard], 1))[0] == pytest.approx(100 * 4 / allowed, rel=0.07)
    losing = difference(-5, 4, 0)  # its upper end must come below -2
    assert numbers(NO_LOSS.needs([easy, hard, losing], 1))[0] == pytest.approx(
        100 * 4 / (3 / 1.95996) ** 2, rel=0.07
    )


def test_best_needs_more_where_more_is_compared():
    """A lead of 4 with a half-width of 4 is on the limit of 5 %; four comparisons ask for z = 2.498, not 1.96."""
    lead = difference(4, (4 / 1.95996) ** 2, 0)
    assert numbers(BEST.needs([lead], 4))[0] == pytest.approx(100 * (2.4977 / 1.95996) ** 2, rel=0.07)

"""The rules of docs/judging_claims.md, on numbers made by hand."""

import numpy as np
import pytest
from scipy import stats

from posekit.analysis.judging import (
    EQUAL,
    NO_LOSS,
    above,
    best,
    contradict,
    equal,
    first_step,
    no_loss,
    together,
)
from posekit.evaluation.intervals import Comparison, SeedChance, compare
from posekit.study.configurations import REPORT_MODELS

NAN = float("nan")

#: A large difference that one seed on a side found: nothing may be decided by it.
ONE_SEED = Comparison(9, 8, 10, 0.0001, NAN, NAN, NAN)


def difference(value: float, low: float, high: float, p: float = 0.5, people=NAN, seeds=NAN) -> Comparison:
    return Comparison(value, NAN, NAN, NAN, low, high, p, people, seeds)


CLEAR, LOST = difference(5, 3, 7, 0.01), difference(-5, -7, -3, 0.001)


def on_one_set(comparisons, complete=True) -> str:
    return best({"MPII": comparisons}, complete)["MPII"]


def test_best_needs_every_rival_beaten_after_holm():
    doubtful = difference(5, -1, 11, 0.04)
    assert on_one_set([CLEAR, CLEAR]) == "holds"
    assert on_one_set([CLEAR, CLEAR], complete=False) == "undecided"
    assert on_one_set([CLEAR, difference(5, 0, 10, 0.06)]) == "undecided"
    assert on_one_set([doubtful]) == "holds" and on_one_set([doubtful] * 2) == "undecided", "0.04 twice is 0.08"
    assert on_one_set([CLEAR, LOST]) == "does not hold"
    assert on_one_set([LOST], complete=False) == "does not hold", "one rival that is better is enough"
    assert on_one_set([ONE_SEED]) == on_one_set([]) == "undecided"


def test_best_corrects_for_the_comparisons_on_both_sets_together():
    """0.02 twice is 0.04 on one set; of four comparisons, the smallest p counts fourfold."""
    both = [difference(5, 3, 7, 0.02)] * 2
    assert best({"MPII": both}, True) == {"MPII": "holds"}
    assert best({"MPII": both, "LSP": both}, True) == {"MPII": "undecided", "LSP": "undecided"}
    sure = [difference(-5, -7, -3, 0.001)] * 2
    assert best({"MPII": both, "LSP": sure}, True) == {"MPII": "holds", "LSP": "does not hold"}


def test_no_difference_found_is_not_yet_equality():
    assert equal(difference(0, -1, 1)) == "holds"
    assert equal(difference(0, -5, 5)) == "undecided"
    assert equal(difference(1, 0.5, 2.5)) == "undecided"
    assert equal(difference(-4, -5, -3)) == "does not hold" == equal(difference(4, 2.1, 6))
    assert equal(difference(0, -2, 1)) == "undecided", "the margin itself is not within"
    assert equal(ONE_SEED) == "undecided"
    assert EQUAL.judge({"MPII": [], "LSP": [LOST]}, True) == {"MPII": "undecided", "LSP": "does not hold"}


def test_no_loss_asks_the_lower_end_alone():
    good = difference(5, 3, 7)
    assert no_loss([difference(0, -1.9, 9), good]) == "holds"
    assert no_loss([good], complete=False) == "undecided"
    assert no_loss([difference(0, -2.1, 3), good]) == "undecided"
    assert no_loss([good, difference(-4, -5, -2.1)]) == "does not hold"
    assert no_loss([ONE_SEED]) == no_loss([]) == "undecided"
    assert NO_LOSS.judge({"MPII": [good], "LSP": [LOST]}, True) == {"MPII": "holds", "LSP": "does not hold"}


def test_an_interval_around_the_value_decides_nothing():
    assert above([(1.01, 1.1), (1.02, 1.2)], 1) == "holds"
    assert above([(1.01, 1.1), (0.99, 1.2)], 1) == above([], 1) == "undecided"
    assert above([(1.01, 1.1), (0.9, 0.99)], 1) == "does not hold"


def test_the_first_step_needs_every_model_and_two_seeds():
    six = list(REPORT_MODELS)
    assert first_step({model: [True, True] for model in six}, six) == "holds"
    assert first_step({model: [True] for model in six}, six) == "undecided"
    assert first_step({model: [True, True] for model in six[1:]}, six) == "undecided"
    assert first_step({"model-4": [True, False]}, six) == first_step({"model-4": [False]}, six) == "undecided"
    assert first_step({"model-4": [False, False]}, six) == "does not hold"


@pytest.mark.parametrize(
    ("one", "other", "verdict"),
    [
        ("holds", "holds", "holds"),
        ("holds", "undecided", "holds"),
        ("does not hold", "undecided", "does not hold"),
        ("does not hold", "does not hold", "does not hold"),
        ("holds", "does not hold", "undecided"),
        ("undecided", "undecided", "undecided"),
    ],
)
def test_two_sets_of_people_make_one_verdict(one, other, verdict):
    assert together([one, other]) == together([other, one]) == verdict
    assert contradict([one, other]) == ({one, other} == {"holds", "does not hold"})
    assert together([one]) == one


def test_the_variances_of_a_comparison_make_its_interval():
    """Against the formula: Student's t of Welch and Satterthwaite over both sides' seeds and the people."""
    rng = np.random.default_rng(0)
    first, second = (np.where(rng.random((seeds, 60, 16)) < 0.6, 0.1, 2.0) for seeds in (3, 4))
    found = compare(first, second, resamples=50)
    half = (found.seeds_high - found.seeds_low) / 2
    assert found.seeds_low < found.difference < found.seeds_high
    assert 1.9 < half / np.sqrt(found.people_variance + found.seeds_variance) < 4.31  # t of 2 degrees and more
    values = [100 * (d[..., [*range(6), *range(8, 16)]] < 0.5).mean(axis=(1, 2)) for d in (first, second)]
    assert found.seeds_variance == pytest.approx(sum(v.var(ddof=1) / len(v) for v in values))


def test_same_seeds_cancel_what_both_sides_share():
    """Sides whose seeds differ by 20 points, but by one another's always by 5: the seeds add nothing."""
    people = np.linspace(0, 1, 400, endpoint=False)[:, None]

    def side(accuracies):
        return np.stack([np.broadcast_to(np.where(people < a, 0.1, 2.0), (400, 16)) for a in accuracies])

    first, second = side([0.5, 0.6, 0.7]), side([0.55, 0.65, 0.75])
    apart, paired = compare(first, second, resamples=50), compare(first, second, resamples=50, same_seeds=True)
    assert apart.difference == paired.difference == pytest.approx(-5)
    assert apart.seeds_variance == pytest.approx(2 * 100 / 3)
    assert paired.seeds_variance == pytest.approx(0, abs=1e-9)
    assert apart.seeds_low < -15 and -8 < paired.seeds_low < -5 < paired.seeds_high < -2
    unequal = compare(side([0.5, 0.6]), side([0.5, 0.7]), resamples=50, same_seeds=True)
    assert unequal.seeds_variance == pytest.approx(50 / 2)  # of the differences 0 and -10
    with pytest.raises(ValueError, match="3 seeds cannot be compared one by one with 2"):
        compare(first, second[:2], same_seeds=True)


def test_the_pooled_scatter_of_seeds_is_one_estimate():
    """Two seeds per side that agree, and a pooled variance of 4 of 6 degrees: 4 (1/2 + 1/2), with 6 and not 12."""
    people = np.linspace(0, 1, 400, endpoint=False)[:, None]

    def side(accuracy):
        return np.stack([np.broadcast_to(np.where(people < accuracy, 0.1, 2.0), (400, 16))] * 2)

    found = compare(side(0.5), side(0.55), resamples=50, chance=SeedChance(4.0, 6))
    assert (found.seeds_variance, found.seeds_degrees) == pytest.approx((4.0, 6.0))
    variance = found.people_variance + 4.0
    freedom = variance**2 / (found.people_variance**2 / 399 + 4.0**2 / 6)
    half = (found.seeds_high - found.seeds_low) / 2
    assert half == pytest.approx(stats.t.ppf(0.975, freedom) * np.sqrt(variance))

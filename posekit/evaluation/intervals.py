"""What is known and what is chance: intervals of a PCKh, differences with their intervals and p values.

The people are a sample, and joints of one person go wrong together: so people are drawn, never joints. The seed
of a training is a second source of chance that more people do not remove. Every interval says which it covers:

- of people:           these very trained networks on other people like these (bootstrap over people);
- of people and seeds: networks that are trained anew with other seeds, on other people. It needs two or
                       more seeds per side, and few seeds make it wide, since they say little about other seeds.

Distances are what `head_distances` returns, (N, 16) for one training or (S, N, 16) for S seeds of one
configuration on the same N people. Which PCKh is meant is given by the name of a mean
(`posekit.evaluation.pckh.MEANS`) and a threshold in head sizes. Results are in percent, and NaN where no person
has a joint of that mean.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import joblib
import numpy as np
from cachetools import LRUCache, cached
from scipy import stats

from posekit.errors import PosekitError
from posekit.evaluation.pckh import MEANS

RESAMPLES = 10_000
_AT_ONCE = 2**20  # people drawn in one step, times resamples: what stays in the processor's cache


@dataclass(frozen=True)
class Interval:
    """A PCKh, mean over seeds, with its 95 % interval over people."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class SeedSpread:
    """The PCKh of S seeds of one configuration on the same people: no interval, only what was measured."""

    values: tuple[float, ...]
    mean: float
    minimum: float
    maximum: float
    deviation: float  # standard deviation (S - 1); NaN for one seed


@dataclass(frozen=True)
class Comparison:
    """First minus second configuration on the same people, in points of PCKh, mean over seeds of each.

    low, high and p are about people: the paired bootstrap's 95 % interval and the sign-flip test. seeds_low,
    seeds_high and seeds_p are about people and seeds; NaN where a side has one seed. Their variance (points
    squared) is the sum of people_variance and seeds_variance, of which the latter has seeds_degrees of freedom.
    """

    difference: float
    low: float
    high: float
    p: float
    seeds_low: float
    seeds_high: float
    seeds_p: float
    people_variance: float = float("nan")
    seeds_variance: float = float("nan")
    seeds_degrees: float = float("nan")


def interval(
    distances: np.ndarray,
    mean: str = "weighted14",
    threshold: float = 0.5,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """The 95 % percentile bootstrap interval over people of one configuration's PCKh.

    With several seeds it is about their mean, for these very trainings.
    """
    return intervals(distances, [mean], threshold, resamples, seed)[mean]


def intervals(
    distances: np.ndarray,
    means: Sequence[str],
    threshold: float = 0.5,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Interval]:
    """`interval` of several means by name: each resample of the people gives all of them."""
    tallies = [_tally(distances, mean, threshold) for mean in means]
    found = _bootstrap([(hits.mean(axis=0), counts) for hits, counts in tallies], resamples, seed)
    return dict(zip(means, found, strict=True))


def seed_spread(distances: np.ndarray, mean: str = "weighted14", threshold: float = 0.5) -> SeedSpread:
    """How far the seeds of one configuration lie apart."""
    hits, counts = _tally(distances, mean, threshold)
    values = _value(hits.sum(axis=1), counts.sum(axis=0))
    deviation = float(values.std(ddof=1)) if len(values) > 1 else float("nan")
    return SeedSpread(
        tuple(values.tolist()), float(values.mean()), float(values.min()), float(values.max()), deviation
    )


@dataclass(frozen=True)
class SeedChance:
    """How far trainings of one configuration scatter, pooled over several: variance (points squared), degrees."""

    variance: float
    degrees: int


def seed_chance(
    configurations: Sequence[np.ndarray], mean: str = "weighted14", threshold: float = 0.5
) -> SeedChance:
    """The variance between seeds, pooled over configurations (S, N, 16): two seeds alone may agree by luck.

    Configurations of one seed add nothing; without any of two, the variance is 0 of 0 degrees.
    """
    spreads = [(len(d), seed_spread(d, mean, threshold).deviation) for d in configurations if len(d) > 1]
    degrees = sum(seeds - 1 for seeds, _ in spreads)
    squares = sum((seeds - 1) * deviation**2 for seeds, deviation in spreads)
    return SeedChance(squares / degrees if degrees else 0.0, degrees)


def compare(
    first: np.ndarray,
    second: np.ndarray,
    mean: str = "weighted14",
    threshold: float = 0.5,
    resamples: int = RESAMPLES,
    seed: int = 0,
    chance: SeedChance | None = None,
    same_seeds: bool = False,
) -> Comparison:
    """Two configurations on the same people.

    Of people: each person's hits are averaged over the seeds of a side; people are drawn together with both sides
    (paired bootstrap), and the test flips the sides of people at random: if both were
    equally accurate, every such flip would be equally likely.

    Of people and seeds: the variance of the difference is the sum of that over people and, for each side, the
    variance between seeds / S; the interval is Student's with Welch's and Satterthwaite's degrees of freedom
    (Satterthwaite, Biometrics Bulletin 1946). Seeds are not resampled: three values resampled cannot be spread
    wider than they are, and such an interval of 95 % covered 83 % in simulation. What depends on both the seed
    and the person is in both parts, so this interval is too wide rather than too narrow. Two or three seeds may
    lie close together by luck, though, and then p is far too small: chance, pooled over all configurations of a
    study by `seed_chance`, takes the place of a side's own variance where it is the larger one.

    same_seeds: seed s of both sides started from the same state, so the effect of the seed is in both and cancels
    out. Then the variance between seeds is that of the S differences, and chance is not used.

    Raises `PosekitError` if the two are not about the same annotated joints, or if sides of the same seeds have
    different numbers of them.
    """
    (hits_a, counts), (hits_b, counts_b) = _tally(first, mean, threshold), _tally(second, mean, threshold)
    if not np.array_equal(counts, counts_b):
        raise PosekitError(
            "the two sides of a comparison are not about the same people and joints; "
            "evaluate both on the same data set"
        )
    if same_seeds and len(hits_a) != len(hits_b):
        raise PosekitError(f"{len(hits_a)} seeds cannot be compared one by one with {len(hits_b)}")
    gain = hits_a.mean(axis=0) - hits_b.mean(axis=0)
    (of_people,) = _bootstrap([(gain, counts)], resamples, seed)
    p = _sign_flip(_value(gain, counts.sum(axis=0)), resamples, seed)  # what each person adds to the difference
    return Comparison(
        of_people.estimate,
        of_people.low,
        of_people.high,
        p,
        *_with_seeds(hits_a, hits_b, counts, of_people.estimate, chance, same_seeds),
    )


def total_variance(parts: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The variance of a sum of independent parts (variance, degrees of freedom), and its degrees of freedom by
    Welch and Satterthwaite (Biometrics Bulletin 1946); infinite where nothing varies."""
    variance, squares = sum(part for part, _ in parts), sum(part**2 / degrees for part, degrees in parts)
    return variance, variance**2 / squares if squares else float("inf")


def holm(p_values: Sequence[float]) -> np.ndarray:
    """(M,) p values adjusted for a family of M comparisons: below 0.05, all of them hold together at 95 %.

    The smallest is multiplied by M, the next by M - 1 and so on, none becomes smaller than the one before it, and
    none larger than 1 (Holm, Scandinavian Journal of Statistics 1979).
    """
    p = np.asarray(p_values, float)
    order = np.argsort(p)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1)
    return adjusted


def _tally(distances: np.ndarray, mean: str, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Hits (S, N, K) and annotated joints (N, K), float64, of each person in each of the K cells of a mean."""
    if mean not in MEANS:
        raise PosekitError(f"there is no mean {mean!r}; choose one of {', '.join(MEANS)}")
    distances = distances[None] if distances.ndim == 2 else distances
    annotated = ~np.isnan(distances)
    if (annotated != annotated[0]).any():
        raise PosekitError("the seeds are not about the same people and joints; evaluate all on the same data set")
    hits = np.stack([(distances[..., cell] <= threshold).sum(axis=-1) for cell in MEANS[mean]], axis=-1)
    counts = np.stack([annotated[0][..., cell].sum(axis=-1) for cell in MEANS[mean]], axis=-1)
    return hits.astype(float), counts.astype(float)


def _value(hits: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(...) percent from hits and counts (..., K) of a mean's cells."""
    percent = np.divide(
        100 * hits, counts, out=np.full(np.broadcast(hits, counts).shape, np.nan), where=counts > 0
    )
    return percent.mean(axis=-1)


def _arguments(*arguments: object) -> str:
    """Names arguments by their content, arrays included: figures, tables and claims ask for the same intervals,
    each of which takes a tenth of a second, so they are computed once."""
    return joblib.hash(arguments)


@cached(LRUCache(maxsize=1024), key=_arguments)
def _bootstrap(
    tallies: Sequence[tuple[np.ndarray, np.ndarray]], resamples: int, seed: int
) -> tuple[Interval, ...]:
    """The value of each mean, from its hits (N, K) and counts (N, K), with its interval over people."""
    people = len(tallies[0][0])
    estimates = [float(_value(hits.sum(axis=0), counts.sum(axis=0))) for hits, counts in tallies]
    known = ~np.isnan(estimates) & (people > 1)
    limits = np.full((len(tallies), 2), np.nan)
    if not known.any():
        return tuple(map(Interval, estimates, *limits.T.tolist()))
    hits, counts = zip(*itertools.compress(tallies, known), strict=True)
    both = np.hstack([*hits, *counts])
    borders = np.cumsum([cells.shape[1] for cells in hits])[:-1]

    def values(drawn: np.ndarray, axis: int) -> np.ndarray:
        """(M, B) from the numbers of the people drawn (B, N): how often each, times what each has."""
        rows = np.arange(len(drawn))[:, None] * people
        times = np.bincount((drawn + rows).ravel(), minlength=len(drawn) * people).reshape(-1, people)
        sums = times.astype(float) @ both
        parts = (np.split(half, borders, axis=1) for half in np.split(sums, 2, axis=1))
        return np.stack([_value(*part) for part in zip(*parts, strict=True)])

    result = stats.bootstrap(
        (np.arange(people),),
        values,
        vectorized=True,
        n_resamples=resamples,
        batch=max(_AT_ONCE // people, 1),
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    limits[known] = np.transpose(result.confidence_interval)
    return tuple(map(Interval, estimates, *limits.T.tolist()))


@cached(LRUCache(maxsize=1024), key=_arguments)
def _sign_flip(differences: np.ndarray, resamples: int, seed: int) -> float:
    """The two-sided p value of the sum of differences (N,) when each sign is a coin's.

    `scipy.stats.permutation_test` computes the same, but sorts random numbers to flip a sign: a hundred times
    slower on 2,958 people.
    """
    if np.isnan(differences).any():
        return float("nan")
    rng = np.random.default_rng(seed)
    # Ties are as extreme as what was seen, whatever their last digit says.
    seen = abs(differences.sum()) * (1 - 1e-9)
    extreme = 0
    for start in range(0, resamples, step := max(_AT_ONCE // len(differences), 1)):
        heads = rng.integers(0, 2, (min(step, resamples - start), len(differences)), dtype=np.int8)
        extreme += int((np.abs(2 * (heads @ differences) - differences.sum()) >= seen).sum())
    # What was seen is one of the flips: so p is never 0 (Phipson and Smyth 2010).
    return (extreme + 1) / (resamples + 1)


def _with_seeds(
    hits_a: np.ndarray,
    hits_b: np.ndarray,
    counts: np.ndarray,
    difference: float,
    chance: SeedChance | None,
    same_seeds: bool,
) -> tuple[float, ...]:
    """(low, high, p) of people and seeds, the variance that people and that seeds add, and the latter's degrees of
    freedom."""
    if min(len(hits_a), len(hits_b)) < 2 or np.isnan(difference):
        return (float("nan"),) * 6
    people = len(counts)
    totals = counts.sum(axis=0)
    # How much each person pulls the difference away from what it is: the linear part of a ratio of sums.
    gain = hits_a.mean(axis=0) - hits_b.mean(axis=0)
    pull = _value(gain - counts * (gain.sum(axis=0) / totals), totals)
    parts = [(people * pull.var(ddof=1), people - 1)]
    of_seeds = [_value(hits.sum(axis=1), totals) for hits in (hits_a, hits_b)]
    if same_seeds:
        parts.append(((of_seeds[0] - of_seeds[1]).var(ddof=1) / len(hits_a), len(hits_a) - 1))
    else:
        pooled = 0.0  # one estimate, of its own degrees, even where both sides use it
        for values in of_seeds:
            own = values.var(ddof=1)
            if chance is not None and chance.variance > own:
                pooled += chance.variance / len(values)
            else:
                parts.append((own / len(values), len(values) - 1))
        if pooled:
            parts.append((pooled, chance.degrees))
    variance, freedom = total_variance(parts)
    variances = float(parts[0][0]), *map(float, total_variance(parts[1:]))
    if variance == 0:
        return difference, difference, float(difference == 0), *variances
    reach = stats.t.ppf(0.975, freedom) * np.sqrt(variance)
    p = 2 * stats.t.sf(abs(difference) / np.sqrt(variance), freedom)
    return float(difference - reach), float(difference + reach), float(p), *variances

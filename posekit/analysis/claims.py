"""The claims of the report, one by one: our evidence, and a verdict that a rule decides from the numbers.

Accuracy is PCKh@0.5 weighted14 on the validation people; intervals are 95 % of people and seeds (see
`posekit.evaluation.intervals`), so that nothing that may be the chance of one training is taken for a result. The
rules are the same for every study:

- exact       a count holds if the networks have that very count.
- faster      holds if the interval of the ratio of latencies is above 1 in every setting measured; does not hold
              if it is below 1 in one of them.
- best        holds if the difference to every rival is positive with p < 0.05 after Holm's correction over all of
              them; does not hold if a rival is better with such a p. Where each side has its own best learning
              rate, nothing is decided while one of these is the lowest or the highest that was tried.
- equal       holds if the whole interval of the difference lies within `MARGIN`, does not hold if it lies wholly
              outside: that no difference was found is not yet equality.
- no loss     holds if every interval lies above -`MARGIN`; does not hold if one lies wholly below it.
- first step  holds if in every run of all six models the training loss falls most between the first and the second
              epoch; does not hold if it does so in no run of some model; two seeds of a model at least.
- saves       holds if the interval of what 210 px keep more than 200 px is above 0, does not hold if below.

In every other case, as with records or seeds missing, the claim cannot be told. What is learnt is told at the size
of the study that was trained: another size may have another verdict.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from posekit.analysis import original_report
from posekit.analysis.optimizers import (
    GRID_MODELS,
    GRID_RATES,
    Duel,
    Grid,
    at_best_rates,
    at_equal_rates,
    at_report_rates,
    best_rates,
    make_grid,
)
from posekit.evaluation.intervals import Comparison, compare, holm, seed_chance
from posekit.models.cost import network_cost
from posekit.study.configurations import MODELS, get_size, network_of
from posekit.study.runs import Run
from posekit.study.seeds import Seeds, by_configuration

Verdict = Literal["holds", "does not hold", "cannot be told"]

#: Points of PCKh: a difference below it is none. Readers with another margin have the intervals.
MARGIN = 2.0

#: Two-sided, over a whole family of comparisons.
LEVEL = 0.05

#: The report, section IV.
PARAMETERS_SAVED = 115_520


@dataclass(frozen=True)
class Claim:
    """What the report says and where, what was found, and the verdict."""

    claim: str
    section: str
    evidence: str
    verdict: Verdict


def claims_table(runs: Sequence[Run], grid: Grid, latency: pd.DataFrame, crop: dict) -> pd.DataFrame:
    """A row a claim: claim, section, evidence, verdict.

    runs are a study's; grid holds optimizers at many learning rates, of this study or of another one, which the
    evidence then says; latency and crop are out of `posekit.analysis.benchmark_records`. Models that are not of
    the report are left out.
    """
    runs = [run for run in runs if run.config.model in MODELS and MODELS[run.config.model].network is None]
    models = {seeds.config.model: seeds for seeds in by_configuration(runs)}
    rivals = len(GRID_MODELS) - 1
    elsewhere = _elsewhere(grid, runs)
    at_report = at_report_rates(make_grid(runs, []))
    own = len(at_report) == rivals  # the size's rates are the report's
    best = at_best_rates(grid)
    chosen = {rate for optimizer in GRID_MODELS for rate in best_rates(grid, optimizer).values()}
    rates = sorted({rate for _, rate in grid})
    edge = sorted(chosen & {rates[0], rates[-1]}) if rates else []
    beyond = (
        f"; {', '.join(f'{rate:g}' for rate in edge)} is the edge of the grid, so a better one may lie outside"
    )
    claims = [
        _parameters(),
        _inference(latency),
        _best(
            "RMSprop performs best: at the report's rates",
            "V",
            at_report if own else at_report_rates(grid),
            rivals,
            "" if own else elsewhere,
        ),
        _best(
            "RMSprop performs best: at equal rates",
            "V",
            at_equal_rates(grid),
            rivals * len(GRID_RATES),
            elsewhere,
        ),
        _best(
            "RMSprop performs best: each optimizer at its own best rate",
            "V",
            best,
            # A best rate at the edge of the grid need not be the best there is.
            rivals if not edge else None,
            (beyond if edge else "") + elsewhere,
        ),
        _scheduler(models),
        _no_loss(models),
        _most_accurate(models),
        _first_step(runs),
        _crop(crop),
    ]
    return pd.DataFrame([vars(claim) for claim in claims])


def is_best(comparisons: Sequence[Comparison], complete: bool) -> Verdict:
    """Rule "best": of one side against each of its rivals; complete: no rival is missing."""
    adjusted = holm([comparison.seeds_p for comparison in comparisons])
    wins = [c.difference > 0 and p < LEVEL for c, p in zip(comparisons, adjusted, strict=True)]
    losses = [c.difference < 0 and p < LEVEL for c, p in zip(comparisons, adjusted, strict=True)]
    if any(losses):
        return "does not hold"
    return "holds" if complete and wins and all(wins) else "cannot be told"


def is_equal(comparison: Comparison, margin: float = MARGIN) -> Verdict:
    """Rule "equal"."""
    low, high = comparison.seeds_low, comparison.seeds_high
    if -margin < low and high < margin:
        return "holds"
    return "does not hold" if low > margin or high < -margin else "cannot be told"


def is_no_loss(comparisons: Sequence[Comparison], complete: bool, margin: float = MARGIN) -> Verdict:
    """Rule "no loss": of the new side minus the old one, for every pair; complete: no pair is missing."""
    if any(comparison.seeds_high < -margin for comparison in comparisons):
        return "does not hold"
    good = [comparison.seeds_low > -margin for comparison in comparisons]
    return "holds" if complete and good and all(good) else "cannot be told"


def is_above(intervals: Sequence[tuple[float, float]], value: float) -> Verdict:
    """Rules "faster" and "saves": intervals (low, high) against a value."""
    if any(high < value for _, high in intervals):
        return "does not hold"
    return "holds" if intervals and all(low > value for low, _ in intervals) else "cannot be told"


def is_first_step(first_is_largest: dict[str, list[bool]]) -> Verdict:
    """Rule "first step": of each model, by seed."""
    several = {model: seeds for model, seeds in first_is_largest.items() if len(seeds) > 1}
    if any(not any(seeds) for seeds in several.values()):
        return "does not hold"
    complete = set(several) >= set(original_report.models())
    return "holds" if complete and all(map(all, several.values())) else "cannot be told"


def _parameters() -> Claim:
    full = get_size("full")
    original, reduced = (
        network_cost(network_of(MODELS[name], full), full.crop.size) for name in ("model-1", "model-5")
    )
    key = "stem_convolution_parameters"
    saved = original[key] - reduced[key]
    evidence = (
        f"{original[key]:,} - {reduced[key]:,} = {saved:,} of the stem's convolutions: "
        f"{100 * (1 - reduced['parameters'] / original['parameters']):.1f} % of the network's parameters, "
        f"{100 * (1 - reduced['gflop'] / original['gflop']):.1f} % of its FLOPs"
    )
    verdict: Verdict = "holds" if saved == PARAMETERS_SAVED else "does not hold"
    return Claim(f"The reduced stem has {PARAMETERS_SAVED:,} parameters fewer", "IV", evidence, verdict)


def _inference(latency: pd.DataFrame) -> Claim:
    settings, intervals = [], []
    for row in latency.to_dict("records"):
        threads = "" if pd.isna(row["threads"]) else f", {row['threads']} thread{'s'[: row['threads'] > 1]}"
        ratio = "{:.3f} ({:.3f} to {:.3f})".format(*(row[f"ratio{end}"] for end in ("", " low", " high")))
        settings.append(f"{row['device']}{threads}, batch {row['batch']}: {ratio}")
        intervals.append((row["ratio low"], row["ratio high"]))
    evidence = "latency, original / reduced, at full size. " + "; ".join(settings)
    return Claim("The reduced network spends less time for inference", "VI", evidence, is_above(intervals, 1))


def _best(claim: str, section: str, duels: list[Duel], expected: int | None, note: str = "") -> Claim:
    """A claim that the first side of all duels is best; expected: how many there must be, None: no verdict."""
    if not duels:
        return Claim(claim, section, "not trained", "cannot be told")
    comparisons = [duel.comparison for duel in duels]
    verdict = "cannot be told" if expected is None else is_best(comparisons, complete=len(duels) >= expected)
    if len(duels) <= len(GRID_MODELS):
        evidence = "; ".join(f"{duel.first} minus {duel.second}: {_points(duel.comparison)}" for duel in duels)
    else:
        adjusted = holm([comparison.seeds_p for comparison in comparisons])
        ahead = [comparison.difference > 0 for comparison in comparisons]
        clear = [a and p < LEVEL for a, p in zip(ahead, adjusted, strict=True)]
        behind = [not a and p < LEVEL for a, p in zip(ahead, adjusted, strict=True)]
        differences = [comparison.difference for comparison in comparisons]
        evidence = (
            f"ahead in {sum(ahead)} of {len(duels)} comparisons at {len(duels) // 2} rates, in {sum(clear)} of "
            f"them beyond chance, behind beyond chance in {sum(behind)}; by {min(differences):+.1f} to "
            f"{max(differences):+.1f} points"
        )
        evidence += "; some of one seed" if any(np.isnan(c.seeds_p) for c in comparisons) else ""
    return Claim(claim, section, evidence + note, verdict)


def _elsewhere(grid: Grid, runs: Sequence[Run]) -> str:
    """The remark that the grid is of another study than the runs, or nothing."""
    theirs = {(run.config.data, run.config.size) for seeds in grid.values() for run in seeds.runs}
    ours = {(run.config.data, run.config.size) for run in runs}
    return "".join(f"; of {data}, size {size}" for data, size in sorted(theirs - ours))


def _compare(models: dict[str, Seeds], first: str, second: str) -> Comparison:
    chance = seed_chance([seeds.distances() for seeds in models.values()])
    return compare(models[first].distances(), models[second].distances(), chance=chance)


def _scheduler(models: dict[str, Seeds]) -> Claim:
    claim, section = "The scheduler's influence is insignificant", "V"
    if not {"model-3", "model-4"} <= set(models):
        return Claim(claim, section, "Models 3 and 4 are not both trained", "cannot be told")
    comparison = _compare(models, "model-4", "model-3")
    evidence = f"with scheduler minus without: {_points(comparison)}; equal means within ±{MARGIN:g}"
    return Claim(claim, section, evidence, is_equal(comparison))


def reduced_and_original(models: dict[str, Seeds]) -> dict[str, tuple[str, str]]:
    """The pairs (reduced, original) that differ in their stem alone: the report's two, and further ones."""
    pairs = {"RMSprop": ("model-5", "model-1"), "Adam": ("model-6", "model-3")}
    by_recipe: dict[tuple, dict[str, str]] = {}
    for name in models:
        model = MODELS[name]
        by_recipe.setdefault((model.optimizer, model.schedule, model.loss), {})[model.stem] = name
    for (optimizer, schedule, _), stems in by_recipe.items():
        if {"reduced", "original"} <= set(stems):
            name = optimizer if schedule == "constant" else f"{optimizer}, {schedule}"
            pairs.setdefault(name, (stems["reduced"], stems["original"]))
    return pairs


def _no_loss(models: dict[str, Seeds]) -> Claim:
    pairs = reduced_and_original(models)
    there = {name: pair for name, pair in pairs.items() if set(pair) <= set(models)}
    compared = {name: _compare(models, reduced, original) for name, (reduced, original) in there.items()}
    evidence = "; ".join(f"reduced minus original, {name}: {_points(c)}" for name, c in compared.items())
    return Claim(
        "The reduced network does not lose accuracy",
        "V",
        f"{evidence}; a loss is more than {MARGIN:g}" if evidence else "not trained",
        is_no_loss(list(compared.values()), complete=there == pairs),
    )


def _most_accurate(models: dict[str, Seeds]) -> Claim:
    claim, section = "The reduced network with RMSprop (Model 5) is the most accurate", "VI"
    published = original_report.losses().set_index("model")["loss"]
    ahead = [MODELS[f"model-{number}"].title for number in published.index[published < published[5]]]
    theirs = f"in the report itself {', '.join(ahead)} has a lower loss than Model 5" if ahead else ""
    if "model-5" not in models or len(models) < 2:
        return Claim(claim, section, theirs, "cannot be told")
    compared = {name: _compare(models, "model-5", name) for name in models if name != "model-5"}
    nearest = min(compared, key=lambda name: compared[name].difference)
    ours = f"Model 5 minus {MODELS[nearest].title}, its strongest rival: {_points(compared[nearest])}"
    verdict = is_best(list(compared.values()), complete=set(models) >= set(original_report.models()))
    return Claim(claim, section, "; ".join(filter(None, [ours, theirs])), verdict)


def _first_step(runs: Sequence[Run]) -> Claim:
    largest: dict[str, list[bool]] = {}
    failing = []
    for run in runs:
        steps = -np.diff(run.history["train_loss"])
        largest.setdefault(run.config.model, []).append(len(steps) > 1 and int(np.argmax(steps)) == 0)
        if not largest[run.config.model][-1]:
            failing.append(f"{MODELS[run.config.model].title} seed {run.config.seed}")
    count = sum(map(sum, largest.values()))
    one = [MODELS[model].title for model, seeds in largest.items() if len(seeds) < 2]
    evidence = f"the training loss falls most after the first epoch in {count} of {len(runs)} runs"
    evidence += f"; not in {', '.join(failing)}" if failing else ""
    evidence += f"; one seed only: {', '.join(one)}" if one else ""
    return Claim("All models make the biggest step after the first epoch", "V", evidence, is_first_step(largest))


def _crop(crop: dict) -> Claim:
    lost = {height: crop["lost"][height]["ankles_lost"] for height in ("200", "210")}
    difference, low, high = crop["saved"]["ankles"]
    evidence = (
        f"ankles outside the crop: {lost['200']:.1f} % with 200 px, {lost['210']:.1f} % with 210 px, "
        f"{difference:.1f} points fewer ({low:.1f} to {high:.1f}); {crop['people']:,} people of MPII"
    )
    return Claim("A crop of 210 instead of 200 px saves legs", "IV", evidence, is_above([(low, high)], 0))


def _points(comparison: Comparison) -> str:
    """A difference with its interval of people and seeds, or of people alone where there are no seeds for it."""
    if np.isnan(comparison.seeds_low):
        low, high, which = comparison.low, comparison.high, "people alone, one seed"
    else:
        low, high, which = comparison.seeds_low, comparison.seeds_high, "people and seeds"
    return f"{comparison.difference:+.1f} points ({low:+.1f} to {high:+.1f}, {which})"

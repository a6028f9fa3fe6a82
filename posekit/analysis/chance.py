"""How much of a score is chance: the choice of the test people, and the seed that a network was trained from."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from posekit.analysis.judging import points
from posekit.analysis.results import Results
from posekit.analysis.texts import difference_text
from posekit.study.configurations import MODELS, title_of


def chance_table(results: Results) -> pd.DataFrame:
    """How far scores would move with other people, and with other seeds, in percentage points: a row per set of
    people.

    other people: half the width of the 95 % interval over people of a model's score, which is the mean of its
    seeds; the mean over the models. difference of Models 5 and 1: the same of that difference, paired. other
    seeds: the standard deviation between seeds of one model, pooled over all configurations of the study, NaN
    while no model has two; degrees of freedom: how many differences between seeds that rests on.
    """
    configurations = list(results.configurations.values())
    sides = [results.of(name) for name in ("model-5", "model-1")]
    rows = []
    for yardstick in results.yardsticks:
        widths = [(found.high - found.low) / 2 for found in map(yardstick.interval, configurations)]
        chance = yardstick.chance(configurations)
        paired = yardstick.compare(*sides) if all(sides) else None
        rows.append(
            {
                "people": f"{yardstick.people(results.runs[0]):,} of {yardstick.title}, {yardstick.metric}",
                "other people: ± points": np.mean(widths),
                "other people, difference of Models 5 and 1: ± points": (
                    (paired.high - paired.low) / 2 if paired else np.nan
                ),
                "other seeds: standard deviation, points": np.sqrt(chance.variance) if chance.degrees else np.nan,
                "degrees of freedom": chance.degrees,
            }
        )
    return pd.DataFrame(rows)


def same_state_table(results: Results) -> pd.DataFrame:
    """Models 4 and 3, which share seed and first epochs, seed by seed, in percent and percentage points: a row per
    seed that both have, then the mean difference with its 95 % interval of people and seeds. Empty without such
    a seed."""
    one, other = results.of("model-4"), results.of("model-3")
    if one is None or other is None:
        return pd.DataFrame()
    if not (seeds := [number for number in one.numbers if number in other.numbers]):
        return pd.DataFrame()
    one, other = one.only(seeds), other.only(seeds)
    names = title_of(one.config), title_of(other.config)
    rows: dict[str, dict[str, str]] = {f"seed {number}": {} for number in seeds} | {"mean": {}}
    for yardstick in results.yardsticks:
        scores = [yardstick.scores(side) for side in (one, other)]
        for number, a, b in zip(seeds, *scores, strict=True):
            rows[f"seed {number}"] |= {
                f"{yardstick.title}: {names[0]}, %": f"{a:.1f}",
                f"{yardstick.title}: {names[1]}, %": f"{b:.1f}",
                f"{yardstick.title}: difference, points": f"{a - b:+.1f}",
            }
        mean = points(yardstick.compare(one, other, same_seeds=True))
        rows["mean"][f"{yardstick.title}: difference, points"] = mean
    return pd.DataFrame.from_dict(rows, orient="index").fillna("").rename_axis("").reset_index()


def pair_table(results: Results, pairs: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """The difference of two models on each set of people, in percentage points, with both kinds of 95 % interval:
    over people, for these very networks, and over people and seeds, for the models. A row per pair and set."""
    configurations = list(results.configurations.values())
    rows = []
    for first, second in pairs:
        sides = results.of(first), results.of(second)
        if not all(sides):
            continue
        for yardstick in results.yardsticks:
            found = yardstick.compare(*sides, yardstick.chance(configurations))
            rows.append(
                {
                    "difference": f"{MODELS[first].title} minus {MODELS[second].title}",
                    "people": f"{yardstick.title}, {yardstick.metric}",
                    "seeds": " and ".join(str(len(side.runs)) for side in sides),
                    "points (over people)": difference_text(found.difference, found.low, found.high),
                    "points (over people and seeds)": points(found),
                }
            )
    return pd.DataFrame(rows)

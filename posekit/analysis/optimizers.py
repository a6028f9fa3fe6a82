"""Does RMSprop win, or does its learning rate? Every optimizer at the same rates, for the same epochs.

The report gives 2.5e-4 for RMSprop (Table II) and no rate for Adam and RAdam, whose usual one is 1e-3. So three
comparisons are made: at the report's rates, at equal rates, and each optimizer at its own best rate.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from posekit.analysis.judging import points
from posekit.evaluation.intervals import Comparison, SeedChance, compare, holm, interval, seed_chance, seed_spread
from posekit.evaluation.pckh import pckh
from posekit.study.configurations import REPORT_RATES
from posekit.study.runs import Run
from posekit.study.seeds import Seeds, by_configuration
from posekit.training.run_config import OptimizerName

#: The original network with each of the report's optimizers; what claims are about comes first.
GRID_MODELS: dict[OptimizerName, str] = {"RMSprop": "model-1", "RAdam": "model-2", "Adam": "model-3"}

#: From well below the report's rate for RMSprop, 2.5e-4, to well above the others' usual 1e-3.
GRID_RATES = (1e-4, 2.5e-4, 5e-4, 1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2)

#: An optimizer and a learning rate, and the runs from several seeds that were trained with them.
Grid = dict[tuple[OptimizerName, float], Seeds]


@dataclass(frozen=True)
class Duel:
    """Two optimizers on the same people: the setting, what trained each side, and their difference in PCKh."""

    setting: str
    first: str
    second: str
    seeds: tuple[int, int]
    comparison: Comparison


def make_grid(runs: Sequence[Run], others: Sequence[Run]) -> Grid:
    """The runs of `GRID_MODELS` at all learning rates: those with the study's own
    settings, and the others.

    Left out are runs with another batch size, since they take another number of steps.
    """
    models = {model: optimizer for optimizer, model in GRID_MODELS.items()}
    usual = {run.config.batch_size for run in runs}
    chosen = [r for r in [*runs, *others] if r.config.model in models and r.config.batch_size in usual]
    return {(models[s.config.model], s.config.learning_rate): s for s in by_configuration(chosen)}


def grid_table(grid: Grid) -> pd.DataFrame:
    """PCKh@0.5 weighted14 (percent) of every optimizer and rate: the mean of its seeds with the 95 % interval over
    people, and the lowest and the highest seed."""
    rows = []
    for (optimizer, rate), seeds in grid.items():
        of_people, spread = interval(seeds.distances()), seed_spread(seeds.distances())
        rows.append(
            {
                "optimizer": optimizer,
                "learning rate": rate,
                "seeds": len(seeds.runs),
                "PCKh": of_people.estimate,
                "low": of_people.low,
                "high": of_people.high,
                "lowest seed": spread.minimum,
                "highest seed": spread.maximum,
            }
        )
    return pd.DataFrame(rows)


def at_report_rates(grid: Grid) -> list[Duel]:
    """RMSprop against the others at `REPORT_RATES`; without those that were not trained."""
    return _duels("the report's rates", {o: (o, REPORT_RATES[o]) for o in GRID_MODELS}, grid, _chance(grid))


def at_equal_rates(grid: Grid) -> list[Duel]:
    """RMSprop against the others at every rate that both were trained at."""
    chance = _chance(grid)
    return [
        duel
        for rate in sorted({rate for _, rate in grid})
        for duel in _duels("equal rates", {o: (o, rate) for o in GRID_MODELS}, grid, chance)
    ]


def at_best_rates(grid: Grid) -> list[Duel]:
    """RMSprop against the others, each at its own best rate: see `best_rates`."""
    best = {optimizer: best_rates(grid, optimizer) for optimizer in GRID_MODELS}
    first, *others = GRID_MODELS
    chance, duels = _chance(grid), []
    for other in others:
        sides = [best[first], best[other]]
        if min(map(len, sides)) == 0 or sum(optimizer == first for optimizer, _ in grid) < 2:
            continue
        names = [
            f"{optimizer} {'/'.join(f'{rate:g}' for rate in dict.fromkeys(best[optimizer].values()))}"
            for optimizer in (first, other)
        ]
        a, b = (
            np.stack([grid[optimizer, rate].of(seed) for seed, rate in best[optimizer].items()])
            for optimizer in (first, other)
        )
        comparison = compare(a, b, chance=chance)
        duels.append(Duel("own best rate", *names, (len(a), len(b)), comparison))
    return duels


def best_rates(grid: Grid, optimizer: OptimizerName) -> dict[int, float]:
    """For every seed that all rates of an optimizer were trained from, the rate that is best by the OTHER seeds.

    A rate that is picked and reported on the same seed profits from the chance of that seed. With one seed there
    are no others: then it is picked on that seed itself, and what it reaches is too good by a little. Validation
    people are the same in picking and reporting either way.
    """
    at_rates = {rate: seeds for (name, rate), seeds in grid.items() if name == optimizer}
    if not at_rates:
        return {}
    numbers = sorted(set.intersection(*(set(seeds.numbers) for seeds in at_rates.values())))
    reached = {
        rate: {number: pckh(seeds.of(number)).weighted14 for number in numbers} for rate, seeds in at_rates.items()
    }

    def best(deciding: Sequence[int]) -> float:
        return max(at_rates, key=lambda rate: np.mean([reached[rate][number] for number in deciding]))

    return {number: best([n for n in numbers if n != number] or [number]) for number in numbers}


def edge_rates(grid: Grid, optimizer: OptimizerName) -> list[float]:
    """Those of its `best_rates` that are the lowest or the highest rate it was trained at: a better one may lie
    beyond them."""
    rates = [rate for name, rate in grid if name == optimizer]
    return sorted(set(best_rates(grid, optimizer).values()) & {min(rates), max(rates)}) if rates else []


def duel_table(duels: Sequence[Duel]) -> pd.DataFrame:
    """A row per duel: difference in points of PCKh@0.5 weighted14, first minus second, both kinds of interval (see
    `posekit.evaluation.intervals`), and p of people and seeds after Holm's correction within its setting; 0.001
    stands for anything below it, since no normal distribution can be trusted further out."""
    adjusted: dict[Duel, float] = {}
    for setting in dict.fromkeys(duel.setting for duel in duels):
        family = [duel for duel in duels if duel.setting == setting]
        adjusted |= dict(zip(family, holm([duel.comparison.seeds_p for duel in family]), strict=True))
    return pd.DataFrame(
        {
            "setting": duel.setting,
            "first": duel.first,
            "second": duel.second,
            "seeds": "{} : {}".format(*duel.seeds),
            "difference": duel.comparison.difference,
            "people: low": duel.comparison.low,
            "people: high": duel.comparison.high,
            "people and seeds: low": duel.comparison.seeds_low,
            "people and seeds: high": duel.comparison.seeds_high,
            "p (Holm)": np.fmax(adjusted[duel], 0.001) if np.isfinite(adjusted[duel]) else np.nan,
        }
        for duel in duels
    )


def rates_table(grid: Grid) -> pd.DataFrame:
    """`grid_table` with a row per learning rate and a column per optimizer: the mean of the seeds with its 95 %
    interval over people, in percent, as text."""
    cells: dict[float, dict[str, str]] = {rate: {} for rate in sorted({rate for _, rate in grid})}
    for row in grid_table(grid).to_dict("records"):
        cells[row["learning rate"]][f"{row['optimizer']}, %"] = (
            f"{row['PCKh']:.1f} ({row['low']:.1f} to {row['high']:.1f})"
        )
    return _by_rate(cells)


def equal_rates_table(grid: Grid) -> pd.DataFrame:
    """`at_equal_rates` with a row per learning rate: RMSprop minus each of the others, in points of PCKh with
    the 95 % interval of people and seeds, as text."""
    cells: dict[float, dict[str, str]] = {}
    for duel in at_equal_rates(grid):
        (first, rate), (second, _) = duel.first.split(), duel.second.split()
        cells.setdefault(float(rate), {})[f"{first} minus {second}, points"] = points(duel.comparison)
    return _by_rate(cells)


def _by_rate(cells: dict[float, dict[str, str]]) -> pd.DataFrame:
    table = pd.DataFrame.from_dict(cells, orient="index").fillna("")
    table.index = [f"{rate:g}" for rate in table.index]
    return table.rename_axis("learning rate").reset_index()


def _chance(grid: Grid) -> SeedChance:
    return seed_chance([seeds.distances() for seeds in grid.values()])


def _duels(
    setting: str, sides: dict[OptimizerName, tuple[OptimizerName, float]], grid: Grid, chance: SeedChance
) -> list[Duel]:
    first, *others = sides
    duels = []
    for other in others:
        if sides[first] in grid and sides[other] in grid:
            a, b = grid[sides[first]], grid[sides[other]]
            names = [f"{optimizer} {rate:g}" for optimizer, rate in (sides[first], sides[other])]
            comparison = compare(a.distances(), b.distances(), chance=chance)
            duels.append(Duel(setting, *names, (len(a.runs), len(b.runs)), comparison))
    return duels

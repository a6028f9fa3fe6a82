"""Where the budget turns: a small network wins a short training, because the large one has not learned yet."""

import math
from collections.abc import Mapping

import pandas as pd

from posekit.analysis.cheaper_networks import ALIKE, told_covers, told_difference
from posekit.study.configurations import BUDGETS

#: Beyond so many times the longest budget, a straight line says nothing.
_FAR = 100


def passing_epoch(
    short: float, long: float, epochs: tuple[int, int] = (BUDGETS["short"], BUDGETS["long"])
) -> float | None:
    """Epochs of training at which the original would pass a variant, were the difference a line over log(epochs).

    short, long: the variant's PCKh minus the original's after trainings of so many epochs, each with its own
    annealing. Two points make the line, so nothing tells how well it fits: outside of the two budgets this is an
    extrapolation. None if the variant is behind already after the short one, if the difference does not fall from
    short to long, for then the original does not catch up on this line, or if it passes beyond a hundred times the
    longer budget.
    """
    if short <= 0 or long >= short:
        return None
    first, last = epochs
    steps = math.log(last / first) * short / (short - long)  # of log(epochs), from the first budget to zero
    return first * math.exp(steps) if steps <= math.log(_FAR * last / first) else None


def budget_table(tables: Mapping[str, pd.DataFrame], alike: bool = False) -> pd.DataFrame:
    """A row a variant that was trained at both budgets. tables: of
    `posekit.analysis.cheaper_networks.pareto_table`, by budget.

    network; `short difference`, `short low`, `short high`, `short covers` and the same of long: see
    `posekit.analysis.cheaper_networks.Difference`; passing_epoch, NaN for None. alike: beside the variant
    `posekit.analysis.cheaper_networks.ALIKE` instead of the original. No rows where a budget or what has both is
    missing.
    """
    if not all(budget in tables for budget in BUDGETS):
        return pd.DataFrame()
    prefix = "alike_" if alike else ""
    short, long = (
        tables[budget]
        .set_index("network")[[f"{prefix}{name}" for name in ("difference", "low", "high", "covers")]]
        .dropna()
        .rename(columns=lambda name, budget=budget: f"{budget} {name.removeprefix(prefix)}")
        for budget in BUDGETS
    )
    both = short.join(long, how="inner").reset_index()
    passing = map(passing_epoch, both["short difference"], both["long difference"])
    return both.assign(passing_epoch=pd.Series(list(passing), dtype=float))


def told_budgets(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """`budget_table` beside the original and beside `posekit.analysis.cheaper_networks.ALIKE`, numbers as text.

    What lies outside of the budgets is named an extrapolation. No rows where `budget_table` has none.
    """
    rows = []
    for other, alike in (("original", False), (ALIKE, True)):
        for _, row in budget_table(tables, alike).iterrows():
            told = {"network": row["network"], "beside": other}
            for budget, epochs in BUDGETS.items():
                columns = (f"{budget} {name}" for name in ("difference", "low", "high"))
                told[f"points more after {epochs} epochs (95 %)"] = told_difference(*row[[*columns]])
            rows.append(
                told
                | {"these intervals are of": told_covers(*(row[f"{budget} covers"] for budget in BUDGETS))}
                | {"the other one passes after": _told_passing(row["short difference"], row["passing_epoch"])}
            )
    return pd.DataFrame(rows)


def _told_passing(short: float, epoch: float) -> str:
    if short <= 0:
        return f"is ahead already after {BUDGETS['short']} epochs"
    if math.isnan(epoch):
        return "does not, on this line"
    inside = BUDGETS["short"] <= epoch <= BUDGETS["long"]
    return f"{epoch:.3g} epochs ({'between the budgets' if inside else 'extrapolated'})"

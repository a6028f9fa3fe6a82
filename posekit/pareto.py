"""Accuracy against cost: every variant beside the original network, trained and tested alike."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from posekit.cost import network_cost
from posekit.errors import PosekitError
from posekit.figures import new_figure
from posekit.intervals import compare, interval, seed_chance
from posekit.records import Run
from posekit.seeds import Seeds, by_configuration
from posekit.variants import VARIANTS


def by_variant(runs: Sequence[Run], budget: str) -> dict[str, Seeds]:
    """The finished runs of each variant at one of `BUDGETS`, in the order of `VARIANTS`."""
    there = {seeds.config.profile: seeds for seeds in by_configuration(runs)}
    profiles = {name: f"{budget}-{name}" for name in VARIANTS}
    return {name: there[profile] for name, profile in profiles.items() if profile in there}


def pareto_table(runs: Sequence[Run], budget: str, latency: dict[str, float]) -> pd.DataFrame:
    """A row a variant, the original network first.

    The columns are network, parameters, gflop, latency_ms, pckh, difference, low and high. pckh is PCKh@0.5
    weighted14 (percent), the mean of the seeds; difference is that minus the original's, low and high its paired
    95 % interval: of people and seeds where both sides have several seeds, else of people.
    latency: milliseconds by variant, from `posekit.measured`. Raises `PosekitError` if the original is missing.
    """
    variants = by_variant(runs, budget)
    if "original" not in variants:
        raise PosekitError(
            f"the original network has not been trained yet: posekit train --profile {budget}-original"
        )
    original = variants["original"].distances()
    chance = seed_chance([seeds.distances() for seeds in variants.values()])
    rows = []
    for name, seeds in variants.items():
        cost = network_cost(seeds.config.network, seeds.config.crop.size)
        row = {
            "network": name,
            "parameters": cost["parameters"],
            "gflop": cost["gflop"],
            "latency_ms": latency.get(name, float("nan")),
            "pckh": interval(seeds.distances()).estimate,
        }
        if name != "original":
            compared = compare(seeds.distances(), original, chance=chance)
            people = compared.low, compared.high
            both = compared.seeds_low, compared.seeds_high
            low, high = people if pd.isna(both[0]) else both
            row |= {"difference": compared.difference, "low": low, "high": high}
        rows.append(row)
    return pd.DataFrame(rows)


def pareto_figure(table: pd.DataFrame, title: str) -> Figure:
    """The difference to the original, with its interval, against FLOPs and against latency: a panel each.

    table: of `pareto_table`. To the left is cheaper; the line at 0 is the original's accuracy.
    """
    figure, axes = new_figure(9.6, 4.6, columns=2)
    original, others = table.iloc[0], table.iloc[1:]
    for axis, column, unit in zip(axes[0], ("gflop", "latency_ms"), ("GFLOP", "ms on one CPU core"), strict=True):
        axis.axhline(0, color="0.6", linewidth=1)
        axis.plot(original[column], 0, "s", color="black", markersize=8)
        axis.annotate("original", (original[column], 0), (0, 8), textcoords="offset points", ha="center")
        error = [others["difference"] - others["low"], others["high"] - others["difference"]]
        axis.errorbar(others[column], others["difference"], error, fmt="o", color="#0072b2", elinewidth=1)
        for _, row in others.iterrows():
            axis.annotate(row["network"], (row[column], row["difference"]), (5, 4), textcoords="offset points",
                          fontsize="small")  # fmt: skip
        axis.set_xscale("log")
        axis.set_xlabel(f"{unit} an image, logarithmic")
        axis.set_ylabel("PCKh@0.5 minus the original's (points)")
    figure.suptitle(title)
    return figure

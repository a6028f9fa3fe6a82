"""What the notebook on your own photographs shows: what confidence is worth, and what annotating gains."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from posekit.analysis.style import new_figure
from posekit.evaluation.intervals import Comparison

#: Edges of the groups that joints are put into by their confidence.
CONFIDENCES = (0.0, 0.2, 0.4, 0.6, 0.8, np.inf)


def confidence_table(confidence: np.ndarray, distances: np.ndarray) -> pd.DataFrame:
    """Joints by the network's confidence (N, 16): in each group how many, and how many of them are found, percent.

    distances (N, 16) are in head sizes, NaN where a joint does not count; found is within half a head size.
    """
    counted = np.isfinite(distances) | np.isinf(distances)
    rows = []
    for low, high in pairwise(CONFIDENCES):
        chosen = counted & (confidence >= low) & (confidence < high)
        name = f"{low:g} to {high:g}" if np.isfinite(high) else f"{low:g} and more"
        found = 100 * (distances[chosen] <= 0.5).mean() if chosen.any() else np.nan
        rows.append({"confidence": name, "joints": int(chosen.sum()), "found, %": found})
    return pd.DataFrame(rows).set_index("confidence")


def confidence_figure(table: pd.DataFrame) -> Figure:
    """`confidence_table` as bars, each with its number of joints."""
    figure, axes = new_figure(6.5, 2.6)
    axis = axes[0, 0]
    axis.bar(np.arange(len(table)), table["found, %"].fillna(0), width=0.65, color="#332288")
    for number, (found, joints) in enumerate(zip(table["found, %"], table["joints"], strict=True)):
        axis.annotate(
            f"{joints} joints", (number, np.nan_to_num(found)), (0, 3), textcoords="offset points", ha="center"
        )
    axis.set_xticks(np.arange(len(table)), table.index)
    axis.set(xlabel="confidence of the network", ylabel="joints found, %", ylim=(0, 110))
    return figure


def gain_table(gains: Mapping[int, Comparison], before: float) -> pd.DataFrame:
    """PCKh@0.5 after fine-tuning by how many annotated people, with the gain over `before` and its interval."""
    rows = [{"people": 0, "PCKh@0.5": before, "gain": 0.0, "low": 0.0, "high": 0.0}]
    rows += [
        {"people": people, "PCKh@0.5": before + g.difference, "gain": g.difference, "low": g.low, "high": g.high}
        for people, g in gains.items()
    ]
    return pd.DataFrame(rows).set_index("people")


def gain_figure(table: pd.DataFrame) -> Figure:
    """The gains of `gain_table` with their intervals, at equal distances."""
    figure, axes = new_figure(6.5, 2.8)
    axis = axes[0, 0]
    places = np.arange(len(table))
    reach = np.abs(table[["low", "high"]].to_numpy().T - table["gain"].to_numpy())
    axis.axhline(0, color="black", linewidth=0.8)
    axis.errorbar(places, table["gain"], reach, fmt="o-", color="#332288", capsize=4)
    axis.set_xticks(places, table.index)
    axis.set(xlabel="people annotated to learn from", ylabel="gain, points of PCKh@0.5")
    return figure

"""Figures about the predictions of one network for many people: exchanged sides, and what confidence is worth."""

from itertools import pairwise

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from posekit.analysis.style import new_figure

_BLUE, _GRAY = sns.color_palette("colorblind")[0], "0.75"

#: Edges of the groups that joints are put into by their confidence.
CONFIDENCES = (0.0, 0.2, 0.4, 0.6, 0.8, np.inf)


def exchanged_figure(table: pd.DataFrame) -> Figure:
    """How many of a group's misses lie on the person's other side, in percent, beside what chance would give.

    table: of `posekit.evaluation.exchanged_sides.exchanged_table`.
    """
    shares = 100 * table[["exchanged", "by chance"]].div(table["misses"], axis=0).fillna(0)
    figure, axes = new_figure(7.0, 3.0)
    place = np.arange(len(shares))
    for offset, (column, color, hatch) in zip(
        (-0.2, 0.2), (("exchanged", _BLUE, ""), ("by chance", _GRAY, "///")), strict=True
    ):
        bars = axes[0, 0].bar(place + offset, shares[column], 0.38, color=color, hatch=hatch, edgecolor="black")
        axes[0, 0].bar_label(bars, fmt="%.0f", padding=2)
    axes[0, 0].set_xticks(place, shares.index)
    axes[0, 0].set_ylabel("misses on the other side (%)")
    axes[0, 0].legend(["this network", "by chance"], frameon=False)
    axes[0, 0].margins(y=0.15)
    sns.despine(ax=axes[0, 0])
    return figure


def confidence_table(distances: np.ndarray, confidence: np.ndarray) -> pd.DataFrame:
    """Joints by the network's confidence: in each group how many, and how many of them are found, in percent.

    distances (N, J) in head sizes, NaN where a joint does not count; confidence (N, J). Found is within half a
    head size.
    """
    counted = ~np.isnan(distances)
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
    axis.bar(np.arange(len(table)), table["found, %"].fillna(0), width=0.65, color=_BLUE)
    for number, (found, joints) in enumerate(zip(table["found, %"], table["joints"], strict=True)):
        axis.annotate(
            f"{joints} joints", (number, np.nan_to_num(found)), (0, 3), textcoords="offset points", ha="center"
        )
    axis.set_xticks(np.arange(len(table)), table.index)
    axis.set(xlabel="confidence of the network", ylabel="joints found (%)", ylim=(0, 110))
    sns.despine(ax=axis)
    return figure

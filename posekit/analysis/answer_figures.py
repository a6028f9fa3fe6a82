"""Figures about the predictions of one network for many people: exchanged sides, and what confidence is worth."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from posekit.analysis.style import new_figure

_BLUE, _GRAY = sns.color_palette("colorblind")[0], "0.75"


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


def confidence_table(distances: np.ndarray, confidence: np.ndarray, parts: int = 5) -> pd.DataFrame:
    """Joints sorted by confidence and cut into `parts` groups of equal size, a row per group: confidence from, to;
    answers, the number of joints; found, the percentage of them within half a head size.

    distances (N, 16) in head sizes, NaN where a joint does not count; confidence (N, 16).
    """
    counted = ~np.isnan(distances)
    order = np.argsort(confidence[counted], kind="stable")
    sure, found = confidence[counted][order], (distances[counted] <= 0.5)[order]
    rows = [
        {"from": part.min(), "to": part.max(), "answers": len(part), "found, %": 100 * hits.mean()}
        for part, hits in zip(np.array_split(sure, parts), np.array_split(found, parts), strict=True)
    ]
    return pd.DataFrame(rows)


def confidence_figure(table: pd.DataFrame) -> Figure:
    """The percentage of joints that are found against their confidence; table: of `confidence_table`."""
    figure, axes = new_figure(5.2, 3.0)
    middle = (table["from"] + table["to"]) / 2
    reach = [middle - table["from"], table["to"] - middle]
    axes[0, 0].errorbar(middle, table["found, %"], xerr=reach, fmt="o", color=_BLUE, markersize=7)
    axes[0, 0].set_xlabel("confidence of the answers (each bar holds a fifth of them)")
    axes[0, 0].set_ylabel("joints found (%)")
    axes[0, 0].set_ylim(0, 103)
    sns.despine(ax=axes[0, 0])
    return figure

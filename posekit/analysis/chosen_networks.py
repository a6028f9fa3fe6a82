"""Five networks that show what a cheaper network costs: a short table, a figure, and how two losses learn."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from posekit.analysis.style import new_figure
from posekit.study.configurations import COMPARISON_SIZES, SIZES

_COLORS = sns.color_palette("colorblind")

#: Of the networks: what distinguishes them, color, and where its name stands beside its point (px right, px up).
CHOSEN = {
    "original": ("the report's network and loss", "black", (-6, -16)),
    "likelihood": ("the same network, softmax loss", _COLORS[0], (-6, 9)),
    "compact": ("small, softmax loss", _COLORS[5], (-14, -17)),
    "lean": ("small, softmax loss", _COLORS[1], (10, 6)),
    "lean-plain": ("lean with the report's loss", _COLORS[2], (10, -4)),
}


def chosen_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The networks in `CHOSEN` as text, one row each; PCKh@0.5 weighted14 (%) with its 95 % interval over people.

    tables: of `posekit.analysis.cheaper_networks.pareto_table`, by size.
    """
    rows = {}
    for size, table in tables.items():
        for row in table[table["network"].isin(CHOSEN)].itertuples():
            text = rows.setdefault(
                row.network,
                {
                    "network": row.network,
                    "what it is": CHOSEN[row.network][0],
                    "MFLOP per image": f"{1e3 * row.gflop:.0f}",
                    "ms per image": "" if pd.isna(row.latency_ms) else f"{row.latency_ms:.2f}",
                },
            )
            found = f"{row.pckh:.1f} ({row.pckh_low:.1f} to {row.pckh_high:.1f})"
            text[f"PCKh after {SIZES[size].epochs} epochs, %"] = found
            text[f"seeds, {SIZES[size].epochs} epochs"] = row.seeds
    return pd.DataFrame([rows[name] for name in CHOSEN if name in rows]).fillna("")


def chosen_figure(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Joints found against the time of one image: the networks in `CHOSEN`, each as a line from the short to the
    long training, with the 95 % interval over people at both ends. tables: as in `chosen_table`."""
    figure, axes = new_figure(7.2, 4.4)
    axis = axes[0, 0]
    for name, (_, color, beside) in CHOSEN.items():
        rows = [table[table["network"] == name] for table in tables.values()]
        ends = [row.iloc[0] for row in rows if len(row) and pd.notna(row["latency_ms"].iloc[0])]
        if not ends:
            continue
        for end in ends:
            error = [[end["pckh"] - end["pckh_low"]], [end["pckh_high"] - end["pckh"]]]
            long = end["epochs"] == SIZES[COMPARISON_SIZES[-1]].epochs
            face = color if long else "white"
            axis.errorbar(
                end["latency_ms"], end["pckh"], error, fmt="o", color=color, markerfacecolor=face, markersize=8
            )
        axis.plot([end["latency_ms"] for end in ends], [end["pckh"] for end in ends], color=color, linewidth=0.8)
        where = (ends[-1]["latency_ms"], ends[-1]["pckh"])
        side = "left" if beside[0] > 0 else "right"
        axis.annotate(name, where, beside, textcoords="offset points", ha=side, va="center", color=color)
    for label, face in zip([f"{SIZES[size].epochs} epochs" for size in tables], ["white", "0.3"], strict=False):
        axis.plot([], [], "o", color="0.3", markerfacecolor=face, markersize=8, label=f"after {label}")
    axis.legend(frameon=False, loc="lower right")
    axis.set_xscale("log")
    axis.set_xlim(0.4, 5)
    axis.set_xticks([0.5, 1, 2, 4], ["0.5", "1", "2", "4"])
    axis.minorticks_off()
    axis.set_ylim(0, 72)
    axis.set_xlabel("ms per image (onnxruntime, one thread; logarithmic)")
    axis.set_ylabel("joints found: PCKh@0.5, weighted14 (%)")
    sns.despine(ax=axis)
    return figure


def learning_heatmaps_figure(
    crop: np.ndarray, learned: Mapping[str, Sequence[np.ndarray]], steps: Sequence[int], joint: str
) -> Figure:
    """The heatmap of one joint of one person while networks learn: a row per loss, a column per number of steps.

    crop (S, S, 3) uint8 is shown in front; learned: by loss, a heatmap (H, W) per number of steps. Each picture is
    scaled to its own largest value, which stands above it.
    """
    figure, axes = new_figure(8.6, 1.75 * len(learned) + 0.6, 1 + len(steps), len(learned))
    for row, (loss, heatmaps) in zip(axes, learned.items(), strict=True):
        row[0].imshow(crop)
        row[0].set_title(loss)
        for axis, heatmap, step in zip(row[1:], heatmaps, steps, strict=True):
            peak = max(float(heatmap.max()), 1e-6)
            axis.imshow(heatmap, cmap="inferno", vmin=0, vmax=peak, interpolation="bilinear")
            axis.set_title(f"{step} steps: {peak:.2f}")
    for axis in axes.flat:
        axis.set_axis_off()
    figure.suptitle(f"heatmap of the {joint}, and its largest value")
    return figure

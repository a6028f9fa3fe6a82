"""What a cheaper network costs: five chosen networks as a table and a figure, how two losses learn, and what each
change of a network does."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import seaborn as sns
import torch
from matplotlib.figure import Figure

from posekit.analysis.cheaper_networks import ALIKE
from posekit.analysis.style import new_figure
from posekit.analysis.texts import difference_text
from posekit.preprocessing.batches import Crops
from posekit.skeleton import INDEX
from posekit.study.configurations import COMPARISON_SIZES, SIZES
from posekit.study.networks import NETWORKS
from posekit.training.few_steps import heatmaps_while_learning
from posekit.training.run_config import RunConfig

_COLORS = sns.color_palette("colorblind")

#: Of the networks: what distinguishes them, color, and where its name stands beside its point (px right, px up).
CHOSEN = {
    "original": ("the report's network and loss", "black", (9, -8)),
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
    for size in tables:
        face = "0.3" if size == COMPARISON_SIZES[-1] else "white"
        label = f"after {SIZES[size].epochs} epochs"
        axis.plot([], [], "o", color="0.3", markerfacecolor=face, markersize=8, label=label)
    axis.legend(frameon=False, loc="lower right")
    axis.set_xscale("log")
    axis.set_xlim(0.4, 5)
    axis.set_xticks([0.5, 1, 2, 4], ["0.5", "1", "2", "4"])
    axis.minorticks_off()
    axis.set_ylim(0, 72)
    axis.set_xlabel("ms per image (onnxruntime, one thread; logarithmic)")
    axis.set_ylabel("joints found: PCKh@0.5 (%)")
    sns.despine(ax=axis)
    return figure


def heatmaps_by_loss(
    config: RunConfig, crops: Crops, losses: Sequence[str], steps: Sequence[int], device: torch.device
) -> dict[str, dict[int, np.ndarray]]:
    """The heatmaps (N, 16, S / 4, S / 4) of a network that learns N people by heart: by loss, by number of steps
    (`posekit.training.few_steps`). With every loss it starts from the same weights."""
    return {
        loss: dict(
            zip(steps, heatmaps_while_learning(replace(config, loss=loss), crops, steps, device), strict=True)
        )
        for loss in losses
    }


def learning_heatmaps_figure(
    crop: np.ndarray, learned: Mapping[str, Mapping[int, np.ndarray]], person: int, joint: str
) -> Figure:
    """The heatmap of one joint of one person while networks learn: a row per loss, a column per number of steps.

    crop (S, S, 3) uint8, that of the person, is shown in front; learned: of `heatmaps_by_loss`. Each picture is
    scaled to its own largest value, which stands above it.
    """
    columns = 1 + max(map(len, learned.values()))
    figure, axes = new_figure(8.6, 1.75 * len(learned) + 0.6, columns, len(learned))
    for row, (loss, by_step) in zip(axes, learned.items(), strict=True):
        row[0].imshow(crop)
        row[0].set_title(loss)
        for axis, (step, heatmaps) in zip(row[1:], by_step.items(), strict=True):
            heatmap = heatmaps[person, INDEX[joint]]
            peak = max(float(heatmap.max()), 1e-6)
            axis.imshow(heatmap, cmap="inferno", vmin=0, vmax=peak, interpolation="bilinear")
            axis.set_title(f"{step} steps: {peak:.2f}")
    for axis in axes.flat:
        axis.set_axis_off()
    figure.suptitle(f"heatmap of the {joint}, and its largest value")
    return figure


def changes_table(table: pd.DataFrame, networks: Sequence[str]) -> pd.DataFrame:
    """What single networks change, save and lose beside `ALIKE`, as text, a row per network.

    table: of `posekit.analysis.cheaper_networks.pareto_table`. MFLOP and ms are those of one image; PCKh@0.5 is
    weighted14 (%); the difference (points) has its paired 95 % interval.
    """
    chosen = table.set_index("network").loc[list(networks)]
    rows = {
        row.Index: {
            "what is changed": NETWORKS[row.Index].description,
            "MFLOP": f"{1e3 * row.gflop:.0f}",
            "ms per image": "" if pd.isna(row.latency_ms) else f"{row.latency_ms:.2f}",
            "PCKh@0.5, %": f"{row.pckh:.1f}",
            f"minus {ALIKE}, points (95 %)": difference_text(row.alike_difference, row.alike_low, row.alike_high),
        }
        for row in chosen.itertuples()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("network").reset_index()

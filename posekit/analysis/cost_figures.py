"""The networks that are compared by cost as figures: what all find, how they learn, where their cost sits."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from posekit.analysis.cheaper_networks import ALIKE
from posekit.analysis.style import new_figure
from posekit.study.configurations import COMPARISON_SIZES, SIZES
from posekit.study.runs import Run

_BLUE, _ORANGE, _GREEN, _PINK, _BROWN = (sns.color_palette("colorblind", 7)[n] for n in (0, 1, 2, 4, 5))

#: Color, dash and marker of those whose learning is drawn.
LEARNING = {
    "original": ("black", "-", "s"),
    "likelihood": (_BLUE, "--", "o"),
    "lean": (_ORANGE, "-", "^"),
    "compact": (_BROWN, "-.", "X"),
    "lean-plain": (_GREEN, (0, (1, 1)), "D"),
    "student": (_PINK, (0, (5, 1, 1, 1)), "v"),
}


def networks_figure(tables: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """PCKh@0.5 weighted14 of every network with its 95 % interval over people: a row per network, the cheapest
    at the bottom, a panel per size.

    tables: of `posekit.analysis.cheaper_networks.pareto_table`, by size. A network is only in the panels of the
    sizes at which it was trained.
    """
    cost = pd.concat(tables.values()).drop_duplicates("network").set_index("network")["gflop"].sort_values()
    place = pd.Series(np.arange(len(cost)), cost.index)
    figure, axes = new_figure(8.4, 0.9 + 0.29 * len(cost), columns=len(tables), sharey=True, sharex=True)
    for (size, table), axis in zip(tables.items(), axes[0], strict=True):
        error = [table["pckh"] - table["pckh_low"], table["pckh_high"] - table["pckh"]]
        rows = table["network"].map(place)
        axis.errorbar(table["pckh"], rows, xerr=error, fmt="o", color=_BLUE, markersize=5, elinewidth=1.4)
        for name, color, dash in (("original", "black", "-"), (ALIKE, _ORANGE, "--")):
            of_it = table.loc[table["network"] == name, "pckh"]
            if len(of_it):
                axis.axvline(of_it.iloc[0], color=color, linestyle=dash, linewidth=1, zorder=0, label=f"as {name}")
        axis.set_title(f"trained for {SIZES[size].epochs} epochs")
        axis.set_xlabel("joints found: PCKh@0.5 (%)")
        axis.grid(axis="y", color="0.92")
        axis.set_axisbelow(True)
        sns.despine(ax=axis)
    axes[0, 0].set_xlim(left=0)
    axes[0, 0].set_yticks(place, [f"{name}, {1e3 * gflop:.0f} MFLOP" for name, gflop in cost.items()])
    _legend(figure, columns=2)
    figure.suptitle(title)
    return figure


def learning_figure(runs: Sequence[Run], title: str) -> Figure:
    """PCKh@0.5 weighted14 of the validation people after every epoch, a panel per size.

    runs: at least one, of the networks in `LEARNING`, finished or not. Thick: mean of the finished seeds, or, as
    long as there are none, of those that are still going, as far as all have come. Thin: every seed, where there
    are several. Each size has its own decay of the learning rate, so the short curve does not end on the long one.
    """
    of: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        of.setdefault((run.config.size, run.config.model), []).append(run)
    sizes = [size for size in COMPARISON_SIZES if any(trained == size for trained, _ in of)]
    figure, axes = new_figure(4.3 * max(len(sizes), 2), 4.4, columns=len(sizes), sharey=True)
    for size, axis in zip(sizes, axes[0], strict=True):
        for name, (color, dash, marker) in LEARNING.items():
            if (size, name) not in of:
                continue
            seeds = of[size, name]
            averaged = [run for run in seeds if run.finished] or seeds
            mean = pd.concat([_learned(run) for run in averaged], axis=1, join="inner").mean(axis=1)
            axis.plot(mean.index, mean, color=color, linestyle=dash, marker=marker, markersize=4.5, label=name)
            if len(seeds) > 1:
                for run in seeds:
                    axis.plot(_learned(run), color=color, linewidth=0.6, alpha=0.7)
        axis.set_title(f"trained for {SIZES[size].epochs} epochs")
        axis.set_xlabel("epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set_xlim(0.5, SIZES[size].epochs + 0.5)
        sns.despine(ax=axis)
    floor = runs[0].floors["mean_pose_weighted14"]
    for axis in axes[0]:
        axis.axhline(floor, color="0.4", linewidth=1, linestyle=(0, (2, 2)))
    axes[0, -1].annotate(
        "mean pose",
        (1, floor),
        (-2, 3),
        xycoords=("axes fraction", "data"),
        ha="right",
        textcoords="offset points",
    )
    axes[0, 0].set_ylim(bottom=0)
    axes[0, 0].set_ylabel("joints found: PCKh@0.5 (%)")
    _legend(figure, columns=5)
    figure.suptitle(title)
    return figure


def _legend(figure: Figure, columns: int) -> None:
    """One for all panels, everything once."""
    handles = {}
    for axis in figure.axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    figure.legend(handles.values(), handles, loc="outside lower center", ncols=columns, frameon=False)


def _learned(run: Run) -> pd.Series:
    return run.history.set_index("epoch")["pckh_weighted14"]


#: What a network costs, by the column of a table of its parts.
_PART_COSTS = {"gflop": "FLOPs", "parameters": "parameters", "ms": "time"}


def cost_figure(parts: pd.DataFrame, title: str) -> Figure:
    """Where the cost sits: shares by part, in percent. Columns part and two of gflop, parameters and ms."""
    figure, axes = new_figure(7.2, 0.8 + 0.55 * len(parts))
    shares = parts.set_index("part")[[column for column in _PART_COSTS if column in parts]]
    shares = 100 * shares / shares.sum()
    shares.columns = [_PART_COSTS[column] for column in shares]
    colors = sns.color_palette("colorblind", 2)
    shares.iloc[::-1].plot.barh(ax=axes[0, 0], color=colors, edgecolor="black", linewidth=0.5, width=0.75)
    for bars, hatch in zip(axes[0, 0].containers, ["", "///"], strict=True):
        axes[0, 0].bar_label(bars, fmt="%.1f %%", padding=2)
        for bar in bars:
            bar.set_hatch(hatch)
    axes[0, 0].set_xlabel("share of the whole network (%)")
    axes[0, 0].set_ylabel("")
    axes[0, 0].margins(x=0.12)
    axes[0, 0].set_title(title)
    axes[0, 0].legend(frameon=False, reverse=True, loc="lower right")
    sns.despine(ax=axes[0, 0])
    return figure

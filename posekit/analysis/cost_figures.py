"""The variants of the original network as figures: accuracy against cost, and how they learn at two budgets."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator
from scipy.optimize import isotonic_regression

from posekit.analysis.cheaper_networks import ALIKE, BOTH, PEOPLE, RUNTIME, THREADS
from posekit.analysis.style import new_figure
from posekit.study.configurations import COMPARISON_SIZES, SIZES
from posekit.study.runs import Run

#: A cost by its column of `pareto_table`: name of the axis, and the part of the original's that is aimed at.
_COSTS = {
    "gflop": ("GFLOP an image, logarithmic", 10, "a tenth of\nthe original's"),
    "latency_ms": (f"ms an image ({RUNTIME}, {THREADS} thread), logarithmic", 5, "a fifth of\nthe original's"),
}

_BLUE, _ORANGE, _GREEN, _PINK, _BROWN = (sns.color_palette("colorblind", 7)[n] for n in (0, 1, 2, 4, 5))

#: Face of a point by what its interval covers, and what that means.
_FACES = {
    BOTH: (_BLUE, "95 % interval of people and seeds"),
    PEOPLE: ("white", "95 % interval of people alone: a side has one seed"),
}

#: Color, dash and marker of those whose learning is drawn.
LEARNING = {
    "original": ("black", "-", "s"),
    "likelihood": (_BLUE, "--", "o"),
    "lean": (_ORANGE, "-", "^"),
    "compact": (_BROWN, "-.", "X"),
    "lean-plain": (_GREEN, (0, (1, 1)), "D"),
    "student": (_PINK, (0, (5, 1, 1, 1)), "v"),
}


def pareto_figure(tables: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """The difference to the original, with its interval, against FLOPs and against latency: a row a budget.

    tables: of `posekit.analysis.cheaper_networks.pareto_table`, by budget. To the left is cheaper; the line at 0
    is the original's accuracy, the dashed one that of `posekit.analysis.cheaper_networks.ALIKE`. Without the
    original's latency there are panels of FLOPs alone. Names and points keep apart: a point may stand up to some
    hundredths of the panel beside its cost.
    """
    costs = [column for column in _COSTS if all(pd.notna(table[column].iloc[0]) for table in tables.values())]
    figure, axes = new_figure(5.8 * len(costs), 4.8 * len(tables), len(costs), len(tables), sharey=True)
    for column, panels in zip(costs, axes.T, strict=True):
        of_all = pd.concat([table[column] for table in tables.values()])
        lowest = min(of_all.min(), of_all.iloc[0] / _COSTS[column][1])
        for axis, table in zip(panels, tables.values(), strict=True):
            _pareto_panel(axis, table[table[column].notna()], column, (lowest / 1.25, of_all.max() * 1.25))
    for budget, row in zip(tables, axes, strict=True):
        row[0].set_ylabel(f"{SIZES[budget].epochs} epochs: PCKh@0.5\nminus the original's (points)")
    bottom, top = axes[0, 0].get_ylim()
    axes[0, 0].set_ylim(bottom - 0.12 * (top - bottom), top)  # room for the names of the marks
    _legend(figure, columns=2)
    figure.suptitle(f"{title}\npoints that would hide each other stand side by side", fontsize="medium")
    return figure


def _pareto_panel(axis: Axes, table: pd.DataFrame, column: str, limits: tuple[float, float]) -> None:
    name, part, mark = _COSTS[column]
    cost, found = table[column].to_numpy(float), table["difference"].fillna(0).to_numpy()
    axis.set_xscale("log")
    axis.set_xlim(*limits)
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xlabel(name)
    axis.axhline(0, color="0.6", linewidth=1, zorder=0)
    if (alike := table["network"] == ALIKE).any():
        axis.axhline(
            found[alike][0],
            color=_ORANGE,
            linewidth=1,
            linestyle=(0, (6, 2)),
            zorder=0,
            label="the original network with the loss of the others",
        )
    axis.axvline(cost[0] / part, color="0.4", linewidth=1, linestyle=(0, (2, 2)), zorder=0)
    axis.annotate(
        mark,
        (cost[0] / part, 0),
        (4, 3),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        va="bottom",
        fontsize="small",
        color="0.3",
    )

    order = np.lexsort((-found, cost))
    best = np.maximum.accumulate(found[order])
    axis.step(
        [*cost[order], limits[1]],
        [*best, best[-1]],
        where="post",
        color="0.7",
        linewidth=1.4,
        zorder=0,
        label="the best of all that cost no more",
    )
    lowest, ratio = limits[0], limits[1] / limits[0]
    place = np.log(cost / lowest) / np.log(ratio)
    points, names = (lowest * ratio ** spread(place, gap) for gap in (0.012, 0.038))
    axis.plot(points[0], 0, "s", color="black", markersize=7, label="the original")
    for covers, (face, label) in _FACES.items():
        chosen = (table["covers"] == covers).to_numpy()
        if chosen.any():
            rows = table[chosen]
            error = [rows["difference"] - rows["low"], rows["high"] - rows["difference"]]
            axis.errorbar(
                points[chosen],
                rows["difference"],
                error,
                fmt="o",
                color=_BLUE,
                markerfacecolor=face,
                markersize=5,
                elinewidth=1.2,
                label=label,
            )
    # Names stand above the panel, each over its point as far as there is room; a line leads down to it.
    both = axis.get_xaxis_transform()
    for text, x, above in zip(table["network"], points, names, strict=True):
        axis.plot(
            [x, x, above, above],
            [0, 1, 1.05, 1.07],
            color="0.88",
            linewidth=0.7,
            transform=both,
            clip_on=False,
            zorder=-1,
        )
        axis.text(above, 1.08, text, rotation=90, ha="center", va="bottom", fontsize="small", transform=both)
    sns.despine(ax=axis)


def spread(places: np.ndarray, gap: float) -> np.ndarray:
    """(N,) places between 0 and 1 that are a gap apart and otherwise as near as can be (least squares) to (N,).

    Their order stays. With x_i = y_i + i gap, it is the regression of y that never falls.
    """
    order = np.argsort(places, kind="stable")
    gap = min(gap, 1 / max(len(places) - 1, 1))
    steps = gap * np.arange(len(places))
    fitted = isotonic_regression(places[order] - steps).x
    result = np.empty(len(places))
    result[order] = np.clip(fitted, 0, 1 - steps[-1]) + steps
    return result


def learning_figure(runs: Sequence[Run], title: str) -> Figure:
    """PCKh@0.5 weighted14 of the validation people after every epoch, a panel a budget.

    runs: at least one, of the variants in `LEARNING`, finished or not. Thick: mean of the finished seeds, or, as
    long as there are none, of those that are still going, as far as all have come. Thin: every seed, where there
    are several. Each budget has an annealing of its own, so its end is no point of the other one's curve.
    """
    of: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        of.setdefault((run.config.size, run.config.model), []).append(run)
    budgets = [budget for budget in COMPARISON_SIZES if any(there == budget for there, _ in of)]
    figure, axes = new_figure(4.6 * max(len(budgets), 2), 4.4, columns=len(budgets), sharey=True)
    for budget, axis in zip(budgets, axes[0], strict=True):
        for name, (color, dash, marker) in LEARNING.items():
            if (budget, name) not in of:
                continue
            seeds = of[budget, name]
            averaged = [run for run in seeds if run.finished] or seeds
            mean = pd.concat([_learned(run) for run in averaged], axis=1, join="inner").mean(axis=1)
            axis.plot(mean.index, mean, color=color, linestyle=dash, marker=marker, markersize=4.5, label=name)
            if len(seeds) > 1:
                for run in seeds:
                    axis.plot(_learned(run), color=color, linewidth=0.6, alpha=0.7)
        axis.set_title(f"trained for {SIZES[budget].epochs} epochs")
        axis.set_xlabel("epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set_xlim(0.5, SIZES[budget].epochs + 0.5)
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
        fontsize="small",
    )
    axes[0, 0].set_ylim(bottom=0)
    axes[0, 0].set_ylabel("PCKh@0.5, weighted14, validation people (%)")
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
    figure, axes = new_figure(7.2, 0.8 + 0.4 * len(parts))
    shares = parts.set_index("part")[[column for column in _PART_COSTS if column in parts]]
    shares = 100 * shares / shares.sum()
    shares.columns = [_PART_COSTS[column] for column in shares]
    colors = sns.color_palette("colorblind", 2)
    shares.iloc[::-1].plot.barh(ax=axes[0, 0], color=colors, edgecolor="black", linewidth=0.5, width=0.75)
    for bars, hatch in zip(axes[0, 0].containers, ["", "///"], strict=True):
        axes[0, 0].bar_label(bars, fmt="%.1f %%", padding=2, fontsize="small")
        for bar in bars:
            bar.set_hatch(hatch)
    axes[0, 0].set_xlabel("share of the whole network (%)")
    axes[0, 0].set_ylabel("")
    axes[0, 0].margins(x=0.12)
    axes[0, 0].set_title(title)
    axes[0, 0].legend(frameon=False, reverse=True, loc="lower right")
    sns.despine(ax=axes[0, 0])
    return figure

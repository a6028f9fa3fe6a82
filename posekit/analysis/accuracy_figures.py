"""Accuracy as figures, from records alone: by joint, over thresholds, by seed, over learning rates.

Points are PCKh, bars through them 95 % intervals over people: a figure gets them as a table and computes none.
Floors and the ceiling are drawn where the records contain them. Colors, markers and dashes of the models are those
of `posekit.analysis.style`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from posekit.analysis.optimizers import GRID_MODELS, GRID_RATES, REPORT_RATES, Grid
from posekit.analysis.style import SMALL, line_styles, line_styles_of, new_figure, study_of
from posekit.analysis.yardsticks import Yardstick
from posekit.evaluation.pckh import pckh, pckh_curve
from posekit.skeleton import GROUPS
from posekit.study.runs import Run
from posekit.study.seeds import by_configuration

#: Reference values in the records, by the names of `posekit.study.runs.Run.floors`.
_REFERENCES = {
    "center_weighted14": "middle of the crop",
    "mean_pose_weighted14": "mean pose",
    "codec_ceiling_weighted14": "codec's ceiling",
}


def accuracy_figure(runs: Sequence[Run], groups: pd.DataFrame, yardstick: Yardstick) -> Figure:
    """The score of the validation people by group of joints and model, mean over seeds, with intervals over
    people.

    groups: of the same runs and yardstick, from `posekit.analysis.tables.group_table`.
    """
    figure, axes = new_figure(8.4, 4.6)
    axis = axes[0, 0]
    names = [*GROUPS, "weighted14"]
    models = by_configuration(runs)
    for seeds, offset in zip(models, np.linspace(-0.32, 0.32, len(models)), strict=True):
        found = groups[groups["model"] == seeds.label].set_index("mean").loc[names]
        score, low, high = found[["score", "low", "high"]].to_numpy(float).T
        axis.errorbar(
            np.arange(len(names)) + offset,
            score,
            [score - low, high - score],
            **line_styles_of(runs)[seeds.config.model] | {"linestyle": "none"},
            markersize=6,
            elinewidth=1.1,
            label=seeds.label,
        )
    if yardstick.data_set is None:
        floor, last = _reference(runs, "mean_pose_weighted14"), len(names) - 1
        axis.hlines(floor, last - 0.42, last + 0.42, color="black", linestyle=(0, (2, 2)), linewidth=1.2)
        axis.annotate(
            "mean\npose", (last + 0.42, floor), (3, 0), textcoords="offset points", va="center", fontsize=SMALL
        )
    for boundary in np.arange(len(names) - 1) + 0.5:
        axis.axvline(boundary, color="0.9", linewidth=0.8)
    axis.set_xticks(range(len(names)), [*GROUPS, "all 14"])
    axis.set_ylim(bottom=0)
    axis.set_ylabel(f"{yardstick.metric} (%)")
    people = f"{yardstick.people(runs[0]):,} people of {yardstick.title}"
    axis.set_title(f"Joints found of {people}, 95 % over people\n({study_of(runs)})", fontsize="medium")
    axis.set_xlim(-0.5, len(names) - 0.1)  # room for the floor's name
    sns.despine(ax=axis)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def pckh_curve_figure(runs: Sequence[Run]) -> Figure:
    """PCKh weighted14 of the validation people over thresholds up to one head size; floors and ceiling at 0.5."""
    figure, axes = new_figure(7.6, 4.4)
    axis = axes[0, 0]
    thresholds = np.linspace(0, 1, 201)
    style = line_styles_of(runs)
    for place, seeds in enumerate(by_configuration(runs)):
        for number, run in enumerate(seeds.runs):
            axis.plot(
                thresholds,
                pckh_curve(run.distances(), thresholds).mean("weighted14"),
                **style[seeds.config.model] | ({"marker": None} if number else {}),
                linewidth=0.7 if number else 1.5,
                markersize=5,
                markevery=(4 * place, 40),
                label=None if number else seeds.label,
            )
    axis.axvline(0.5, color="0.8", linewidth=1, zorder=0)
    for key, name in _REFERENCES.items():
        value = _reference(runs, key)
        if not np.isnan(value):
            axis.plot(0.5, value, "_", color="black", markersize=14, markeredgewidth=1.6)
            axis.annotate(
                f"{name} at 0.5", (0.5, value), (9, 0), textcoords="offset points", va="center", fontsize=SMALL
            )
    axis.set_xlabel("threshold (head sizes)")
    axis.set_ylabel("joints found (%)")
    axis.set_xlim(0, 1)
    axis.set_ylim(bottom=0)
    several = "; thin: further seeds" if len(runs) > len(by_configuration(runs)) else ""
    axis.set_title(f"Joints found within a distance ({study_of(runs)}{several})")
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    sns.despine(ax=axis)
    return figure


def seeds_figure(runs: Sequence[Run], groups: Mapping[Yardstick, pd.DataFrame]) -> Figure:
    """Every seed of every model as a point of its own, and the mean of the seeds with its interval over people: a
    panel per set of people.

    groups: of the same runs, from `posekit.analysis.tables.group_table`, by yardstick.
    """
    models = by_configuration(runs)
    figure, axes = new_figure(8.4, 1.5 + 0.42 * len(models), columns=len(groups), sharey=True)
    for axis, (yardstick, table) in zip(axes[0], groups.items(), strict=True):
        means = table[table["mean"] == "weighted14"].set_index("model")
        for row, seeds in enumerate(models):
            style, found = line_styles_of(runs)[seeds.config.model], means.loc[seeds.label]
            values = yardstick.scores(seeds)
            axis.plot([found["low"], found["high"]], [row + 0.16] * 2, color=style["color"], linewidth=1.4)
            axis.plot(found["score"], row + 0.16, "|", color=style["color"], markersize=9, markeredgewidth=2)
            axis.plot(
                values, [row - 0.14] * len(values), **style | {"linestyle": "none"}, markersize=7, alpha=0.75
            )
        axis.set_xlabel(f"{yardstick.metric} (%)")
        axis.set_title(f"{yardstick.people(runs[0]):,} people of {yardstick.title}", fontsize="medium")
        sns.despine(ax=axis)
    axes[0, 0].set_yticks(range(len(models)), [f"{s.label} ({len(s.runs)})" for s in models])
    axes[0, 0].set_ylim(len(models) - 0.5, -0.5)
    figure.suptitle(
        f"{study_of(runs)}; in brackets: seeds\nsymbols: one seed each; lines: their mean, 95 % over people",
        fontsize="medium",
    )
    return figure


def grid_figure(grid: Grid, table: pd.DataFrame) -> Figure:
    """PCKh against the learning rate, logarithmic, a color per optimizer: seeds as small points, their mean with
    its interval over people; the report's rate for RMSprop and the others' usual one are marked.

    table: of the same grid, from `posekit.analysis.optimizers.grid_table`.
    """
    figure, axes = new_figure(7.6, 4.4)
    axis = axes[0, 0]
    runs = [run for seeds in grid.values() for run in seeds.runs]
    marked = {
        "report, RMSprop": REPORT_RATES["RMSprop"],
        "usual, RAdam and Adam": REPORT_RATES["Adam"],
    }
    for name, rate in marked.items():
        axis.axvline(rate, color="0.8", linewidth=1, zorder=0)
        axis.annotate(
            name,
            (rate, 1),
            (0, 3),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="center",
            fontsize=SMALL,
        )
    style = line_styles(list(GRID_MODELS.values()))
    for (optimizer, model), shift in zip(GRID_MODELS.items(), (0.96, 1, 1.04), strict=True):
        rows = table[table["optimizer"] == optimizer]
        if rows.empty:
            continue
        x = rows["learning rate"].to_numpy() * shift
        axis.errorbar(
            x,
            rows["PCKh"],
            [rows["PCKh"] - rows["low"], rows["high"] - rows["PCKh"]],
            **style[model],
            markersize=7,
            elinewidth=1.2,
            linewidth=1.2,
            label=optimizer,
        )
        for (name, rate), seeds in grid.items():
            if name == optimizer and len(seeds.runs) > 1:
                values = [pckh(run.distances()).weighted14 for run in seeds.runs]
                place, color = [rate * shift * 1.06] * len(values), style[model]["color"]
                axis.plot(
                    place, values, "o", color=color, markersize=3.5, markeredgecolor="white", markeredgewidth=0.5
                )
    floor = _reference(runs, "mean_pose_weighted14")
    axis.axhline(floor, color="black", linewidth=1, linestyle=(0, (2, 2)))
    axis.annotate(
        "mean\npose",
        (1, floor),
        (3, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="center",
        fontsize=SMALL,
    )
    axis.set_xscale("log")
    rates = sorted({*table["learning rate"], *GRID_RATES})
    axis.set_xlim(0.8 * rates[0], 1.3 * rates[-1])
    axis.xaxis.set_major_locator(FixedLocator(rates))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xticklabels([f"{rate:g}" for rate in rates])
    axis.set_xlabel("learning rate, logarithmic\nlines: mean of the seeds, 95 % over people; small points: seeds")
    axis.set_ylabel("joints found: PCKh@0.5 (%)")
    axis.set_ylim(bottom=0)
    axis.set_title(f"Optimizers by learning rate, original network ({study_of(runs)})", pad=20)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    sns.despine(ax=axis)
    return figure


def _reference(runs: Sequence[Run], name: str) -> float:
    """A floor or ceiling of the study; NaN if no record contains it, as older ones contain fewer."""
    return next((run.floors[name] for run in runs if name in run.floors), float("nan"))

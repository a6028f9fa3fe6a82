"""Numbers in, matplotlib figure out: the report's figures 2 to 4 and charts that this study adds.

Loss and accuracy figures are made from records alone. Every line has its own colour, dash and marker, so that
they are readable for colour-blind people and in print without colour.
"""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from posekit.configurations import MODELS
from posekit.errors import PosekitError
from posekit.metrics import pckh
from posekit.records import Run
from posekit.skeleton import GROUPS, JOINTS

#: The models that each loss figure of the report compares.
LOSS_FIGURES: dict[int, tuple[str, tuple[int, ...]]] = {
    2: ("Loss by optimizer, original network", (1, 2, 3, 4)),
    3: ("Original and reduced network with RMSprop", (1, 5)),
    4: ("Original and reduced network with Adam", (3, 6)),
}

_COLORS = dict(zip(MODELS, sns.color_palette("colorblind", len(MODELS)), strict=True))
_MARKERS = dict(zip(MODELS, "osD^vX", strict=True))
_DASHES = dict(zip(MODELS, ["-", "--", "-.", (0, (1, 1)), (0, (5, 1, 1, 1, 1, 1)), (0, (7, 3))], strict=True))


def new_figure(
    width: float, height: float, columns: int = 1, rows: int = 1, **options
) -> tuple[Figure, np.ndarray]:
    """An empty figure in the study's style (inches), and its axes (rows, columns)."""
    with sns.axes_style("ticks"), sns.plotting_context("paper", font_scale=1.1):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False, **options)
    return figure, axes


def save_figure(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Writes `name`.png and `name`.svg; the same figure gives the same bytes. Returns the paths."""
    paths = [folder / f"{name}.png", folder / f"{name}.svg"]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with matplotlib.rc_context({"svg.hashsalt": name}):
            figure.savefig(paths[0], dpi=150, bbox_inches="tight")
            figure.savefig(paths[1], metadata={"Date": None}, bbox_inches="tight")
    except OSError as error:
        raise PosekitError(f"figures cannot be written to {folder} ({error.strerror})") from error
    return paths


def loss_figure(runs: Sequence[Run], title: str) -> Figure:
    """Figs. 2, 3 and 4: loss against epoch while training and on validation people, with the zero-heatmap floor.

    Several seeds of one model are thin lines of the same kind; a run that is still going shows what it has.
    """
    figure, axes = new_figure(8.2, 3.8, columns=2, sharey=True)
    sides = (("train", "while training"), ("validation", "validation people"))
    for axis, (side, name) in zip(axes[0], sides, strict=True):
        several = len(runs) > len({run.config.model for run in runs})
        for run in runs:
            model, first = run.config.model, run.config.seed == min(_seeds(runs, run.config.model))
            axis.plot(
                run.history["epoch"],
                run.history[f"{side}_loss"],
                color=_COLORS[model],
                linestyle=_DASHES[model],
                marker=_MARKERS[model] if first else None,
                markersize=5,
                linewidth=1.6 if first else 0.8,
                label=MODELS[model].label if first else None,
            )
        _floor_line(axis, runs[0].floors[f"zero_heatmap_{side}"], "answering zero everywhere")
        axis.set_xlabel("epoch")
        axis.set_title(name)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set_yscale("log")
        for formatter in (axis.yaxis.set_major_formatter, axis.yaxis.set_minor_formatter):
            formatter("{x:g}")
        axis.yaxis.set_minor_locator(LogLocator(subs=(1, 1.2, 1.5, 2, 3, 5, 7)))
        axis.margins(y=0.08)
        sns.despine(ax=axis)
    axes[0, 0].set_ylabel("loss, logarithmic")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(2, len(labels)), frameon=False)
    further = "; thin: further seeds" if several else ""
    figure.suptitle(f"{title} ({study_of(runs)}{further})")
    return figure


def _floor_line(axis: Axes, value: float, name: str) -> None:
    axis.axhline(value, color="black", linewidth=1, linestyle=(0, (2, 2)))
    axis.annotate(
        name, (1, value), xycoords=("axes fraction", "data"), xytext=(-2, 3), textcoords="offset points",
        ha="right", va="bottom", fontsize="small",
    )  # fmt: skip


def accuracy_figure(runs: Sequence[Run], threshold: float = 0.5) -> Figure:
    """PCKh of the validation people by group of joints and model, with the mean pose as floor of the mean."""
    figure, axes = new_figure(8.2, 4.2)
    axis = axes[0, 0]
    groups = [*GROUPS, "weighted14"]
    models = sorted({run.config.model for run in runs})
    offsets = dict(zip(models, np.linspace(-0.3, 0.3, len(models)), strict=True))
    for run in runs:
        score = pckh(run.distances(), threshold)
        values = [*score.groups.values(), score.weighted14]
        model, first = run.config.model, run.config.seed == min(_seeds(runs, run.config.model))
        axis.plot(
            np.arange(len(groups)) + offsets[model],
            values,
            _MARKERS[model],
            color=_COLORS[model],
            markersize=6 if first else 3.5,
            alpha=1 if first else 0.6,
            label=MODELS[model].label if first else None,
        )
    if threshold == 0.5:
        floor = runs[0].floors["mean_pose_weighted14"]
        last = len(groups) - 1
        axis.hlines(floor, last - 0.42, last + 0.42, color="black", linestyle=(0, (2, 2)), linewidth=1.2)
        axis.annotate("mean\npose", (last + 0.42, floor), (3, 0), textcoords="offset points", va="center",
                      fontsize="small")  # fmt: skip
    for boundary in np.arange(len(groups) - 1) + 0.5:
        axis.axvline(boundary, color="0.9", linewidth=0.8)
    axis.set_xticks(range(len(groups)), [*GROUPS, "all 14\nweighted"])
    axis.set_ylim(bottom=0)
    axis.set_ylabel(f"PCKh@{threshold:g} (%)")
    further = "; small: further seeds" if len(runs) > len(models) else ""
    axis.set_title(f"Accuracy on the validation people ({study_of(runs)}{further})")
    axis.set_xlim(-0.5, len(groups) - 0.1)  # room for the floor's name
    sns.despine(ax=axis)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def pckh_curve_figure(runs: Sequence[Run]) -> Figure:
    """PCKh (weighted14) of the validation people over thresholds up to one head size."""
    figure, axes = new_figure(7.2, 4.0)
    axis = axes[0, 0]
    thresholds = np.linspace(0, 1, 51)
    for run in runs:
        model, distances = run.config.model, run.distances()
        first = run.config.seed == min(_seeds(runs, model))
        values = [pckh(distances, threshold).weighted14 for threshold in thresholds]
        axis.plot(
            thresholds,
            values,
            color=_COLORS[model],
            linestyle=_DASHES[model],
            linewidth=1.5 if first else 0.7,
            marker=_MARKERS[model] if first else None,
            markevery=(model, 10),
            label=MODELS[model].label if first else None,
        )
    axis.axvline(0.5, color="0.8", linewidth=1, zorder=0)
    axis.set_xlabel("threshold (head sizes)")
    axis.set_ylabel("PCKh, weighted14 (%)")
    axis.set_xlim(0, 1)
    axis.set_ylim(bottom=0)
    axis.set_title(f"Joints found within a distance ({study_of(runs)})")
    axis.legend(frameon=False, fontsize="small", loc="upper left")
    sns.despine(ax=axis)
    return figure


def report_losses_figure(losses: pd.DataFrame, floor: float) -> Figure:
    """The report's losses after five epochs (`posekit.report.losses`), beside the loss of answering zero."""
    figure, axes = new_figure(7.2, 2.8)
    axis = axes[0, 0]
    names = [MODELS[model].label for model in losses["model"]]
    for row, (model, loss) in enumerate(zip(losses["model"], losses["loss"], strict=True)):
        axis.plot(loss, row, _MARKERS[model], color=_COLORS[model], markersize=8)
        axis.annotate(
            f"{loss:.6f}",
            (loss, row),
            (8, 0),
            textcoords="offset points",
            va="center",
            fontsize="small",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},  # the floor's line must not cross numbers
        )
    axis.axvline(floor, color="black", linewidth=1, linestyle=(0, (2, 2)))
    axis.annotate(
        f"answering zero\neverywhere: {floor:.5f}", (floor, 0), (6, 0), textcoords="offset points", va="center",
        fontsize="small",
    )  # fmt: skip
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    axis.margins(x=0.22, y=0.1)
    axis.locator_params(axis="x", nbins=5)
    axis.set_xlabel("loss after five epochs, as published in the report")
    sns.despine(ax=axis)
    return figure


def lost_joints_figure(lost: dict[str, np.ndarray], labelled: np.ndarray) -> Figure:
    """Share of annotated joints outside the crop, by joint: lost by name of the crop (N, 16), labelled (N, 16)."""
    figure, axes = new_figure(8.2, 3.6)
    table = pd.DataFrame(
        {name: 100 * which.sum(axis=0) / labelled.sum(axis=0) for name, which in lost.items()}, index=JOINTS
    ).sort_values(next(iter(lost)), ascending=False)
    colors = sns.color_palette("colorblind", len(lost))
    table.plot.bar(ax=axes[0, 0], color=colors, edgecolor="black", linewidth=0.5, width=0.75, rot=0)
    for container, hatch in zip(axes[0, 0].containers, ["", "///", "..."], strict=False):
        for bar in container:
            bar.set_hatch(hatch)
    axes[0, 0].set_xticks(range(len(table)), [name.replace(" ", "\n") for name in table.index], fontsize="small")
    axes[0, 0].set_ylabel("annotated joints outside the crop (%)")
    axes[0, 0].legend(frameon=False)
    sns.despine(ax=axes[0, 0])
    return figure


def cost_figure(parts: pd.DataFrame, title: str) -> Figure:
    """Where parameters and FLOPs sit: shares by part, in percent. Columns part, parameters, gflop."""
    figure, axes = new_figure(7.2, 2.8)
    shares = parts.set_index("part")[["gflop", "parameters"]]
    shares = 100 * shares / shares.sum()
    shares.columns = ["FLOPs", "parameters"]
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


def _seeds(runs: Sequence[Run], model: int) -> list[int]:
    return [run.config.seed for run in runs if run.config.model == model]


def study_of(runs: Sequence[Run]) -> str:
    """Data set and profile, for titles."""
    config = runs[0].config
    return f"{config.data}, profile {config.profile}"

"""Numbers in, matplotlib figure out: the study's style, the report's figures 2 to 4, its claims and some charts.

Every model has its own colour, dash and marker, so that figures are readable for colour-blind people and in print
without colour.
"""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from posekit.errors import PosekitError
from posekit.skeleton import JOINTS
from posekit.study.configurations import MODELS, OWN_MODEL
from posekit.study.runs import Run

#: The models that each loss figure of the report compares.
LOSS_FIGURES: dict[int, tuple[str, tuple[int, ...]]] = {
    2: ("Loss by optimizer, original network", (1, 2, 3, 4)),
    3: ("Original and reduced network with RMSprop", (1, 5)),
    4: ("Original and reduced network with Adam", (3, 6)),
}

#: Of every model, in every figure.
_NUMBERS = [*MODELS, OWN_MODEL.number]
COLORS = dict(zip(_NUMBERS, sns.color_palette("colorblind", len(_NUMBERS)), strict=True))
MARKERS = dict(zip(_NUMBERS, "osD^vXP", strict=True))
DASHES = dict(
    zip(_NUMBERS, ["-", "--", "-.", (0, (1, 1)), (0, (5, 1, 1, 1, 1, 1)), (0, (7, 3)), (0, (3, 1))], strict=True)
)

#: Mark and colour of a verdict: to be told apart without colour.
_VERDICTS = {"holds": ("o", COLORS[3]), "does not hold": ("x", COLORS[4]), "cannot be told": ("_", "0.45")}


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
                color=COLORS[model],
                linestyle=DASHES[model],
                marker=MARKERS[model] if first else None,
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


def report_losses_figure(losses: pd.DataFrame, floor: float) -> Figure:
    """The report's losses after five epochs (`posekit.analysis.original_report.losses`), beside the loss of
    answering zero."""
    figure, axes = new_figure(7.2, 2.8)
    axis = axes[0, 0]
    names = [MODELS[model].label for model in losses["model"]]
    for row, (model, loss) in enumerate(zip(losses["model"], losses["loss"], strict=True)):
        axis.plot(loss, row, MARKERS[model], color=COLORS[model], markersize=8)
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


def claims_figure(claims: pd.DataFrame, title: str) -> Figure:
    """The claims of the report as a picture (`posekit.analysis.claims.claims_table`): claim, evidence, verdict."""
    widths = {"claim": 36, "evidence": 88}  # characters a line
    texts = [
        {
            "claim": textwrap.fill(f"{row.claim} (section {row.section})", widths["claim"]),
            "evidence": textwrap.fill(row.evidence, widths["evidence"]),
            "verdict": row.verdict,
        }
        for row in claims.itertuples()
    ]
    lines = [max(text.count("\n") + 1 for text in row.values()) + 1 for row in texts]
    left = {"claim": 0.005, "evidence": 0.275, "verdict": 0.835}
    height = 0.165 * (sum(lines) + 2) + 0.4
    figure, axes = new_figure(11.5, height)
    axis = axes[0, 0]
    axis.set_axis_off()
    axis.set(xlim=(0, 1), ylim=(sum(lines) + 1.2, -1.8))
    heads = ("The report says", "We find (accuracy: PCKh@0.5, weighted14)", "Verdict")
    for head, x in zip(heads, left.values(), strict=True):
        axis.text(x, -0.6, head, weight="bold", va="center")
    top = 0.2
    for text, count in zip(texts, lines, strict=True):
        axis.axhline(top, color="0.8", linewidth=0.8)
        for name, x in left.items():
            if name != "verdict":
                axis.text(x, top + 0.5, text[name], va="top", fontsize="small", linespacing=1.25)
        mark, color = _VERDICTS[text["verdict"]]
        axis.plot(left["verdict"] + 0.012, top + 1.05, mark, color=color, markersize=9, markeredgewidth=2.2,
                  clip_on=False)  # fmt: skip
        axis.text(left["verdict"] + 0.03, top + 1.05, text["verdict"], va="center", color=color, weight="bold")
        top += count
    axis.axhline(top, color="0.8", linewidth=0.8)
    figure.suptitle(title)
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


#: What a network costs, by the column of a table of its parts.
_COSTS = {"gflop": "FLOPs", "parameters": "parameters", "ms": "time"}


def cost_figure(parts: pd.DataFrame, title: str) -> Figure:
    """Where the cost sits: shares by part, in percent. Columns part and two of gflop, parameters and ms."""
    figure, axes = new_figure(7.2, 0.8 + 0.4 * len(parts))
    shares = parts.set_index("part")[[column for column in _COSTS if column in parts]]
    shares = 100 * shares / shares.sum()
    shares.columns = [_COSTS[column] for column in shares]
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

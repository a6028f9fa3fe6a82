"""Numbers in, matplotlib figure out: the report's figures 2 to 4, its claims and some charts."""

import textwrap
from collections.abc import Sequence

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from posekit.analysis.style import looks, looks_of, new_figure, study_of
from posekit.study.configurations import MODELS, label_of
from posekit.study.runs import Run


def loss_figures(runs: Sequence[Run]) -> dict[str, tuple[str, list[Run]]]:
    """Title and runs of each figure of losses, by name: the report's Figs. 2, 3 and 4.

    Where the study has both stems for a further optimizer and schedule, it gets a figure like Figs. 3 and 4.
    """

    def chosen(**wanted: str) -> list[Run]:
        models = {
            name
            for name, model in MODELS.items()
            if model.network is None and all(getattr(model, key) == value for key, value in wanted.items())
        }
        return [run for run in runs if run.config.model in models]

    figures = {"figure_2": ("Loss by optimizer, original network", chosen(stem="original"))}
    numbers = {("RMSprop", "constant"): "figure_3", ("Adam", "constant"): "figure_4"}
    for run in runs:
        how = run.config.optimizer, run.config.schedule
        numbers.setdefault(how, f"losses_{how[0].lower()}_{how[1]}")
    for (optimizer, schedule), name in numbers.items():
        both = chosen(optimizer=optimizer, schedule=schedule)
        if name.startswith("figure") or len({MODELS[run.config.model].stem for run in both}) > 1:
            figures[name] = (f"Original and reduced network with {optimizer}", both)
    return {name: (title, some) for name, (title, some) in figures.items() if some}


#: Mark and colour of a verdict: to be told apart without colour.
_VERDICTS = {"holds": ("o", "#029e73"), "does not hold": ("x", "#d55e00"), "cannot be told": ("_", "0.45")}


def loss_figure(runs: Sequence[Run], title: str) -> Figure:
    """Figs. 2, 3 and 4: loss against epoch while training and on validation people, with the zero-heatmap floor.

    Several seeds of one model are thin lines of the same kind; a run that is still going shows what it has.
    """
    figure, axes = new_figure(8.2, 3.8, columns=2, sharey=True)
    look = looks_of(runs)
    sides = (("train", "while training"), ("validation", "validation people"))
    for axis, (side, name) in zip(axes[0], sides, strict=True):
        several = len(runs) > len({run.config.model for run in runs})
        for run in runs:
            model, first = run.config.model, run.config.seed == min(_seeds(runs, run.config.model))
            axis.plot(
                run.history["epoch"],
                run.history[f"{side}_loss"],
                **look[model] | ({} if first else {"marker": None}),
                markersize=5,
                linewidth=1.6 if first else 0.8,
                label=label_of(run.config) if first else None,
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
        name,
        (1, value),
        xycoords=("axes fraction", "data"),
        xytext=(-2, 3),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize="small",
    )


def report_losses_figure(losses: pd.DataFrame, floor: float) -> Figure:
    """The report's losses after five epochs (`posekit.analysis.original_report.losses`), beside the loss of
    answering zero."""
    figure, axes = new_figure(7.2, 2.8)
    axis = axes[0, 0]
    names = [f"model-{number}" for number in losses["model"]]
    look = looks(names)
    for row, (name, loss) in enumerate(zip(names, losses["loss"], strict=True)):
        axis.plot(loss, row, **look[name], markersize=8)
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
        f"answering zero\neverywhere: {floor:.5f}",
        (floor, 0),
        (6, 0),
        textcoords="offset points",
        va="center",
        fontsize="small",
    )
    axis.set_yticks(range(len(names)), [MODELS[name].label for name in names])
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
        axis.plot(
            left["verdict"] + 0.012,
            top + 1.05,
            mark,
            color=color,
            markersize=9,
            markeredgewidth=2.2,
            clip_on=False,
        )
        axis.text(left["verdict"] + 0.03, top + 1.05, text["verdict"], va="center", color=color, weight="bold")
        top += count
    axis.axhline(top, color="0.8", linewidth=0.8)
    figure.suptitle(title)
    return figure


def _seeds(runs: Sequence[Run], model: str) -> list[int]:
    return [run.config.seed for run in runs if run.config.model == model]

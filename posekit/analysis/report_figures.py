"""Losses as figures: the report's Figs. 2 to 4 with its curves beside ours, and losses against joints found."""

from collections.abc import Sequence

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from posekit.analysis import original_report
from posekit.analysis.losses import ONE_RATE, REPORT, TRAINING, VALIDATION, curves, last_below, runs_at
from posekit.analysis.results import Results
from posekit.analysis.style import SMALL, line_styles, new_figure, study_of
from posekit.study.configurations import MODELS
from posekit.study.runs import Run


def loss_figures(runs: Sequence[Run]) -> dict[str, tuple[str, list[Run]]]:
    """Title and runs of each figure of losses, by name: the report's Figs. 2, 3 and 4.

    Where the study has both stems for a further optimizer and schedule, it gets a figure like Figs. 3 and 4.
    Models that none of these shows stand together in one more.
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
    elsewhere = {run.config.model for _, shown in figures.values() for run in shown}
    figures["losses_further"] = "Further models", [run for run in chosen() if run.config.model not in elsewhere]
    return {name: (title, some) for name, (title, some) in figures.items() if some}


#: What the axes of losses show, in percent below the floor: the first epoch lies far above the floor and is
#: written at the lower edge instead, so that it does not take the room of all others.
_LOWEST = -20.0

#: The height of the text at the lower edge, which hides no point.
_STRIP = 4.0

_PANELS = {REPORT: "the report, training", TRAINING: "here, training", VALIDATION: "here, validation people"}


def loss_figure(runs: Sequence[Run], title: str) -> Figure:
    """Figs. 2, 3 and 4 in percent below the floor of answering zero: the report's curves, and ours while
    training and on validation people.

    Several seeds of one model are thin lines of the same kind; a run that is still going shows what it has.
    """
    figure, axes = new_figure(8.4, 4.0, columns=3, sharey=True)
    models = list(dict.fromkeys(run.config.model for run in runs))
    table, style = curves(runs), line_styles(models)
    for axis, (curve, name) in zip(axes[0], _PANELS.items(), strict=True):
        shown = table[(table["curve"] == curve) & table["model"].isin(models)]
        for (model, seed), line in shown.groupby(["model", "seed"], sort=False):
            first = seed == shown.loc[shown["model"] == model, "seed"].min()
            axis.plot(
                line["epoch"],
                line["below"],
                **style[model] | ({} if first else {"marker": None}),
                markersize=5,
                linewidth=1.6 if first else 0.8,
                label=MODELS[model].label if first and curve == TRAINING else None,
            )
        axis.set_ylim(_LOWEST - _STRIP, table["below"].max() + 2)
        _write_what_is_lower(axis, shown["below"][shown["below"] < _LOWEST])
        name_of_floor = "floor: answering zero everywhere" if curve == TRAINING else None
        axis.axhline(0, color="black", linewidth=1, linestyle=(0, (2, 2)), label=name_of_floor)
        axis.set_xlabel("epoch")
        axis.set_title(name)
        axis.xaxis.get_major_locator().set_params(integer=True)
        sns.despine(ax=axis)
    axes[0, 0].set_ylabel("loss below the floor (%), higher is better")
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    several = len(runs) > len(models)
    figure.suptitle(f"{title}\n({study_of(runs)}{'; thin: further seeds' if several else ''})", fontsize="medium")
    return figure


def report_figure(runs: Sequence[Run], name: str) -> Figure | None:
    """`figure_2`, `figure_3` or `figure_4` of the report; None while none of its models has an epoch."""
    title, shown = loss_figures(runs).get(name, ("", []))
    return loss_figure(shown, title) if shown else None


def _write_what_is_lower(axis: Axes, values: pd.Series) -> None:
    if values.empty:
        return
    low, high = values.min(), values.max()
    text = f"{low:.0f}" if round(low) == round(high) else f"{low:.0f} to {high:.0f}"
    axis.annotate(
        f"epoch 1: {text} %",
        (0.98, 0.02),
        xycoords="axes fraction",
        ha="right",  # the curves come up on the left
        fontsize=SMALL,
    )


def six_losses_figure(results: Results) -> Figure:
    """How far the report's six models and ours end below the floor of answering zero, training losses in percent
    of it: filled symbols are the report's, open ones ours, one per seed, and small ones ours at RMSprop's rate
    for every optimizer, where that is not how the study trains them."""
    figure, axes = new_figure(7.6, 3.8)
    axis = axes[0, 0]
    names = original_report.models()
    report, style = curves(()), line_styles(names)
    last = report[report["epoch"] == report["epoch"].max()].set_index("model")["below"]
    usual = {(run.config.model, run.config.learning_rate) for run in results.runs}
    at_one_rate = {
        name: [last_below(run) for run in runs if (name, run.config.learning_rate) not in usual]
        for name, runs in runs_at(ONE_RATE, results).items()
    }
    for row, name in enumerate(names):
        symbol = {"color": style[name]["color"], "marker": style[name]["marker"], "linestyle": "none"}
        ours = [last_below(run) for run in results.runs if run.finished and run.config.model == name]
        for values, fill, size, place in (
            ([last[name]], "full", 8, row - 0.22),
            (ours, "none", 8, row + 0.05),
            (at_one_rate[name], "full", 4.5, row + 0.3),
        ):
            height = [place] * len(values)
            axis.plot(values, height, **symbol, fillstyle=fill, markersize=size, markeredgewidth=1.5)
    axis.axvline(0, color="black", linewidth=1, linestyle=(0, (2, 2)))
    axis.annotate(
        "floor: answering zero everywhere",
        (0, 1),
        (0, 3),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha="left",
        fontsize=SMALL,
    )
    axis.set_yticks(range(len(names)), [MODELS[name].label for name in names])
    axis.invert_yaxis()
    axis.margins(x=0.08, y=0.08)
    symbols = "filled: the report; open: here, each seed"
    if any(at_one_rate.values()):
        symbols += f"\nsmall: here, {ONE_RATE['Adam']:g} for every optimizer"
    axis.set_xlabel(f"training loss below the floor after the last epoch (%)\n{symbols}")
    sns.despine(ax=axis)
    return figure


def losses_and_joints_figure(table: pd.DataFrame, mean_pose: float, title: str) -> Figure:
    """Joints found against the validation loss in percent below the floor, a point per epoch of every run.

    table: `posekit.analysis.losses.losses_and_joints`. mean_pose: PCKh of the mean pose, in percent.
    """
    figure, axes = new_figure(7.6, 4.4)
    axis = axes[0, 0]
    style = line_styles(list(dict.fromkeys(table["model"])))
    last = table["epoch"].max()
    for model, rows in table.groupby("model", sort=False):
        symbol = {"color": style[model]["color"], "marker": style[model]["marker"], "linestyle": "none"}
        earlier, ends = rows[rows["epoch"] < last], rows[rows["epoch"] == last]
        axis.plot(earlier[VALIDATION], earlier["pckh_weighted14"], **symbol, fillstyle="none", markersize=5)
        label = MODELS[model].label if model in MODELS else model
        axis.plot(ends[VALIDATION], ends["pckh_weighted14"], **symbol, markersize=8, label=label)
    axis.axhline(mean_pose, color="black", linewidth=1, linestyle=(0, (2, 2)))
    axis.annotate(
        "mean pose for everybody",
        (1, mean_pose),
        (-2, 3),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        ha="right",
        fontsize=SMALL,
    )
    axis.axvline(0, color="0.7", linewidth=1)
    axis.set_ylim(bottom=0)
    axis.set_xlabel("validation loss below the floor (%)\nfilled: after the last epoch; open: before")
    axis.set_ylabel("joints found: PCKh@0.5 (%)")
    axis.set_title(title, fontsize="medium")
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    sns.despine(ax=axis)
    return figure

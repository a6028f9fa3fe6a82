"""Losses in percent below the floor of answering zero everywhere: the report's curves and ours in the same
unit."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from posekit.analysis import original_report
from posekit.analysis.results import Results
from posekit.evaluation.floors import percent_below
from posekit.study.configurations import MODELS, REPORT_RATES
from posekit.study.runs import Run
from posekit.training.run_config import OptimizerName

REPORT, TRAINING, VALIDATION = "report, training", "ours, training", "ours, validation"

#: The two readings of what the report does not say: the learning rate of Adam and RAdam.
ONE_RATE = dict.fromkeys(REPORT_RATES, REPORT_RATES["RMSprop"])
READINGS = {
    "1e-3 for Adam and RAdam (the authors' notebook, for Adam)": REPORT_RATES,
    "2.5e-4 for all (the code that they built on)": ONE_RATE,
}

#: docs/judging_claims.md: a reading reproduces the report only if its six losses are in nearly the same order.
RANK_CORRELATION = 0.8


def curves(runs: Sequence[Run]) -> pd.DataFrame:
    """A row per model, seed and epoch: curve (`REPORT`, `TRAINING` or `VALIDATION`), model, seed, epoch, and
    below, the loss in percent below the floor of that curve's own people, crop and heatmaps. The report has one
    seed, 0. Runs with another loss than squared error have no such floor and are left out."""
    report = original_report.curves()
    parts = [
        pd.DataFrame(
            {
                "curve": REPORT,
                "model": [f"model-{number}" for number in report["model"]],
                "seed": 0,
                "epoch": report["epoch"],
                "below": percent_below(report["loss"], original_report.floor()),
            }
        )
    ]
    for run in filter(_has_floor, runs):
        for curve, side in ((TRAINING, "train"), (VALIDATION, "validation")):
            loss, floor = run.history[f"{side}_loss"], run.floors[f"zero_heatmap_{side}"]
            name = {"curve": curve, "model": run.config.model, "seed": run.config.seed}
            parts.append(pd.DataFrame(name | {"epoch": run.history["epoch"], "below": percent_below(loss, floor)}))
    return pd.concat(parts, ignore_index=True)


def losses_table(runs: Sequence[Run]) -> pd.DataFrame:
    """The six losses after the last epoch: first in percent below the floor, the report's beside ours; then as
    they are. Ours are means over the seeds, with the lowest and the highest where there are several. Numbers as
    text.

    A further model is not in it, because the report has no loss to put beside its own.
    """
    last = curves([run for run in runs if run.finished])
    last = last[last["epoch"] == last.groupby("curve")["epoch"].transform("max")]
    published = original_report.losses().set_index("model")["loss"]
    rows = []
    for name in original_report.models():
        of_model = last[last["model"] == name]
        below = {
            curve: of_model.loc[of_model["curve"] == curve, "below"] for curve in (REPORT, TRAINING, VALIDATION)
        }
        seeds = [run for run in runs if run.finished and run.config.model == name]
        ours = [run.history[["train_loss", "validation_loss"]].iloc[-1].to_numpy() for run in seeds]
        means = np.mean(ours, axis=0) if ours else (np.nan, np.nan)
        rows.append(
            {
                "": MODELS[name].title,
                "network, optimizer": MODELS[name].description,
                **{f"{curve}: % below the floor": _spread(values) for curve, values in below.items()},
                "seeds": len(seeds),
                "report: loss": f"{published[int(name.removeprefix('model-'))]:.8f}",
                "ours: training loss": _loss(means[0]),
                "ours: validation loss": _loss(means[1]),
            }
        )
    floors = runs[0].floors
    rows.append(
        {
            "": "floor",
            "network, optimizer": "answering zero everywhere",
            **{f"{curve}: % below the floor": "0.0" for curve in (REPORT, TRAINING, VALIDATION)},
            "seeds": "",
            "report: loss": f"{original_report.floor():.5f}",
            "ours: training loss": _loss(floors["zero_heatmap_train"]),
            "ours: validation loss": _loss(floors["zero_heatmap_validation"]),
        }
    )
    return pd.DataFrame(rows)


def gaps_table(runs: Sequence[Run], pairs: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """How much further below the floor the first model of each pair lies than the second, after every epoch, in
    percentage points: a row per pair and curve. Negative: its loss is the higher one.

    Means over the seeds and epochs that both have, as a seed gives both the same start; over all seeds of each if
    they share none.
    """
    table = curves(runs)
    rows = {}
    for first, second in pairs:
        for curve in (REPORT, TRAINING, VALIDATION):
            one, other = (table[(table["curve"] == curve) & (table["model"] == name)] for name in (first, second))
            if one.empty or other.empty:
                continue
            keys = ["seed", "epoch"] if set(one["seed"]) & set(other["seed"]) else ["epoch"]
            one, other = (side.groupby(keys)["below"].mean() for side in (one, other))
            title = f"{MODELS[first].title} minus {MODELS[second].title}"
            rows[title, curve] = (one - other).dropna().groupby("epoch").mean()
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index = pd.MultiIndex.from_tuples(rows, names=["points of % below the floor", "curve"])
    return table.rename(columns=lambda epoch: f"epoch {epoch}").reset_index()


def steps_table(runs: Sequence[Run]) -> pd.DataFrame:
    """How the training losses of the six models fall: a row per curve of training losses.

    It says how many of them fall most after the first epoch, and between which levels below the floor (percent)
    all lie after the first, the second and the last epoch.
    """
    table = curves([run for run in runs if run.finished])
    table = table[table["model"].isin(original_report.models())]
    rows = []
    for curve in (REPORT, TRAINING):
        each = table[table["curve"] == curve].pivot_table(index=["model", "seed"], columns="epoch", values="below")
        if each.empty:
            continue
        falls = each.diff(axis=1).iloc[:, 1:]
        first = falls.idxmax(axis=1) == falls.columns[0]
        levels = {f"% below the floor after epoch {e}": _spread(each[e]) for e in (1, 2, each.columns[-1])}
        rows.append({"curve": curve, "fall most after epoch 1": f"{first.sum()} of {len(first)} runs"} | levels)
    return pd.DataFrame(rows)


def runs_at(rates: dict[OptimizerName, float], results: Results) -> dict[str, list[Run]]:
    """The finished runs of the report's six models, each at its optimizer's rate; none where there are none."""
    found, configurations = {}, results.configurations
    for name in original_report.models():
        seeds = configurations.get((name, rates[MODELS[name].optimizer]))
        found[name] = list(seeds.runs) if seeds else []
    return found


def readings_by_model(results: Results) -> pd.DataFrame:
    """Percent below the floor after the last epoch (training loss, means over the seeds) of the six models, in the
    report and here under each of `READINGS`; NaN where a model is not trained. A row per model."""
    published = original_report.losses()
    readings = {reading: runs_at(rates, results) for reading, rates in READINGS.items()}
    rows = []
    for name, loss in zip(original_report.models(), published["loss"], strict=True):
        row = {"model": MODELS[name].title, "report": percent_below(loss, original_report.floor())}
        for reading, trained in readings.items():
            row[reading] = np.mean([last_below(run) for run in trained[name]]) if trained[name] else np.nan
        rows.append(row)
    return pd.DataFrame(rows)


def readings_table(results: Results) -> pd.DataFrame:
    """Which reading of the learning rates reproduces the report, as docs/judging_claims.md says: a row per
    reading.

    rank correlation: Spearman's, of our six losses with the report's six. mean difference of gaps: between our
    gap to Model 1 and the report's, absolute, in points of percent below the floor, over Models 2 to 6. Where
    models are missing, there is no number; missing says which.
    """
    table = readings_by_model(results).set_index("model")
    gaps = table - table.iloc[0]
    rows = []
    for reading in READINGS:
        missing = list(table.index[table[reading].isna()])
        correlation = stats.spearmanr(table["report"], table[reading]).statistic if not missing else np.nan
        difference = (gaps[reading] - gaps["report"]).iloc[1:].abs().mean() if not missing else np.nan
        rows.append(
            {
                "reading": reading,
                "rank correlation with the report": correlation,
                "mean difference of gaps to Model 1, points": difference,
                "missing": ", ".join(missing),
            }
        )
    found = pd.DataFrame(rows)
    differences = found["mean difference of gaps to Model 1, points"]
    nearer = (differences == differences.min()) & differences.notna().all()
    other_order = found["rank correlation with the report"] < RANK_CORRELATION  # False where it is not known
    undecided = ~differences.notna().all()
    answers = [
        "no" if other else "not yet known" if undecided else "yes" if near else "no"
        for other, near in zip(other_order, nearer, strict=True)
    ]
    return found.assign(**{"nearer": ["" if undecided else "yes" if n else "no" for n in nearer]}).assign(
        **{"reproduces the report": answers}
    )


def losses_and_joints(results: Results) -> pd.DataFrame:
    """A row per run and epoch: model, seed, epoch, the percent below the floor of both losses (`TRAINING`,
    `VALIDATION`), and PCKh@0.5 weighted14 of the first data set's people, which is watched in training."""
    rows = curves(results.runs).pivot(index=["model", "seed", "epoch"], columns="curve", values="below")
    found = pd.concat(
        run.history[["epoch", "pckh_weighted14"]].assign(model=run.config.model, seed=run.config.seed)
        for run in results.runs
    )
    table = found.merge(rows.reset_index(), on=["model", "seed", "epoch"])
    return table[["model", "seed", "epoch", TRAINING, VALIDATION, "pckh_weighted14"]]


def rank_correlations(results: Results) -> pd.DataFrame:
    """Whether losses order networks as the joints that they find: Spearman's rank correlation over the finished
    runs, after the last epoch. A row per loss, a column per set of people; 1: the same order."""
    runs = [run for run in results.runs if run.finished]
    last = losses_and_joints(results).groupby(["model", "seed"]).last()
    keys = [(run.config.model, run.config.seed) for run in runs]
    columns = {f"{y.title}, {y.metric}": [y.score(run) for run in runs] for y in results.yardsticks}
    rows = []
    for loss in (TRAINING, VALIDATION):
        found = {name: stats.spearmanr(last.loc[keys, loss], scores).statistic for name, scores in columns.items()}
        rows.append({"rank correlation of": f"{loss} loss"} | found | {"runs": len(runs)})
    return pd.DataFrame(rows)


def last_below(run: Run) -> float:
    """The training loss of the last epoch in percent below the floor; NaN for a loss without one."""
    if not _has_floor(run):
        return float("nan")
    return percent_below(run.history["train_loss"].iloc[-1], run.floors["zero_heatmap_train"])


def _has_floor(run: Run) -> bool:
    """Whether answering zero is an answer: the scores of cross-entropy are no heatmaps."""
    return run.config.loss == "squared error"


def _spread(values: pd.Series) -> str:
    """The mean, and the lowest and the highest where there are several."""
    if values.empty:
        return ""
    text = f"{values.mean():.1f}"
    return text if len(values) < 2 else f"{text} ({values.min():.1f} to {values.max():.1f})"


def _loss(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.5f}"

"""What the report says of its loss curves (section V), answered from its own curves and from ours."""

from collections.abc import Sequence

import pandas as pd

from posekit.analysis import original_report
from posekit.analysis.losses import REPORT, TRAINING, curves
from posekit.study.configurations import MODELS
from posekit.study.runs import Run

#: The report's words, in their order.
STATEMENTS = (
    "the losses of models 3 and 4 show quite similar behavior through all five iterations",
    "All of the models make the biggest step after the first iteration and reach approximately the same level",
    "model 1 overtakes others and shows the best result after the fifth iteration",
    "our reduced model does not negatively affect the performance of the models",
)


def statements_table(runs: Sequence[Run]) -> pd.DataFrame:
    """The four statements with what the report's curves and our training losses show: a row per statement.

    Levels are percent below the floor of answering zero, means over the seeds; differences are points of it.
    Where a model is not trained, the cell is empty.
    """
    six = original_report.models()
    table = curves([run for run in runs if run.finished and run.config.model in six])
    found = {}
    for curve, column in ((REPORT, "the report's curves"), (TRAINING, "here, training losses")):
        levels = table[table["curve"] == curve].pivot_table(index="model", columns="epoch", values="below")
        answers = (_similar, _first_step, _leader, _stems)
        found[column] = ["" if levels.empty else answer(levels) for answer in answers]
    return pd.DataFrame({"the report says": STATEMENTS} | found)


def _similar(levels: pd.DataFrame) -> str:
    if not {"model-3", "model-4"} <= set(levels.index):
        return ""
    gaps = levels.loc["model-4"] - levels.loc["model-3"]
    return f"Model 4 minus Model 3, epochs 1 to {levels.columns[-1]}: " + ", ".join(f"{g:+z.1f}" for g in gaps)


def _first_step(levels: pd.DataFrame) -> str:
    steps = levels.diff(axis=1).iloc[:, 1:]
    most = int((steps.idxmax(axis=1) == steps.columns[0]).sum())
    low, high = levels[2].min(), levels[2].max()
    return f"{most} of {len(levels)} models; after epoch 2 they lie at {low:.1f} to {high:.1f} %"


def _leader(levels: pd.DataFrame) -> str:
    last = levels.iloc[:, -1].loc[[name for name in levels.index if MODELS[name].stem == "original"]]
    if "model-1" not in last or len(last) < 2:
        return ""
    rivals = last.drop("model-1")
    lead = last["model-1"] - rivals.max()
    rival = MODELS[rivals.idxmax()].title
    return f"{'yes' if lead > 0 else 'no'}: Model 1 minus {rival}, the best of the others, {lead:+z.1f}"


def _stems(levels: pd.DataFrame) -> str:
    texts = []
    for reduced, original in (("model-5", "model-1"), ("model-6", "model-3")):
        if {reduced, original} <= set(levels.index):
            gap = levels.loc[reduced].iloc[-1] - levels.loc[original].iloc[-1]
            texts.append(f"{MODELS[reduced].title} minus {MODELS[original].title} {gap:+z.1f}")
    return "; ".join(texts)

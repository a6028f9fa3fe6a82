"""What each step of the recipe of posekit.pt brought, from the records of its training and from its answers."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from posekit.analysis.peers import BASELINE, peers
from posekit.analysis.results import Results
from posekit.analysis.texts import difference_text
from posekit.analysis.yardsticks import MEAN, Yardstick
from posekit.evaluation.intervals import compare
from posekit.evaluation.pckh import pckh
from posekit.study.runs import Run

#: What posekit.pt was trained on, and the sizes of the parts of its training.
DATA = "mpii-2203-lspet-repaired-9844-lsp-2000"
PARTS = {"first part": "photographs", "second part": "photographs-second", "third part": "photographs-third"}

#: The encoder after three epochs, from random weights and from those of ImageNet, which are changed more gently.
PRETRAINING = "mpii-2203-lspet-9844-lsp-2000-short"
STARTS = {"random weights": "encoder-scratch", "weights of ImageNet": "encoder"}

#: What follows the training: the names of posekit's answers in data/peers/own.
AFTERWARD = {"region instead of the highest cell": BASELINE, "flip test": f"{BASELINE}, flip test"}


def recipe_steps(seed: int = 0) -> pd.DataFrame:
    """A row per step of the recipe, from one seed: the parts of the training that have a record, then how the
    shipped network (seed 0) is read.

    step; epochs, and hours of one core, as recorded; per set of people the joints found in percent, and how many
    points that is more than one step before, paired over people with the 95 % interval. Nothing where it was not
    recorded. The parts are read by the highest cell, without the flip test.
    """
    rows: list[dict] = []
    before: dict[str, np.ndarray] = {}
    for name, size in PARTS.items():
        results = Results.read(f"{DATA}-{size}")
        runs = [run for run in results.runs if run.config.seed == seed]
        rows += [_row(name, run, results.yardsticks, before) for run in runs]
    if seed == 0:
        answers = {peer.name: peer.distances for peer in peers()}
        for step, name in AFTERWARD.items():
            rows.append({"step": step} | _found("MPII", "PCKh@0.5", answers[name], 0.5, before))
    return pd.DataFrame(rows).fillna("")


def pretraining() -> pd.DataFrame:
    """What the weights of ImageNet are worth: the network of posekit.pt, trained by one short recipe from random
    weights and from those of ImageNet, one seed each. Columns as of `recipe_steps`."""
    results, before = Results.read(PRETRAINING), {}
    trained = {run.config.model: run for run in results.runs}
    return pd.DataFrame([_row(step, trained[model], results.yardsticks, before) for step, model in STARTS.items()])


def _row(step: str, run: Run, sticks: Sequence[Yardstick], before: dict[str, np.ndarray]) -> dict[str, str]:
    hours = run.history["seconds"].sum() / 3600
    row = {"step": step, "epochs": str(run.config.epochs), "hours": f"{hours:.1f}"}
    for y in sticks:
        row |= _found(y.title, y.metric, run.distances(y.data_set), y.threshold, before)
    return row


def _found(
    title: str, metric: str, distances: np.ndarray, threshold: float, before: dict[str, np.ndarray]
) -> dict[str, str]:
    """The joints found, and how many more than in the row before, whose distances this one takes the place of."""
    more = ""
    if title in before:
        gain = compare(distances, before[title], MEAN, threshold)
        more = difference_text(gain.difference, gain.low, gain.high)
    before[title] = distances
    return {
        f"{title}, {metric}, %": f"{pckh(distances, threshold).mean(MEAN):.1f}",
        f"{title}, points more (95 %)": more,
    }

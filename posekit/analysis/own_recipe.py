"""What each step of the recipe of posekit.pt brought, from the records of its training and from its answers."""

import numpy as np
import pandas as pd

from posekit.analysis.peers import BASELINE, peers
from posekit.analysis.results import Results
from posekit.analysis.texts import difference_text
from posekit.analysis.yardsticks import MEAN
from posekit.evaluation.intervals import compare
from posekit.evaluation.pckh import pckh

#: What posekit.pt was trained on, and the sizes of the parts of its training.
DATA = "mpii-2203-lspet-repaired-9844-lsp-2000"
PARTS = {"first part": "photographs", "second part": "photographs-second", "third part": "photographs-third"}

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

    def found(title: str, metric: str, distances: np.ndarray, threshold: float) -> dict[str, str]:
        more = ""
        if title in before:
            gain = compare(distances, before[title], MEAN, threshold)
            more = difference_text(gain.difference, gain.low, gain.high)
        before[title] = distances
        return {
            f"{title}, {metric}, %": f"{pckh(distances, threshold).mean(MEAN):.1f}",
            f"{title}, points more (95 %)": more,
        }

    for name, size in PARTS.items():
        results = Results.read(f"{DATA}-{size}")
        for run in (run for run in results.runs if run.config.seed == seed):
            rows.append({"step": name, "epochs": str(run.config.epochs)})
            rows[-1]["hours"] = f"{run.history['seconds'].sum() / 3600:.1f}"
            for y in results.yardsticks:
                rows[-1] |= found(y.title, y.metric, run.distances(y.data_set), y.threshold)
    if seed == 0:
        answers = {peer.name: peer.distances for peer in peers()}
        rows += [{"step": s} | found("MPII", "PCKh@0.5", answers[name], 0.5) for s, name in AFTERWARD.items()]
    return pd.DataFrame(rows).fillna("")

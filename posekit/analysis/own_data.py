"""What the notebook on your own photographs shows: where a network fails, and what annotating gains."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from posekit.analysis.picture_figures import pictures_figure
from posekit.analysis.style import new_figure
from posekit.evaluation.evaluate import Evaluation
from posekit.evaluation.intervals import Comparison
from posekit.evaluation.pckh import pckh
from posekit.preprocessing.batches import Crops
from posekit.preprocessing.whole_image import GRAY

#: The columns of `gain_table`.
GAINS = ("people", "PCKh@0.5, %", "gain, points", "low, points", "high, points")

#: What the dark leaves of the light: one part in so many.
DARKER = 7


def harder(crops: Crops) -> dict[str, Crops]:
    """The same people as they are, in the dark, upside down, and with the lower half of the crop covered."""
    middle, height = crops.rule.size - 1, crops.images.shape[1]
    covered = np.array(crops.images)
    covered[:, height // 2 :] = GRAY
    turned = np.concatenate([-crops.matrices[..., :2], middle - crops.matrices[..., 2:]], axis=-1)
    return {
        "as they are": crops,
        "in the dark": replace(crops, images=np.array(crops.images) // DARKER),
        "upside down": replace(crops, images=crops.images[:, ::-1, ::-1].copy(), matrices=turned),
        "lower half covered": replace(crops, images=covered),
    }


def failures_figure(pictures: Mapping[str, Crops], person: int) -> Figure:
    """One person of each of `harder`, as the network sees him or her."""
    crops = next(iter(pictures.values()))
    middle = slice(crops.rule.margin, crops.rule.margin + crops.rule.size)
    return pictures_figure({name: shown.images[person, middle, middle] for name, shown in pictures.items()})


def failures_table(answers: Mapping[str, Evaluation]) -> pd.DataFrame:
    """A row for each of `harder`: what the network finds, percent, and how sure it is of itself."""
    rows = {
        name: {
            "PCKh@0.5, %": pckh(found.distances).weighted14,
            "mean confidence": found.confidence.mean(),
            "joints of confidence below 0.2, %": 100 * (found.confidence < 0.2).mean(),
        }
        for name, found in answers.items()
    }
    return pd.DataFrame(rows).T


def gain_table(gains: Mapping[int, Comparison], before: float) -> pd.DataFrame:
    """PCKh@0.5 after fine-tuning by how many annotated people, with the gain over `before` and its interval."""
    rows = [dict(zip(GAINS, (0, before, 0.0, 0.0, 0.0), strict=True))]
    rows += [
        dict(zip(GAINS, (people, before + g.difference, g.difference, g.low, g.high), strict=True))
        for people, g in gains.items()
    ]
    return pd.DataFrame(rows).set_index(GAINS[0])


def gain_figure(table: pd.DataFrame) -> Figure:
    """The gains of `gain_table` with their intervals, at equal distances."""
    figure, axes = new_figure(6.5, 2.8)
    axis = axes[0, 0]
    places = np.arange(len(table))
    reach = np.abs(table[[*GAINS[3:]]].to_numpy().T - table[GAINS[2]].to_numpy())
    axis.axhline(0, color="black", linewidth=0.8)
    axis.errorbar(places, table[GAINS[2]], reach, fmt="o-", color="#332288", capsize=4)
    axis.set_xticks(places, table.index)
    axis.set(xlabel="people annotated to learn from", ylabel="gain, points of PCKh@0.5")
    return figure

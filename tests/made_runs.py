"""Runs with accuracies that are chosen instead of trained."""

import numpy as np
import pandas as pd

from posekit.skeleton import JOINTS
from posekit.study.configurations import MODELS, get_model, get_size, run_config
from posekit.study.runs import Run

PEOPLE = 200


def make_run(
    model: str | int,
    accuracy: float,
    seed: int = 0,
    rate: float | None = None,
    batch: int | None = None,
    losses: tuple[float, ...] = (5, 3, 2, 1.5, 1.2),
    floors: tuple[str, ...] = ("mean_pose_weighted14", "center_weighted14", "codec_ceiling_weighted14"),
    lsp: float | None = None,
    people: int = PEOPLE,
) -> Run:
    """A run that finds this share of every joint: the same people for every run, but for those on the border.

    lsp: the share that it finds of the same number of people of LSP; None: it was not asked about them.
    """
    hard = np.random.default_rng(0).random((people, len(JOINTS)))
    number = list(MODELS).index(get_model(model).name) + 1
    chance = np.random.default_rng([seed, number, int(1e6 * (rate or 0))]).normal(0, 0.01, hard.shape)
    distances = np.where(hard + chance < accuracy, 0.1, 2.0)
    table = pd.DataFrame(
        {
            "person": np.repeat(np.arange(people), len(JOINTS)),
            "joint": np.tile(JOINTS, people),
            "distance": distances.ravel(),
        }
    )
    config = run_config(get_model(model), get_size("quick"), seed, "made", "0" * 16, rate, batch)
    history = pd.DataFrame(
        {"epoch": np.arange(1, len(losses) + 1), "train_loss": losses, "validation_loss": losses}
        | {
            "pckh_weighted14": 100 * accuracy,
            "pckh_macro14": 100 * accuracy,
            "learning_rate": 1e-3,
            "seconds": 1.0,
        }
    )
    zero = {"zero_heatmap_train": 6.0, "zero_heatmap_validation": 6.0}
    values = {"mean_pose_weighted14": 15.0, "center_weighted14": 5.0, "codec_ceiling_weighted14": 95.0}
    further = {} if lsp is None else {"lsp": np.where(hard + chance < lsp, 0.1, 0.4)}
    known = zero | {name: values[name] for name in floors}
    return Run(config, known, {}, True, history, table, further)

"""The report's published numbers, read from data/report/, to stand beside ours."""

import pandas as pd

from posekit.paths import REPOSITORY

_FOLDER = REPOSITORY / "data" / "report"


def models() -> list[str]:
    """Names of the six models whose losses it publishes: its claims are about them, however many we train."""
    return [f"model-{number}" for number in losses()["model"]]


def losses() -> pd.DataFrame:
    """Section V: model, network, optimizer, scheduler, loss after five epochs."""
    return pd.read_csv(_FOLDER / "losses.csv")


def table_1() -> pd.DataFrame:
    """Table I: the layers of the reduced stem at 256 x 256."""
    return pd.read_csv(_FOLDER / "table_1.csv")


def table_2() -> pd.DataFrame:
    """Table II: the hyperparameters of the proposed model."""
    return pd.read_csv(_FOLDER / "table_2.csv")

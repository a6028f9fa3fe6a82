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


def curves() -> pd.DataFrame:
    """Figs. 2 to 4: model (number), epoch, training loss, source (where in the report)."""
    return pd.read_csv(_FOLDER / "curves.csv")


def floor_factors() -> pd.DataFrame:
    """What `floor` is made of: quantity, value, unit and where it comes from."""
    return pd.read_csv(_FOLDER / "floor.csv", keep_default_na=False)


def floor() -> float:
    """The report's training loss of a network that answers zero everywhere: the stacks whose losses are summed,
    times the squares of a bump per cell of a heatmap, times the share of joints that have a bump."""
    bump, cells, stacks, share = floor_factors()["value"]
    return float(stacks * bump / cells * share)


def table_1() -> pd.DataFrame:
    """Table I: the layers of the reduced stem at 256 x 256."""
    return pd.read_csv(_FOLDER / "table_1.csv")


def table_2() -> pd.DataFrame:
    """Table II: the hyperparameters of the proposed model."""
    return pd.read_csv(_FOLDER / "table_2.csv")

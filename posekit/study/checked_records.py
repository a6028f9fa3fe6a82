"""What is kept is not believed: the files of a record are checked before tables are made of them."""

from dataclasses import fields

import numpy as np
import pandas as pd

from posekit.skeleton import JOINTS
from posekit.training.loop import EpochRecord

#: The floors that every record has: see `Run`.
FLOORS = ("zero_heatmap_train", "zero_heatmap_validation", "mean_pose_weighted14")


def check_content(content: dict) -> None:
    """Raises `ValueError`, `KeyError` or `TypeError` unless run.json holds what tables are made of."""
    for name in ("floors", "environment"):
        if not isinstance(content[name], dict):
            raise ValueError(f"{name} is no list of names and values")
    for name in FLOORS:
        if not isinstance(content["floors"][name], int | float):
            raise ValueError(f"{name} is no number")


def check_history(history: pd.DataFrame) -> None:
    """Raises `ValueError` or `KeyError` unless the history holds the numbers that tables are made of."""
    for column in fields(EpochRecord):
        if history[column.name].dtype.kind not in "if":
            raise ValueError(f"column {column.name} is not all numbers")


def check_predictions(table: pd.DataFrame) -> None:
    """Raises `ValueError` unless there is one row per person and joint, in order, with distances."""
    people = len(table) // len(JOINTS)
    if people == 0 or table["joint"].tolist() != people * list(JOINTS):
        raise ValueError(f"{len(table)} rows are not {len(JOINTS)} joints for each person")
    if table["person"].tolist() != np.repeat(np.arange(people), len(JOINTS)).tolist():
        raise ValueError("people are missing or out of order")
    if table["distance"].dtype.kind != "f" or (table["distance"] < 0).any():
        raise ValueError("distances are not numbers from zero up")

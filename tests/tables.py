"""Small tables of people and a small size for tests."""

from pathlib import Path

import numpy as np

from posekit.datasets.people import People
from posekit.models.hourglass import HourglassConfig
from posekit.preprocessing.crop import CropRule
from posekit.preprocessing.heatmaps import Codec
from posekit.skeleton import JOINTS
from posekit.study.configurations import Size

#: Learns nothing, but goes through everything within seconds.
TINY = Size(
    "tiny",
    HourglassConfig(channels=8, modules=1, reductions=1),
    CropRule(size=32),
    Codec("subpixel"),
    batch_size=8,
    epochs=3,
    learning_rates={"RMSprop": 1e-3, "RAdam": 1e-3, "Adam": 1e-3},
)


def make_people(count: int = 3, **columns: object) -> People:
    """A small valid table: everybody stands in the middle of an image of 300 x 400 px."""
    joints = np.full((count, len(JOINTS), 2), 150.0)
    joints[:, :, 1] = np.linspace(80, 320, len(JOINTS))
    values = {
        "name": "test",
        "images_folder": Path("images"),
        "image": np.array([f"{number}.jpg" for number in range(count)]),
        "data_set": np.full(count, "test"),
        "center": np.full((count, 2), [150.0, 200.0]),
        "scale": np.full(count, 1.5),
        "joints": joints,
        "visible": np.full((count, len(JOINTS)), True),
        "head_size": np.full(count, 30.0),
        "head_size_estimated": np.full(count, False),
        "validation": np.arange(count) == count - 1,
        "image_size": np.full((count, 2), [300, 400]),
    }
    return People(**{**values, **columns})

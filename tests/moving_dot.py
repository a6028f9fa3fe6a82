"""A red dot that walks through a video, a stand-in network that finds it, and `posekit predict`."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from made_networks import FindsRed, RedPeople
from typer.testing import CliRunner

from posekit.cli import predict as cli_predict
from posekit.cli.cli import app
from posekit.errors import PosekitError
from posekit.inference.finder import Finder
from posekit.inference.predictor import Predictor
from posekit.preprocessing.crop import CropRule
from posekit.preprocessing.heatmaps import Codec
from posekit.skeleton import JOINTS

WIDTH, HEIGHT, COUNT, FPS, RADIUS = 320, 240, 30, 20.0, 8

#: Where the dot is in each frame: it walks through the picture.
DOTS = np.stack([np.linspace(30, 290, COUNT), 120 + 60 * np.sin(np.arange(COUNT) / 5)], axis=1).round()


def picture(dot: np.ndarray | None) -> np.ndarray:
    image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    return image if dot is None else cv2.circle(image, dot.astype(int).tolist(), RADIUS, (255, 0, 0), -1)


def make_video(path: Path, dots: list, code: str = "MJPG") -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*code), FPS, (WIDTH, HEIGHT))
    for dot in dots:
        writer.write(picture(dot)[..., ::-1])
    writer.release()
    return path


def frames_of(path: Path) -> list[np.ndarray]:
    capture, found = cv2.VideoCapture(str(path)), []
    while True:
        decoded, frame = capture.read()
        if not decoded:
            return found
        found.append(frame[..., ::-1])


def table_of(path: Path, key: str) -> tuple[list[str], np.ndarray]:
    """Names or numbers (N) and joints (N, 16, 2) of a CSV file."""
    with path.open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["joint"] for row in rows] == list(JOINTS) * (len(rows) // len(JOINTS))
    joints = np.array([[float(row["x"]), float(row["y"])] for row in rows]).reshape(-1, len(JOINTS), 2)
    return [row[key] for row in rows[:: len(JOINTS)]], joints


@pytest.fixture
def dot_network(monkeypatch) -> FindsRed:
    """Takes the place of every network that posekit predict may ask."""
    network = FindsRed()
    predictor = Predictor(network, CropRule(width=230, height=230, size=128), Codec("report"))
    predictor.finder = Finder(RedPeople())
    monkeypatch.setattr(cli_predict, "_predictor", lambda *_: predictor)
    return network


def run(*arguments: object):
    return CliRunner().invoke(app, ["predict", *(str(argument) for argument in arguments)])


def refused(result, message: str) -> bool:
    assert isinstance(result.exception, PosekitError), result.output
    return message in str(result.exception) and "\n" not in str(result.exception)

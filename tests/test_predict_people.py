"""`posekit predict` without a box: how many people are found, and what is written where there is nobody."""

import json

import cv2
import numpy as np
import pandas as pd
import pytest
from moving_dot import (
    DOTS,
    RADIUS,
    picture,
    refused,
    run,
)

from posekit.datasets.images import write_image

pytestmark = pytest.mark.usefixtures("dot_network")


def two_people() -> np.ndarray:
    """Dots at (60, 60) and, darker and so less sure, at (240, 160)."""
    image = picture(np.array([60, 60]))
    return cv2.circle(image, (240, 160), RADIUS, (200, 0, 0), -1)


def test_all_people_of_a_photograph_are_found_or_as_many_as_wanted(tmp_path):
    write_image(tmp_path / "two.png", two_people())
    found = {}
    for wanted in ("all", "2", "1"):
        result = run(tmp_path / "two.png", "--people", wanted, "--json", "--out", tmp_path / f"{wanted}.png")
        assert result.exit_code == 0, result.output
        found[wanted] = pd.DataFrame(json.loads(result.stdout))
    pd.testing.assert_frame_equal(found["all"], found["2"])
    pd.testing.assert_frame_equal(found["all"][:16], found["1"])
    middles = found["all"].groupby("person")[["x", "y"]].mean().to_numpy()
    assert np.abs(middles - [[60, 60], [240, 160]]).max() < RADIUS
    one, both = (cv2.imread(str(tmp_path / f"{wanted}.png"))[160, 240].astype(int) for wanted in ("1", "all"))
    assert np.abs(one - (0, 0, 200)).max() < 30 < np.abs(both - (0, 0, 200)).max()  # BGR, painted over or not


def test_a_photograph_without_people_says_so(tmp_path):
    write_image(tmp_path / "empty.png", picture(None))
    for kind in ("csv", "json"):
        result = run(tmp_path / "empty.png", "--joints", tmp_path / f"joints.{kind}")
        assert refused(
            result, "nobody is found in"
        ) and "empty.png; if somebody is there, say where by --box" in str(result.exception)
    values = ("empty.png", None, None, None, None, None)
    rows = json.loads((tmp_path / "joints.json").read_text())
    assert [tuple(row.values()) for row in rows] == [values]
    assert (tmp_path / "joints.csv").read_text() == "file,person,joint,x,y,confidence\nempty.png,,,,,\n"


def test_photographs_without_people_stay_in_the_list_of_a_folder(tmp_path):
    folder = tmp_path / "photographs"
    folder.mkdir()
    for name, image in (("a.png", picture(DOTS[3])), ("b.png", picture(None)), ("c.png", two_people())):
        write_image(folder / name, image)
    result = run(folder, "--joints", tmp_path / "joints.csv", "--out", tmp_path / "drawn")
    assert result.exit_code == 0 and result.stderr.count("nobody is found in b.png") == 1
    table = pd.read_csv(tmp_path / "joints.csv")
    assert table.groupby("file").size().to_dict() == {"a.png": 16, "b.png": 1, "c.png": 32}
    assert table[table.file == "b.png"].iloc[0, 1:].isna().all()
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "drawn" / "b.png")), picture(None)[..., ::-1])

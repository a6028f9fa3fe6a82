"""What a user meets first: the short face of the library, and an installation without a checkout."""

import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
from conftest import CHECKOUT

import posekit
from posekit.datasets.drawn import draw_person


def test_the_face_is_lazy_and_complete():
    program = (
        "import sys, posekit\n"
        "assert not {'torch', 'pandas', 'cv2', 'matplotlib'} & set(sys.modules)\n"
        "assert set(posekit.__all__) <= set(dir(posekit))\n"
        "assert all(callable(getattr(posekit, name)) for name in posekit.__all__)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
    with pytest.raises(AttributeError, match=r"it offers .*Predictor"):
        posekit.Prediktor  # noqa: B018


def test_many_crops_are_answered_as_one_by_one():
    predictor = posekit.Predictor.own()
    cropped = []
    for number in range(3):
        image, person = draw_person(1, number)
        cropped.append(predictor.crop(image, np.array(person["center"]), person["scale"]))
    together = predictor.predict_crops(*(np.stack(part) for part in zip(*cropped, strict=True)))
    for answer, (crop, matrix) in zip(together, cropped, strict=True):
        np.testing.assert_allclose(answer.joints, predictor.predict_crop(crop, matrix).joints, atol=0.05)


def test_a_wheel_finds_joints_far_from_the_checkout(tmp_path):
    image, person = draw_person(1, 0)
    cv2.imwrite(str(tmp_path / "photo.png"), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    source = tmp_path / "source"  # a build leaves files in the folder that it builds
    source.mkdir()
    for name in ("posekit", "pyproject.toml", "README.md", "LICENSE"):
        subprocess.run(["cp", "-r", CHECKOUT / name, source], check=True)
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path / "wheel", source]
    subprocess.run([*pip, *build], check=True, capture_output=True)
    (wheel,) = (tmp_path / "wheel").glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", tmp_path / "installed", wheel], check=True)
    x, y = (str(value) for value in person["center"])
    command = ["predict", "photo.png", "--center", x, y, "--scale", str(person["scale"]), "--joints", "joints.csv"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed"), "POSEKIT_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-m", "posekit", *command], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "joints.csv").read_text().splitlines()) == 1 + 16
    where = "import posekit; print(posekit.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", where], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert str(tmp_path / "installed") in found.stdout

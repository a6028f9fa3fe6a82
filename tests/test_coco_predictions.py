"""posekit predict --format coco: what it writes is read back as a data set, to the same joints."""

import csv
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from posekit.cli.cli import app
from posekit.datasets.drawn.scene import draw_person
from posekit.datasets.images import write_image
from posekit.datasets.sources import read_people
from posekit.errors import PosekitError
from posekit.inference.joint_file import photograph_file
from posekit.inference.predictor import Person, Prediction
from posekit.skeleton import JOINTS


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def photographs(tmp_path):
    for number in range(2):
        write_image(tmp_path / "photographs" / f"{number}.png", draw_person(0, number)[0])
    return tmp_path / "photographs"


def test_a_folder_is_written_and_read_back_to_the_same_joints(photographs, tmp_path):
    box = "--box", 20, 20, 200, 280, "--no-flip", "--device", "cpu"
    coco, rows = tmp_path / "out" / "people.json", tmp_path / "rows.csv"
    assert run("predict", photographs, *box, "--joints", coco, "--format", "coco").exit_code == 0
    assert run("predict", photographs, *box, "--joints", rows).exit_code == 0
    people, left_out = read_people([coco])
    assert left_out == "" and people.labeled.all() and people.visible.all()
    with rows.open() as stream:
        table = list(csv.DictReader(stream))
    written = np.array([[float(row["x"]), float(row["y"])] for row in table]).reshape(2, 16, 2)
    np.testing.assert_allclose(people.joints, written, atol=0.006)
    assert [(people.images_folder / name).resolve() for name in people.image] == sorted(photographs.iterdir())
    content = json.loads(coco.read_text())
    confidence = np.array([row["confidence"] for row in table], float).reshape(2, 16)
    for annotation, sure, size, joints in zip(
        content["annotations"], confidence, people.image_size, written, strict=True
    ):
        assert annotation["score"] == pytest.approx(sure.mean(), abs=1e-3)
        box = np.array(annotation["bbox"])
        edges = np.clip([joints.min(axis=0), joints.max(axis=0)] + np.full(2, 0.5), 0, size)
        np.testing.assert_allclose([box[:2], box[:2] + box[2:]], edges, atol=0.02)
    assert content["categories"][0]["keypoints"] == [joint.replace(" ", "_") for joint in JOINTS]


def test_a_photograph_may_have_several_people_or_none(tmp_path):
    def somebody(number, shift):
        joints = np.column_stack([np.linspace(10, 50, 16), np.linspace(5, 90, 16)]) + shift
        return Person(number, Prediction(joints, np.full(16, 0.5), *([np.zeros(0)] * 3)))

    image, path = np.zeros((100, 200, 3), np.uint8), tmp_path / "people.json"
    with photograph_file(path, coco=True) as note:
        note(tmp_path / "two.png", [somebody(1, 0), somebody(2, 100)], image)  # the second leaves the picture
        note(tmp_path / "nobody.png", [], image)
    write_image(tmp_path / "two.png", image)
    people, _ = read_people([path])
    assert people.image.tolist() == ["two.png", "two.png"]
    np.testing.assert_allclose(people.joints[1] - people.joints[0], 100, atol=0.01)
    assert [image["file_name"] for image in json.loads(path.read_text())["images"]] == ["two.png", "nobody.png"]


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["--joints", "people.json", "--format", "yaml"], "--format is rows or coco"),
        (["--format", "coco"], "--format coco needs --joints"),
        (["--joints", "people.csv", "--format", "coco"], "end the name in .json"),
    ],
)
def test_what_cannot_be_is_one_sentence(photographs, monkeypatch, options, sentence):
    monkeypatch.chdir(photographs.parent)
    result = run("predict", photographs / "0.png", "--box", 20, 20, 200, 280, *options)
    assert isinstance(result.exception, PosekitError) and sentence in str(result.exception)
    assert not list(photographs.parent.glob("people*"))


def test_videos_are_written_as_rows(tmp_path):
    (tmp_path / "film.mp4").touch()
    result = run("predict", tmp_path / "film.mp4", "--joints", tmp_path / "people.json", "--format", "coco")
    assert isinstance(result.exception, PosekitError) and "for photographs" in str(result.exception)

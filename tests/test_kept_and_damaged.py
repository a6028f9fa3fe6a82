"""What is kept is checked before it is believed; damaged or odd input costs one sentence and nothing else."""

import json
import subprocess
import sys
import threading

import cv2
import numpy as np
import pytest
import torch
from made_runs import make_run
from tables import make_people
from typer.testing import CliRunner

import posekit.analysis.tables
import posekit.preprocessing.cache
from posekit.cli.cli import app
from posekit.cli.common import as_json_text
from posekit.datasets.images import decode_image, is_cut_off
from posekit.datasets.people import People
from posekit.errors import PosekitError
from posekit.files import whole_file, write_whole
from posekit.inference.joint_file import joint_file
from posekit.inference.predictor import Predictor
from posekit.preprocessing.cache import cached_crops
from posekit.preprocessing.crop import CropRule
from posekit.preprocessing.heatmaps import Codec
from posekit.study.runs import read_run
from posekit.training.checkpoint import read_checkpoint, save_weights

RULE = CropRule(size=32)


@pytest.fixture
def people(tmp_path) -> People:
    """Twelve people in twelve photographs."""
    folder = tmp_path / "images"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(12):
        cv2.imwrite(str(folder / f"{number}.jpg"), rng.integers(0, 255, (400, 300, 3), np.uint8))
    return make_people(12, images_folder=folder)


@pytest.mark.parametrize("damage", ["emptied", "cut", "no boxes", "other people"])
def test_a_damaged_cache_is_made_anew(people, tmp_path, damage):
    expected = np.array(cached_crops(people, RULE, tmp_path / "cache", progress=False)[0])
    (folder,) = [path for path in (tmp_path / "cache").iterdir() if path.is_dir()]
    images = folder / "images.npy"
    if damage == "emptied":
        images.write_bytes(b"")
    elif damage == "cut":
        images.write_bytes(images.read_bytes()[:-1000])
    elif damage == "no boxes":
        (folder / "boxes.npy").unlink()
    else:
        np.save(folder / "done.npy", np.ones(5, bool))
    np.testing.assert_array_equal(cached_crops(people, RULE, tmp_path / "cache", progress=False)[0], expected)


def test_a_broken_photograph_leaves_the_crops_made_before_it(people, tmp_path, monkeypatch):
    monkeypatch.setattr(posekit.preprocessing.cache, "cpu_cores", lambda: 1)
    whole = (people.images_folder / "9.jpg").read_bytes()
    (people.images_folder / "9.jpg").write_bytes(bytes(len(whole)))  # damaged, of the same size
    with pytest.raises(PosekitError, match=r"9\.jpg"):
        cached_crops(people, RULE, tmp_path / "cache", progress=False)
    (people.images_folder / "9.jpg").write_bytes(whole)
    asked = []
    read = posekit.preprocessing.cache.read_image
    monkeypatch.setattr(
        posekit.preprocessing.cache,
        "read_image",
        lambda path, upright: asked.append(path.name) or read(path, upright),
    )
    cached_crops(people, RULE, tmp_path / "cache", progress=False)
    assert "9.jpg" in asked and len(asked) < 12


def test_the_lock_of_a_cache_is_free_afterwards(people, tmp_path):
    cached_crops(people, RULE, tmp_path / "cache", progress=False)
    (lock,) = (tmp_path / "cache").glob("*.lock")
    program = f"from filelock import FileLock\nFileLock({str(lock)!r}).acquire(timeout=0)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def record(tmp_path):
    """A finished run's folder, as `posekit.study.runs` writes it."""
    run = make_run(5, 0.6)
    content = {"config": run.config.to_dict(), "floors": run.floors, "environment": {}}
    (tmp_path / "run.json").write_text(json.dumps(content | {"finished": True}))
    run.history.to_csv(tmp_path / "history.csv", index=False)
    run.predictions.to_csv(tmp_path / "predictions.csv", index=False)
    return tmp_path


@pytest.mark.parametrize("name", ["predictions.csv", "history.csv"])
@pytest.mark.parametrize("damage", ["half", "a row missing", "conflict marks", "emptied", "no columns"])
def test_damaged_records_are_named_and_not_believed(tmp_path, name, damage):
    folder = record(tmp_path)
    assert read_run(folder).finished
    lines = (folder / name).read_text().splitlines(keepends=True)
    changed = {
        "half": lines[: len(lines) // 2],
        "a row missing": lines[:2] + lines[3:],
        "conflict marks": [*lines[:2], "<<<<<<< ours\n", *lines[2:3], "=======\n", ">>>>>>> theirs\n", *lines[3:]],
        "emptied": [],
        "no columns": lines[1:],
    }[damage]
    (folder / name).write_text("".join(changed))
    with pytest.raises(PosekitError, match=name.replace(".", r"\.")):
        read_run(folder)


def test_two_writers_of_one_path_leave_one_of_both(tmp_path):
    path, both_open = tmp_path / "file", threading.Barrier(2)

    def write(content: bytes) -> None:
        with whole_file(path) as stream:
            stream.write(content[:5000])
            both_open.wait(timeout=600)
            stream.write(content[5000:])

    contents = [b"a" * 10_000, b"b" * 10_000]
    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in contents and [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PosekitError, match="file"):
        write_whole(tmp_path / "file" / "below.txt", "text")


def test_fill_bytes_before_a_marker_are_legal():
    """ITU-T T.81, B.1.1.2: any marker may be preceded by any number of fill bytes FF."""
    image = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    data = cv2.imencode(".jpg", image)[1].tobytes()
    first = 4 + int.from_bytes(data[4:6])  # the end of the first segment
    filled = data[:first] + b"\xff\xff\xff" + data[first:]
    np.testing.assert_array_equal(
        decode_image(filled, "filled", upright=True), decode_image(data, "plain", upright=True)
    )
    assert is_cut_off(filled[:-2]) and not is_cut_off(filled)


class Answers(torch.nn.Module):
    """A network whose every answer is this number."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = torch.nn.Parameter(torch.tensor(value))

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        return [self.value.expand(len(images), 16, 8, 8)]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_answers_that_are_not_numbers_are_a_failure(value):
    predictor = Predictor(Answers(value), RULE, Codec())
    with pytest.raises(PosekitError, match="not numbers"):
        predictor.predict_box(np.zeros((60, 60, 3), np.uint8), np.array([5, 5, 50, 50]))


def test_json_has_null_for_what_is_no_number():
    text = as_json_text(
        {"a": float("nan"), "b": [1.5, float("inf")], "c": {"d": -float("inf")}, "e": "NaN", "f": True}
    )
    assert json.loads(text) == {"a": None, "b": [1.5, None], "c": {"d": None}, "e": "NaN", "f": True}


def test_weights_beyond_half_precision_stay_finite(tmp_path):
    config, network = make_run(5, 0.5).config, torch.nn.Linear(2, 2)
    torch.nn.init.constant_(network.weight, 1e6)
    torch.nn.init.constant_(network.bias, 0.5)
    save_weights(tmp_path / "weights.pt", config, network, [])
    kept = read_checkpoint(tmp_path / "weights.pt")["network"]
    assert kept["weight"].dtype == torch.float32 and (kept["weight"] == 1e6).all()
    assert kept["bias"].dtype == torch.float16


def test_a_name_that_is_not_utf8_does_not_lose_the_joints(tmp_path):
    odd = b"caf\xe9.jpg".decode("utf-8", "surrogateescape")
    for kind in ("csv", "json"):
        with joint_file(tmp_path / f"joints.{kind}", "file") as note:
            note(odd, [])
        assert "caf\\xe9.jpg" in (tmp_path / f"joints.{kind}").read_text().replace("\\\\", "\\")


def test_importing_posekit_leaves_opencv_as_it_was():
    program = (
        "import cv2\nbefore = cv2.utils.logging.getLogLevel()\nimport posekit.inference.video\n"
        "assert cv2.utils.logging.getLogLevel() == before"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["predict", "x" * 300 + ".jpg", "--out", "o.png"], "name too long"),
        (["predict", "https://example.org/photo.jpg"], "is an address"),
        (["predict", "loop.jpg", "--out", "o.png"], "symbolic links"),
        (["predict", "nothing.jpg"], "nothing.jpg"),
    ],
)
def test_odd_paths_are_one_sentence(arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, PosekitError) and said in str(result.exception)


def test_ctrl_c_is_a_sentence_and_status_130(monkeypatch):
    def pressed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(posekit.analysis.tables, "cost_table", pressed)
    result = CliRunner().invoke(app, ["cost"])
    assert result.exit_code == 130 and "stopped" in result.output


def test_a_failure_of_the_system_names_the_file_and_the_cause(monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "somewhere/file")

    monkeypatch.setattr(posekit.analysis.tables, "cost_table", full)
    result = CliRunner().invoke(app, ["cost"])
    assert isinstance(result.exception, PosekitError)
    assert "somewhere/file: No space left on device" in str(result.exception)

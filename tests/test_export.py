"""Networks in ONNX files answer as their checkpoints do, and carry all that a predictor needs."""

import json
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from conftest import CHECKOUT
from onnx import TensorProto, helper
from typer.testing import CliRunner

from posekit.cli.cli import app
from posekit.datasets.drawn import make_sample
from posekit.datasets.drawn.scene import draw_person
from posekit.datasets.images import write_image
from posekit.errors import PosekitError
from posekit.inference.export import compare, export_onnx, halve_weights
from posekit.inference.finder import Finder
from posekit.inference.predictor import OWN_NETWORK, Prediction, Predictor
from posekit.models.hourglass import HourglassConfig, StackedHourglass
from posekit.models.peaks import read
from posekit.preprocessing.crop import CropRule
from posekit.preprocessing.heatmaps import Codec
from posekit.preprocessing.whole_image import whole_image
from posekit.skeleton import JOINTS

CPU = torch.device("cpu")


def drawn_side_by_side(height: int) -> np.ndarray:
    """Three drawn pictures of this height beside each other, with five people."""
    pictures = [draw_person(seed=0, index=number)[0] for number in range(3)]
    return np.hstack([cv2.resize(p, (round(height * p.shape[1] / p.shape[0]), height)) for p in pictures])


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> Path:
    """posekit's own network, trained, by the command."""
    path = tmp_path_factory.mktemp("exported") / "own.onnx"
    result = run("export", "--out", path)
    assert result.exit_code == 0, result.output
    heatmaps, joints = re.search(r"heatmaps (\S+), joints (\S+) px", result.stdout).groups()
    assert float(heatmaps) <= 0.05 and float(joints) <= 0.25
    assert "torch" in result.stdout and "onnxruntime" in result.stdout and " ms" in result.stdout
    return path


@pytest.fixture(scope="module")
def finder_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("finder") / "finder.onnx"
    result = run("export", "--finder", "--out", path)
    assert result.exit_code == 0, result.output
    return path


@pytest.fixture(scope="module")
def untrained(tmp_path_factory) -> tuple[Predictor, Path]:
    """Two stacks and the report's codec."""
    torch.manual_seed(0)
    network = StackedHourglass(HourglassConfig("reduced", channels=8, stacks=2, modules=1, reductions=1))
    predictor = Predictor(network, CropRule(size=32), Codec("report", sigma=1.5))
    path = tmp_path_factory.mktemp("untrained") / "untrained.onnx"
    export_onnx(predictor, path)
    return predictor, path


def test_the_trained_network_answers_as_its_checkpoint(exported):
    """But for the rounding of its weights: float16 keeps about three digits."""
    ours, theirs = (Predictor.from_checkpoint(path, CPU) for path in (OWN_NETWORK, exported))
    for number in range(20, 24):
        image, person = draw_person(1, number)
        one, other = (p.predict(image, np.array(person["center"]), person["scale"]) for p in (ours, theirs))
        np.testing.assert_array_equal(one.crop, other.crop)
        np.testing.assert_allclose(one.heatmaps, other.heatmaps, rtol=0, atol=0.03)
        pixel = 1 / one.matrix[0, 0]  # of the crop, in image px
        same = np.abs(one.joints - other.joints).max(axis=1) <= 0.25 * pixel
        assert sum(same) >= 12  # two places that are almost as likely may change places


def test_the_trained_network_is_a_file_of_two_bytes_per_weight(exported):
    weights = sum(value.numel() for value in Predictor.own(CPU).network.parameters())
    assert exported.stat().st_size < 2.2 * weights
    assert exported.stat().st_size < 10e6


def test_weights_are_rounded_to_float16_and_computed_with_in_float32():
    """By hand: 1/3 is 0.333251953125 as float16, and 70,000 is more than float16 can hold."""
    x, y, z = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, 1, 1]) for name in "xyz")
    weights = [
        helper.make_tensor(name, TensorProto.FLOAT, [1, 1, 1, 1], [value])
        for name, value in (("third", 1 / 3), ("large", 70_000.0))
    ]
    nodes = [helper.make_node("Conv", ["x", "third"], ["y"]), helper.make_node("Conv", ["x", "large"], ["z"])]
    graph = helper.make_graph(nodes, "two", [x], [y, z], initializer=weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    halve_weights(model)
    onnx.checker.check_model(model, full_check=True)
    assert [stored.data_type for stored in model.graph.initializer] == [TensorProto.FLOAT16, TensorProto.FLOAT]
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    third, large = session.run(None, {"x": np.full((1, 1, 1, 1), 1.001, np.float32)})
    assert third.item() == pytest.approx(0.333251953125 * 1.001, rel=1e-6)  # 1.001 has more digits than float16
    assert large.item() == pytest.approx(70_070.0, rel=1e-6)


def test_every_stack_of_an_untrained_network_answers_the_same_for_any_number_of_crops(untrained):
    predictor, path = untrained
    theirs = Predictor.from_checkpoint(path, CPU)
    for count in (1, 5):
        crops = torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(count))
        with torch.inference_mode():
            one, other = predictor.network(crops), theirs.network(crops)
        assert len(one) == len(other) == 2
        for first, second in zip(one, other, strict=True):
            torch.testing.assert_close(first, second, rtol=0, atol=0.02 * first.abs().max().item())
    crops = np.random.default_rng(0).integers(0, 255, (2, 32, 32, 3), dtype=np.uint8)
    assert compare(predictor, theirs, crops, rounds=1).joints <= 0.25


def test_the_file_alone_holds_crop_codec_and_joints(untrained):
    _, path = untrained
    theirs = Predictor.from_checkpoint(path, CPU)
    assert theirs.rule == CropRule(size=32) and theirs.codec == Codec("report", sigma=1.5)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    found = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    assert found["posekit.joints"] == list(JOINTS) and found["posekit.codec"]["sigma"] == 1.5
    assert found["posekit.crop"]["size"] == 32 and "RGB in 0..1" in model.doc_string
    dimensions = [d.dim_param or d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    assert isinstance(dimensions[0], str) and dimensions[1:] == [3, 32, 32]


def test_normalization_is_folded_and_nothing_of_this_machine_is_in_the_file(untrained):
    """Two of the three normalizations of a branch follow a convolution: those are gone."""
    predictor, path = untrained
    kinds = [node.op_type for node in onnx.load(path).graph.node]
    normalizations = sum(isinstance(module, torch.nn.BatchNorm2d) for module in predictor.network.modules())
    assert 0 < kinds.count("BatchNormalization") < normalizations / 2
    assert str(CHECKOUT).encode() not in path.read_bytes() and b"hourglass.py" not in path.read_bytes()


def test_the_finder_in_an_onnx_file_answers_alike_for_any_size_of_image(finder_file):
    session = onnxruntime.InferenceSession(finder_file)
    network = Finder.own(CPU).network
    for size in ((192, 320), (320, 224)):
        picture, _ = whole_image(cv2.resize(draw_person(seed=0, index=1)[0], size[::-1]), max(size), 32)
        images = picture[None].transpose(0, 3, 1, 2).astype(np.float32) / 255
        (theirs,) = session.run(None, {"image": images})
        with torch.inference_mode():
            ours = read(network(torch.from_numpy(images))).numpy()
        assert theirs.shape == (1, 4, size[0] // 8, size[1] // 8)
        peaks = ours[0, 0] > 0.1
        assert peaks.any()
        np.testing.assert_allclose(theirs[0, 0][peaks], ours[0, 0][peaks], atol=0.02)  # weights are rounded
        np.testing.assert_allclose(theirs[0, 1:, peaks], ours[0, 1:, peaks], rtol=0.01, atol=0.5)


@pytest.mark.parametrize("enlarged", [1, 3], ids=["small", "larger than the crops"])
def test_the_example_finds_the_same_people_and_joints_without_torch(exported, finder_file, tmp_path, enlarged):
    image = drawn_side_by_side(height=360 * enlarged)
    write_image(tmp_path / "photo.png", image)
    script = CHECKOUT / "docs" / "examples" / "joints_without_torch.py"
    alone = (
        "import runpy, sys; sys.modules['torch'] = sys.modules['posekit'] = None; runpy.run_path(sys.argv.pop(1))"
    )
    command = [sys.executable, "-c", alone, script, finder_file, exported, tmp_path / "photo.png"]
    answer = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    own = Predictor.from_checkpoint(OWN_NETWORK, CPU)
    people = own.find(image)
    lines = answer.stdout.splitlines()
    assert len(people) >= 3 and len(lines) == len(people) * (1 + len(JOINTS))
    for number, one in enumerate(people):
        title, *rows = lines[number * (1 + len(JOINTS)) :][: 1 + len(JOINTS)]
        assert title.startswith(f"person {number + 1}, score ")
        assert float(title.rsplit(maxsplit=1)[1]) == pytest.approx(one.score, abs=0.02)
        cells = [row.rsplit(maxsplit=4) for row in rows]
        assert [cell[0].strip() for cell in cells] == list(JOINTS)
        ours = own.predict(image, one.center, one.scale)
        cell = 4 / ours.matrix[0, 0]  # of a heatmap, in image px
        distances = np.linalg.norm(np.array([cell[1:3] for cell in cells], float) - ours.joints, axis=1) / cell
        # Weights are rounded, and a large photograph is shrunk in other blocks of pixels.
        assert np.median(distances) < 0.2
        assert (distances < 1).sum() >= 12


def test_predict_and_evaluate_take_the_file_like_a_checkpoint(exported, tmp_path, monkeypatch):
    monkeypatch.setenv("POSEKIT_HOME", str(tmp_path))
    write_image(tmp_path / "photo.png", draw_person(0, 0)[0])
    for flip in ("--flip", "--no-flip"):
        rows = [
            json.loads(run("predict", tmp_path / "photo.png", "--checkpoint", path, flip, "--json").stdout)
            for path in (OWN_NETWORK, exported)
        ]
        apart = [np.hypot(one["x"] - other["x"], one["y"] - other["y"]) for one, other in zip(*rows, strict=True)]
        # With rounded weights, the other one of two cells that are equally high may be taken.
        assert sum(distance < 0.5 for distance in apart) >= 12
    of_default = json.loads(run("predict", tmp_path / "photo.png", "--json").stdout)
    assert of_default == json.loads(
        run("predict", tmp_path / "photo.png", "--checkpoint", OWN_NETWORK, "--flip", "--json").stdout
    )
    make_sample(tmp_path / "people", train=2, validation=8, progress=False)
    scores = [
        json.loads(run("evaluate", "--checkpoint", path, "--mpii", tmp_path / "people", "--json").stdout)[
            "weighted14"
        ]
        for path in (OWN_NETWORK, exported)
    ]
    assert scores[0] == pytest.approx(scores[1], abs=3) and scores[0] > 0  # a joint of 8 people is a point


def test_nothing_is_replaced_unasked(tmp_path):
    existing = tmp_path / "existing.onnx"
    existing.write_bytes(b"mine")
    result = run("export", "--out", existing)
    assert isinstance(result.exception, PosekitError) and "exists already" in str(result.exception)
    assert existing.read_bytes() == b"mine"


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["export", "--out", "network.pt"], "must end in .onnx"),
        (["export", "--checkpoint", "network.onnx"], "is an ONNX file already"),
        (["export", "--checkpoint", "nowhere.pt", "--out", "new.onnx"], "there is no checkpoint nowhere.pt"),
        (["predict", "photo.jpg", "--checkpoint", "a.onnx", "--device", "cuda"], "a.onnx runs on the CPU"),
        (["evaluate", "--checkpoint", "nowhere.onnx"], "network nowhere.onnx cannot be read"),
    ],
)
def test_bad_requests_are_one_sentence(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert isinstance(result.exception, PosekitError) and message in str(result.exception)
    assert "\n" not in str(result.exception) and list(tmp_path.iterdir()) == []


def test_other_files_are_named(untrained, tmp_path):
    whole = untrained[1].read_bytes()
    for content in (b"", b"epoch,loss\n", whole[: len(whole) // 2]):
        (tmp_path / "broken.onnx").write_bytes(content)
        with pytest.raises(PosekitError, match=r"broken\.onnx is not an ONNX file"):
            Predictor.from_checkpoint(tmp_path / "broken.onnx", CPU)
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "foreign", [x], [y])
    foreign = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(foreign, tmp_path / "foreign.onnx")
    with pytest.raises(PosekitError, match="does not say which crop"):
        Predictor.from_checkpoint(tmp_path / "foreign.onnx", CPU)
    model = onnx.load(untrained[1])
    for entry in model.metadata_props:
        if entry.key == "posekit.joints":
            entry.value = json.dumps(list(JOINTS)[::-1])
    onnx.save(model, tmp_path / "reversed.onnx")
    with pytest.raises(PosekitError, match="other joints"):
        Predictor.from_checkpoint(tmp_path / "reversed.onnx", CPU)


def test_without_onnxruntime_the_error_names_the_package(untrained, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(PosekitError, match="pip install onnxruntime"):
        Predictor.from_checkpoint(untrained[1], CPU)


@pytest.mark.parametrize("package", ["onnx", "onnxscript", "onnxruntime"])
def test_without_a_package_of_the_exporter_nothing_is_written(package, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    result = run("export", "--out", tmp_path / "new.onnx")
    assert isinstance(result.exception, PosekitError) and "pip install onnx" in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def test_posekit_itself_needs_none_of_the_packages():
    program = (
        "import sys, posekit.cli.cli, posekit.inference.export, posekit.inference.many\n"
        "assert not {'onnx', 'onnxruntime', 'onnxscript'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_tie_between_two_cells_is_no_difference_but_another_joint_is():
    def made(winner: int, shift: float) -> Predictor:
        heatmaps = np.zeros((16, 4, 4), np.float32)
        heatmaps[:, 1, 1:3] = 0.5
        heatmaps[:, 1, winner] += 1e-6
        joints = np.zeros((16, 2)) + shift
        joints[:, 0] += winner
        answer = Prediction(joints, np.full(16, 0.5), np.zeros((16, 16, 3), np.uint8), heatmaps, np.eye(2, 3))
        predictor = Predictor(torch.nn.Identity(), CropRule(size=16), Codec())
        predictor.predict_stacks = lambda crop, matrix: [answer]
        return predictor

    crops = np.zeros((1, 16, 16, 3), np.uint8)
    assert compare(made(1, 0.0), made(2, 0.0), crops, rounds=1).joints == 0
    same = compare(made(1, 0.0), made(1, 0.3), crops, rounds=1)
    assert same.joints == pytest.approx(0.3) and same.heatmaps == 0

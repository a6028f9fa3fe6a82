"""Prediction on whole images, and the command line as a stranger uses it."""

import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from conftest import CHECKOUT
from made_networks import FindsRed
from typer.testing import CliRunner

from posekit.cli.cli import app
from posekit.datasets.images import read_image
from posekit.datasets.mpii import read_mpii
from posekit.errors import PosekitError
from posekit.evaluation.pckh import pckh
from posekit.inference.finder import OWN_FINDER
from posekit.inference.predictor import OWN_NETWORK, SMALL_NETWORK, FlipTest, Predictor
from posekit.paths import checkpoint_path
from posekit.preprocessing.batches import batches, make_crops, without_context
from posekit.preprocessing.crop import CropRule
from posekit.preprocessing.heatmaps import Codec
from posekit.skeleton import JOINTS


@pytest.mark.parametrize("center, scale", [((200, 150), 1.0), ((60, 80), 0.8), ((330, 250), 1.6)])
def test_joints_come_back_in_pixels_of_the_image(center, scale):
    image = np.full((300, 400, 3), 90, np.uint8)
    dot = np.array(center) + (12, -20)
    cv2.circle(image, dot.tolist(), 3, (255, 0, 0), -1)
    answer = Predictor(FindsRed(), CropRule(size=256), Codec("report")).predict(image, np.array(center), scale)
    cell = 4 / answer.matrix[0, 0]  # image px per heatmap cell
    assert np.abs(answer.joints - dot).max() <= 0.5 * cell + 1.5
    assert answer.joints.shape == (16, 2) and answer.heatmaps.shape == (16, 64, 64)


def test_a_box_finds_the_same_as_its_center_and_scale():
    image = np.random.default_rng(0).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    predictor = Predictor(FindsRed(), CropRule(size=64), Codec("report"))
    boxed = predictor.predict_box(image, np.array([105, 50, 215, 250]))  # 200 px high: scale 1
    np.testing.assert_array_equal(boxed.joints, predictor.predict(image, np.array([160, 150]), 1.0).joints)


def test_the_place_of_a_box_that_leaves_the_image_is_that_of_the_part_inside():
    """640 x 360 px: the part inside the box goes from x = 300 to 639, so its middle is 469.5."""
    predictor = Predictor(FindsRed(), CropRule(width=230, height=230, size=64), Codec("report"))
    image, box = np.zeros((360, 640, 3), np.uint8), np.array([300, 0, 1000, 360])
    center, scale = predictor.place_of_box(image, box)
    assert center.tolist() == [469.5, 179.5] and scale == pytest.approx(359 / 200)


@pytest.mark.parametrize(
    "image, center, scale, message",
    [
        (np.zeros((50, 50), np.uint8), (20, 20), 1.0, "must be .H, W, 3. uint8"),
        (np.zeros((50, 50, 3)), (20, 20), 1.0, "uint8"),
        (np.zeros((50, 50, 3), np.uint8), (60, 20), 1.0, "outside the image of 50 x 50 px"),
        (np.zeros((50, 50, 3), np.uint8), (20, 20), 0.0, "positive number"),
        (np.zeros((50, 50, 3), np.uint8), (20, 20), 1e-3, "zero size"),
    ],
)
def test_impossible_questions_are_one_sentence(image, center, scale, message):
    with pytest.raises(PosekitError, match=message):
        Predictor(FindsRed(), CropRule(size=64), Codec("report")).predict(image, np.array(center), scale)


def test_photographs_are_turned_upright_and_data_sets_are_not(tmp_path):
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise by a quarter
    Image.new("RGB", (40, 20)).save(tmp_path / "turned.jpg", exif=exif)
    assert read_image(tmp_path / "turned.jpg", upright=True).shape == (40, 20, 3)
    assert read_image(tmp_path / "turned.jpg", upright=False).shape == (20, 40, 3)


PHOTOGRAPH = CHECKOUT / "figures" / "sample-quick" / "people.png"


def jpeg() -> bytes:
    return cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8))[
        1
    ].tobytes()


def test_a_jpeg_with_something_behind_it_is_whole(tmp_path):
    """Telephones append films to photographs; what they hold says nothing about the photograph."""
    (tmp_path / "moving.jpg").write_bytes(jpeg() + b"ftypmp42....\xff\xda....")
    assert read_image(tmp_path / "moving.jpg", upright=True).shape == (60, 80, 3)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.999])
def test_a_jpeg_that_is_cut_off_is_refused_even_with_a_thumbnail(tmp_path, share):
    whole = jpeg()
    thumbnail = b"\xff\xe1" + (len(whole) + 2).to_bytes(2) + whole  # a whole JPEG inside an APP1 segment
    (tmp_path / "cut.jpg").write_bytes(
        (whole[:2] + thumbnail + whole[2:])[: len(thumbnail) + int(share * len(whole))]
    )
    with pytest.raises(PosekitError, match=r"cut\.jpg (is cut off|cannot be decoded)"):
        read_image(tmp_path / "cut.jpg", upright=True)


class FindsTheLeft(torch.nn.Module):
    """Stands in for a network: joint j has its peak in column j of the heatmap, whatever the image shows."""

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        heatmaps = torch.zeros(len(images), len(JOINTS), 16, 16)
        for joint in range(len(JOINTS)):
            heatmaps[:, joint, 0, joint] = 1 + joint
        return [heatmaps]


def test_the_mirror_image_gives_the_joints_of_the_other_side():
    """By hand: a left wrist answered in column 15 of the mirror image lies in column 0 of the crop and is a right
    one; so every joint gets half its own bump, and half that of its counterpart, mirrored."""
    (mean,) = FlipTest(FindsTheLeft())(torch.zeros(1, 3, 64, 64))
    left, right, top = JOINTS.index("left wrist"), JOINTS.index("right wrist"), JOINTS.index("head top")
    expected = {
        left: {left: (1 + left) / 2, 15 - right: (1 + right) / 2},
        top: {top: (1 + top) / 2, 15 - top: (1 + top) / 2},
    }
    for joint, columns in expected.items():
        row = torch.zeros(16)
        for column, value in columns.items():
            row[column] = value
        torch.testing.assert_close(mean[0, joint, 0], row)


def test_with_the_flip_test_a_mirrored_photograph_gets_the_mirrored_answer():
    predictor = Predictor.own(torch.device("cpu"))
    crop = np.random.default_rng(0).integers(0, 255, (predictor.rule.size,) * 2 + (3,), dtype=np.uint8)
    crops = crop, np.ascontiguousarray(crop[:, ::-1])
    straight, mirrored = (predictor.predict_crop(image, np.eye(2, 3)).heatmaps for image in crops)
    swapped = [JOINTS.index(n.replace("left", "?").replace("right", "left").replace("?", "right")) for n in JOINTS]
    np.testing.assert_allclose(mirrored[swapped, :, ::-1], straight, atol=1e-3 * straight.max())


@pytest.mark.parametrize("network", [OWN_NETWORK, SMALL_NETWORK], ids=lambda path: path.stem)
def test_an_included_network_finds_joints_in_photographs(network, mpii_folder, tmp_path, monkeypatch):
    """Far more joints of MPII's validation people than the mean pose (9 %); the card says how many."""
    monkeypatch.setenv("POSEKIT_HOME", str(tmp_path))
    result = run("evaluate", "--checkpoint", network, "--flip", "--mpii", mpii_folder, "--json")
    score = json.loads(result.stdout)
    card = (network.parent / "README.md").read_text()
    (row,) = re.findall(r"^\| MPII, 129 people, PCKh@0\.5 weighted14, flip test \|.*$", card, re.MULTILINE)
    cell = row.split("|")[2 + (OWN_NETWORK, SMALL_NETWORK).index(network)]
    found = [score[name] for name in ("weighted14", "weighted14_low", "weighted14_high")]
    assert found == pytest.approx([float(number) for number in re.findall(r"\d+\.\d", cell)], abs=0.15)
    assert network.stat().st_size < 10 * 2**20


def test_predict_and_evaluate_see_the_same_crop_of_a_person(drawn, tmp_path):
    """To the last bit, so the same network gives both the same joints."""
    predictor = Predictor.own(torch.device("cpu"))
    people = read_mpii(drawn).split()[1]
    batch = next(batches(make_crops(people, predictor.rule, tmp_path, progress=False), 4, predictor.device))
    kept = without_context(batch, predictor.rule).images.permute(0, 2, 3, 1)
    for person in range(4):
        image = read_image(people.images_folder / people.image[person])
        crop, _ = predictor.crop(image, people.center[person], people.scale[person])
        np.testing.assert_array_equal((255 * kept[person]).round().numpy(), crop)


@pytest.fixture
def trained(tiny_study):
    tiny_study.run(5)
    return tiny_study


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_evaluating_a_checkpoint_finds_what_is_recorded_of_it(trained, drawn):
    checkpoint = checkpoint_path(trained.name, "model-5", 0)
    result = run("evaluate", "--checkpoint", checkpoint, "--mpii", drawn, "--json")
    recorded = pckh(trained.run(5).distances())
    assert json.loads(result.stdout)["weighted14"] == pytest.approx(recorded.weighted14, abs=0.2)


def test_predict_command_answers_like_the_predictor(trained, tmp_path):
    people = trained.crops[1].people
    photograph = people.images_folder / people.image[0]
    x, y = people.center[0]
    command = ["predict", photograph, "--study", trained.name, "--center", x, y, "--scale", people.scale[0]]
    result = run(*command, "--json", "--out", tmp_path / "drawn.png")
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert [row["joint"] for row in rows] == list(JOINTS)
    joints = np.array([[row["x"], row["y"]] for row in rows])
    answer = Predictor.from_checkpoint(trained.network(5), trained.device).predict(
        read_image(photograph, upright=True), people.center[0], people.scale[0]
    )
    np.testing.assert_allclose(joints, answer.joints, atol=0.01)
    assert read_image(tmp_path / "drawn.png", upright=True).shape == read_image(photograph, upright=True).shape


def test_predict_does_not_overwrite_unasked(trained, tmp_path):
    photograph = trained.people.images_folder / trained.people.image[0]
    existing = tmp_path / "existing.png"
    existing.write_bytes(b"mine")
    result = run("predict", photograph, "--study", trained.name, "--out", existing)
    assert isinstance(result.exception, PosekitError) and "exists already" in str(result.exception)
    assert existing.read_bytes() == b"mine"
    assert run("predict", photograph, "--study", trained.name, "--out", existing, "--overwrite").exit_code == 0
    assert existing.read_bytes() != b"mine"


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["predict", "nowhere.jpg"], "nowhere.jpg cannot be read"),
        (["predict", "x.jpg", "--center", 1, 2], "--center and --scale together"),
        (["train", "--model", 9], "there is no model 9"),
        (["predict", "x.jpg", "--model", 5], "--model needs --study"),
        (["predict", "x.jpg", "--study", "a", "--checkpoint", "b"], "by --study and --model, or by --checkpoint"),
        (["predict", PHOTOGRAPH, "--study", "sample-quick", "--model", 9], "there is no model 9"),
        (["evaluate", "--checkpoint", "nowhere.pt"], "there is no checkpoint nowhere.pt"),
        (["evaluate", "--checkpoint", OWN_FINDER], "finds people, not joints"),
        (["evaluate", "--checkpoint", "a.pt", "--export", __file__], "written as .mat or .csv files, not .py"),
        (["evaluate", "--checkpoint", "a.pt", "--model", 5, "--seed", 1], "leave out --model and --seed"),
        (["evaluate", "--predictions", "a.mat", "--checkpoint", "a.pt"], "leave out --checkpoint"),
        (["evaluate", "--predictions", "a.mat", "--flip"], "--predictions alone says what is evaluated"),
        (["evaluate", "--flip"], "--flip needs --checkpoint"),
        (["evaluate", "--checkpoint", str(Path(__file__).parent)], "cannot be read (Is a directory)"),
        (
            ["predict", PHOTOGRAPH, "--box", "nan", 0, 9, 9],
            "the box (nan, 0, 9, 9) holds an edge that is no number",
        ),
        (["predict", PHOTOGRAPH, "--box", 50, 20, 40, 900], "the box (50, 20, 40, 900) is empty"),
        (["train", "--mpii", __file__], "is a file, not a folder"),
        (["predict", __file__], "cannot be decoded"),
        (["train", "--size", "huge"], "there is no size 'huge'"),
        (["study", "--size", "huge"], "there is no size 'huge'"),
        (["cost", "--size", "huge"], "there is no size 'huge'"),
        (["train", "--mpii", "nowhere"], "folder nowhere does not exist"),
        (["evaluate", "--predictions", "a.mat"], "--predictions needs --mpii"),
        (["figures", "unheard-of"], "no finished runs in"),
        (["train", "--device", "abacus"], "device 'abacus' is not available"),
    ],
)
def test_bad_requests_end_in_one_sentence(trained, drawn, monkeypatch, arguments, message):
    if "--mpii" not in arguments and "--predictions" not in arguments:
        monkeypatch.setenv("POSEKIT_MPII", str(drawn))
    monkeypatch.setenv("POSEKIT_SIZE", "tiny")
    result = run(*arguments)
    assert result.exit_code != 0
    assert isinstance(result.exception, PosekitError) and message in str(result.exception)
    assert "\n" not in str(result.exception)


def test_the_program_itself_prints_no_traceback(tmp_path):
    import subprocess
    import sys

    command = [sys.executable, "-m", "posekit", "predict", str(tmp_path / "none.jpg")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("posekit: image") and len(done.stderr.splitlines()) == 1


def test_a_study_without_checkpoint_says_what_to_do(trained):
    photograph = trained.people.images_folder / trained.people.image[0]
    assert not checkpoint_path("no-study", "model-5", 0).exists()
    result = run("predict", photograph, "--study", "no-study")
    assert "train the model first" in str(result.exception)


def test_cost_prints_the_keys_that_scripts_read():
    rows = json.loads(run("cost", "--json").stdout)
    assert [row["model"] for row in rows] == [f"Model {number}" for number in range(1, 7)]
    assert rows[0]["parameters"] == 12_647_206 and rows[4]["parameters"] == 12_530_790
    assert rows[0]["stem_convolutions"] == 12 and rows[4]["stem_convolution_parameters"] == 235_328
    assert rows[0]["gflop"] == pytest.approx(27.69, abs=0.01) and rows[0]["stem_gflop"] == pytest.approx(
        4.50, abs=0.01
    )


def test_something_else_as_checkpoint_is_named_and_not_to_be_deleted(trained, tmp_path):
    photograph = trained.people.images_folder / trained.people.image[0]
    for content in (b"epoch,loss\n1,2\n", photograph.read_bytes(), b""):
        (tmp_path / "network").write_bytes(content)
        result = run("predict", photograph, "--checkpoint", tmp_path / "network")
        assert isinstance(result.exception, PosekitError) and "network is not a checkpoint" in str(
            result.exception
        )


def test_figures_needs_no_data_set_and_passes_over_studies_that_are_still_going(trained, tiny_home):
    going = tiny_home / "data" / "runs" / "another-tiny" / "model-5-seed-0"
    going.mkdir(parents=True)
    record = json.loads((trained.records / "model-5-seed-0" / "run.json").read_text())
    (going / "run.json").write_text(json.dumps(record | {"finished": False}))
    (going / "history.csv").write_text((trained.records / "model-5-seed-0" / "history.csv").read_text())
    try:
        result = run("figures")
        assert result.exit_code == 0, result.output
        assert "another-tiny: no run is finished yet" in result.stdout
        assert f"{trained.name}: Figs. 1 and 5 show images that are not at hand" in result.stdout
        assert (trained.figures / "figure_3.svg").exists() and not (trained.figures / "figure_5.png").exists()
    finally:
        shutil.rmtree(going.parent)


def test_evaluate_shows_every_seed(trained):
    trained.run(5, seed=1)
    result = run("evaluate", "--size", "tiny", "--mpii", trained.data[0], "--json")
    scores = json.loads(result.stdout)
    assert {"Model 5: reduced, RMSprop", "Model 5: reduced, RMSprop, seed 1"} <= scores.keys()
    for seed, name in enumerate(("Model 5: reduced, RMSprop", "Model 5: reduced, RMSprop, seed 1")):
        expected = trained.run(5, seed).history.pckh_weighted14.iloc[-1]
        assert scores[name]["weighted14"] == pytest.approx(expected, abs=1e-6)
    table = run("evaluate", "--size", "tiny", "--mpii", trained.data[0]).stdout
    assert "seed 1" in table and "mean pose" in table and "left wrist" in table


def test_evaluate_makes_no_data_when_there_is_nothing_to_evaluate(tmp_path, monkeypatch):
    monkeypatch.setenv("POSEKIT_HOME", str(tmp_path))
    result = run("evaluate")
    assert "no finished runs" in str(result.exception) and list(tmp_path.iterdir()) == []


def test_a_box_beside_the_photograph_is_reported_in_its_own_numbers(trained):
    photograph = trained.people.images_folder / trained.people.image[0]
    result = run("predict", photograph, "--study", trained.name, "--box", 2000, 2000, 2100, 2200)
    assert "(2000, 2000, 2100, 2200) lies outside the image of" in str(result.exception)

"""What the first notebooks show: tables, figures and features against values computed by hand."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from conftest import CHECKOUT
from made_runs import make_run
from matplotlib.colors import same_color
from matplotlib.markers import MarkerStyle
from tables import TINY, make_people

import posekit
from posekit.analysis import data_tables, heatmap_figures, network_figures, network_tables, training_figures
from posekit.analysis.picture_figures import lost_joints_of_people_figure, people_figure
from posekit.analysis.tables import sizes_table, table_1
from posekit.analysis.training_tables import history_table, reached_table, report_models_table
from posekit.datasets.drawn import draw_person
from posekit.errors import PosekitError
from posekit.models.cost import count_parameters, network_cost
from posekit.models.encoder import EncoderConfig, EncoderNetwork
from posekit.models.features import hourglass_features
from posekit.models.hourglass import HourglassConfig, StackedHourglass
from posekit.preprocessing.augmentation import Augmentation
from posekit.preprocessing.batches import batches
from posekit.preprocessing.crop import CropRule, clip_box, crop_image, empty_share
from posekit.preprocessing.heatmaps import Codec
from posekit.skeleton import INDEX, JOINTS
from posekit.study.configurations import MODELS, SIZES, network_of

ORIGINAL, REDUCED = (network_of(MODELS[name], SIZES["full"]) for name in ("model-1", "model-5"))


# --- notebook 00


def test_the_first_picture_is_drawn_and_the_own_network_finds_its_joints():
    image = posekit.read_image(CHECKOUT / "notebooks" / "person.webp")
    drawn, annotation = draw_person(seed=0, index=41)
    assert np.abs(image.astype(float) - drawn).mean() < 3, "not the picture that draw_person(0, 41) gives"
    answer = posekit.Predictor.own(torch.device("cpu")).predict_box(image, box=(60, 90, 330, 570))
    away = np.linalg.norm(answer.joints - np.array(annotation["joints"]), axis=1) / annotation["head_size"]
    assert (away < 0.5).sum() >= 14, dict(zip(JOINTS, away.round(2), strict=True))


def test_the_least_certain_joint_stands_first():
    joints = np.arange(32.0).reshape(16, 2)
    confidence = np.linspace(1, 0.25, 16)
    table = data_tables.answer_table(posekit.inference.predictor.Prediction(joints, confidence, *[None] * 3))
    assert list(table.index) == list(JOINTS[::-1])
    assert table.loc["left ankle"].to_dict() == {"x (px)": 10, "y (px)": 11, "confidence": 0.75}


# --- notebook 01


def test_annotated_and_visible_joints_are_counted_by_kind():
    joints, visible = make_people(4).joints, np.full((4, 16), True)
    joints[0, INDEX["left ankle"]] = np.nan  # 7 of 8 ankles are annotated
    visible[0, INDEX["left ankle"]] = visible[1, INDEX["right ankle"]] = False  # of these 7, one is hidden
    table = data_tables.annotation_table(make_people(4, joints=joints, visible=visible))
    assert table.loc["ankle"].to_list() == [87.5, round(100 * 6 / 7, 1)]
    assert table.loc["pelvis"].to_list() == [100, 100]
    assert sorted(number for kind in data_tables.KINDS.values() for number in kind) == list(range(16))


@pytest.fixture
def standing():
    """Four people of scale 1 with every joint at their centers, but for the ankles of two and three of them."""
    joints = np.full((4, 16, 2), 200.0)
    joints[1:, data_tables.ANKLES, 1] = 302  # below a box of 200, which ends at 300; inside one of 210
    joints[3, data_tables.ANKLES, 1] = 306  # below both
    return make_people(4, center=np.full((4, 2), 200.0), scale=np.ones(4), joints=joints)


def test_what_crops_lose_is_counted(standing):
    rules = [CropRule(120, 210), CropRule(120, 200), CropRule(240, 240)]
    table = data_tables.crop_table(standing, rules)
    assert list(table["people who lose a joint (%)"]) == [25, 75, 0]
    assert list(table["joints lost (%)"]) == [round(100 * lost / 64, 1) for lost in (2, 6, 0)]
    assert list(table["ankles lost (%)"]) == [25, 75, 0]
    assert list(table["person's height in the crop (%)"]) == [100, 105, 87.5]
    by_kind = data_tables.lost_by_kind(standing, rules[:2])
    assert by_kind.loc["ankle"].to_list() == [25, 75] and by_kind.drop("ankle").to_numpy().sum() == 0


def test_people_without_ankles_are_shown_with_crosses_there(standing):
    rule = CropRule(120, 200)
    assert data_tables.people_without_ankles(standing, rule, count=2) == [1, 2]
    with pytest.raises(PosekitError, match="only 1 people"):
        data_tables.people_without_ankles(standing, CropRule(), count=2)


def test_the_lost_joints_of_a_drawn_person_get_a_cross(tiny_study):
    people = tiny_study.people
    rule = CropRule(height=60)
    axis = lost_joints_of_people_figure(people, [0], rule).axes[0]
    (crosses,) = (line for line in axis.lines if line.get_marker() == "x")
    outside = np.abs(people.joints[0, :, 1] - people.center[0, 1]) > 30 * people.scale[0]
    outside |= np.abs(people.joints[0, :, 0] - people.center[0, 0]) > 60 * people.scale[0]
    np.testing.assert_array_equal(np.transpose(crosses.get_data()), people.joints[0][outside])


def test_hidden_joints_are_hollow(tiny_study):
    axis = people_figure(tiny_study.people, count=1).axes[0]
    markers = [line for line in axis.lines if line.get_marker() in ("s", "o", "D")]
    hollow = [same_color(line.get_markerfacecolor(), "white") for line in markers]
    annotated = tiny_study.people.labeled[0]
    assert hollow == (~tiny_study.people.visible[0][annotated]).tolist()


def test_the_clipped_person_is_the_one_with_the_largest_part_outside():
    center = np.array([[150.0, 200.0], [40.0, 200.0], [60.0, 200.0]])
    people = make_people(3, center=center, joints=np.repeat(center[:, None], 16, axis=1), scale=np.ones(3))
    assert data_tables.clipped_person(people, CropRule()) == 1
    with pytest.raises(PosekitError, match="nobody"):
        data_tables.clipped_person(people.select([0]), CropRule())


def test_joints_that_a_data_set_does_not_have_leave_nobody_out(standing):
    """COCO has no head top: who has all others is a whole person."""
    joints = standing.joints.copy()
    joints[:, INDEX["head top"]] = np.nan
    people = make_people(4, center=standing.center, scale=standing.scale, joints=joints)
    assert data_tables.people_without_ankles(people, CropRule(120, 200), count=2) == [1, 2]
    moved = make_people(4, center=np.full((4, 2), 60.0), scale=np.ones(4), joints=joints - 140)
    assert data_tables.clipped_person(moved, CropRule()) == 0


@pytest.mark.parametrize("box", [(10, 10, 130, 220), (-30, 20, 90, 230), (0, 0, 50, 50)])
def test_the_empty_share_is_that_of_the_pixels_that_are_zero(box):
    white = np.full((300, 200, 3), 255, np.uint8)
    clipped = clip_box(np.array(box, float), np.array([200, 300]))
    zeros = (crop_image(white, clipped, CropRule(size=256)) == 0).all(axis=2).mean()
    assert empty_share(clipped) == pytest.approx(zeros, abs=1 / 256)


# --- notebook 02


def test_features_are_what_the_network_computes():
    torch.manual_seed(0)
    network = StackedHourglass(HourglassConfig(channels=8, modules=1, reductions=2, stacks=2)).eval()
    images = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        before, stem = network(images), network.stem(images)
        top, _ = network.hourglasses[0](stem, [])
    features = hourglass_features(network, images)
    assert {name: tuple(values.shape[1:]) for name, values in features.items()} == {
        "stem": (8, 8, 8),
        "down to 4 x 4": (8, 4, 4),
        "down to 2 x 2": (8, 2, 2),
        "bottom": (8, 2, 2),
        "up to 4 x 4": (8, 4, 4),
        "up to 8 x 8": (8, 8, 8),
        "scores": (16, 8, 8),
    }
    torch.testing.assert_close(features["up to 8 x 8"], top)
    torch.testing.assert_close(features["scores"], before[0])
    torch.testing.assert_close(hourglass_features(network, images, stack=1)["scores"], before[1])
    assert not [module for module in network.modules() if module._forward_hooks], "the hooks are still there"
    numbers = network_tables.features_table(features)["numbers"]
    assert numbers["stem"] == 8 * 8 * 8 and numbers["bottom"] == 8 * 2 * 2


def test_parameters_and_flops_of_the_stem_by_hand():
    table = network_tables.arithmetic_table(table_1(REDUCED, 256))
    assert list(table["parameters"]) == [9_472, 36_928, 8_320, 147_584, 33_024]
    assert table["parameters"].sum() == 235_328
    assert table["GFLOP"][0] == round(2 * 49 * 3 * 64 * 128**2 / 1e9, 3)
    assert table["GFLOP"].sum() == pytest.approx(network_cost(REDUCED, 256)["stem_gflop"], abs=3e-3)
    for row in table.itertuples():  # the arithmetic that is printed gives the numbers beside it
        assert eval(row[2].replace(" x ", "*")) == row.parameters
        assert eval(row[4].replace(" x ", "*")) / 1e9 == pytest.approx(row.GFLOP, abs=6e-4)


def test_the_networks_differ_by_the_convolutions_and_their_normalization():
    table = network_tables.normalization_table({"original": ORIGINAL, "reduced": REDUCED})
    assert list(table["difference"]) == [115_520, 896, 0, 116_416]
    assert table.loc["stem, convolutions", ["original", "reduced"]].to_list() == [350_848, 235_328]


def test_the_parts_add_up_to_the_network():
    table, cost = network_tables.parts_table(ORIGINAL, 256), network_cost(ORIGINAL, 256)
    assert table["parameters"].sum() == cost["parameters"] == 12_647_206
    assert table["GFLOP"].sum() == pytest.approx(cost["gflop"], abs=0.03)
    assert table.loc["hourglass 1", "made of"] == "26 residual blocks x 214,528"
    assert table.loc["head 2", "made of"] == "2 residual blocks x 214,528 + 140,560"


def test_the_parts_of_the_encoder_add_up():
    table = network_tables.encoder_table(EncoderConfig(), 192)
    assert table["parameters"].sum() == count_parameters(EncoderNetwork(EncoderConfig()))
    assert list(table["gives"]) == ["24 x 48 x 48", "40 x 24 x 24", "112 x 12 x 12", "320 x 6 x 6", "16 x 48 x 48"]


@pytest.mark.parametrize("config, size, cells", [(ORIGINAL, 256, (64, 32, 16, 8, 4)), (TINY.network, 32, (8, 4))])
def test_the_drawing_shows_the_resolutions_of_the_network(config, size, cells):
    (axis,) = network_figures.hourglass_figure(config, size).axes
    numbers = [int(text.get_text()) for text in axis.texts if text.get_text().isdigit()]
    stem_sum_and_head, down_and_up, bottom = [cells[0]] * 3, [*cells[1:], *cells[1:]], [cells[-1]]
    assert sorted(numbers) == sorted(stem_sum_and_head + down_and_up + bottom)


@pytest.mark.parametrize("stacks", [1, 2, 3])
def test_the_drawing_of_several_hourglasses_has_a_loss_for_each(stacks):
    (axis,) = network_figures.stacks_figure(stacks).axes
    texts = [text.get_text() for text in axis.texts]
    assert [text for text in texts if text.startswith("loss")] == [
        *(f"loss {number}" for number in range(1, stacks)),
        f"loss {stacks} and answer",
    ]
    assert texts.count("+") == texts.count("features") == stacks - 1


def test_the_pictures_of_features_are_those_of_the_channel_that_varies_most():
    crop, flat = np.zeros((8, 8, 3), np.uint8), torch.zeros(1, 2, 2, 2)
    lively = flat.clone()
    lively[0, 1] = torch.tensor([[0.0, 1.0], [2.0, 3.0]])
    figure = network_figures.features_figure(crop, {"stem": lively, "bottom": lively, "scores": lively})
    pictures = [axis.images[0].get_array() for axis in figure.axes[1:]]
    assert all(np.array_equal(picture, lively[0, 1]) for picture in pictures)


def test_two_losses_of_answers_by_hand():
    answers = heatmap_figures.example_answers()
    losses = heatmap_figures.losses_of_answers(answers)
    squared, crossed = losses["squared error (% of nothing)"], losses["cross-entropy (nats)"]
    # (1/2)^2; (1/2)^2 + (1/2)^2; the bump that is missing; that one and the one that is too much.
    assert squared.to_dict() == {
        "right": 0,
        "right, but faint": 25,
        "undecided": 50,
        "nothing": 100,
        "wrong": 200,
    }
    # The entropy of a Gaussian in two dimensions with sigma 1; a softmax does not see how bright it is; one half
    # as likely; all 32 x 32 cells alike.
    entropy = 1 + math.log(2 * math.pi)
    expected = [entropy, entropy, entropy + math.log(2), math.log(32 * 32)]
    np.testing.assert_allclose(crossed.iloc[:4], expected, atol=0.06)
    assert crossed["wrong"] > 20


def test_the_codecs_are_shown_where_they_find_the_joint():
    joint = np.array([33.5, 30.0])  # cells (8, 7.125): in the middle of a column, an eighth of a cell below a row
    codecs = {"report": Codec("report"), "subpixel": Codec("subpixel")}
    _, report, subpixel, _ = heatmap_figures.codec_figure(np.zeros((64, 64, 3), np.uint8), joint, codecs).axes
    found = {}
    for axis in (report, subpixel):
        plus, circle = (next(line for line in axis.lines if line.get_marker() == mark) for mark in "+o")
        assert [*plus.get_xdata(), *plus.get_ydata()] == [8, 7.125]
        found[axis.get_title()] = [*circle.get_xdata(), *circle.get_ydata()]
    assert found["report: 0.5 px lost"] == [8, 7]
    np.testing.assert_allclose(found["subpixel: 0.0 px lost"], [8, 7.125], atol=1e-3)


# --- notebook 03


def test_the_report_trains_six_models():
    table = report_models_table()
    assert list(table.loc["Model 4"]) == ["original", "Adam", "step"]
    assert list(table["network"]) == 4 * ["original"] + 2 * ["reduced"]


def test_what_runs_reached_stands_beside_the_floors():
    runs = [make_run(5, 0.5), make_run(6, 0.25)]
    runs = [
        replace(run, history=run.history.assign(pckh_weighted14=10.0, seconds=[1, 2, 3, 4, 5])) for run in runs
    ]
    table = reached_table(runs)
    assert list(table.iloc[0]) == ["1.2000", "1.2000", "10.0", "3"]
    assert list(table.iloc[-1]) == ["6.0000", "6.0000", "15.0", ""]
    rated = replace(runs[0], history=runs[0].history.assign(learning_rate=1e-3))
    assert history_table(rated).loc[2].to_dict() == {
        "training loss": 3,
        "validation loss": 3,
        "PCKh@0.5 (%)": 10,
        "learning rate": 1e-3,
        "seconds": 2,
    }


def test_a_batch_is_shown_with_its_targets(tiny_study):
    crops, _ = tiny_study.crops
    batch = next(batches(crops, 8, tiny_study.device))
    targets = TINY.codec.encode(batch.joints, batch.present, (8, 8))
    figure = training_figures.batch_figure(batch, targets, people=3)
    above, below = figure.axes[:3], figure.axes[3:]
    for person in range(3):
        np.testing.assert_array_equal(above[person].images[0].get_array(), crops.images[person])
        np.testing.assert_array_equal(below[person].images[0].get_array(), targets[person].amax(dim=0))
        squares = [line for line in above[person].lines if line.get_marker() == MarkerStyle("s").get_marker()]
        right = [number for number, joint in enumerate(JOINTS) if joint.startswith("right")]
        assert len(squares) == crops.present[person, right].sum()


def test_steps_are_drawn_with_the_floor():
    losses = [0.5, 0.2, 0.1]
    (axis,) = training_figures.steps_figure(losses, floor=0.05, steps=20).axes
    curve, floor = axis.lines
    assert list(curve.get_xdata()) == [1, 2, 3] and list(curve.get_ydata()) == losses
    assert set(floor.get_ydata()) == {0.05}
    low, high = axis.get_ylim()
    assert low < 0.05 and high > 0.5 and axis.get_xlim() == (0.5, 20.5)


def test_augmentation_is_shown_beside_the_crop(tiny_study):
    rule = replace(TINY.crop, context=1.5)
    kept, _ = tiny_study.crops_of(rule)
    batch = next(batches(kept, 2, tiny_study.device))
    figure = training_figures.augmentation_figure(batch, rule, Augmentation(), draws=3)
    pictures = [axis.images[0].get_array() for axis in figure.axes]
    assert len(pictures) == 4
    np.testing.assert_array_equal(pictures[0], kept.images[0][8:-8, 8:-8])
    assert all(not np.array_equal(one, other) for one, other in pairwise(pictures))


def test_epochs_are_shown_with_their_heatmaps():
    heatmaps = np.zeros((16, 8, 8), np.float32)
    heatmaps[INDEX["head top"], 2, 3] = 0.625
    answer = posekit.inference.predictor.Prediction(
        np.zeros((16, 2)), np.zeros(16), np.zeros((32, 32, 3), np.uint8), heatmaps, np.eye(2, 3)
    )
    figure = training_figures.epochs_figure({1: answer, 2: answer}, np.full((16, 2), 5.0), "head top")
    below = figure.axes[2:]
    assert [axis.get_title() for axis in below] == 2 * ["highest value 0.62"]
    np.testing.assert_array_equal(below[0].images[0].get_array(), heatmaps[INDEX["head top"]])


def test_the_sizes_are_those_of_the_six_models():
    assert list(sizes_table()) == ["full", "half", "quick"]

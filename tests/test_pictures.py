"""Figures, drawing and sliders: what is drawn is where it should be, and comes from the records."""

import cv2
import numpy as np
import pytest

from posekit.configurations import MODELS
from posekit.drawing import draw_skeleton, enlarge, enlarge_points, heatmap_picture, overlay_heatmap
from posekit.figures import LOSS_FIGURES, accuracy_figure, loss_figure, save_figure
from posekit.metrics import pckh
from posekit.picture_figures import crop_figure
from posekit.predictor import Prediction
from posekit.publication import publish_pictures, publish_records
from posekit.skeleton import INDEX, JOINTS
from posekit.visualizer import ALL_JOINTS, NO_HEATMAP, View, Visualizer, render

NOBODY = np.full(16, False)


def only(*names: str) -> np.ndarray:
    return np.isin(np.arange(16), [INDEX[name] for name in names])


def middle_of(changed: np.ndarray) -> np.ndarray:
    ys, xs = np.nonzero(changed)
    return np.array([xs.mean(), ys.mean()])


@pytest.mark.parametrize("name", ["left wrist", "right ankle", "head top"])
@pytest.mark.parametrize("truth", [False, True])
def test_a_drawn_joint_is_where_the_joint_is(name, truth):
    image = np.full((200, 300, 3), 128, np.uint8)
    joints = np.full((16, 2), [123.4, 77.8])
    drawn = draw_skeleton(image, joints, only(name), truth=truth)
    changed = (drawn != image).any(axis=2)
    assert np.abs(middle_of(changed) - [123.4, 77.8]).max() < 0.6
    assert changed.sum() < 300
    assert (image == 128).all()


def test_a_limb_is_drawn_when_both_ends_are_shown_only():
    image = np.full((200, 300, 3), 128, np.uint8)
    joints = np.zeros((16, 2))
    joints[INDEX["left elbow"]], joints[INDEX["left wrist"]] = (50, 100), (250, 100)
    both = draw_skeleton(image, joints, only("left elbow", "left wrist"))
    one = draw_skeleton(image, joints, only("left elbow"))
    assert (both[100, 150] != 128).any() and (one[100, 150] == 128).all()
    assert (draw_skeleton(image, joints, NOBODY) == image).all()


def test_unannotated_joints_are_not_drawn():
    image = np.full((50, 50, 3), 128, np.uint8)
    assert (draw_skeleton(image, np.full((16, 2), np.nan), np.full(16, True)) == image).all()


def test_enlarged_points_stay_on_their_pixels():
    image = np.zeros((20, 30, 3), np.uint8)
    image[7, 11] = 255
    large = enlarge(image, 5)
    brightest = middle_of(large[..., 0] > 127)
    assert np.abs(brightest - enlarge_points(np.array([11.0, 7.0]), 5)).max() < 0.5


def test_heatmaps_line_up_with_the_picture():
    heatmap = np.zeros((16, 16), np.float32)
    heatmap[5, 9] = 1.0
    bright = heatmap_picture(heatmap).sum(axis=2).astype(float)
    ys, xs = np.mgrid[:64, :64]
    middle = np.array([(bright * xs).sum(), (bright * ys).sum()]) / bright.sum()
    assert np.abs(middle - [9 * 4 + 1.5, 5 * 4 + 1.5]).max() < 0.2


def test_opacity_nought_leaves_the_picture_as_it_is():
    crop = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    heatmap = np.random.default_rng(1).random((16, 16))
    np.testing.assert_array_equal(overlay_heatmap(crop, heatmap, opacity=0.0), crop)
    assert (overlay_heatmap(crop, heatmap, opacity=0.5) != crop).any()


# The visualizer


def example() -> tuple[Prediction, np.ndarray]:
    rng = np.random.default_rng(3)
    crop = rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)
    same = np.array([[1.0, 0, 0], [0, 1, 0]])
    answer = Prediction(rng.uniform(8, 56, (16, 2)), np.linspace(0, 1, 16), crop, rng.random((16, 16, 16)), same)
    return answer, rng.uniform(8, 56, (16, 2))


def test_render_is_a_pure_function_of_the_view():
    answer, truth = example()
    before = answer.crop.copy()
    for view in (View(NO_HEATMAP, 0.6, 1.1, False), View(ALL_JOINTS, 0, 1.1, False)):
        np.testing.assert_array_equal(render(answer, truth, view), enlarge(answer.crop, 8))
    np.testing.assert_array_equal(answer.crop, before)


def test_render_draws_the_joint_of_the_image_where_the_crop_has_it():
    """The answer is in image pixels; its own matrix must bring it onto the crop."""
    matrix = np.array([[0.5, 0, -10.0], [0, 0.5, -20.0]])
    joints = np.full((16, 2), [100.0, 120.0])  # crop (40, 40), in the picture 8 times as large
    crop = np.full((64, 64, 3), 128, np.uint8)
    confidence = (np.arange(16) == INDEX["left wrist"]).astype(float)
    answer = Prediction(joints, confidence, crop, np.zeros((16, 16, 16)), matrix)
    picture = render(answer, np.full((16, 2), np.nan), View(NO_HEATMAP, 0, 0.5, True))
    assert np.abs(middle_of((picture != 128).any(axis=2)) - enlarge_points(np.array([40.0, 40.0]), 8)).max() < 0.6


def test_threshold_hides_unsure_joints():
    answer, truth = example()
    plain = enlarge(answer.crop, 8)
    all_drawn, some_drawn = (
        (render(answer, truth, View(NO_HEATMAP, 0, threshold, False)) != plain).any(axis=2).sum()
        for threshold in (0.0, 0.8)
    )
    assert 0 < some_drawn < all_drawn


@pytest.fixture
def visualizer(tiny_study) -> Visualizer:
    return Visualizer(tiny_study.crops[1], tiny_study.predictors([5, 6]))


@pytest.mark.parametrize(
    "control, value",
    [
        ("person", 3), ("model", "Model 6: reduced, Adam"), ("joint", "left wrist"), ("joint", NO_HEATMAP),
        ("opacity", 1.0), ("threshold", 1.0), ("truth", False),
    ],
)  # fmt: skip
def test_every_control_changes_the_picture(visualizer, control, value):
    visualizer.threshold.value = 0.0
    before = visualizer.picture.value
    getattr(visualizer, control).value = value
    assert visualizer.picture.value != before
    assert cv2.imdecode(np.frombuffer(visualizer.picture.value, np.uint8), cv2.IMREAD_COLOR).shape[0] >= 512


def test_caption_counts_the_joints_that_pckh_counts(tiny_study, visualizer):
    distances = tiny_study.run(5).distances()
    for person in (0, 7):
        visualizer.person.value = person
        score = pckh(distances[[person]])
        scored = [number for number, name in enumerate(JOINTS) if name not in ("pelvis", "thorax")]
        hits = round(float((np.nan_to_num(score.joints) / 100)[scored].sum()))
        assert f"{hits} of {score.counts[scored].sum()} annotated joints" in visualizer.caption.value


# Figures


def test_loss_figure_draws_what_the_records_say(tiny_study):
    runs = [tiny_study.run(5), tiny_study.run(6)]
    left, right = loss_figure(runs, "title").axes
    for axis, side in ((left, "train"), (right, "validation")):
        curves = [line.get_ydata() for line in axis.lines[:2]]
        for run, curve in zip(runs, curves, strict=True):
            np.testing.assert_array_equal(curve, run.history[f"{side}_loss"])
        assert set(axis.lines[2].get_ydata()) == {runs[0].floors[f"zero_heatmap_{side}"]}
        assert axis.get_xlabel() == "epoch"
    assert len({(line.get_linestyle(), line.get_marker()) for line in left.lines[:2]}) == 2


def test_further_seeds_do_not_repeat_the_legend(tiny_study):
    runs = [tiny_study.run(5), tiny_study.run(5, seed=1), tiny_study.run(6)]
    for figure in (loss_figure(runs, "title"), accuracy_figure(runs)):
        names = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
        assert names == ["Model 5: reduced, RMSprop", "Model 6: reduced, Adam"]
    assert "further seeds" in loss_figure(runs, "title").get_suptitle()


def test_loss_figures_compare_the_pairs_of_the_report():
    assert {number: models for number, (_, models) in LOSS_FIGURES.items()} == {
        2: (1, 2, 3, 4),
        3: (1, 5),
        4: (3, 6),
    }


def test_accuracy_figure_has_the_groups_and_the_floor(tiny_study):
    run = tiny_study.run(5)
    axis = accuracy_figure([run]).axes[0]
    score = pckh(run.distances())
    np.testing.assert_allclose(axis.lines[0].get_ydata(), [*score.groups.values(), score.weighted14])
    assert axis.get_ylim()[0] == 0


def test_crop_figure_shows_the_crop(tiny_study):
    from posekit.images import read_image

    people = tiny_study.people
    image = read_image(people.images_folder / people.image[0], upright=False)
    left, right = crop_figure(
        image, people.center[0], people.scale[0], people.joints[0], tiny_study.profile.crop
    ).axes
    np.testing.assert_array_equal(left.images[0].get_array(), image)
    assert right.images[0].get_array().shape[0] == 512


def test_the_same_records_give_the_same_files(tiny_study, tmp_path):
    runs = [tiny_study.run(5)]
    for folder in (tmp_path / "a", tmp_path / "b"):
        save_figure(loss_figure(runs, "title"), folder, "figure")
    for name in ("figure.png", "figure.svg"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_everything_of_the_report_is_published(tiny_study, tmp_path):
    runs = [tiny_study.run(number) for number in MODELS]
    paths = publish_records(runs, tmp_path, progress=False) + publish_pictures(runs, tiny_study.crops[1], tmp_path)
    made = {path.name for path in paths}
    assert {f"figure_{number}.{kind}" for number in range(1, 6) for kind in ("png", "svg")} <= made
    assert {"table_1.md", "table_2.md", "losses.md", "losses.csv", "accuracy.md"} <= made
    assert all(path.stat().st_size > 100 for path in paths)
    losses = (tmp_path / "losses.md").read_text()
    assert "0.00113494" in losses and f"{runs[0].history.train_loss.iloc[-1]:.6g}" in losses

"""The visualizer's picture and table: what is drawn is where it should be, what is written is computed by hand."""

import numpy as np
import pytest

from posekit.inference.drawing import (
    CELLS_TO_CROP,
    draw_circle,
    draw_skeleton,
    enlarge,
    enlarge_points,
    overlay_heatmap,
)
from posekit.inference.predictor import Prediction
from posekit.skeleton import INDEX, JOINTS
from posekit.visualizer.controls import legend_html
from posekit.visualizer.joint_table import answer_html, joint_table, summary, table_html
from posekit.visualizer.rendering import (
    ALL_JOINTS,
    NO_HEATMAP,
    PICTURE,
    Canvas,
    State,
    View,
    crop_canvas,
    image_canvas,
    render,
)

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


@pytest.mark.parametrize("side", ["left", "right"])
def test_joints_of_very_wide_pictures_are_drawn_where_they_are(side):
    image = np.full((60, 30_000, 3), 128, np.uint8)
    joints = np.full((16, 2), [29_000.4, 20.8])
    drawn = draw_skeleton(image, joints, only(f"{side} wrist"), size=4)
    assert np.abs(middle_of((drawn != image).any(axis=2)) - [29_000.4, 20.8]).max() < 0.6
    ring = draw_circle(image, np.array([60_000.0, 30]), 31_000)
    assert abs(np.nonzero((ring != image).any(axis=2))[1].mean() - 29_000) < 5


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
    black = np.zeros((64, 64, 3), np.uint8)
    bright = overlay_heatmap(black, heatmap, CELLS_TO_CROP, opacity=1.0).sum(axis=2).astype(float)
    ys, xs = np.mgrid[:64, :64]
    middle = np.array([(bright * xs).sum(), (bright * ys).sum()]) / bright.sum()
    assert np.abs(middle - [9 * 4 + 1.5, 5 * 4 + 1.5]).max() < 0.2


def test_opacity_nought_leaves_the_picture_as_it_is():
    crop = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    heatmap = np.random.default_rng(1).random((16, 16))
    np.testing.assert_array_equal(overlay_heatmap(crop, heatmap, CELLS_TO_CROP, opacity=0.0), crop)
    assert (overlay_heatmap(crop, heatmap, CELLS_TO_CROP, opacity=0.5) != crop).any()


GRAY = 128
#: A person in an image of 300 x 200 px; the network saw a crop of 64 px of it, at half its size.
MATRIX = np.array([[0.5, 0, -40.0], [0, 0.5, -15.0]])
WRIST = np.array([150.0, 90.0])  # image px: in the crop at (35, 30)
NOTHING = View(joint=NO_HEATMAP, answer=False, truth=False)


def answer(confidence: np.ndarray | None = None, heatmaps: np.ndarray | None = None) -> Prediction:
    """Every joint is where the wrist is; only the wrist is sure."""
    return Prediction(
        joints=np.tile(WRIST, (16, 1)),
        confidence=np.where(only("left wrist"), 0.9, 0.0) if confidence is None else confidence,
        crop=np.full((64, 64, 3), GRAY, np.uint8),
        heatmaps=np.zeros((16, 16, 16), np.float32) if heatmaps is None else heatmaps,
        matrix=MATRIX,
    )


def canvases() -> list[tuple[Canvas, np.ndarray]]:
    """Crop and whole image, and where the wrist is in each by hand."""
    image = np.full((200, 300, 3), GRAY, np.uint8)
    zoom = PICTURE / 300
    return [
        (crop_canvas(answer()), (np.array([35.0, 30.0]) + 0.5) * 10 - 0.5),
        (image_canvas(image), (WRIST + 0.5) * zoom - 0.5),
    ]


@pytest.mark.parametrize("which", [0, 1], ids=["crop", "whole image"])
@pytest.mark.parametrize("drawn", ["answer", "truth"])
def test_the_drawn_joint_is_where_the_joint_is(which, drawn):
    canvas, place = canvases()[which]
    truth = np.full((16, 2), np.nan)
    truth[INDEX["left wrist"]] = WRIST
    view = View(joint=NO_HEATMAP, threshold=0.5, answer=drawn == "answer", truth=drawn == "truth")
    picture = render(State(canvas, answer(), view, truth))
    assert np.abs(middle_of((picture != canvas.picture).any(axis=2)) - place).max() < 1


@pytest.mark.parametrize("which", [0, 1], ids=["crop", "whole image"])
def test_the_heatmap_is_brightest_where_the_joint_is(which):
    canvas, place = canvases()[which]
    cell = (np.array([35.0, 30.0]) + 0.5) / 4 - 0.5  # of the wrist
    x, y = np.meshgrid(np.arange(16), np.arange(16))
    heatmaps = np.zeros((16, 16, 16), np.float32)
    heatmaps[INDEX["left wrist"]] = np.exp(-((x - cell[0]) ** 2 + (y - cell[1]) ** 2) / 2)
    view = View(joint="left wrist", opacity=1, answer=False, colors="gray")
    picture = render(State(canvas, answer(heatmaps=heatmaps), view))
    bright = np.clip(picture[..., 0].astype(float) - GRAY, 0, None)
    ys, xs = np.mgrid[: picture.shape[0], : picture.shape[1]]
    middle = np.array([(bright * xs).sum(), (bright * ys).sum()]) / bright.sum()
    assert np.abs(middle - place).max() < 1


def test_beside_the_crop_the_image_has_no_heatmap():
    canvas, _ = canvases()[1]
    picture = render(State(canvas, answer(heatmaps=np.ones((16, 16, 16))), View(answer=False, opacity=1)))
    ys, xs = np.nonzero((picture != GRAY).any(axis=2))
    zoom = PICTURE / 300
    # The crop's pixels -0.5 .. 63.5 are the image's 79 .. 207 across and 29 .. 157 down.
    expected = (np.array([79, 29, 207, 157]) + 0.5) * zoom - 0.5
    assert np.abs(np.array([xs.min(), ys.min(), xs.max(), ys.max()]) - expected).max() <= 1


def test_opacity_nought_and_nothing_drawn_leave_the_image_unchanged():
    heatmaps = np.random.default_rng(0).random((16, 16, 16))
    for canvas, _ in canvases():
        before = canvas.picture.copy()
        for view in (NOTHING, View(opacity=0, answer=False), View("left wrist", opacity=0, answer=False)):
            picture = render(State(canvas, answer(heatmaps=heatmaps), view))
            np.testing.assert_array_equal(picture, before)
            assert picture is not canvas.picture
        assert (render(State(canvas, answer(heatmaps=heatmaps), View(answer=False))) != before).any()
        np.testing.assert_array_equal(canvas.picture, before)


def test_threshold_hides_unsure_joints():
    canvas, _ = canvases()[0]
    spread = answer(np.linspace(0, 1, 16))
    spread.joints[:] += np.arange(16)[:, None] * (3, -2)
    changed = [
        (render(State(canvas, spread, View(NO_HEATMAP, threshold=threshold))) != GRAY).any(axis=2).sum()
        for threshold in (0.0, 0.8, 1.1)
    ]
    assert changed[0] > changed[1] > changed[2] == 0


def test_all_joints_are_the_largest_of_the_sixteen_and_the_scale_is_the_peaks():
    heatmaps = np.zeros((16, 16, 16))
    heatmaps[INDEX["left wrist"], 3, 4], heatmaps[INDEX["head top"], 12, 9] = 0.2, 0.4
    canvas, found = canvases()[0][0], answer(heatmaps=heatmaps)
    spots = []
    for view in (View(ALL_JOINTS, 1.0, "gray"), View(ALL_JOINTS, 1.0, "gray", to_peak=False)):
        picture = render(State(canvas, found, view))
        spots.append((picture[139, 179, 0], picture[499, 379, 0]))  # the middles of the two cells
    (wrist, head), (wrist_absolute, head_absolute) = spots
    # Drawn over gray as strong as the heatmap is high, in that gray: v * 255 * v + (1 - v) * 128.
    for value, seen in ((0.5, wrist), (1.0, head), (0.2, wrist_absolute), (0.4, head_absolute)):
        value *= (1 - 0.5 / 40) ** 2  # half a pixel beside the middle of a cell of 40 px
        assert abs(int(seen) - (value * 255 * value + (1 - value) * GRAY)) <= 2


def test_the_circle_has_the_radius_of_a_hit():
    canvas, place = canvases()[1]
    truth = np.full((16, 2), np.nan)
    truth[INDEX["left wrist"]] = WRIST
    view = View("left wrist", opacity=0, answer=False, hit=0.5)
    picture = render(State(canvas, answer(), view, truth, head_size=60.0))
    ys, xs = np.nonzero((picture == 255).all(axis=2))
    farthest = np.hypot(xs - place[0], ys - place[1]).max()
    assert abs(farthest - 0.5 * 60 * PICTURE / 300) <= 2
    unknown = render(State(canvas, answer(), view, truth, head_size=np.nan))
    assert (unknown != picture).any()


def test_the_box_is_drawn_on_its_edges():
    canvas, _ = canvases()[1]
    picture = render(State(canvas, None, NOTHING, box=np.array([60, 30, 240, 170])))
    ys, xs = np.nonzero((picture == 255).all(axis=2))
    expected = np.array([60, 30, 240, 170]) * PICTURE / 300 - 0.5
    assert np.abs(np.array([xs.min(), ys.min(), xs.max(), ys.max()]) - expected).max() <= 2


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (2000, 3), (640, 640)])
def test_images_of_any_shape_have_a_canvas(size):
    canvas = image_canvas(np.zeros((*size, 3), np.uint8))
    assert max(canvas.picture.shape[:2]) == PICTURE and min(canvas.picture.shape[:2]) >= 1


# The table


def table_example() -> tuple[Prediction, np.ndarray]:
    found = answer(np.linspace(0.1, 0.85, 16))
    truth = np.tile(WRIST, (16, 1))
    truth[INDEX["left wrist"]] += (18, 24)  # 30 px away
    truth[INDEX["head top"]] += (0, 15)
    truth[INDEX["right knee"]] = np.nan
    return found, truth


def test_the_table_is_what_one_computes_by_hand():
    table = joint_table(*table_example(), head_size=60.0, hit=0.25)
    assert list(table.index) == list(JOINTS)
    assert table.loc["left wrist", "error"] == pytest.approx(0.5) and not table.loc["left wrist", "hit"]
    assert table.loc["head top", "error"] == pytest.approx(0.25) and table.loc["head top", "hit"]
    assert np.isnan(table.loc["right knee", "error"]) and table.isna().loc["right knee", "hit"]
    assert table.loc["left ankle", "confidence"] == pytest.approx(0.1 + 0.05 * INDEX["left ankle"])
    assert summary(table, 0.25) == "12 of 13 annotated joints within 0.25 head sizes; median error 0.00"
    assert "no joint can be scored" in summary(joint_table(*table_example(), head_size=np.nan, hit=0.5), 0.5)


def test_the_table_marks_hits_and_misses_by_more_than_color():
    table = joint_table(*table_example(), head_size=60.0, hit=0.25)
    html = table_html([("Model <5>", table)], chosen="left wrist", threshold=0.3)
    rows = {row.split("</td>")[0].split("<td>")[-1]: row for row in html.split("<tr")}
    assert "Model &lt;5&gt;" in html
    assert "&#10007;" in rows["left wrist"] and "0.50" in rows["left wrist"] and "chosen" in rows["left wrist"]
    assert "&#10003;" in rows["head top"] and "chosen" not in rows["head top"]
    assert "(0.10)" in rows["right ankle"] and "(0.85)" not in rows["left wrist"]
    assert "&ndash;" in rows["right knee"] and "&#1000" not in rows["right knee"]


def test_a_table_without_truth_shows_where_the_joints_are():
    html = answer_html(table_example()[0], threshold=0.5)
    assert html.count("<td>150</td><td>90</td>") == 16 and "(0.10)" in html and "<td>0.85</td>" in html


def test_the_legend_explains_what_is_drawn_and_nothing_else():
    everything = legend_html(View(joint="left wrist"), truth=True)
    assert all(text in everything for text in ("the person's right", "truth", "left wrist", "its peak"))
    plain = legend_html(View(joint=NO_HEATMAP), truth=False)
    assert "truth" not in plain and "heatmap" not in plain and "left" in plain

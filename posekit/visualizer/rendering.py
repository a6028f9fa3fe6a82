"""The visualizer's picture, as a pure function: an answer and how to look at it -> RGB array."""

from dataclasses import dataclass, field

import cv2
import numpy as np

from posekit.inference.drawing import (
    CELLS_TO_CROP,
    draw_box,
    draw_circle,
    draw_skeleton,
    enlarge,
    overlay_heatmap,
)
from posekit.inference.predictor import Prediction
from posekit.preprocessing.crop import invert, transform
from posekit.skeleton import INDEX

ALL_JOINTS, NO_HEATMAP = "all (largest value)", "none"

#: Color maps whose brightness rises evenly, so that they read the same to color-blind eyes and in gray.
COLOR_MAPS = ("inferno", "viridis", "cividis", "gray")

#: Side of a picture, px: a crop is at least as large, the longer side of an image as large.
PICTURE = 640


@dataclass(frozen=True)
class View:
    """How to look: the state of the sliders."""

    joint: str = ALL_JOINTS  # whose heatmap: a joint's name, ALL_JOINTS or NO_HEATMAP
    opacity: float = 0.6  # of the heatmap, 0 .. 1
    colors: str = COLOR_MAPS[0]
    to_peak: bool = True  # the heatmap's largest value has the brightest color; else the value 1 has
    threshold: float = 0.1  # joints with less confidence are not drawn
    answer: bool = True  # draw the predicted joints
    truth: bool = True  # draw the annotated joints
    hit: float = 0.5  # head sizes: an answer that is no farther from the truth is a hit


@dataclass(frozen=True)
class Canvas:
    """What is drawn on: picture (h, w, 3) uint8 RGB and matrix (2, 3), image px -> picture px."""

    picture: np.ndarray
    matrix: np.ndarray


@dataclass(frozen=True)
class State:
    """Everything that a picture depends on.

    truth (16, 2) image px, NaN where not annotated; head_size in image px, NaN if unknown; box (4,) image px,
    the part of the image that the network was shown, or None. Without an answer, the box alone is drawn. others:
    answers for other people of the image, whose joints are drawn too, thinner.
    """

    canvas: Canvas
    answer: Prediction | None = None
    view: View = field(default_factory=View)
    truth: np.ndarray | None = None
    head_size: float = float("nan")
    box: np.ndarray | None = None
    others: tuple[Prediction, ...] = ()


def crop_canvas(answer: Prediction) -> Canvas:
    """The crop that the network saw, a whole number of times as large."""
    factor = -(-PICTURE // answer.crop.shape[0])
    matrix = answer.matrix * factor
    matrix[:, 2] += (factor - 1) / 2
    return Canvas(enlarge(answer.crop, factor), matrix)


def image_canvas(image: np.ndarray) -> Canvas:
    """A whole image (H, W, 3) uint8, its longer side `PICTURE` px."""
    height, width = image.shape[:2]
    zoom = PICTURE / max(height, width)
    size = max(1, round(width * zoom)), max(1, round(height * zoom))
    method = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    x, y = size[0] / width, size[1] / height
    matrix = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2]])
    return Canvas(cv2.resize(image, size, interpolation=method), matrix)


def render(state: State) -> np.ndarray:
    """RGB uint8 (h, w, 3), as large as the canvas: heatmap, box, truth, others and answer, in this order."""
    canvas, view, answer = state.canvas, state.view, state.answer
    picture = canvas.picture.copy()
    if answer is not None and view.joint != NO_HEATMAP:
        heatmap = chosen_heatmap(answer, view) / brightest(answer, view)
        picture = overlay_heatmap(picture, heatmap, _cells_to_picture(state), view.opacity, view.colors)
    if state.box is not None:
        edges = np.reshape(state.box, (2, 2)) - 0.5
        picture = draw_box(picture, transform(canvas.matrix, edges))
    if view.truth and state.truth is not None:
        truth = transform(canvas.matrix, state.truth)
        if view.joint in INDEX and np.isfinite(truth[INDEX[view.joint]]).all() and np.isfinite(state.head_size):
            radius = view.hit * state.head_size * canvas.matrix[0, 0]
            picture = draw_circle(picture, truth[INDEX[view.joint]], radius)
        picture = draw_skeleton(
            picture, truth, np.isfinite(truth).all(axis=1), truth=True, size=_line_width(canvas, answer)
        )
    if view.answer:
        for other in state.others:
            joints = transform(canvas.matrix, other.joints)
            size = _line_width(canvas, other) / 3
            picture = draw_skeleton(picture, joints, other.confidence >= view.threshold, size=size)
    if view.answer and answer is not None:
        joints = transform(canvas.matrix, answer.joints)
        size = _line_width(canvas, answer)
        picture = draw_skeleton(picture, joints, answer.confidence >= view.threshold, size=size)
    return picture


def chosen_heatmap(answer: Prediction, view: View) -> np.ndarray:
    """The heatmap (H, W) of the joint that the view names, or the largest value of all 16 in every cell."""
    return answer.heatmaps.max(axis=0) if view.joint == ALL_JOINTS else answer.heatmaps[INDEX[view.joint]]


def brightest(answer: Prediction, view: View) -> float:
    """The heatmap's value that has the brightest color."""
    return max(float(chosen_heatmap(answer, view).max()), 1e-6) if view.to_peak else 1.0


def _line_width(canvas: Canvas, answer: Prediction | None) -> float | None:
    """A hundredth of the crop in the picture, so that a small person in a large image is not covered."""
    if answer is None:
        return None
    zoom = canvas.matrix[0, 0] / answer.matrix[0, 0]
    return max(3.0, zoom * answer.crop.shape[0] / 100)


def _cells_to_picture(state: State) -> np.ndarray:
    """(2, 3): heatmap cells -> crop px -> image px -> picture px, as one matrix."""
    crop_to_picture = compose(state.canvas.matrix, invert(state.answer.matrix))
    return compose(crop_to_picture, CELLS_TO_CROP)


def compose(second: np.ndarray, first: np.ndarray) -> np.ndarray:
    """(2, 3): `first`, then `second`, of affine matrices (2, 3)."""
    return np.column_stack([second[:, :2] @ first[:, :2], second[:, :2] @ first[:, 2] + second[:, 2]])

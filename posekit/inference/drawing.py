"""Draws skeletons and heatmaps into pictures: arrays in, arrays out. Figures and sliders both draw with this."""

from functools import cache

import cv2
import matplotlib
import numpy as np

from posekit.preprocessing.crop import transform
from posekit.preprocessing.heatmaps import STRIDE
from posekit.skeleton import LIMBS, SIDES

#: RGB by side of the body: orange, blue and purple of Okabe and Ito, which color-blind readers can distinguish.
#: For print without color, orange and blue differ in brightness, and the right has squares, the left discs.
SIDE_COLORS = {"right": (230, 159, 0), "left": (0, 114, 178), "middle": (204, 121, 167)}
TRUTH_COLOR = (255, 255, 255)
OUTLINE = (20, 20, 20)

#: (2, 3): heatmap cells -> crop px.
CELLS_TO_CROP = np.array([[STRIDE, 0, (STRIDE - 1) / 2], [0, STRIDE, (STRIDE - 1) / 2]], float)

#: Positions are held at most this far from the first pixel, px: OpenCV still draws right there, and it reads no
#: larger picture.
FARTHEST = 500_000

#: Drawing positions carry this many binary digits behind the point, so that nothing is rounded to whole pixels.
SUBPIXEL_BITS = 4


def enlarge(image: np.ndarray, factor: int) -> np.ndarray:
    """RGB (H, W, 3) uint8, each side `factor` times as long. Pixel x becomes (x + 0.5) factor - 0.5."""
    return cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)


def enlarge_points(points: np.ndarray, factor: int) -> np.ndarray:
    """Where points (..., 2) of an image lie after `enlarge`."""
    return (points + 0.5) * factor - 0.5


def draw_skeleton(
    image: np.ndarray, joints: np.ndarray, shown: np.ndarray, truth: bool = False, size: float | None = None
) -> np.ndarray:
    """A copy of RGB uint8 (H, W, 3) with limbs and joints (16, 2), image px, where `shown` (16,) bool.

    A limb is drawn if both its ends are. Predictions are colored by side; `truth` is thin and white, with hollow
    joints in the colors of the sides. size is the width of limbs in px, by default a hundredth of the longer side
    of the image.
    """
    picture = image.copy()
    size = size or max(image.shape[:2]) / 100
    line, dot, edge = max(1, round(size)), max(2, round(1.1 * size)), max(1, round(size / 3))
    shown = shown & np.isfinite(joints).all(axis=1)
    if truth:
        line, dot, edge = max(1, round(size / 3)), max(2, round(0.8 * size)), 1

    visible_limbs = [(a, b) for a, b in LIMBS if shown[a] and shown[b]]
    for width, outline in ((line + 2 * edge, True), (line, False)):
        for a, b in visible_limbs:
            side = a if SIDES[a] != "middle" else b
            color = OUTLINE if outline else TRUTH_COLOR if truth else SIDE_COLORS[SIDES[side]]
            cv2.line(picture, _fixed(joints[a]), _fixed(joints[b]), color, width, cv2.LINE_AA, SUBPIXEL_BITS)
    for joint in np.flatnonzero(shown):
        rings = [(dot + edge, OUTLINE), (dot, SIDE_COLORS[SIDES[joint]])] + [(dot / 2, TRUTH_COLOR)] * truth
        for radius, color in rings:
            if SIDES[joint] == "right":
                low, high = joints[joint] - 0.9 * radius, joints[joint] + 0.9 * radius
                cv2.rectangle(picture, _fixed(low), _fixed(high), color, -1, cv2.LINE_AA, SUBPIXEL_BITS)
            else:
                scaled = round(radius * 2**SUBPIXEL_BITS)
                cv2.circle(picture, _fixed(joints[joint]), scaled, color, -1, cv2.LINE_AA, SUBPIXEL_BITS)
    return picture


def draw_circle(image: np.ndarray, center: np.ndarray, radius: float) -> np.ndarray:
    """A copy of RGB uint8 (H, W, 3) with a thin white circle around center (2,), image px; radius in px."""
    picture = image.copy()
    scaled = round(min(radius, FARTHEST) * 2**SUBPIXEL_BITS)
    for width, color in ((4, OUTLINE), (2, TRUTH_COLOR)):
        cv2.circle(picture, _fixed(center), scaled, color, width, cv2.LINE_AA, SUBPIXEL_BITS)
    return picture


def draw_box(image: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """A copy of RGB uint8 (H, W, 3) with a thin white box; corners (2, 2), image px: left top, right bottom."""
    picture = image.copy()
    for width, color in ((4, OUTLINE), (2, TRUTH_COLOR)):
        cv2.rectangle(picture, _fixed(corners[0]), _fixed(corners[1]), color, width, cv2.LINE_AA, SUBPIXEL_BITS)
    return picture


def _fixed(point: np.ndarray) -> tuple[int, int]:
    """A point in OpenCV's fixed-point form."""
    x, y = np.rint(np.clip(point, -FARTHEST, FARTHEST) * 2**SUBPIXEL_BITS).astype(int)
    return int(x), int(y)


def overlay_heatmap(
    picture: np.ndarray, heatmap: np.ndarray, matrix: np.ndarray, opacity: float, colors: str = "inferno"
) -> np.ndarray:
    """A copy of RGB uint8 (h, w, 3) with a heatmap (H, W) float over it, as strong as the heatmap is high.

    matrix (2, 3) maps heatmap cells to picture px; beside the heatmap's cells the picture stays as it is. colors
    is a color map of matplotlib, for 0 .. 1. opacity 0 leaves the picture as it is; at 1 a value of 1 hides it.
    """
    height, width = picture.shape[:2]
    values = np.clip(heatmap, 0, 1).astype(np.float32)
    strength = cv2.warpAffine(
        values, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    rows, columns = heatmap.shape
    (left, top), (right, bottom) = transform(matrix, np.array([[-0.5, -0.5], [columns - 0.5, rows - 0.5]]))
    x, y = np.arange(width), np.arange(height)
    strength *= ((y >= top) & (y < bottom))[:, None] & ((x >= left) & (x < right))
    painted = color_table(colors)[np.rint(strength * 255).astype(np.uint8)]
    weight = np.float32(opacity) * strength[..., None]
    return np.rint(picture + weight * (painted - picture.astype(np.float32))).astype(np.uint8)


@cache
def color_table(colors: str) -> np.ndarray:
    """(256, 3) float32 RGB of a color map of matplotlib, 0 .. 255, for values from 0 to 1."""
    return np.float32(255 * matplotlib.colormaps[colors](np.linspace(0, 1, 256))[:, :3])

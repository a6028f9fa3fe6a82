"""Draws skeletons and heatmaps into pictures: arrays in, arrays out. Figures and sliders both draw with this."""

import cv2
import matplotlib
import numpy as np

from posekit.heatmaps import STRIDE
from posekit.skeleton import LIMBS, SIDES

#: RGB by side of the body: orange, blue and purple of Okabe and Ito, which colour-blind readers tell apart. For
#: print without colour, orange and blue differ in brightness, and the right has squares, the left discs.
SIDE_COLORS = {"right": (230, 159, 0), "left": (0, 114, 178), "middle": (204, 121, 167)}
TRUTH_COLOR = (255, 255, 255)
OUTLINE = (20, 20, 20)

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

    A limb is drawn if both its ends are. Predictions are coloured by side; `truth` is thin and white. size is the
    width of limbs in px, by default a hundredth of the longer side of the image.
    """
    picture = image.copy()
    size = size or max(image.shape[:2]) / 100
    line, dot, edge = max(1, round(size)), max(2, round(1.1 * size)), max(1, round(size / 3))
    shown = shown & np.isfinite(joints).all(axis=1)
    if truth:
        line, dot, edge = max(1, round(size / 3)), max(2, round(0.7 * size)), 1

    def color_of(joint: int) -> tuple[int, int, int]:
        return TRUTH_COLOR if truth else SIDE_COLORS[SIDES[joint]]

    visible_limbs = [(a, b) for a, b in LIMBS if shown[a] and shown[b]]
    for width, outline in ((line + 2 * edge, True), (line, False)):
        for a, b in visible_limbs:
            side = a if SIDES[a] != "middle" else b
            color = OUTLINE if outline else color_of(side)
            cv2.line(picture, _fixed(joints[a]), _fixed(joints[b]), color, width, cv2.LINE_AA, SUBPIXEL_BITS)
    for joint in np.flatnonzero(shown):
        for radius, color in ((dot + edge, OUTLINE), (dot, color_of(joint))):
            if SIDES[joint] == "right":
                low, high = joints[joint] - 0.9 * radius, joints[joint] + 0.9 * radius
                cv2.rectangle(picture, _fixed(low), _fixed(high), color, -1, cv2.LINE_AA, SUBPIXEL_BITS)
            else:
                scaled = round(radius * 2**SUBPIXEL_BITS)
                cv2.circle(picture, _fixed(joints[joint]), scaled, color, -1, cv2.LINE_AA, SUBPIXEL_BITS)
    return picture


def _fixed(point: np.ndarray) -> tuple[int, int]:
    """A point in OpenCV's fixed-point form. Far outside any picture it is held at a distance that fits."""
    x, y = np.rint(np.clip(point, -20_000, 20_000) * 2**SUBPIXEL_BITS).astype(int)
    return int(x), int(y)


def overlay_heatmap(crop: np.ndarray, heatmap: np.ndarray, opacity: float) -> np.ndarray:
    """A crop (S, S, 3) uint8 with a heatmap (H, W) float over it, as strong as the heatmap is high.

    Cell c lies at pixel (c + 0.5) f - 0.5, where f is crop pixels a cell (4 if the crop was not enlarged).
    opacity 0 leaves the crop as it is; at 1 a value of 1 hides it.
    """
    size = crop.shape[0]
    factor = size / heatmap.shape[0]
    matrix = np.array([[factor, 0, (factor - 1) / 2], [0, factor, (factor - 1) / 2]])
    large = cv2.warpAffine(
        heatmap.astype(np.float32), matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    strength = np.clip(large, 0, 1)
    colors = matplotlib.colormaps["inferno"](strength)[..., :3] * 255
    weight = opacity * strength[..., None]
    return np.rint(crop * (1 - weight) + colors * weight).astype(np.uint8)


def heatmap_picture(heatmap: np.ndarray) -> np.ndarray:
    """A heatmap (H, W) as RGB uint8 (4 H, 4 W, 3), at the size of the crop."""
    black = np.zeros((heatmap.shape[0] * STRIDE, heatmap.shape[1] * STRIDE, 3), np.uint8)
    return overlay_heatmap(black, heatmap, opacity=1.0)

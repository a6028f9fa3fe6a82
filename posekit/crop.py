"""From a person in an image to a square crop, by ONE affine matrix a person, and back by its inverse.

Coordinates are (x, y) with pixel centres at whole numbers, in the image and in the crop. A box is
(left, top, right, bottom). The crop is the report's (section IV): a box around the centre, clipped to
the image, padded with zeros to a square, resized. Everything is vectorised over leading dimensions.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from posekit.errors import PosekitError


@dataclass(frozen=True)
class CropRule:
    """How much of the image is taken. The defaults are the report's.

    MPII's scale says how tall a person is in units of 200 px; the report takes 210 px a unit of scale,
    because 200 loses more legs. The centre lies in the middle of the box.
    """

    width: float = 120.0  # image px per unit of scale
    height: float = 210.0  # image px per unit of scale
    size: int = 256  # side of the square crop, px


def person_box(rule: CropRule, center: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The report's box (..., 4), float64 image px, not yet clipped, of centers (..., 2) and scales (...)."""
    center, scale = np.asarray(center, float), np.asarray(scale, float)
    left = center[..., 0] - scale * rule.width / 2
    top = center[..., 1] - scale * rule.height / 2
    return np.stack([left, top, left + scale * rule.width, top + scale * rule.height], axis=-1)


def box_center_and_scale(rule: CropRule, box: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Center (2,) and scale () of the smallest crop that holds a person's whole box (4,) of image px."""
    left, top, right, bottom = np.asarray(box, float)
    if not (right > left and bottom > top):
        raise PosekitError(
            f"box {box} is empty: it takes left, top, right, bottom with left < right, top < bottom"
        )
    scale = max((right - left) / rule.width, (bottom - top) / rule.height)
    return np.array([(left + right) / 2, (top + bottom) / 2]), np.array(scale)


def clip_box(box: np.ndarray, image_size: np.ndarray) -> np.ndarray:
    """The whole pixels of a box that lie in the image: (..., 4) int64, right and bottom exclusive.

    image_size is (..., 2): width, height. Where nothing of the box is in the image, right <= left or
    bottom <= top.
    """
    width, height = np.moveaxis(np.asarray(image_size), -1, 0)
    left, top, right, bottom = np.moveaxis(np.rint(box).astype(np.int64), -1, 0)
    return np.stack(
        [np.maximum(left, 0), np.maximum(top, 0), np.minimum(right, width), np.minimum(bottom, height)],
        axis=-1,
    )


def is_empty(clipped: np.ndarray) -> np.ndarray:
    """(...) bool: clipped boxes (..., 4) that hold no pixel."""
    return (clipped[..., 2] <= clipped[..., 0]) | (clipped[..., 3] <= clipped[..., 1])


def visible_box(rule: CropRule, center: np.ndarray, scale: float, image_size: tuple[int, int]) -> np.ndarray:
    """The clipped box (4,) int64 of one person: center (2,) image px, scale, image_size (width, height).

    Raises `PosekitError` for a center outside the image, a scale that is no positive number, an empty crop.
    """
    (x, y), (width, height) = center, image_size
    if not (0 <= x <= width - 1 and 0 <= y <= height - 1):
        raise PosekitError(f"the center ({x:g}, {y:g}) lies outside the image of {width} x {height} px")
    if not (np.isfinite(scale) and scale > 0):
        raise PosekitError(f"the scale must be a positive number (height of the person / 200 px), not {scale}")
    box = clip_box(person_box(rule, np.asarray(center), np.asarray(scale)), np.array(image_size))
    if is_empty(box):
        raise PosekitError(f"scale {scale:g} gives a crop of zero size; it should be the person's height / 200 px")
    return box


def crop_matrix(clipped: np.ndarray, size: int) -> np.ndarray:
    """(..., 2, 3) float64: image px -> crop px, for clipped boxes (..., 4).

    The longer side of the box fills the crop, the shorter one lies in its middle.
    """
    left, top, right, bottom = np.moveaxis(np.asarray(clipped, float), -1, 0)
    zoom = size / np.maximum(right - left, bottom - top)
    matrix = np.zeros((*zoom.shape, 2, 3))
    matrix[..., 0, 0] = matrix[..., 1, 1] = zoom
    # Pixels left .. right - 1 have their middle at (left + right - 1) / 2; so have crop pixels 0 .. size - 1.
    matrix[..., 0, 2] = (size - 1) / 2 - zoom * (left + right - 1) / 2
    matrix[..., 1, 2] = (size - 1) / 2 - zoom * (top + bottom - 1) / 2
    return matrix


def invert(matrix: np.ndarray) -> np.ndarray:
    """(..., 2, 3): the way back of affine matrices (..., 2, 3)."""
    linear = np.linalg.inv(matrix[..., :2])
    return np.concatenate([linear, -linear @ matrix[..., 2:]], axis=-1)


def transform(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points (..., P, 2) through affine matrices (..., 2, 3). NaN stays NaN."""
    return points @ np.swapaxes(matrix[..., :2], -1, -2) + matrix[..., None, :, 2]


def inside(clipped: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(..., P) bool: points (..., P, 2), image px, that lie on a pixel of the clipped box (..., 4)."""
    low, high = clipped[..., None, :2] - 0.5, clipped[..., None, 2:] - 0.5
    return ((points >= low) & (points < high)).all(axis=-1)


def lost_joints(rule: CropRule, center: np.ndarray, scale: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """(N, 16) bool: annotated joints that lie outside the report's box.

    center (N, 2), scale (N,), joints (N, 16, 2), image px, NaN where not annotated. The box is not clipped:
    a joint beyond the border of the image is lost to the photograph, not to the crop.
    """
    box = person_box(rule, center, scale)[:, None]
    kept = ((joints >= box[..., :2]) & (joints <= box[..., 2:])).all(axis=-1)
    return np.isfinite(joints).all(axis=-1) & ~kept


def crop_image(image: np.ndarray, clipped: np.ndarray, size: int) -> np.ndarray:
    """The square crop (size, size, 3) uint8 of one image (H, W, 3) uint8; zeros beside the clipped box (4,)."""
    left, top, right, bottom = (int(edge) for edge in clipped)
    part = image[top:bottom, left:right]
    matrix = crop_matrix(clipped, size)
    matrix[:, 2] += matrix[:, :2] @ (left, top)  # from pixels of the part instead of the image

    # Bilinear sampling reads 2 x 2 pixels; where the crop is smaller than half, the others must be averaged in
    # first, or thin things vanish. A block of k x k pixels becomes pixel (x + 0.5) / k - 0.5.
    block = int(1 / matrix[0, 0])
    if block > 1:
        height, width = part.shape[:2]
        part = cv2.copyMakeBorder(part, 0, -height % block, 0, -width % block, cv2.BORDER_REPLICATE)
        part = cv2.resize(part, (part.shape[1] // block, part.shape[0] // block), interpolation=cv2.INTER_AREA)
        matrix[:, 2] += matrix[:, :2] @ np.full(2, (block - 1) / 2)
        matrix[:, :2] *= block
    crop = cv2.warpAffine(part, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    # Padding is exact: crop pixels whose middle lies beside the box are zero, the others are not mixed with zeros.
    corners = np.array([[left - 0.5, top - 0.5], [right - 0.5, bottom - 0.5]])
    (first_x, first_y), (end_x, end_y) = np.ceil(transform(crop_matrix(clipped, size), corners)).astype(int)
    crop[:, : max(first_x, 0)] = crop[:, end_x:] = crop[: max(first_y, 0)] = crop[end_y:] = 0
    return crop

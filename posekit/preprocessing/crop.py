"""From a person in an image to a square crop, by ONE affine matrix per person, and back by its inverse.

Coordinates are (x, y) with pixel centers at whole numbers, in the image and in the crop. A box is
(left, top, right, bottom). The crop is the report's (section IV): a box around the center, clipped to
the image, padded with zeros to a square, resized. Everything is vectorized over leading dimensions.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from posekit.datasets.people import center_and_scale_of_box
from posekit.errors import PosekitError


@dataclass(frozen=True)
class CropRule:
    """How much of the image is taken. The defaults are the report's.

    MPII's scale says how tall a person is in units of 200 px; the report takes 210 px per unit of scale,
    because 200 loses more legs. The center lies in the middle of the box.
    """

    width: float = 120.0  # image px per unit of scale
    height: float = 210.0  # image px per unit of scale
    size: int = 256  # side of the square crop, px
    # Side of what is kept of the image, as a multiple of the crop's. At 1 there are zeros beside the box, as in
    # the report; above, there is image all around, for augmentation to turn and to scale.
    context: float = 1.0
    # Columns in the middle of the crop that are used, px; the box is made to fit into them. None: all.
    columns: int | None = None

    def __post_init__(self) -> None:
        if self.size < 1 or self.context < 1 or min(self.width, self.height) <= 0:
            raise PosekitError(f"impossible crop {self}")
        if self.columns is not None and not (
            0 < self.columns <= self.size and (self.size - self.columns) % 8 == 0
        ):
            raise PosekitError(
                f"{self.columns} columns of {self.size} do not leave a multiple of 4 px on both sides"
            )

    def looking_at(self, columns: int | None) -> "CropRule":
        """The same crop for a network that uses only the middle `columns`: as high, and no wider than they are."""
        if columns is None:
            return self
        return replace(self, width=self.width * columns / self.size, columns=columns)

    @property
    def span(self) -> tuple[int, int]:
        """First and end of the crop's columns that are used, px."""
        unused = (self.size - (self.columns or self.size)) // 2
        return unused, self.size - unused

    @property
    def margin(self) -> int:
        """Pixels that are kept on every side of the crop."""
        return round(self.size * (self.context - 1) / 2)

    @property
    def side(self) -> int:
        """Side of the square that is kept, px."""
        return self.size + 2 * self.margin


def person_box(rule: CropRule, center: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The report's box (..., 4), float64 image px, not yet clipped, of centers (..., 2) and scales (...)."""
    center, scale = np.asarray(center, float), np.asarray(scale, float)
    left = center[..., 0] - scale * rule.width / 2
    top = center[..., 1] - scale * rule.height / 2
    return np.stack([left, top, left + scale * rule.width, top + scale * rule.height], axis=-1)


def box_center_and_scale(rule: CropRule, box: np.ndarray) -> tuple[np.ndarray, float]:
    """Center (2,) and scale of a crop that holds a person's whole box (4,), left, top, right, bottom, image px.

    They are those of `center_and_scale_of_box`, as in data sets with boxes, if the rule is wide enough. A rule of
    230 px then shows 1.15 times the longer side of the box, about as much as with MPII's own scale.
    """
    left, top, right, bottom = np.asarray(box, float)
    center, scale = center_and_scale_of_box(box)
    return center, float(max(scale, (right - left) / rule.width, (bottom - top) / rule.height))


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


def crop_matrix(clipped: np.ndarray, rule: CropRule) -> np.ndarray:
    """(..., 2, 3) float64: image px -> crop px, for clipped boxes (..., 4).

    The longer side of the box fills the crop (its columns), the shorter one lies in its middle.
    """
    left, top, right, bottom = np.moveaxis(np.asarray(clipped, float), -1, 0)
    size = rule.size
    zoom = size / np.maximum((right - left) * (size / (rule.columns or size)), bottom - top)
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


def empty_share(clipped: np.ndarray) -> np.ndarray:
    """(...) float64: share of the square crop beside clipped boxes (..., 4), which is filled with zeros."""
    sides = clipped[..., 2:] - clipped[..., :2]
    return 1 - sides.min(axis=-1) / sides.max(axis=-1)


def kept_box(clipped: np.ndarray, rule: CropRule, image_size: np.ndarray) -> np.ndarray:
    """The pixels of the image that come into the kept square: (..., 4) int64, for clipped boxes (..., 4).

    The clipped box itself without context, else the larger square as far as it lies in the image.
    """
    if rule.margin == 0:
        return clipped
    corners = np.array([[-0.5 - rule.margin] * 2, [rule.size - 0.5 + rule.margin] * 2])
    edges = transform(invert(crop_matrix(clipped, rule)), corners) + 0.5
    return clip_box(edges.reshape(*edges.shape[:-2], 4), image_size)


def crop_image(image: np.ndarray, clipped: np.ndarray, rule: CropRule) -> np.ndarray:
    """The kept square (side, side, 3) uint8 of an image (H, W, 3) uint8, for the clipped box (4,) of a person.

    Without context it is the crop, with zeros beside the box; with context the crop is its middle.
    """
    height, width = image.shape[:2]
    left, top, right, bottom = (int(edge) for edge in kept_box(clipped, rule, np.array([width, height])))
    part = image[top:bottom, left:right]
    whole = crop_matrix(clipped, rule)
    whole[:, 2] += rule.margin
    # From pixels of the part instead of the image.
    matrix = whole.copy()
    matrix[:, 2] += matrix[:, :2] @ np.array([left, top])

    # Bilinear sampling reads 2 x 2 pixels; where the crop is smaller than half, the others must be averaged in
    # first, or thin things vanish. A block of k x k pixels becomes pixel (x + 0.5) / k - 0.5.
    block = int(1 / matrix[0, 0])
    if block > 1:
        height, width = part.shape[:2]
        part = cv2.copyMakeBorder(part, 0, -height % block, 0, -width % block, cv2.BORDER_REPLICATE)
        part = cv2.resize(part, (part.shape[1] // block, part.shape[0] // block), interpolation=cv2.INTER_AREA)
        matrix[:, 2] += matrix[:, :2] @ np.full(2, (block - 1) / 2)
        matrix[:, :2] *= block
    size = (rule.side, rule.side)
    crop = cv2.warpAffine(part, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    # Padding is exact: pixels whose middle lies beside the part are zero, the others are not mixed with zeros.
    corners = np.array([[left - 0.5, top - 0.5], [right - 0.5, bottom - 0.5]])
    (first_x, first_y), (end_x, end_y) = np.maximum(np.ceil(transform(whole, corners)).astype(int), 0)
    crop[:, :first_x] = crop[:, end_x:] = crop[:first_y] = crop[end_y:] = 0
    return crop

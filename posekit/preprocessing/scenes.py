"""Pictures of several people at many sizes and places, to train a finder on: put together from photographs.

A scene is one photograph, or two, four or nine beside each other, each turned, scaled, mirrored and moved by a
matrix of its own, and recolored. The idea is mosaic augmentation (Bochkovskiy et al., "YOLOv4", 2020): photographs
of one person fill a scene with as many people as photographs of crowds do.
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from posekit.datasets.images import read_image
from posekit.datasets.lsp import center_and_scale
from posekit.datasets.people import People
from posekit.preprocessing.crop import transform
from posekit.preprocessing.whole_image import GRAY
from posekit.skeleton import mirrored_joints

#: Photographs are kept in memory no larger than this, px.
KEPT_SIDE = 448

#: People whose height is less, px, or of whom fewer joints lie in the scene, are neither shown as people nor as
#: something else.
LEAST_HEIGHT, LEAST_JOINTS = 20.0, 6


@dataclass(frozen=True)
class Photograph:
    """A photograph and all people annotated in it: heights (N,) px of the people standing upright, joints
    (N, 16, 2) image px, NaN where not annotated; data_set: where it comes from."""

    path: Path
    heights: np.ndarray
    joints: np.ndarray
    data_set: str

    def centers(self) -> np.ndarray:
        """(N, 2) image px: the middle of the annotated joints of each person."""
        return center_and_scale(self.joints)[0]


@dataclass(frozen=True)
class Scene:
    """image (S, S, 3) uint8 RGB; centers (N, 2), px, and heights (N,), px, of the people in it; ignored (M, 4):
    boxes around people who are too small or cut off too far to be learned."""

    image: np.ndarray
    centers: np.ndarray
    heights: np.ndarray
    ignored: np.ndarray


@dataclass(frozen=True)
class SceneRule:
    """How scenes are drawn. Shares are of scenes or photographs, everything else is drawn between its limits."""

    side: int = 256  # of the scene, px
    grids: tuple[float, ...] = (0.55, 0.2, 0.15, 0.1)  # shares of scenes of 1, 2, 4 and 9 photographs
    zoom: float = 1.6  # from a photograph that is seen as a whole to one that fills its part so many times
    rotation: float = 8.0  # degrees, standard deviation
    turned: float = 0.05  # share of photographs turned by any angle
    gain: float = 0.3  # every channel times 0.7 to 1.3
    gray: float = 0.05  # share without color
    blur: float = 0.15  # share at a half of the resolution


def group_by_photograph(people: People) -> list[Photograph]:
    """Every photograph of a table once, by name, with all its people."""
    order = np.argsort(people.image, kind="stable")
    names, starts = np.unique(people.image[order], return_index=True)
    groups = np.split(order, starts[1:])
    return [
        Photograph(
            people.images_folder / str(name),
            200 * people.scale[which],
            people.joints[which],
            str(people.data_set[which[0]]),
        )
        for name, which in zip(names, groups, strict=True)
    ]


def draw_scene(
    photographs: list[Photograph], chances: np.ndarray, rule: SceneRule, random: np.random.Generator
) -> Scene:
    """A scene of photographs that are drawn with the given chances (N,), whose sum is 1."""
    image = np.full((rule.side, rule.side, 3), GRAY, np.uint8)
    centers, heights, ignored = [], [], []
    for left, top, right, bottom in _parts(rule, random):
        photograph = photographs[random.choice(len(photographs), p=chances)]
        size = np.array([right - left, bottom - top])
        picture, joints, tall = _placed(photograph, size, rule, random)
        image[top:bottom, left:right] = picture
        inside = ((joints >= 0) & (joints <= size - 1)).all(axis=2)  # NaN is not
        seen = np.where(inside[..., None], joints, np.nan)
        learned = (inside.sum(axis=1) >= LEAST_JOINTS) & (tall >= LEAST_HEIGHT)
        centers.append(center_and_scale(seen[learned])[0] + [left, top])
        heights.append(tall[learned])
        for person in np.flatnonzero(inside.any(axis=1) & ~learned):
            room = 0.1 * tall[person]
            box = [np.nanmin(seen[person], axis=0) - room, np.nanmax(seen[person], axis=0) + room]
            ignored.append(np.concatenate(box) + [left, top, left, top])
    return Scene(image, np.concatenate(centers), np.concatenate(heights), np.array(ignored).reshape(-1, 4))


def _parts(rule: SceneRule, random: np.random.Generator) -> list[tuple[int, int, int, int]]:
    """Left, top, right, bottom of every photograph's part of the scene, px."""
    columns, rows = [(1, 1), (2, 1), (2, 2), (3, 3)][random.choice(4, p=rule.grids)]
    if random.random() < 0.5:
        columns, rows = rows, columns
    across, down = (_cuts(rule.side, count, random) for count in (columns, rows))
    return [(x, y, end_x, end_y) for x, end_x in pairwise(across) for y, end_y in pairwise(down)]


def _cuts(side: int, parts: int, random: np.random.Generator) -> list[int]:
    """Where a side is cut into parts, none of which is less than half as long as any other."""
    lengths = random.uniform(1, 2, parts)
    return [0, *np.rint(side * np.cumsum(lengths) / lengths.sum()).astype(int).tolist()]


def _placed(
    photograph: Photograph, size: np.ndarray, rule: SceneRule, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A photograph in a part of a scene, size (2,) px: pixels (h, w, 3), joints (N, 16, 2) and heights (N,), px of
    the part. The middle of one of its people, chosen at random, lies in the part."""
    image, kept = read_photograph(photograph.path)
    full = np.array(image.shape[1::-1]) / kept
    person = random.integers(len(photograph.heights))
    seen_whole, filled = (size / full).min(), (size / full).max()
    zoom = np.exp(random.uniform(np.log(seen_whole), np.log(rule.zoom * filled)))
    zoom = np.clip(zoom, *(np.array([LEAST_HEIGHT, 1.3 * max(size)]) / photograph.heights[person]))
    if zoom < kept:  # pixels are averaged where the photograph becomes smaller
        shrunk = np.maximum(np.rint(zoom * full), 1).astype(int)
        image, kept = cv2.resize(image, shrunk, interpolation=cv2.INTER_AREA), zoom
    image = _recolored(image, rule, random)

    angle = random.uniform(-180, 180) if random.random() < rule.turned else random.normal(0, rule.rotation)
    flip = -1 if random.random() < 0.5 else 1
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    linear = zoom * np.array([[cos, -sin], [sin, cos]]) @ np.diag([flip, 1])
    # Where the photograph's middle comes to lie: nothing beside it is shown that can be filled with it.
    room = np.abs(zoom * full - size) / 2
    middle = linear @ (full / 2)
    shift = size / 2 - middle + random.uniform(-room, room)
    at = linear @ np.nanmean(photograph.joints[person], axis=0) + shift
    edge = 0.1 * size
    shift += np.clip(at, edge, size - edge) - at
    # Pixel x of the photograph is (x + 0.5) kept - 0.5 of what is kept of it.
    from_kept = np.column_stack([linear / kept, shift + linear @ np.full(2, 0.5 / kept - 0.5)])
    picture = cv2.warpAffine(image, from_kept, size, flags=cv2.INTER_LINEAR, borderValue=(GRAY, GRAY, GRAY))
    joints = transform(np.column_stack([linear, shift]), photograph.joints)
    joints = joints[:, mirrored_joints()] if flip < 0 else joints
    return picture, joints, zoom * photograph.heights


def _recolored(picture: np.ndarray, rule: SceneRule, random: np.random.Generator) -> np.ndarray:
    if random.random() < rule.blur:
        half = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        picture = cv2.resize(half, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    if random.random() < rule.gray:
        picture = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    gains = random.uniform(1 - rule.gain, 1 + rule.gain) * random.uniform(0.9, 1.1, 3)
    table = np.clip(np.arange(256)[:, None] * gains, 0, 255).astype(np.uint8)
    return cv2.LUT(picture, table[:, None])


@cache
def read_photograph(path: Path) -> tuple[np.ndarray, float]:
    """A photograph no larger than `KEPT_SIDE`, and its zoom; read once."""
    image = read_image(path, upright=False)
    zoom = min(KEPT_SIDE / max(image.shape[:2]), 1.0)
    if zoom < 1:
        size = tuple(round(zoom * side) for side in image.shape[1::-1])
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return image, zoom

"""A figure in an image: where its joints lie there, and which of them stay visible once it is painted."""

from dataclasses import dataclass

import numpy as np

from posekit.datasets.drawn.body_3d import SIDES, Figure
from posekit.datasets.drawn.canvas import Canvas
from posekit.skeleton import INDEX, JOINTS

#: Part numbers within one person; persons are PERSON_STEP apart on the canvas.
PARTS: dict[str, int] = {
    name: number
    for number, name in enumerate(
        (
            "trunk",
            "seat",
            "neck",
            "head",
            "hair",
            "skirt",
            "right arm",
            "left arm",
            "right hand",
            "left hand",
            "right leg",
            "left leg",
            "right foot",
            "left foot",
        ),
        start=1,
    )
}
PERSON_STEP = 32

_TRUNK = ("trunk", "seat", "neck", "skirt")
#: Parts that a joint belongs to: under any other part it is hidden.
_OWN: dict[str, tuple[str, ...]] = {
    "pelvis": (*_TRUNK, "right leg", "left leg"),
    "thorax": ("trunk", "neck", "head"),
    "upper neck": ("neck", "head", "hair", "trunk"),
    "head top": ("head", "hair"),
    **{f"{s} shoulder": (f"{s} arm", "trunk", "neck") for s in SIDES},
    **{f"{s} elbow": (f"{s} arm",) for s in SIDES},
    **{f"{s} wrist": (f"{s} arm", f"{s} hand") for s in SIDES},
    **{f"{s} hip": (f"{s} leg", "trunk", "seat", "skirt") for s in SIDES},
    **{f"{s} knee": (f"{s} leg", "skirt") for s in SIDES},
    **{f"{s} ankle": (f"{s} leg", f"{s} foot") for s in SIDES},
}


@dataclass(frozen=True)
class Placed:
    """A figure in an image: joints (16, 2) px, their depth (16,) px, and px per unit of the prior."""

    figure: Figure
    joints: np.ndarray
    depth: np.ndarray
    unit: float
    head_turn: tuple[float, float]  # cosine and sine of the head's turn, as in `Head`

    def at(self, name: str) -> np.ndarray:
        """(2,) image position of a joint."""
        return self.joints[INDEX[name]]

    def z(self, name: str) -> float:
        """Depth of a joint in units of the prior, away from the camera."""
        return float(self.figure.joints[INDEX[name], 2])


def place(figure: Figure, center: np.ndarray, unit: float, head_turn: float) -> Placed:
    """Puts a figure into an image with its annotated center at `center` (px).

    head_turn: how far the head is turned beyond the trunk, radians, positive to the right of the image.
    """
    joints = center + unit * figure.joints[:, :2]
    across = np.array([-figure.up[1], figure.up[0]])
    angle = np.arctan2(figure.forward[:2] @ across, -figure.forward[2]) + head_turn
    turn = (float(np.cos(angle)), float(np.sin(angle)))
    return Placed(figure, joints, unit * figure.joints[:, 2], unit, turn)


def visible_joints(canvas: Canvas, person: Placed, number: int = 0) -> np.ndarray:
    """(16,) booleans: whether the picture shows, where a joint is, a part that the joint belongs to.

    Call it when everything is painted. A shoulder or hip on the far side of a trunk seen in profile
    is hidden although the trunk's own pixels cover it.
    """
    height, width = canvas.part.shape
    seen = np.zeros(len(JOINTS), dtype=bool)
    reach = max(round(0.012 * person.unit), 1)
    for i, name in enumerate(JOINTS):
        x, y = np.rint(person.joints[i]).astype(int)
        if not (0 <= x < width and 0 <= y < height):
            continue
        patch = canvas.part[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1]
        own = [number * PERSON_STEP + PARTS[part] for part in _OWN[name]]
        seen[i] = np.isin(patch, own).mean() >= 0.4
        if name.endswith(("shoulder", "hip")) and person.z(name) > 0.055:
            limb = PARTS[f"{name.split()[0]} {'arm' if name.endswith('shoulder') else 'leg'}"]
            seen[i] &= np.mean(patch == number * PERSON_STEP + limb) >= 0.4
    return seen

"""Annotated people on the axes of a figure: joints by side of the body, hidden ones hollow, and their legend."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import Normal, Stroke

from posekit.inference.drawing import SIDE_COLORS
from posekit.skeleton import LIMBS, SIDES

#: Marker of a joint by side of the body: sides can be distinguished without color too.
MARKERS = {"right": "s", "left": "o", "middle": "D"}
COLORS = {side: np.array(color) / 255 for side, color in SIDE_COLORS.items()}

#: Names of the legend. Right and left are the person's own.
_NAMES = {"right": "the person's right", "left": "the person's left", "middle": "middle of the body"}


def plot_skeleton(axis: Axes, joints: np.ndarray, visible: np.ndarray | None = None, size: float = 5.0) -> None:
    """Draws limbs and joints (16, 2), px of the picture on the axis; NaN is left out.

    visible (16,) bool: the others are hollow. size: of a joint, points.
    """
    known = np.isfinite(joints).all(axis=1)
    outline = [Stroke(linewidth=size / 2 + 1.5, foreground="0.1"), Normal()]
    for a, b in LIMBS:
        if known[a] and known[b]:
            side = SIDES[a] if SIDES[a] != "middle" else SIDES[b]
            axis.plot(*joints[[a, b]].T, color=COLORS[side], linewidth=size / 2, path_effects=outline)
    for joint in np.flatnonzero(known):
        seen = visible is None or visible[joint]
        axis.plot(*joints[joint], **_marker(SIDES[joint], seen, size), zorder=3)


def skeleton_handles(hidden: bool = True) -> list[Line2D]:
    """Legend entries for each side of the body and, with `hidden`, for hidden joints."""
    handles = [Line2D([], [], **_marker(side, True, 7), linewidth=0, label=name) for side, name in _NAMES.items()]
    if hidden:
        handles.append(Line2D([], [], **_marker("middle", False, 7) | {"marker": "o"}, label="hollow: hidden"))
        handles[-1].set(markeredgecolor="0.3", linewidth=0)
    return handles


def show_picture(axis: Axes, picture: np.ndarray, title: str = "") -> None:
    """A picture (H, W, 3) uint8 without ticks, whole pixels at whole numbers, and nothing drawn beside it."""
    height, width = picture.shape[:2]
    axis.imshow(picture)
    axis.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), title=title)
    axis.set_axis_off()


def _marker(side: str, filled: bool, size: float) -> dict:
    look = {"marker": MARKERS[side], "markersize": size, "markeredgewidth": 1.0, "markeredgecolor": "0.1"}
    if filled:
        return look | {"color": COLORS[side]}
    return look | {"color": "white", "markeredgecolor": COLORS[side], "markeredgewidth": size / 3}

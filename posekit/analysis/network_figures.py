"""Figures that explain the network: the parts of an hourglass, and what a picture becomes on its way through."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, Patch, Polygon, Rectangle
from torch import Tensor

from posekit.analysis.skeleton_plots import show_picture
from posekit.analysis.style import new_figure
from posekit.models.hourglass import HourglassConfig
from posekit.preprocessing.heatmaps import STRIDE
from posekit.skeleton import JOINTS

#: Colors of the drawing, of Okabe and Ito's palette, by what is drawn.
STEM, BLOCKS, HEAD, HEATMAPS, SUM, SKIP = "#56B4E9", "#0072B2", "#E69F00", "#009E73", "white", "0.45"


def hourglass_figure(config: HourglassConfig, size: int) -> Figure:
    """A drawing of stem, first hourglass and head for crops of size px; what follows is only hinted at.

    The height of a block stands for its resolution, one step per halving; the number in it is the height in cells.
    """
    figure, axes = new_figure(9.6, 4.4)
    (axis,) = axes[0]
    levels = config.reductions
    cells = [size // STRIDE // 2**level for level in range(levels + 1)]
    heights = [1.0 + 0.7 * (levels - level) for level in range(levels + 1)]

    stem, step = 1.6, 1.1
    down = [stem + 0.2 + step * level for level in range(1, levels + 1)]  # by level, from 1
    bottom = down[-1] + step
    up = [bottom + step * number for number in range(levels, 0, -1)]
    added = up[0] + step
    _block(axis, 0, heights[0] + 1.0, "0.85", f"{size}\nx\n{size}\npx")
    _block(axis, stem, heights[0], STEM, f"{cells[0]}")
    for level, (left, right) in enumerate(zip(down, up, strict=True), start=1):
        _block(axis, left, heights[level], BLOCKS, f"{cells[level]}")
        _block(axis, right, heights[level], BLOCKS, f"{cells[level]}")
        if level < levels:
            _skip(axis, left, right, heights[level])
    _block(axis, bottom, heights[-1], BLOCKS, f"{cells[-1]}")
    _block(axis, added, heights[0], SUM, f"{cells[0]}")
    _skip(axis, stem, added, heights[0])
    for left, right in pairwise([0, stem, *down, bottom, *up[::-1], added]):
        _arrow(axis, (left + 0.42, 0), (right - 0.42, 0))
    head = added + 1.4
    _block(axis, head, heights[0], HEAD, f"{cells[0]}")
    _arrow(axis, (added + 0.42, 0), (head - 0.42, 0))
    _block(axis, head + 1.4, heights[0], HEATMAPS, f"{len(JOINTS)}\nx\n{cells[0]}\nx\n{cells[0]}")
    _arrow(axis, (head + 0.42, 0), (head + 0.98, 0))
    _words(axis, head + 1.4, -heights[0] / 2 - 0.55, "compared with\nthe truth: loss")

    top = heights[0] / 2 + 0.35
    for x, word in ((0, "crop"), (head, "head"), (head + 1.4, "heatmaps")):
        _words(axis, x, top + (0.5 if x == 0 else 0), word)
    _words(axis, stem, -top, "stem")
    low = -heights[0] / 2 - 0.55
    _words(axis, (down[0] + bottom) / 2, low, "down: pool 2 x 2,\nthen residual blocks")
    _words(axis, (added + bottom) / 2, low, "up: residual blocks,\nenlarge 2 x 2, add the skip")
    names = {
        BLOCKS: "residual blocks, one resolution",
        STEM: "stem",
        SUM: "the last sum",
        HEAD: "head",
        HEATMAPS: "heatmaps",
    }
    handles = [Patch(facecolor=color, edgecolor="0.1", label=name) for color, name in names.items()]
    arch = FancyArrowPatch((0, 0), (1, 0), color=SKIP, label="skip: residual blocks that keep the resolution")
    figure.legend(handles=[*handles, arch], loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    axis.set(xlim=(-0.9, head + 2.4), ylim=(-heights[0] / 2 - 1.1, heights[0] / 2 + 2.1))
    axis.set_axis_off()
    return figure


def stacks_figure(stacks: int = 2) -> Figure:
    """A drawing of hourglasses one after the other: what each hands on to the next, and where losses are taken."""
    figure, axes = new_figure(9.6, 3.0)
    (axis,) = axes[0]
    _block(axis, 0, 2.0, "0.85", "crop")
    _block(axis, 1.5, 1.6, STEM, "stem")
    _arrow(axis, (0.42, 0), (1.08, 0))
    before = 1.5
    for stack in range(stacks):
        hourglass = 3.4 + 5.3 * stack
        head, last = hourglass + 1.9, stack == stacks - 1
        start = before + (0.42 if stack == 0 else 0.24)
        _arrow(axis, (start, 0), (hourglass - 0.85, 0))
        narrow, wide = 0.25, 0.8
        corners = [(-0.8, -wide), (0, -narrow), (0.8, -wide), (0.8, wide), (0, narrow), (-0.8, wide)]
        axis.add_patch(
            Polygon([(hourglass + x, y) for x, y in corners], facecolor=BLOCKS, edgecolor="0.1", closed=True)
        )
        _words(axis, hourglass, -1.15, f"hourglass {stack + 1}")
        _arrow(axis, (hourglass + 0.85, 0), (head - 0.42, 0))
        _block(axis, head, 1.6, HEAD, "head")
        axis.add_patch(Rectangle((head - 0.38, 1.35), 0.76, 0.76, facecolor=HEATMAPS, edgecolor="0.1"))
        _words(axis, head - 0.95, 1.73, "heat-\nmaps")
        _arrow(axis, (head, 0.82), (head, 1.32))
        _words(axis, head, 2.4, f"loss {stack + 1}" + (" and answer" if last else ""))
        if not last:
            before = hourglass + 3.7
            axis.add_patch(Circle((before, 0), 0.22, facecolor="white", edgecolor="0.1"))
            axis.text(before, 0, "+", ha="center", va="center", fontsize=12)
            _arrow(axis, (head + 0.42, 0), (before - 0.24, 0))
            _words(axis, (head + before) / 2 + 0.12, -0.3, "features")
            _bent_arrow(axis, [(head + 0.4, 1.73), (before, 1.73)], (before, 0.24), "0.2")
            left = hourglass - 1.2
            _bent_arrow(axis, [(left, 0), (left, -1.55), (before, -1.55)], (before, -0.24), SKIP)
            _words(axis, (left + before) / 2, -1.85, "what the hourglass was given")
    axis.set(xlim=(-0.6, 3.4 + 5.3 * (stacks - 1) + 3.1), ylim=(-2.2, 2.7), aspect="equal")
    axis.set_axis_off()
    return figure


def features_figure(crop: np.ndarray, features: Mapping[str, Tensor]) -> Figure:
    """A crop (S, S, 3) uint8 and what becomes of it: one channel of each place, above on the way down, below up.

    features: of `posekit.models.features.hourglass_features`, for this crop alone. Of the channels of a place, the
    one whose values vary most is shown, from its lowest value (black) to its highest (white). In the scores it is
    one of the joints.
    """
    down = [name for name in features if name.startswith(("stem", "down"))]
    up = [name for name in features if name not in down]
    columns = 1 + len(down)
    figure, axes = new_figure(1.6 * columns, 4.3, columns, rows=2)
    show_picture(axes[0, 0], crop, f"crop\n3 x {crop.shape[0]} x {crop.shape[1]}")
    # The way up leads from right to left, so that what has one resolution stands in one column.
    for axis, name in [*zip(axes[0, 1:], down, strict=True), *zip(axes[1, ::-1], up, strict=True)]:
        values = features[name][0].float().cpu()
        most = int(values.flatten(1).std(dim=1).argmax())
        axis.imshow(values[most].numpy(), cmap="gray")
        title = f"{name} ({JOINTS[most]})" if len(values) == len(JOINTS) else name.split(" to ")[0]
        axis.set_title(f"{title}\n{' x '.join(map(str, values.shape))}")
    for axis in axes.flat:
        axis.title.set_fontsize(9.5)
        axis.set_axis_off()
    return figure


def _block(axis: Axes, x: float, height: float, color: str, text: str) -> None:
    axis.add_patch(Rectangle((x - 0.38, -height / 2), 0.76, height, facecolor=color, edgecolor="0.1"))
    light = color in ("0.85", STEM, HEAD, SUM)
    axis.text(x, 0, text, ha="center", va="center", fontsize=9.5, color="black" if light else "white")


def _arrow(axis: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axis.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=11, color="0.2"))


def _bent_arrow(axis: Axes, corners: list[tuple[float, float]], end: tuple[float, float], color: str) -> None:
    axis.plot(*zip(*corners, strict=True), color=color, linewidth=1.4)
    axis.add_patch(FancyArrowPatch(corners[-1], end, arrowstyle="-|>", mutation_scale=11, color=color, shrinkA=0))


def _skip(axis: Axes, left: float, right: float, height: float) -> None:
    """An arch from a block on the way down to the one of the same resolution on the way up."""
    axis.add_patch(
        FancyArrowPatch(
            (left, height / 2),
            (right, height / 2),
            connectionstyle="bar,fraction=-0.12",
            arrowstyle="-|>",
            mutation_scale=11,
            color=SKIP,
            linewidth=1.6,
        )
    )


def _words(axis: Axes, x: float, y: float, text: str) -> None:
    axis.text(x, y, text, ha="center", va="center", fontsize=9.5)

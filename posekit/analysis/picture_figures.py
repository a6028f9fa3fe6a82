"""Figures that show images: the report's figures 1 and 5, sheets of people, what a network answers."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from posekit.analysis.skeleton_plots import plot_skeleton, show_picture, skeleton_handles
from posekit.analysis.style import new_figure, study_of
from posekit.datasets.people import People
from posekit.inference.drawing import CELLS_TO_CROP, draw_skeleton, enlarge, enlarge_points, overlay_heatmap
from posekit.inference.predictor import Prediction
from posekit.preprocessing.batches import Crops
from posekit.preprocessing.crop import (
    CropRule,
    clip_box,
    crop_image,
    crop_matrix,
    lost_joints,
    person_box,
    transform,
)
from posekit.skeleton import JOINTS
from posekit.study.runs import Run

#: How the box of a person is drawn, and the part of it that lies in the image.
BOX_STYLE = {"color": "black", "linestyle": (0, (3, 2)), "linewidth": 1.4, "label": "the person's box"}
KEPT_STYLE = {"color": "#D55E00", "linestyle": "-", "linewidth": 2.5, "label": "its part in the image"}
_LOST_STYLE = {
    "color": "#D55E00",
    "marker": "x",
    "markersize": 11,
    "markeredgewidth": 3,
    "linewidth": 0,
    "label": "lost to the crop",
}


def crop_figure(people: People, person: int, rule: CropRule) -> Figure:
    """Fig. 1: the image of one person with the box around them, and the crop that the network sees."""
    image, joints, center = people.photograph(person), people.joints[person], people.center[person]
    height, width = image.shape[:2]
    box = person_box(rule, center, people.scale[person])
    clipped = clip_box(box, np.array([width, height]))
    figure, axes = new_figure(8.2, 4.3, columns=2, width_ratios=[max(1.0, width / height), 1])
    left, right = axes[0]
    show_picture(left, image, f"image, {width} x {height} px")
    _outline(left, box, BOX_STYLE)
    _outline(left, clipped - 0.5, KEPT_STYLE)
    left.set(  # a box that sticks out of the image is shown whole
        xlim=(min(-0.5, box[0]) - 1, max(width - 0.5, box[2]) + 1),
        ylim=(max(height - 0.5, box[3]) + 1, min(-0.5, box[1]) - 1),
    )
    left.plot(*center, "+", color="white", markersize=12, markeredgewidth=2)
    factor = max(1, round(512 / rule.size))
    crop = enlarge(crop_image(image, clipped, rule), factor)
    show_picture(right, crop, f"crop, {rule.size} x {rule.size} px")
    plot_skeleton(right, enlarge_points(transform(crop_matrix(clipped, rule), joints), factor))
    lines = [Line2D([], [], **style) for style in (BOX_STYLE, KEPT_STYLE)]
    cross = Line2D([], [], color="0.4", marker="+", markersize=10, markeredgewidth=2, linewidth=0, label="center")
    handles = [*lines, cross, *skeleton_handles(hidden=False)]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return figure


def _outline(axis: Axes, box: np.ndarray, style: dict) -> None:
    """The edges of a box (4,): left, top, right, bottom."""
    axis.plot(box[[0, 2, 2, 0, 0]], box[[1, 1, 3, 3, 1]], **style)


def pose_grid_figure(run: Run, crops: Crops, people: int = 8) -> Figure:
    """Fig. 5: predicted skeletons of validation people, at equal steps from the best to the worst.

    Ordered by the median distance of a person's joints in head sizes, so the figure is not a choice of the best.
    """
    typical = np.nanmedian(_drop_uncounted(run.distances()), axis=1)
    order = np.argsort(typical, kind="stable")
    order = order[np.isfinite(typical[order])]
    chosen = order[np.linspace(0, len(order) - 1, min(people, len(order))).round().astype(int)]
    columns = min(4, len(chosen))
    rows = -(-len(chosen) // columns)
    figure, axes = new_figure(2.1 * columns, 2.35 * rows + 0.4, columns, rows)
    for axis in axes.flat:
        axis.set_axis_off()
    joints = run.joints()
    margin = crops.rule.margin
    plain = crops.images[:, margin : margin + crops.rule.size, margin : margin + crops.rule.size]
    factor = max(1, round(384 / crops.rule.size))
    for axis, person in zip(axes.flat, chosen, strict=False):
        points = enlarge_points(transform(crops.matrices[person], joints[person]), factor)
        truth = enlarge_points(crops.joints[person], factor)
        picture = draw_skeleton(enlarge(plain[person], factor), truth, crops.people.labeled[person], truth=True)
        axis.imshow(draw_skeleton(picture, points, np.full(len(JOINTS), True)))
        axis.set_title(f"{typical[person]:.2f} head sizes", fontsize="small")
    figure.suptitle(
        f"{run.label} ({study_of([run])}): from best to worst\n"
        "median distance of a person's joints; the person's right orange, left blue, truth thin and white",
        fontsize="medium",
    )
    return figure


def people_figure(people: People, count: int = 8) -> Figure:
    """The images of people at equal steps through the table, with their joints; hidden ones are hollow."""
    chosen = np.linspace(0, len(people) - 1, min(count, len(people))).round().astype(int)
    columns = min(4, len(chosen))
    rows = -(-len(chosen) // columns)
    figure, axes = new_figure(2.2 * columns, 1.8 * rows + 0.4, columns, rows)
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, person in zip(axes.flat, chosen, strict=False):
        show_picture(axis, people.photograph(person))
        plot_skeleton(axis, people.joints[person], people.visible[person], size=3.4)
    figure.legend(handles=skeleton_handles(), loc="outside lower center", ncols=4, frameon=False)
    return figure


def lost_joints_of_people_figure(people: People, chosen: Sequence[int], rule: CropRule) -> Figure:
    """The images of the chosen people with their boxes, and a cross at every joint that lies outside its box."""
    figure, axes = new_figure(2.8 * len(chosen), 3.1, columns=len(chosen))
    for axis, person in zip(axes[0], chosen, strict=True):
        joints = people.joints[person]
        lost = lost_joints(rule, people.center[person][None], people.scale[[person]], joints[None])[0]
        show_picture(axis, people.photograph(person), "without " + " and ".join(np.array(JOINTS)[lost]))
        axis.title.set(fontsize=9, wrap=True)
        _outline(axis, person_box(rule, people.center[person], people.scale[person]), BOX_STYLE)
        plot_skeleton(axis, joints, people.visible[person], size=4)
        axis.plot(*joints[lost].T, **_LOST_STYLE, zorder=4)
    handles = [Line2D([], [], **style) for style in (BOX_STYLE, _LOST_STYLE)] + skeleton_handles()
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return figure


def answer_figure(image: np.ndarray, answer: Prediction) -> Figure:
    """An image (H, W, 3) with the joints that a network found in it, beside what the network saw and its heatmaps.

    The third picture is the crop in gray, with the brightest of all 16 heatmaps in every cell.
    """
    height, width = image.shape[:2]
    figure, axes = new_figure(9.0, 3.9, columns=3, width_ratios=[width / height, 1, 1])
    picture, crop, heat = axes[0]
    show_picture(picture, image, "image and answer")
    plot_skeleton(picture, answer.joints)
    show_picture(crop, answer.crop, "what the network sees")
    size = len(answer.crop)
    gray = np.repeat(cv2.cvtColor(answer.crop, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    show_picture(heat, overlay_heatmap(gray, answer.heatmaps.max(axis=0), CELLS_TO_CROP, 1.0), "its 16 heatmaps")
    for axis in (crop, heat):
        axis.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5))
    figure.legend(handles=skeleton_handles(hidden=False), loc="outside lower center", ncols=3, frameon=False)
    return figure


def pictures_figure(pictures: Mapping[str, np.ndarray]) -> Figure:
    """Pictures (H, W, 3) uint8 beside each other, as high as the first, each below its title."""
    height, width = next(iter(pictures.values())).shape[:2]
    each = min(6.0, 8.4 / len(pictures))
    figure, axes = new_figure(each * len(pictures), each * height / width + 0.4, len(pictures))
    for axis, (title, picture) in zip(axes[0], pictures.items(), strict=True):
        axis.imshow(picture)
        axis.set_title(title)
        axis.set_axis_off()
    return figure


def _drop_uncounted(distances: np.ndarray) -> np.ndarray:
    """A person without any counted joint gets one that is infinitely far, so that medians need no warning."""
    nobody = np.isnan(distances).all(axis=1)
    return np.where(nobody[:, None], np.inf, distances)


def lost_joints_figure(table: pd.DataFrame) -> Figure:
    """Share of the annotated joints that lie outside the crop, of `posekit.analysis.data_tables.lost_by_kind`."""
    figure, axes = new_figure(8.2, 3.4)
    (axis,) = axes[0]
    table.plot.bar(
        ax=axis, color=sns.color_palette("colorblind"), edgecolor="black", linewidth=0.5, width=0.75, rot=0
    )
    for container, hatch in zip(axis.containers, ["", "///", "...", "xxx"], strict=False):
        for bar in container:
            bar.set_hatch(hatch)
    axis.set(xlabel="", ylabel="annotated joints outside the crop (%)")
    axis.legend(frameon=False, title="height of the box, px per unit of scale")
    sns.despine(ax=axis)
    return figure

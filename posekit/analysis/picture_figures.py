"""Figures that show images: the report's figures 1 and 5, sheets of people, heatmaps."""

from collections.abc import Sequence

import cv2
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from posekit.analysis.style import new_figure, study_of
from posekit.datasets.people import People
from posekit.inference.drawing import draw_skeleton, enlarge, enlarge_points, heatmap_picture
from posekit.preprocessing.batches import Crops
from posekit.preprocessing.crop import CropRule, clip_box, crop_image, crop_matrix, person_box, transform
from posekit.skeleton import JOINTS
from posekit.study.runs import Run


def crop_figure(image: np.ndarray, center: np.ndarray, scale: float, joints: np.ndarray, rule: CropRule) -> Figure:
    """Fig. 1: an image (H, W, 3) with the box of one person, and the crop that the network sees.

    center (2,), joints (16, 2): image px, NaN where not annotated.
    """
    height, width = image.shape[:2]
    box = person_box(rule, center, np.asarray(scale))
    clipped = clip_box(box, np.array([width, height]))
    figure, axes = new_figure(8.2, 4.3, columns=2, width_ratios=[max(1.0, width / height), 1])
    left, right = axes[0]
    left.imshow(image, extent=(-0.5, width - 0.5, height - 0.5, -0.5))
    edges = clipped - 0.5
    for line, dash, color, thickness in ((edges, "-", "#E69F00", 2.5), (box, (0, (3, 2)), "black", 1.2)):
        x, y = line[[0, 2, 2, 0, 0]], line[[1, 1, 3, 3, 1]]
        left.plot(x, y, color=color, linestyle=dash, linewidth=thickness, clip_on=False)
    left.plot(*center, "+", color="white", markersize=12, markeredgewidth=2)
    left.set_title(
        f"image, {width} x {height} px: the report's box (dashed),\nits part in the image (solid), the centre"
    )
    factor = max(1, round(512 / rule.size))
    points = enlarge_points(transform(crop_matrix(clipped, rule), joints), factor)
    crop = enlarge(crop_image(image, clipped, rule), factor)
    right.imshow(draw_skeleton(crop, points, np.isfinite(points).all(axis=1)))
    right.set_title(f"crop, {rule.size} x {rule.size} px, padded with\nzeros, and the annotated joints")
    for axis in (left, right):
        axis.set_axis_off()
    return figure


def pose_grid_figure(run: Run, crops: Crops, people: int = 8) -> Figure:
    """Fig. 5: predicted skeletons of validation people, at equal steps from the best to the worst.

    Ordered by the median distance of a person's joints in head sizes, so the figure is not a choice of the best.
    """
    typical = np.nan_to_num(np.nanmedian(_drop_uncounted(run.distances()), axis=1), nan=np.inf)
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
        picture = draw_skeleton(enlarge(plain[person], factor), truth, crops.people.labelled[person], truth=True)
        axis.imshow(draw_skeleton(picture, points, np.full(len(JOINTS), True)))
        axis.set_title(f"{typical[person]:.2f} head sizes", fontsize="small")
    figure.suptitle(
        f"{run.label} ({study_of([run])}): from best to worst\n"
        "median distance of a person's joints; the person's right orange, left blue, truth thin and white",
        fontsize="medium",
    )
    return figure


def people_figure(people: People, count: int = 12) -> Figure:
    """The images of people at equal steps through the table, with their annotated joints."""
    chosen = np.linspace(0, len(people) - 1, min(count, len(people))).round().astype(int)
    columns = min(4, len(chosen))
    rows = -(-len(chosen) // columns)
    figure, axes = new_figure(2.2 * columns, 1.75 * rows, columns, rows)
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, person in zip(axes.flat, chosen, strict=False):
        image = people.photograph(person)
        # All pictures at one height, or the skeletons of large photographs would be thin as hair.
        zoom = 400 / image.shape[0]
        small = cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
        joints = enlarge_points(people.joints[person], zoom)
        axis.imshow(draw_skeleton(small, joints, people.labelled[person], size=3.5))
    return figure


def picture_figure(picture: np.ndarray, title: str) -> Figure:
    """One picture (H, W, 3) uint8 with a title."""
    height, width = picture.shape[:2]
    figure, axes = new_figure(6.0, 6.0 * height / width + 0.4)
    axes[0, 0].imshow(picture)
    axes[0, 0].set_title(title)
    axes[0, 0].set_axis_off()
    return figure


def _drop_uncounted(distances: np.ndarray) -> np.ndarray:
    """A person without any counted joint gets one that is infinitely far, so that medians need no warning."""
    nobody = np.isnan(distances).all(axis=1)
    return np.where(nobody[:, None], np.inf, distances)


def heatmap_figure(crop: np.ndarray, joints: np.ndarray, heatmaps: np.ndarray, chosen: Sequence[int]) -> Figure:
    """A crop (S, S, 3) with its joints (16, 2), crop px, beside the heatmaps (16, H, W) of chosen joints."""
    figure, axes = new_figure(2.0 * (1 + len(chosen)), 2.4, columns=1 + len(chosen))
    factor = max(1, round(384 / crop.shape[0]))
    points = enlarge_points(joints, factor)
    axes[0, 0].imshow(draw_skeleton(enlarge(crop, factor), points, np.isfinite(points).all(axis=1)))
    axes[0, 0].set_title("crop and joints", fontsize="small")
    for axis, joint in zip(axes[0, 1:], chosen, strict=True):
        axis.imshow(enlarge(heatmap_picture(heatmaps[joint]), factor))
        axis.set_title(JOINTS[joint], fontsize="small")
    for axis in axes.flat:
        axis.set_axis_off()
    return figure


def lost_joints_figure(lost: dict[str, np.ndarray], labelled: np.ndarray) -> Figure:
    """Share of annotated joints outside the crop, by joint: lost by name of the crop (N, 16), labelled (N, 16)."""
    figure, axes = new_figure(8.2, 3.6)
    table = pd.DataFrame(
        {name: 100 * which.sum(axis=0) / labelled.sum(axis=0) for name, which in lost.items()}, index=JOINTS
    ).sort_values(next(iter(lost)), ascending=False)
    colors = sns.color_palette("colorblind", len(lost))
    table.plot.bar(ax=axes[0, 0], color=colors, edgecolor="black", linewidth=0.5, width=0.75, rot=0)
    for container, hatch in zip(axes[0, 0].containers, ["", "///", "..."], strict=False):
        for bar in container:
            bar.set_hatch(hatch)
    axes[0, 0].set_xticks(range(len(table)), [name.replace(" ", "\n") for name in table.index], fontsize="small")
    axes[0, 0].set_ylabel("annotated joints outside the crop (%)")
    axes[0, 0].legend(frameon=False)
    sns.despine(ax=axes[0, 0])
    return figure

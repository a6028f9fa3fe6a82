"""Numbers in, matplotlib figure out: the report's figures 1 to 5 and the ones that this study adds.

Loss and accuracy figures are made from records alone. Every line has its own colour, dash and marker, so that
they are readable for colour-blind people and in print without colour.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from posekit.annotations import People
from posekit.configurations import MODELS
from posekit.crop import CropRule, clip_box, crop_image, crop_matrix, person_box, transform
from posekit.dataset import Crops
from posekit.drawing import draw_skeleton, enlarge, enlarge_points, heatmap_picture
from posekit.errors import PosekitError
from posekit.images import read_image
from posekit.metrics import pckh
from posekit.records import Run
from posekit.skeleton import GROUPS, JOINTS

#: The models that each loss figure of the report compares.
LOSS_FIGURES: dict[int, tuple[str, tuple[int, ...]]] = {
    2: ("Loss by optimizer, original network", (1, 2, 3, 4)),
    3: ("Original and reduced network with RMSprop", (1, 5)),
    4: ("Original and reduced network with Adam", (3, 6)),
}

_COLORS = dict(zip(MODELS, sns.color_palette("colorblind", len(MODELS)), strict=True))
_MARKERS = dict(zip(MODELS, "osD^vX", strict=True))
_DASHES = dict(zip(MODELS, ["-", "--", "-.", (0, (1, 1)), (0, (5, 1, 1, 1, 1, 1)), (0, (7, 3))], strict=True))


def new_figure(
    width: float, height: float, columns: int = 1, rows: int = 1, **options
) -> tuple[Figure, np.ndarray]:
    """An empty figure in the study's style (inches), and its axes (rows, columns)."""
    with sns.axes_style("ticks"), sns.plotting_context("paper", font_scale=1.1):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False, **options)
    return figure, axes


def save_figure(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Writes `name`.png and `name`.svg; the same figure gives the same bytes. Returns the paths."""
    paths = [folder / f"{name}.png", folder / f"{name}.svg"]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with matplotlib.rc_context({"svg.hashsalt": name}):
            figure.savefig(paths[0], dpi=150)
            figure.savefig(paths[1], metadata={"Date": None})
    except OSError as error:
        raise PosekitError(f"figures cannot be written to {folder} ({error.strerror})") from error
    return paths


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
    points = enlarge_points(transform(crop_matrix(clipped, rule.size), joints), factor)
    crop = enlarge(crop_image(image, clipped, rule.size), factor)
    right.imshow(draw_skeleton(crop, points, np.isfinite(points).all(axis=1)))
    right.set_title(f"crop, {rule.size} x {rule.size} px, padded with\nzeros, and the annotated joints")
    for axis in (left, right):
        axis.set_axis_off()
    return figure


def loss_figure(runs: Sequence[Run], title: str) -> Figure:
    """Figs. 2, 3 and 4: loss against epoch while training and on validation people, with the zero-heatmap floor.

    Several seeds of one model are thin lines of the same kind; a run that is still going shows what it has.
    """
    figure, axes = new_figure(8.2, 3.8, columns=2, sharey=True)
    sides = (("train", "while training"), ("validation", "validation people"))
    for axis, (side, name) in zip(axes[0], sides, strict=True):
        labelled: set[int] = set()
        for run in runs:
            model = run.config.model
            axis.plot(
                run.history["epoch"],
                run.history[f"{side}_loss"],
                color=_COLORS[model],
                linestyle=_DASHES[model],
                marker=_MARKERS[model],
                markersize=5,
                linewidth=1.6 if run.config.seed == 0 else 0.8,
                label=None if model in labelled else run.label,
            )
            labelled.add(model)
        _floor_line(axis, runs[0].floors[f"zero_heatmap_{side}"], "answering zero everywhere")
        axis.set_xlabel("epoch")
        axis.set_title(name)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set_yscale("log")
        for formatter in (axis.yaxis.set_major_formatter, axis.yaxis.set_minor_formatter):
            formatter("{x:g}")
        axis.yaxis.set_minor_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
        axis.margins(y=0.08)
        sns.despine(ax=axis)
    axes[0, 0].set_ylabel("loss, logarithmic")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(2, len(labels)), frameon=False)
    figure.suptitle(f"{title} ({_study_of(runs)})")
    return figure


def _floor_line(axis: Axes, value: float, name: str) -> None:
    axis.axhline(value, color="black", linewidth=1, linestyle=(0, (2, 2)))
    axis.annotate(
        name, (1, value), xycoords=("axes fraction", "data"), xytext=(-2, 3), textcoords="offset points",
        ha="right", va="bottom", fontsize="small",
    )  # fmt: skip


def accuracy_figure(runs: Sequence[Run], threshold: float = 0.5) -> Figure:
    """PCKh of the validation people by group of joints and model, with the mean pose as floor of the mean."""
    figure, axes = new_figure(8.2, 4.2)
    axis = axes[0, 0]
    groups = [*GROUPS, "weighted14"]
    offsets = np.linspace(-0.3, 0.3, len(runs))
    for run, offset in zip(runs, offsets, strict=True):
        score = pckh(run.distances(), threshold)
        values = [*score.groups.values(), score.weighted14]
        model = run.config.model
        axis.plot(
            np.arange(len(groups)) + offset, values, _MARKERS[model], color=_COLORS[model], markersize=6,
            label=run.label,
        )  # fmt: skip
    if threshold == 0.5:
        floor = runs[0].floors["mean_pose_weighted14"]
        last = len(groups) - 1
        axis.hlines(floor, last - 0.42, last + 0.42, color="black", linestyle=(0, (2, 2)), linewidth=1.2)
        axis.annotate("mean\npose", (last + 0.42, floor), (3, 0), textcoords="offset points", va="center",
                      fontsize="small")  # fmt: skip
    for boundary in np.arange(len(groups) - 1) + 0.5:
        axis.axvline(boundary, color="0.9", linewidth=0.8)
    axis.set_xticks(range(len(groups)), [*GROUPS, "all 14\nweighted"])
    axis.set_ylim(bottom=0)
    axis.set_ylabel(f"PCKh@{threshold:g} (%)")
    axis.set_title(f"Accuracy on the validation people ({_study_of(runs)})")
    sns.despine(ax=axis)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
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
    factor = max(1, round(384 / crops.rule.size))
    for axis, person in zip(axes.flat, chosen, strict=False):
        points = enlarge_points(transform(crops.matrices[person], joints[person]), factor)
        axis.imshow(draw_skeleton(enlarge(crops.images[person], factor), points, np.full(len(JOINTS), True)))
        axis.set_title(f"{typical[person]:.2f} head sizes", fontsize="small")
    figure.suptitle(
        f"{run.label} ({_study_of([run])}): from best to worst\n"
        "median distance of a person's joints; the person's right orange, left blue",
        fontsize="medium",
    )
    return figure


def pckh_curve_figure(runs: Sequence[Run]) -> Figure:
    """PCKh (weighted14) of the validation people over thresholds up to one head size."""
    figure, axes = new_figure(7.2, 4.0)
    axis = axes[0, 0]
    thresholds = np.linspace(0, 1, 51)
    for run in runs:
        model, distances = run.config.model, run.distances()
        values = [pckh(distances, threshold).weighted14 for threshold in thresholds]
        axis.plot(
            thresholds,
            values,
            color=_COLORS[model],
            linestyle=_DASHES[model],
            marker=_MARKERS[model],
            markevery=(model, 10),
            label=run.label,
        )
    axis.axvline(0.5, color="0.8", linewidth=1, zorder=0)
    axis.set_xlabel("threshold (head sizes)")
    axis.set_ylabel("PCKh, weighted14 (%)")
    axis.set_xlim(0, 1)
    axis.set_ylim(bottom=0)
    axis.set_title(f"Joints found within a distance ({_study_of(runs)})")
    axis.legend(frameon=False, fontsize="small", loc="upper left")
    sns.despine(ax=axis)
    return figure


def report_losses_figure(losses: pd.DataFrame, floor: float) -> Figure:
    """The report's losses after five epochs (`posekit.report.losses`), beside the loss of answering zero."""
    figure, axes = new_figure(7.2, 2.8)
    axis = axes[0, 0]
    names = [f"{MODELS[model].name}: {MODELS[model].description}" for model in losses["model"]]
    for row, (model, loss) in enumerate(zip(losses["model"], losses["loss"], strict=True)):
        axis.plot(loss, row, _MARKERS[model], color=_COLORS[model], markersize=8)
        axis.annotate(
            f"{loss:.6f}", (loss, row), (8, 0), textcoords="offset points", va="center", fontsize="small"
        )
    axis.axvline(floor, color="black", linewidth=1, linestyle=(0, (2, 2)))
    axis.annotate(
        f"answering zero\neverywhere: {floor:.5f}", (floor, 0), (6, 0), textcoords="offset points", va="center",
        fontsize="small",
    )  # fmt: skip
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    axis.margins(x=0.22, y=0.1)
    axis.set_xlabel("loss after five epochs, as published in the report")
    sns.despine(ax=axis)
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
        image = read_image(people.images_folder / people.image[person], upright=False)
        # All pictures at one height, or the skeletons of large photographs would be thin as hair.
        zoom = 400 / image.shape[0]
        small = cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
        joints = enlarge_points(people.joints[person], zoom)
        axis.imshow(draw_skeleton(small, joints, people.labelled[person], size=5))
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


def cost_figure(parts: pd.DataFrame, title: str) -> Figure:
    """Where parameters and FLOPs sit: shares by part, in percent. Columns part, parameters, gflop."""
    figure, axes = new_figure(7.2, 2.8)
    shares = parts.set_index("part")[["gflop", "parameters"]]
    shares = 100 * shares / shares.sum()
    shares.columns = ["FLOPs", "parameters"]
    colors = sns.color_palette("colorblind", 2)
    shares.iloc[::-1].plot.barh(ax=axes[0, 0], color=colors, edgecolor="black", linewidth=0.5, width=0.75)
    for bars, hatch in zip(axes[0, 0].containers, ["", "///"], strict=True):
        axes[0, 0].bar_label(bars, fmt="%.1f %%", padding=2, fontsize="small")
        for bar in bars:
            bar.set_hatch(hatch)
    axes[0, 0].set_xlabel("share of the whole network (%)")
    axes[0, 0].set_ylabel("")
    axes[0, 0].margins(x=0.12)
    axes[0, 0].set_title(title)
    axes[0, 0].legend(frameon=False, reverse=True, loc="lower right")
    sns.despine(ax=axes[0, 0])
    return figure


def _study_of(runs: Sequence[Run]) -> str:
    config = runs[0].config
    return f"{config.data}, profile {config.profile}"

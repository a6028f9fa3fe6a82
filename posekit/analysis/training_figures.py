"""Figures of one training from the inside: a batch and its targets, single steps, augmentation, epochs."""

from collections.abc import Mapping, Sequence

import numpy as np
import seaborn as sns
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from posekit.analysis.heatmap_figures import COLORS
from posekit.analysis.skeleton_plots import plot_skeleton, show_picture, skeleton_handles
from posekit.analysis.style import new_figure
from posekit.inference.predictor import Prediction
from posekit.preprocessing.augmentation import Augmentation, augment
from posekit.preprocessing.batches import Batch, without_context
from posekit.preprocessing.crop import CropRule, transform
from posekit.skeleton import INDEX


def batch_figure(batch: Batch, targets: Tensor, people: int = 8) -> Figure:
    """The first people of a batch with their joints, and below the targets (B, 16, H, W), the brightest of all 16
    joints in every cell."""
    count = min(people, len(batch.which))
    figure, axes = new_figure(1.2 * count, 3.2, count, rows=2)
    for person, (above, below) in enumerate(axes.T):
        _show_crop(above, batch, person)
        below.imshow(targets[person].cpu().amax(dim=0).numpy(), cmap=COLORS, vmin=0, vmax=1)
        below.set_axis_off()
    figure.legend(handles=skeleton_handles(hidden=False), loc="outside lower center", ncols=3, frameon=False)
    return figure


def steps_figure(losses: Sequence[float], floor: float, steps: int) -> Figure:
    """The loss of every step so far, of `steps`, on a logarithmic axis; floor: the loss of answering zero."""
    figure, axes = new_figure(6.4, 3.0)
    (axis,) = axes[0]
    axis.plot(range(1, len(losses) + 1), losses, "o-", color=sns.color_palette("colorblind")[0], markersize=4)
    axis.axhline(floor, color="0.35", linestyle="--")
    axis.annotate(
        "answering zero everywhere", (steps, floor), (0, -4), textcoords="offset points", ha="right", va="top"
    )
    axis.set(xlim=(0.5, steps + 0.5), yscale="log", xlabel="step", ylabel="loss of the batch")
    axis.set_ylim(floor / 2, max([10 * floor, *losses]) * 1.3)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    sns.despine(ax=axis)
    return figure


def augmentation_figure(
    kept: Batch, rule: CropRule, augmentation: Augmentation, draws: int = 7, seed: int = 0
) -> Figure:
    """The first person of a batch as the crop has them, and so many times as augmentation changes the crop.

    kept: crops with context, as `posekit.preprocessing.batches.batches` gives them, made by the rule.
    """
    generator = torch.Generator().manual_seed(seed)
    shown = [without_context(kept, rule), *(augment(kept, rule, augmentation, generator) for _ in range(draws))]
    columns = -(-len(shown) // 2)
    figure, axes = new_figure(2.1 * columns, 4.7, columns, rows=2)
    for number, (axis, batch) in enumerate(zip(axes.flat, shown, strict=False)):
        _show_crop(axis, batch, 0, "the crop" if number == 0 else f"draw {number}")
    figure.legend(handles=skeleton_handles(hidden=False), loc="outside lower center", ncols=3, frameon=False)
    return figure


def epochs_figure(answers: Mapping[int, Prediction], joints: np.ndarray, joint: str) -> Figure:
    """One person as a run's network answered after each epoch: the skeleton, and below the heatmap of one joint.

    answers: by epoch, of the same crop. joints (16, 2): the truth, crop px; a plus marks the named one.
    """
    figure, axes = new_figure(1.9 * len(answers), 4.2, len(answers), rows=2)
    for (epoch, answer), (above, below) in zip(answers.items(), axes.T, strict=True):
        show_picture(above, answer.crop, f"epoch {epoch}")
        plot_skeleton(above, transform(answer.matrix, answer.joints), size=4)
        size, heatmap = len(answer.crop), answer.heatmaps[INDEX[joint]]
        below.imshow(heatmap, cmap=COLORS, vmin=0, vmax=1, extent=(-0.5, size - 0.5, size - 0.5, -0.5))
        below.plot(*joints[INDEX[joint]], "+", color="white", markersize=12, markeredgewidth=2)
        below.set_title(f"highest value {heatmap.max():.2f}", fontsize=9.5)
        below.set_axis_off()
    figure.legend(handles=skeleton_handles(hidden=False), loc="outside lower center", ncols=3, frameon=False)
    return figure


def _show_crop(axis, batch: Batch, person: int, title: str = "") -> None:
    """A crop of a batch with the joints that the network is to find in it."""
    crop = batch.images[person].permute(1, 2, 0).mul(255).round().byte().cpu().numpy()
    present = batch.present[person, :, None].cpu().numpy()
    show_picture(axis, crop, title)
    plot_skeleton(axis, np.where(present, batch.joints[person].cpu().numpy(), np.nan), size=3)

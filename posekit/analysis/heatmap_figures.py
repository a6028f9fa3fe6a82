"""Heatmaps cell by cell: how a joint is encoded and decoded, and what two losses say about a prediction."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import Tensor

from posekit.analysis.skeleton_plots import show_picture
from posekit.analysis.style import new_figure
from posekit.preprocessing.heatmaps import STRIDE, Codec, to_cells
from posekit.training.losses import cross_entropy, squared_error

#: Of values from 0 to 1: it darkens evenly, also for color-blind readers and in print.
COLORS = "viridis"

#: Cells shown around a joint, to every side.
AROUND = 4


def codec_figure(crop: np.ndarray, joint: np.ndarray, codecs: Mapping[str, Codec]) -> Figure:
    """A joint (2,), crop px, in the crop (S, S, 3) uint8, and the middle of its heatmap as every codec writes it.

    The plus is where the joint is, the circle where the codec finds it in its own heatmap. Ticks are numbers of
    cells.
    """
    point = torch.tensor(joint, dtype=torch.float32)
    cells = crop.shape[0] // STRIDE
    figure, axes = new_figure(3.1 * (1 + len(codecs)), 3.5, columns=1 + len(codecs))
    show_picture(axes[0, 0], crop, "crop: the square is shown enlarged")
    true = to_cells(point).numpy()
    low, high = np.clip(np.round(true) - AROUND, 0, None) - 0.5, np.round(true) + AROUND + 0.5
    corners = (np.stack([low, high]) + 0.5) * STRIDE - 0.5
    x, y = corners[[0, 1, 1, 0, 0], 0], corners[[0, 0, 1, 1, 0], 1]
    axes[0, 0].plot(x, y, color="#D55E00", linewidth=2)
    for axis, (name, codec) in zip(axes[0, 1:], codecs.items(), strict=True):
        heatmap = codec.encode(point[None], torch.tensor([True]), (cells, cells))
        found = to_cells(codec.decode(heatmap)[0][0]).numpy()
        drawn = axis.imshow(heatmap[0].numpy(), cmap=COLORS, vmin=0, vmax=1)
        for look in ({"color": "black", "markeredgewidth": 3.5}, {"color": "white", "markeredgewidth": 1.5}):
            axis.plot(*true, "+", markersize=15, **look, label="true")
            axis.plot(*found, "o", markersize=10, markerfacecolor="none", markeredgecolor=look["color"])
            axis.lines[-1].set_markeredgewidth(look["markeredgewidth"])
        error = STRIDE * np.linalg.norm(found - true)
        axis.set(xlim=(low[0], high[0]), ylim=(high[1], low[1]), title=f"{name}: {error:.1f} px lost")
        axis.set_xlabel("cell")
    figure.colorbar(drawn, ax=axes[0, 1:], label="value of the heatmap", shrink=0.8)
    return figure


def example_answers(cells: int = 32, beside: float = 8.0) -> dict[str, Tensor]:
    """Heatmaps (cells, cells) that a network may answer for one joint in the middle; "right" is the target.

    beside: how far a wrong answer lies from the joint, in cells.
    """
    middle = STRIDE * (cells / 2 + 0.5) - 0.5
    points = torch.tensor([[middle, middle], [middle + STRIDE * beside, middle]])
    right, wrong = Codec("subpixel").encode(points, torch.tensor([True, True]), (cells, cells))
    return {
        "right": right,
        "right, but faint": right / 2,
        "undecided": (right + wrong) / 2,
        "nothing": torch.zeros_like(right),
        "wrong": wrong,
    }


def losses_of_answers(answers: Mapping[str, Tensor]) -> pd.DataFrame:
    """What squared error and cross-entropy say of answers (H, W) whose target is the one called "right".

    Squared errors are in percent of answering nothing; cross-entropies in nats, for scores that are the logarithm
    of the answer (not below that of 1e-9).
    """
    target = answers["right"][None, None]
    nothing = squared_error([torch.zeros_like(target)], target)
    rows = {
        name: {
            "squared error (% of nothing)": float(100 * squared_error([answer[None, None]], target) / nothing),
            "cross-entropy (nats)": float(cross_entropy([answer.clamp(min=1e-9).log()[None, None]], target)),
        }
        for name, answer in answers.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").round(1)


def answers_figure(answers: Mapping[str, Tensor], losses: pd.DataFrame) -> Figure:
    """The answers as pictures, and what both losses say of each (`losses_of_answers`)."""
    figure, axes = new_figure(1.9 * len(answers), 2.5, columns=len(answers))
    for axis, (name, answer) in zip(axes[0], answers.items(), strict=True):
        drawn = axis.imshow(answer.numpy(), cmap=COLORS, vmin=0, vmax=1)
        squared, crossed = losses.loc[name]
        axis.set_title(f"{name}\nsquared error {squared:.0f} %\ncross-entropy {crossed:.1f}", fontsize=9.5)
        axis.set(xticks=[], yticks=[])
    figure.colorbar(drawn, ax=axes[0], label="value", fraction=0.03, shrink=0.8)
    return figure

"""What networks learn by: the report's squared error of heatmaps, and the cross-entropy of likelihoods."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def heatmap_loss(answers: list[Tensor], target: Tensor) -> Tensor:
    """The loss of the report: the sum over stacks of the mean squared error over all cells, joints and people.

    answers: one (B, 16, H, W) a stack; target: (B, 16, H, W), empty maps for joints that are not there.
    """
    return torch.stack([F.mse_loss(heatmaps.float(), target) for heatmaps in answers]).sum()


def cross_entropy(answers: list[Tensor], target: Tensor) -> Tensor:
    """The sum over stacks of the mean cross-entropy between target and answer, over the joints that are there.

    answers: one (B, 16, H, W) a stack, as `posekit.models.answers.likelihood` gives them; target: (B, 16, H, W)
    heatmaps, of which only what is positive counts, divided by its sum. Empty maps, of joints that are not there,
    are left out. In nats; a right answer has the entropy of the target, about 2.8 with sigma 1.
    """
    target = target.clamp(min=0)
    mass = target.sum(dim=(-2, -1), keepdim=True)
    shares, there = target / mass.clamp(min=1e-6), mass[..., 0, 0] > 1e-6
    losses = []
    for heatmaps in answers:
        # Cells beside the columns that a network looks at have none: the smallest number stands for it.
        logarithms = (heatmaps.float() / (2 * math.pi)).clamp(min=1e-12).log()
        of_joints = -(shares * logarithms).sum(dim=(-2, -1))
        losses.append((of_joints * there).sum() / there.sum().clamp(min=1))
    return torch.stack(losses).sum()

"""What networks learn by: scores compared with the heatmaps of the truth, for all families of networks alike.

Both losses take a list with the scores (B, 16, H, W) of each stack and the target (B, 16, H, H), heatmaps that are
empty where a joint is not present. Where a network looks at W middle columns only, the others have no scores.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from posekit.models.answers import to_heatmaps

Loss = Literal["squared error", "cross-entropy"]

#: Mass of a target's heatmap below which its joint counts as not present.
_NOTHING = 1e-6


def squared_error(scores: list[Tensor], target: Tensor) -> Tensor:
    """The report's loss: the sum over stacks of the mean squared error over all cells, joints and people.

    Scores are heatmaps here; columns without scores count as zero. Source: the code of the report's authors.
    """
    return torch.stack([F.mse_loss(to_heatmaps(s.float(), likelihoods=False), target) for s in scores]).sum()


def cross_entropy(scores: list[Tensor], target: Tensor) -> Tensor:
    """The sum over stacks of the mean cross-entropy over the joints that are present, in nats.

    The target's positive cells, divided by their sum, say where a joint is; a softmax over the scores says how
    likely the network takes each cell to be. Computed by `log_softmax`, so that a cell has a gradient however
    unlikely the network takes it to be. A perfect answer has the entropy of the target, about 2.8 with sigma 1.
    Source: He et al., "Mask R-CNN", ICCV 2017, with a Gaussian in the place of one cell.
    """
    beside = (target.shape[-1] - scores[0].shape[-1]) // 2
    target = target[..., beside : beside + scores[0].shape[-1]].clamp(min=0).flatten(-2)
    mass = target.sum(dim=-1, keepdim=True)
    shares, annotated = target / mass.clamp(min=_NOTHING), mass[..., 0] > _NOTHING
    losses = []
    for of_stack in scores:
        of_joints = -(shares * of_stack.float().flatten(-2).log_softmax(dim=-1)).sum(dim=-1)
        losses.append((of_joints * annotated).sum() / annotated.sum().clamp(min=1))
    return torch.stack(losses).sum()


LOSSES: dict[Loss, Callable[[list[Tensor], Tensor], Tensor]] = {
    "squared error": squared_error,
    "cross-entropy": cross_entropy,
}

"""From scores to heatmaps, once for all families of networks: networks return scores, and nothing else.

A score is what a network's last convolution gives for a cell. A network that learned by the report's squared error
has heatmaps as its scores. One that learned by cross-entropy returns the logarithm of how likely each cell is, up
to a constant. Networks that look at the middle columns of a crop return scores of these columns alone.
"""

import math

from torch import Tensor, nn
from torch.nn import functional as F

from posekit.errors import PosekitError
from posekit.preprocessing.heatmaps import STRIDE


def likelihood(scores: Tensor) -> Tensor:
    """How likely each cell of (..., H, W) is to hold the joint, times 2 pi: a softmax over all cells.

    He et al., "Mask R-CNN", ICCV 2017, find keypoints like this. The factor is the sum of a heatmap with sigma 1
    and peak 1, so that an answer as certain as its target has a peak near 1 too.
    """
    return 2 * math.pi * scores.flatten(-2).softmax(dim=-1).view_as(scores)


def to_heatmaps(scores: Tensor, likelihoods: bool) -> Tensor:
    """Heatmaps (B, 16, H, H) of square crops from scores (B, 16, H, W), of which W middle columns were computed.

    likelihoods: the scores are those of cross-entropy (see `likelihood`), else they are heatmaps already. Columns
    that were not computed are zero.
    """
    heatmaps = likelihood(scores) if likelihoods else scores
    beside = (scores.shape[-2] - scores.shape[-1]) // 2
    return F.pad(heatmaps, (beside, beside)) if beside else heatmaps


class HeatmapNetwork(nn.Module):
    """A network whose scores become heatmaps: what prediction, evaluation and export use.

    `forward` takes what the network takes, crops (B, 3, S, S) float32 RGB in 0..1, and returns a list with
    one (B, 16, S / 4, S / 4) per stack.
    """

    def __init__(self, network: nn.Module, likelihoods: bool) -> None:
        super().__init__()
        self.network, self.likelihoods = network, likelihoods

    def forward(self, images: Tensor) -> list[Tensor]:
        return [to_heatmaps(scores.float(), self.likelihoods) for scores in self.network(images)]


def middle_columns(images: Tensor, columns: int | None) -> Tensor:
    """The middle columns (px) of crops (B, 3, S, S) that a network looks at; None: all of them.

    Raises `PosekitError` for more columns than the crops have.
    """
    width = images.shape[-1]
    if (columns or 0) > width:
        raise PosekitError(f"{columns} columns are more than the {width} px of the crop")
    # As far from the left as from the right, and a whole number of heatmap cells.
    beside = (width - (columns or width)) // (2 * STRIDE) * STRIDE
    return images[..., beside : width - beside]

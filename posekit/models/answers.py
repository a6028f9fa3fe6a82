"""What all families of networks share: which columns they look at, and how scores become heatmaps."""

import math

from torch import Tensor
from torch.nn import functional as F

from posekit.errors import PosekitError
from posekit.preprocessing.heatmaps import STRIDE


def likelihood(scores: Tensor) -> Tensor:
    """How likely each cell of (..., H, W) is to hold the joint, times 2 pi.

    A softmax over all cells, as keypoints are found in He et al., "Mask R-CNN", ICCV 2017. The factor is the sum
    of a heatmap with sigma 1 and peak 1, so that an answer that is as sure as its target has a peak near 1 too.
    """
    return 2 * math.pi * scores.flatten(-2).softmax(dim=-1).view_as(scores)


def to_heatmaps(scores: Tensor, softmax: bool, beside: int = 0) -> Tensor:
    """What a network answers, from what its last convolution gives: (B, 16, H, W), and so many columns of zeros on
    either side of it. softmax: see `likelihood`."""
    heatmaps = likelihood(scores) if softmax else scores
    return F.pad(heatmaps, (beside, beside)) if beside else heatmaps


def middle_columns(images: Tensor, columns: int | None) -> tuple[Tensor, int]:
    """The middle of (B, 3, H, W) that a network looks at, and how many heatmap cells lie on either side of it.

    Raises `PosekitError` if it is to look at more columns than there are.
    """
    width = images.shape[-1]
    if (columns or 0) > width:
        raise PosekitError(f"{columns} columns are more than the {width} px of the crop")
    # As far from the left as from the right, and a whole number of heatmap cells.
    cells = (width - (columns or width)) // (2 * STRIDE)
    return images[..., cells * STRIDE : width - cells * STRIDE], cells

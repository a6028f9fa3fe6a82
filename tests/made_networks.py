"""Networks whose answer is known: they stand in for a trained one."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from posekit.models.finder import FINDER_STRIDE, USUAL_HEIGHT
from posekit.preprocessing.heatmaps import STRIDE
from posekit.skeleton import JOINTS


class FindsRed(torch.nn.Module):
    """Stands in for a network: every heatmap is the amount of red in a cell, so the answer is known."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(1))

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        red = images[:, :1] - images[:, 2:]
        return [torch.nn.functional.avg_pool2d(red, STRIDE).expand(-1, len(JOINTS), -1, -1)]


class RedPeople(nn.Module):
    """Stands in for a finder's network: a person of 100 px stands in the middle of every red spot."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, images: Tensor) -> Tensor:
        red = F.avg_pool2d((images[:, :1] - images[:, 2:]).clamp(min=0), FINDER_STRIDE)
        answer = torch.zeros(len(images), 4, *red.shape[-2:])
        answer[:, :1] = 12 * red - 4
        answer[:, 3] = np.log(100 / USUAL_HEIGHT)
        return answer

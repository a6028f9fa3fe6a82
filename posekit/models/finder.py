"""A network that finds people in a photograph: for every cell, whether the middle of a person lies in it.

Zhou et al., "Objects as Points", 2019: a person is the peak of one map, and the person's size is read at the peak.
The encoder is `posekit.models.encoder.EfficientNetLite0` up to its stride of 32, without the last stage; what it
knows at the strides 32 and 16 is brought down to 8 by a feature pyramid of depthwise convolutions.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from posekit.models.depthwise import DepthwiseConv2d
from posekit.models.encoder import (
    PIXEL_MEAN,
    PIXEL_SCALE,
    STAGES,
    EfficientNetLite0,
    normalized,
    pointwise,
)

#: Pixels per cell of the answer, and what the sides of an image must be multiples of.
FINDER_STRIDE, FINDER_MULTIPLE = 8, 32

#: Stages of the encoder whose output is read: the last ones at the strides 8, 16 and 32.
READ: tuple[int, ...] = (2, 4, 5)

#: The first stages keep their ImageNet weights: edges and textures are the same in photographs of people.
FROZEN_STAGES = 2

#: A height of so many px is the 0 of the answer's logarithm.
USUAL_HEIGHT = 100.0

#: A cell's probability before anything is learned: most cells hold nobody.
FIRST_PROBABILITY = 0.02


class FinderNetwork(nn.Module):
    """`forward` takes images, float (B, 3, H, W), RGB in 0..1, H and W multiples of 32, and returns float
    (B, 4, H/8, W/8) for every cell: the logit that a person's middle lies in it; from the cell's middle to that
    person's middle, x and y, in cells; the natural logarithm of the person's height over `USUAL_HEIGHT` px.

    A person's height is 200 px times MPII's scale: of the person standing upright, not of the visible part.
    """

    def __init__(self, channels: int = 48) -> None:
        super().__init__()
        self.encoder = EfficientNetLite0(READ)
        self.lateral = nn.ModuleList(pointwise(STAGES[number].channels, channels) for number in READ)
        self.smooth = nn.ModuleList(
            nn.Sequential(
                normalized(DepthwiseConv2d(channels, 5, padding=2)),
                pointwise(channels, channels, nn.ReLU(inplace=True)),
            )
            for _ in READ
        )
        looks = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.head = nn.Sequential(normalized(looks, nn.ReLU(inplace=True)), nn.Conv2d(channels, 4, 1))
        nn.init.normal_(self.head[1].weight, std=0.01)
        nn.init.zeros_(self.head[1].bias)
        with torch.no_grad():
            self.head[1].bias[0] = torch.logit(torch.tensor(FIRST_PROBABILITY))
        frozen = [self.encoder.stem, *self.encoder.stages[:FROZEN_STAGES]]
        for part in frozen:
            part.requires_grad_(False)

    def train(self, mode: bool = True) -> "FinderNetwork":
        """The encoder's normalizations keep ImageNet's means: those of a few pictures are too rough to use."""
        super().train(mode)
        for module in self.encoder.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def forward(self, images: Tensor) -> Tensor:
        levels = self.encoder((images - PIXEL_MEAN) / PIXEL_SCALE)
        x: Tensor | None = None
        for level, lateral, smooth in list(zip(levels, self.lateral, self.smooth, strict=True))[::-1]:
            here = lateral(level)
            x = smooth(here if x is None else here + F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return self.head(x)

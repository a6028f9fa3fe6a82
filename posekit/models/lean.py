"""An hourglass of fewer, plainer layers: the same shape, but one 3x3 convolution where a block had three.

A residual block of the Stacked Hourglass squeezes its channels, looks around with one convolution in three, and
widens them again, with a normalization before each that cannot be folded where a skip branches off. With few
channels there is little to squeeze, and most of the time goes into starting layers. Here all convolutions look
around, but those that lead up from a lower resolution and the one to the heatmaps. Normalizations come after
them, and are folded into them when training is over; resolution is halved by a stride, and skips hand on what
they are given.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor, nn
from torch.nn import functional as F

from posekit.models.answers import middle_columns
from posekit.models.config import check_at_least_one, check_widths, width_at
from posekit.skeleton import JOINTS


@dataclass(frozen=True)
class LeanConfig:
    """Widths and depths. Raises `PosekitError` for settings that make no network."""

    channels: int = 24  # at the resolution of the heatmaps
    growth: float = 1.4  # channels after a reduction, divided by those before it
    reductions: int = 3  # times that the hourglass halves the resolution
    modules: int = 2  # blocks before, and blocks after, each lower level
    columns: int | None = None  # crop px: only so many in the middle are computed; None: all
    family: Literal["lean"] = "lean"
    stacks: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check_widths(self.channels, self.growth, self.columns)
        check_at_least_one(modules=self.modules, reductions=self.reductions)

    def width(self, level: int) -> int:
        """Channels after `level` reductions."""
        return width_at(level, self.channels, self.growth)


def convolution(in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Conv -> BatchNorm, padded so that stride 1 keeps the size. Without bias: the normalization has one."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(out_channels),
    )


class Block(nn.Module):
    """One convolution beside an identity, where the number of channels stays; then ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch = convolution(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.branch(x) + x)


def blocks(channels: int, count: int) -> nn.Sequential:
    """`count` blocks, one after the other."""
    return nn.Sequential(*(Block(channels) for _ in range(count)))


class Level(nn.Module):
    """Halves the resolution, works at it (a lower level inside), doubles it and adds its input."""

    def __init__(self, config: LeanConfig, level: int = 0) -> None:
        super().__init__()
        channels, deeper = config.width(level), config.width(level + 1)
        self.down = nn.Sequential(convolution(channels, deeper, stride=2), nn.ReLU())
        self.before = blocks(deeper, config.modules)
        self.inner = Level(config, level + 1) if level + 1 < config.reductions else nn.Identity()
        self.after = blocks(deeper, config.modules)
        self.up = convolution(deeper, channels, kernel=1)

    def forward(self, x: Tensor) -> Tensor:
        low = self.up(self.after(self.inner(self.before(self.down(x)))))
        # The size is taken from x: an odd one is halved upwards and must come back as it was.
        return x + F.interpolate(low, size=x.shape[-2:], mode="nearest")


class LeanHourglass(nn.Module):
    """Two convolutions to the heatmaps' resolution, one hourglass, one block, and a convolution to scores.

    `forward` takes crops, float (batch, 3, height, width), RGB in 0..1, and returns a list with one float tensor
    of scores (batch, 16, height / 4, columns / 4), as a stacked hourglass with one stack does.
    """

    def __init__(self, config: LeanConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.channels
        third = channels // 3  # at half the resolution, where a channel costs as much as four of the others
        self.stem = nn.Sequential(
            convolution(3, third, stride=2), nn.ReLU(), convolution(third, channels, stride=2), nn.ReLU()
        )
        self.hourglass = Level(config)
        self.head = nn.Sequential(Block(channels), nn.Conv2d(channels, len(JOINTS), 1))

    def forward(self, images: Tensor) -> list[Tensor]:
        x = self.stem(middle_columns(images, self.config.columns))
        return [self.head(self.hourglass(x))]

"""The Stacked Hourglass network with the original and the reduced stem.

Newell, Yang and Deng, "Stacked Hourglass Networks for Human Pose Estimation", ECCV 2016, in the form
of the PyTorch implementation that the report builds on: every convolution is preceded by batch
normalisation and ReLU, also the very first one. The reduced stem is the report's Table I.

Layers stand from small to large; read from top to bottom. Shapes at the ends of lines are
(channels, height, width) for the report's size, 256 channels and a crop of 256 x 256.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from posekit.errors import PosekitError
from posekit.skeleton import JOINTS


@dataclass(frozen=True)
class NetworkConfig:
    """Widths and depths. The defaults are the report's original network."""

    stem: Literal["original", "reduced"] = "original"
    channels: int = 256  # inside the hourglasses; the stem uses a quarter and a half of it before
    stacks: int = 2  # hourglasses, one after the other
    modules: int = 2  # residual blocks at every place of an hourglass
    reductions: int = 4  # times that an hourglass halves the resolution

    def __post_init__(self) -> None:
        if self.stem not in ("original", "reduced"):
            raise PosekitError(f"unknown stem {self.stem!r}: choose 'original' or 'reduced'")
        if self.channels < 4 or self.channels % 4:
            raise PosekitError(f"channels must be a positive multiple of 4, not {self.channels}")
        if min(self.stacks, self.modules, self.reductions) < 1:
            raise PosekitError("stacks, modules and reductions must each be at least 1")


def conv_block(in_channels: int, out_channels: int, kernel: int = 1, stride: int = 1) -> nn.Sequential:
    """BatchNorm -> ReLU -> Conv, padded so that stride 1 keeps the size."""
    return nn.Sequential(
        nn.BatchNorm2d(in_channels),
        nn.ReLU(),
        nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2),
    )


class Residual(nn.Module):
    """Bottleneck of three convolutions beside a skip: a plain 1x1 convolution where widths differ."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        middle = out_channels // 2
        self.branch = nn.Sequential(
            conv_block(in_channels, middle),
            conv_block(middle, middle, kernel=3),
            conv_block(middle, out_channels),
        )
        same = in_channels == out_channels
        self.skip = nn.Identity() if same else nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.branch(x) + self.skip(x)


def residuals(channels: int, modules: int) -> nn.Sequential:
    return nn.Sequential(*(Residual(channels, channels) for _ in range(modules)))


class Hourglass(nn.Module):
    """Halves the resolution, works there (a smaller hourglass inside), doubles it and adds the skip."""

    def __init__(self, channels: int, modules: int, reductions: int) -> None:
        super().__init__()
        self.skip = residuals(channels, modules)
        self.before = residuals(channels, modules)
        self.inner = (
            Hourglass(channels, modules, reductions - 1) if reductions > 1 else residuals(channels, modules)
        )
        self.after = residuals(channels, modules)

    def forward(self, x: Tensor) -> Tensor:
        low = self.after(self.inner(self.before(F.max_pool2d(x, 2))))
        # The size is asked from x: an odd one is halved downwards and must come back as it was.
        return self.skip(x) + F.interpolate(low, size=x.shape[-2:], mode="nearest")


def original_stem(channels: int) -> nn.Sequential:
    """12 convolutions: one of 7x7, then three Residuals, of which two need a convolution to skip."""
    quarter, half = channels // 4, channels // 2
    return nn.Sequential(
        conv_block(3, quarter, kernel=7, stride=2),  # (64, 128, 128)
        Residual(quarter, half),  # (128, 128, 128)
        nn.MaxPool2d(2),  # (128, 64, 64)
        Residual(half, half),  # (128, 64, 64)
        Residual(half, channels),  # (256, 64, 64)
    )


def reduced_stem(channels: int) -> nn.Sequential:
    """5 convolutions: Table I of the report."""
    quarter, half = channels // 4, channels // 2
    return nn.Sequential(
        conv_block(3, quarter, kernel=7, stride=2),  # (64, 128, 128)
        conv_block(quarter, quarter, kernel=3),  # (64, 128, 128)
        conv_block(quarter, half),  # (128, 128, 128)
        nn.MaxPool2d(2),  # (128, 64, 64)
        conv_block(half, half, kernel=3),  # (128, 64, 64)
        conv_block(half, channels),  # (256, 64, 64)
    )


STEMS: dict[str, Callable[[int], nn.Sequential]] = {
    "original": original_stem,
    "reduced": reduced_stem,
}


class Head(nn.Module):
    """From an hourglass's features to heatmaps, and what is handed on to the next hourglass."""

    def __init__(self, channels: int, modules: int) -> None:
        super().__init__()
        self.features = nn.Sequential(residuals(channels, modules), conv_block(channels, channels))
        self.heatmaps = nn.Conv2d(channels, len(JOINTS), 1)
        self.from_features = nn.Conv2d(channels, channels, 1)
        self.from_heatmaps = nn.Conv2d(len(JOINTS), channels, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(x)
        heatmaps = self.heatmaps(features)  # (16, 64, 64)
        return heatmaps, self.from_features(features) + self.from_heatmaps(heatmaps)  # (256, 64, 64)


class StackedHourglass(nn.Module):
    """Stem, then `stacks` times an hourglass and a head.

    `forward` takes crops, float (batch, 3, height, width), RGB in 0..1, and returns a list with one
    float tensor (batch, 16, height / 4, width / 4) of heatmaps per stack; the last is the answer.
    The loss is not part of the network (see `posekit.training`).
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = STEMS[config.stem](config.channels)
        self.hourglasses = nn.ModuleList(
            Hourglass(config.channels, config.modules, config.reductions) for _ in range(config.stacks)
        )
        self.heads = nn.ModuleList(Head(config.channels, config.modules) for _ in range(config.stacks))
        # The last head hands on features that nobody reads: 70,144 parameters and 2 % of the FLOPs at
        # the report's size. The report's network has and computes them, so this one does too, or its
        # cost would not be the report's. They can learn nothing, so they are not offered to optimizers.
        self.heads[-1].from_features.requires_grad_(False)
        self.heads[-1].from_heatmaps.requires_grad_(False)

    def forward(self, images: Tensor) -> list[Tensor]:
        x = self.stem(images)
        answers = []
        for hourglass, head in zip(self.hourglasses, self.heads, strict=True):
            heatmaps, handed_on = head(hourglass(x))
            answers.append(heatmaps)
            x = x + handed_on
        return answers


def count_parameters(module: nn.Module) -> int:
    """Weights, biases and normalisation factors of a module."""
    return sum(parameter.numel() for parameter in module.parameters())


def convolutions(module: nn.Module) -> list[nn.Conv2d]:
    """All convolutions inside a module, in the order in which they were made."""
    return [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)]

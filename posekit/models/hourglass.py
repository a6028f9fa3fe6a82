"""The Stacked Hourglass network: the report's two, and what can be changed in it to make it cheaper.

Newell, Yang and Deng, "Stacked Hourglass Networks for Human Pose Estimation", ECCV 2016, in the form
of the PyTorch implementation that the report builds on: every convolution is preceded by batch
normalization and ReLU, also the very first one. The reduced stem is the report's Table I.

Layers stand from small to large; read from top to bottom. Shapes at the ends of lines are
(channels, height, width) for the report's size, 256 channels and a crop of 256 x 256.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from posekit.models.answers import middle_columns
from posekit.models.config import check_at_least_one, check_choice, check_widths, width_at
from posekit.skeleton import JOINTS

#: Names of `STEMS`.
Stem = Literal["original", "reduced", "early"]


@dataclass(frozen=True)
class HourglassConfig:
    """Widths, depths and kinds of layers. The defaults are the report's original network.

    Raises `PosekitError` for settings that make no network.
    """

    stem: Stem = "original"
    channels: int = 256  # inside the hourglasses; the stem begins with a quarter of it
    stacks: int = 2  # hourglasses, one after the other
    modules: int = 2  # residual blocks, one after the other, wherever an hourglass has one
    reductions: int = 4  # times that an hourglass halves the resolution
    columns: int | None = None  # crop px: only so many in the middle are computed; None: all
    separable: bool = False  # 3x3 convolutions of residual blocks see each channel alone
    gated: bool = False  # skips of residual blocks have a learned weight per channel
    merge: Literal["add", "concatenate"] = "add"  # how an hourglass joins its skips with what comes from below
    handed_on: Literal["features", "aggregated", "coupled"] = "features"  # from an hourglass to the next one
    unread: bool = True  # the last head computes features that no hourglass reads, as the report's does
    growth: float = 1.0  # channels of an hourglass after a reduction, divided by those before it
    family: Literal["hourglass"] = "hourglass"

    def __post_init__(self) -> None:
        check_choice("stem", self.stem, STEMS)
        check_choice("merge", self.merge, ("add", "concatenate"))
        check_choice("handed_on", self.handed_on, ("features", "aggregated", "coupled"))
        check_widths(self.channels, self.growth, self.columns)
        check_at_least_one(stacks=self.stacks, modules=self.modules, reductions=self.reductions)

    def width(self, level: int) -> int:
        """Channels after `level` reductions."""
        return width_at(level, self.channels, self.growth)


def conv_block(
    in_channels: int, out_channels: int, kernel: int = 1, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """BatchNorm -> ReLU -> Conv, padded so that stride 1 keeps the size."""
    return nn.Sequential(
        nn.BatchNorm2d(in_channels),
        nn.ReLU(),
        nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, groups=groups),
    )


class Gate(nn.Module):
    """A learned weight per channel, 1 at first. Bulat et al., "Toward fast and accurate human pose
    estimation via soft-gated skip connections", 2020: reference [3] of the report."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * x


class Residual(nn.Module):
    """Bottleneck of three convolutions beside a skip: a plain 1x1 convolution where widths differ."""

    def __init__(self, in_channels: int, out_channels: int, separable: bool = False, gated: bool = False) -> None:
        super().__init__()
        middle = out_channels // 2
        self.branch = nn.Sequential(
            conv_block(in_channels, middle),
            conv_block(middle, middle, kernel=3, groups=middle if separable else 1),
            conv_block(middle, out_channels),
        )
        same = in_channels == out_channels
        self.skip = nn.Identity() if same else nn.Conv2d(in_channels, out_channels, 1)
        if gated and same:
            self.skip = Gate(in_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.branch(x) + self.skip(x)


def residuals(config: HourglassConfig, in_channels: int, out_channels: int) -> nn.Sequential:
    """The residual blocks of one place; the first one changes the number of channels."""
    widths = [in_channels] + (config.modules - 1) * [out_channels]
    return nn.Sequential(*(Residual(width, out_channels, config.separable, config.gated) for width in widths))


class Aggregation(nn.Module):
    """Adds what the hourglass before had on its way up, at every resolution. Su et al., "Cascade Feature
    Aggregation for Human Pose Estimation", 2019: reference [5] of the report."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.up = conv_block(channels, channels)

    def on_the_way_down(self, x: Tensor, skip: Tensor, up: Tensor) -> Tensor:
        return x + self.up(up)

    def on_the_way_up(self, x: Tensor, skip: Tensor, up: Tensor) -> Tensor:
        return x


class Coupling(nn.Module):
    """Joins every place with the same place of the hourglass before, by concatenation. Tang et al.,
    "CU-Net: Coupled U-Nets", 2018, of order 1: reference [4] of the report."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.down = conv_block(2 * channels, channels)
        self.up = conv_block(2 * channels, channels)

    def on_the_way_down(self, x: Tensor, skip: Tensor, up: Tensor) -> Tensor:
        return self.down(torch.cat([x, skip], dim=1))

    def on_the_way_up(self, x: Tensor, skip: Tensor, up: Tensor) -> Tensor:
        return self.up(torch.cat([x, up], dim=1))


#: What an hourglass had at every resolution, highest first: beside the skip, and on the way up.
Places = list[tuple[Tensor, Tensor]]


class Hourglass(nn.Module):
    """Halves the resolution, works at it (a smaller hourglass inside), doubles it and joins it with the skip.

    `forward` takes the features and what the hourglass before had at every place, and returns the same of
    its own; the first hourglass is given nothing.
    """

    def __init__(self, config: HourglassConfig, first: bool, level: int = 0) -> None:
        super().__init__()
        channels, deeper = config.width(level), config.width(level + 1)
        self.nested = level + 1 < config.reductions
        self.skip = residuals(config, channels, channels)
        self.before = residuals(config, channels, deeper)
        self.inner = Hourglass(config, first, level + 1) if self.nested else residuals(config, deeper, deeper)
        self.after = residuals(config, deeper, channels)
        # Of [3] too: U-Net's way, where nothing is lost in a sum.
        self.merge = conv_block(2 * channels, channels) if config.merge == "concatenate" else None
        self.exchange = None
        if not first and config.handed_on != "features":
            self.exchange = (Aggregation if config.handed_on == "aggregated" else Coupling)(channels)

    def forward(self, x: Tensor, previous: Places) -> tuple[Tensor, Places]:
        if self.exchange is not None:
            x = self.exchange.on_the_way_down(x, *previous[0])
        skip, low = self.skip(x), self.before(F.max_pool2d(x, 2))
        low, places = self.inner(low, previous[1:]) if self.nested else (self.inner(low), [])
        # The size is taken from x: an odd one is halved downwards and must come back as it was.
        up = F.interpolate(self.after(low), size=x.shape[-2:], mode="nearest")
        if self.exchange is not None:
            up = self.exchange.on_the_way_up(up, *previous[0])
        joined = skip + up if self.merge is None else self.merge(torch.cat([skip, up], dim=1))
        return joined, [(skip, up), *places]


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


def early_stem(channels: int) -> nn.Sequential:
    """3 convolutions that reach the heatmaps' resolution at once, so that nothing wide is computed above it."""
    quarter, half = channels // 4, channels // 2
    return nn.Sequential(
        conv_block(3, quarter, kernel=3, stride=2),  # (64, 128, 128)
        conv_block(quarter, half, kernel=3, stride=2),  # (128, 64, 64)
        conv_block(half, channels),  # (256, 64, 64)
    )


STEMS: dict[Stem, Callable[[int], nn.Sequential]] = {
    "original": original_stem,
    "reduced": reduced_stem,
    "early": early_stem,
}


class Head(nn.Module):
    """From an hourglass's features to heatmaps, and what is handed on to the next hourglass, if any."""

    def __init__(self, config: HourglassConfig, read: bool) -> None:
        super().__init__()
        channels = config.channels
        self.features = nn.Sequential(residuals(config, channels, channels), conv_block(channels, channels))
        self.heatmaps = nn.Conv2d(channels, len(JOINTS), 1)
        self.read = read
        if read:
            self.from_features = nn.Conv2d(channels, channels, 1)
            self.from_heatmaps = nn.Conv2d(len(JOINTS), channels, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        features = self.features(x)
        heatmaps = self.heatmaps(features)  # (16, 64, 64)
        handed_on = self.from_features(features) + self.from_heatmaps(heatmaps) if self.read else None
        return heatmaps, handed_on  # (256, 64, 64)


class StackedHourglass(nn.Module):
    """Stem, then `stacks` times an hourglass and a head.

    `forward` takes crops, float (batch, 3, height, width), RGB in 0..1, and returns a list with one
    float tensor of scores (batch, 16, height / 4, width / 4) per stack; the last is the answer.
    With `columns`, scores are those of the middle columns alone. What makes heatmaps of scores is
    `posekit.models.answers`, what compares them with the truth `posekit.training.losses`.
    """

    def __init__(self, config: HourglassConfig) -> None:
        super().__init__()
        self.config = config
        numbers = range(config.stacks)
        last = config.stacks - 1
        self.stem = STEMS[config.stem](config.channels)
        self.hourglasses = nn.ModuleList(Hourglass(config, n == 0) for n in numbers)
        self.heads = nn.ModuleList(Head(config, read=n < last or config.unread) for n in numbers)
        if config.unread:
            # The last head hands on features that nobody reads: 70,144 parameters and 2 % of the FLOPs at
            # the report's size. The report's network has and computes them, so this one does too, or its
            # cost would not be the report's. They can learn nothing, so they are not offered to optimizers.
            self.heads[-1].from_features.requires_grad_(False)
            self.heads[-1].from_heatmaps.requires_grad_(False)

    def forward(self, images: Tensor) -> list[Tensor]:
        x = self.stem(middle_columns(images, self.config.columns))
        scores, places = [], []
        for hourglass, head in zip(self.hourglasses, self.heads, strict=True):
            features, places = hourglass(x, places)
            of_stack, handed_on = head(features)
            scores.append(of_stack)
            x = x if handed_on is None else x + handed_on
        return scores

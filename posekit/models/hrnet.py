"""The other family of networks: four resolutions side by side from beginning to end, wired from timm.

Sun, Xiao, Liu and Wang, "Deep High-Resolution Representation Learning for Human Pose Estimation", CVPR 2019:
reference [6] of the report. An hourglass goes down to a low resolution and comes back; here the heatmaps' own
resolution is never left, and lower ones are added beside it, which all exchange what they have.
"""

import copy
from dataclasses import dataclass
from types import ModuleType
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from posekit.errors import PosekitError
from posekit.models.config import check_widths
from posekit.preprocessing.heatmaps import STRIDE
from posekit.skeleton import JOINTS

#: The smallest that timm has: one module per stage, two blocks per branch. The paper's have 1, 4 and 3 modules,
#: four blocks and 32 or 48 channels.
_PUBLISHED = "hrnet_w18_small"
#: Parallel resolutions in the last stage; each is half of the one before, and twice as wide.
RESOLUTIONS = 4


@dataclass(frozen=True)
class HRNetConfig:
    """Width of the network. Raises `PosekitError` for a width that makes no network."""

    channels: int = 16  # of the highest resolution; each lower one has twice as many as the one above
    family: Literal["hrnet"] = "hrnet"
    stacks: ClassVar[int] = 1
    columns: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        check_widths(self.channels, 1.0, None)


class HRNet(nn.Module):
    """timm's HRNet without its classification head, and one convolution from the highest resolution to scores.

    `forward` takes crops, float (batch, 3, height, width), RGB in 0..1, and returns a list with one float tensor
    of scores (batch, 16, height / 4, width / 4), as a stacked hourglass with one stack does. Sides are multiples
    of 32 px, or it raises `PosekitError`.
    """

    def __init__(self, config: HRNetConfig) -> None:
        """Raises `PosekitError` if timm is missing."""
        super().__init__()
        hrnet = _timm_hrnet()
        self.config = config
        channels = config.channels
        widths = copy.deepcopy(hrnet.cfg_cls[_PUBLISHED])
        # timm's has 16 channels as well, but 64 in its stem and 32 in its first stage, whose block quadruples
        # them, and 0.38 GFLOP at 128 px. Both are halved here, for the cost of the original hourglasses. The
        # second layer of the stem always has 64 in timm.
        widths["stem_width"] = 2 * channels
        widths["stage1"]["num_channels"] = (channels,)
        for stage in range(2, RESOLUTIONS + 1):
            widths[f"stage{stage}"]["num_channels"] = tuple(channels * 2**n for n in range(stage))
        self.body = hrnet.HighResolutionNet(widths, head="")
        # What comes before the stages, as one part that can be counted by itself.
        stem = ("conv1", "bn1", "act1", "conv2", "bn2", "act2")
        self.stem = nn.Sequential(*(getattr(self.body, name) for name in stem))
        for name in stem:
            delattr(self.body, name)
        # Heatmaps are made from the highest resolution: what the last exchange gives to the others, nobody reads.
        last = self.body.stage4[-1]
        last.fuse_layers = last.fuse_layers[:1]
        self.heatmaps = nn.Conv2d(channels, len(JOINTS), 1)
        # As in the paper's code, heatmaps are nearly zero at first, as most of the truth is. timm's features are
        # large: from torch's usual weights, whole epochs went by until a loss was below that of answering zero.
        nn.init.normal_(self.heatmaps.weight, std=0.001)
        nn.init.zeros_(self.heatmaps.bias)

    def forward(self, images: Tensor) -> list[Tensor]:
        lowest = STRIDE * 2 ** (RESOLUTIONS - 1)
        height, width = images.shape[-2:]
        if height % lowest or width % lowest:
            raise PosekitError(
                f"an HRNet needs crops with sides of a multiple of {lowest} px, not {width} x {height}"
            )
        return [self.heatmaps(self.body.stages(self.stem(images))[0])]


def _timm_hrnet() -> ModuleType:
    try:
        try:
            import torchvision  # noqa: F401
        except RuntimeError as error:
            # torchvision's compiled operators do not load beside another build of torch, as CUDA's beside the one
            # for CPUs, and then it misses two of them when it is imported. timm's network asks for none of them:
            # their names are enough.
            if "torchvision::" not in str(error):
                raise
            for name in ("nms", "qnms"):
                signature = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
                torch.library.define(f"torchvision::{name}", signature)
        from timm.models import hrnet
    except ImportError as error:
        raise PosekitError(f"an HRNet needs the package {error.name}: pip install timm") from error
    return hrnet

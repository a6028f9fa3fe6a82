"""From a configuration to its network, of whichever family."""

from torch import nn

from posekit.models.config import NetworkConfig
from posekit.models.hourglass import StackedHourglass
from posekit.models.hrnet import HRNet
from posekit.models.lean import LeanHourglass

_FAMILIES: dict[str, type[nn.Module]] = {"hourglass": StackedHourglass, "lean": LeanHourglass, "hrnet": HRNet}


def build_network(config: NetworkConfig) -> nn.Module:
    """The network that a configuration describes. Raises `PosekitError` if it is an HRNet and timm is missing."""
    return _FAMILIES[config.family](config)

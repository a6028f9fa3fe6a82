"""From settings to a network, for every family; a further family is one row of `FAMILIES`."""

from torch import nn

from posekit.errors import PosekitError
from posekit.models.config import NetworkConfig
from posekit.models.encoder import EncoderConfig, EncoderNetwork
from posekit.models.hourglass import HourglassConfig, StackedHourglass
from posekit.models.hrnet import HRNet, HRNetConfig
from posekit.models.lean import LeanConfig, LeanHourglass

#: Settings and network by the name of the family.
FAMILIES: dict[str, tuple[type, type[nn.Module]]] = {
    "hourglass": (HourglassConfig, StackedHourglass),
    "lean": (LeanConfig, LeanHourglass),
    "hrnet": (HRNetConfig, HRNet),
    "encoder": (EncoderConfig, EncoderNetwork),
}


def build_network(config: NetworkConfig) -> nn.Module:
    """The network that the settings describe. Raises `PosekitError` if a package is missing that it needs."""
    return FAMILIES[config.family][1](config)


def network_config(values: dict) -> NetworkConfig:
    """Settings from the dictionary that `dataclasses.asdict` made of them.

    Raises `PosekitError` for an unknown family, `TypeError` for an unknown setting.
    """
    family = values.get("family")
    if family not in FAMILIES:
        raise PosekitError(f"there is no family of networks {family!r}; there are {', '.join(FAMILIES)}")
    return FAMILIES[family][0](**values)

"""What the settings of all families of networks share: how they are checked, and how channels grow."""

from collections.abc import Mapping
from typing import Protocol

from posekit.errors import PosekitError
from posekit.preprocessing.heatmaps import STRIDE


class NetworkConfig(Protocol):
    """The settings of a network of any family; each family's dataclass stands beside its network."""

    @property
    def family(self) -> str: ...

    @property
    def stacks(self) -> int:
        """How many lists of scores the network returns."""

    @property
    def columns(self) -> int | None:
        """How many columns in the middle of the crop (px) the network looks at; None: all."""


def check_choice(name: str, value: str, choices: Mapping | tuple[str, ...]) -> None:
    """Raises `PosekitError` for a value that is none of the choices."""
    if value not in choices:
        raise PosekitError(f"unknown {name} {value!r}: choose one of {', '.join(choices)}")


def check_at_least_one(**counts: int) -> None:
    """Raises `PosekitError` unless all counts are positive."""
    for name, count in counts.items():
        if count < 1:
            raise PosekitError(f"{name} must be at least 1, not {count}")


def check_widths(channels: int, growth: float, columns: int | None) -> None:
    """Raises `PosekitError` for numbers of channels or columns that cannot be computed."""
    if channels < 4 or channels % 4:
        raise PosekitError(f"channels must be a positive multiple of 4, not {channels}")
    if growth < 1:
        raise PosekitError(f"growth must be at least 1, not {growth:g}")
    if columns is not None and (columns < 8 or columns % (2 * STRIDE)):
        raise PosekitError(f"columns must be a positive multiple of {2 * STRIDE}, not {columns}")


def width_at(level: int, channels: int, growth: float) -> int:
    """Channels after `level` reductions; what grows is a multiple of 16, which processors like."""
    if level == 0 or growth == 1:
        return channels
    return 16 * round(channels * growth**level / 16)

"""What every family of networks is made from: widths, depths and kinds of layers."""

from dataclasses import dataclass, fields
from typing import Literal

from posekit.errors import PosekitError
from posekit.preprocessing.heatmaps import STRIDE

#: What an hourglass gives to the next one: see `Aggregation` and `Coupling`.
HANDED_ON = ("features", "aggregated", "coupled")


@dataclass(frozen=True)
class NetworkConfig:
    """Widths, depths and kinds of layers. The defaults are the report's original network.

    Fields are told of a stacked hourglass; `posekit.models.lean` and `posekit.models.hrnet` say what they read of
    them.
    """

    stem: Literal["original", "reduced", "early"] = "original"
    channels: int = 256  # inside the hourglasses; the stem uses a quarter and a half of it before
    stacks: int = 2  # hourglasses, one after the other
    modules: int = 2  # residual blocks at every place of an hourglass
    reductions: int = 4  # times that an hourglass halves the resolution
    columns: int | None = None  # crop px: only so many in the middle are computed; None: all
    separable: bool = False  # 3x3 convolutions of residual blocks see each channel alone
    gated: bool = False  # skips of residual blocks have a learned weight a channel
    merge: Literal["add", "concatenate"] = "add"  # how an hourglass joins its skips with what comes from below
    handed_on: Literal["features", "aggregated", "coupled"] = "features"  # from an hourglass to the next one
    unread: bool = True  # the last head computes what no hourglass reads, as the report's does
    growth: float = 1.0  # channels of an hourglass after a reduction, over those before it
    softmax: bool = False  # an answer says how likely each cell is: see `likelihood`
    family: Literal["hourglass", "lean", "hrnet"] = "hourglass"

    def __post_init__(self) -> None:
        choices = {
            "stem": ("original", "reduced", "early"),
            "merge": ("add", "concatenate"),
            "handed_on": HANDED_ON,
            "family": ("hourglass", "lean", "hrnet"),
        }
        for name, values in choices.items():
            if getattr(self, name) not in values:
                raise PosekitError(f"unknown {name} {getattr(self, name)!r}: choose one of {', '.join(values)}")
        if self.channels < 4 or self.channels % 4:
            raise PosekitError(f"channels must be a positive multiple of 4, not {self.channels}")
        if min(self.stacks, self.modules, self.reductions) < 1:
            raise PosekitError("stacks, modules and reductions must each be at least 1")
        if self.growth < 1:
            raise PosekitError(f"growth must be at least 1, not {self.growth:g}")
        if self.columns is not None and (self.columns < 8 or self.columns % (2 * STRIDE)):
            raise PosekitError(f"columns must be a positive multiple of {2 * STRIDE}, not {self.columns}")
        if self.family != "hourglass":
            self._check_other_family()

    def _check_other_family(self) -> None:
        if self.stacks != 1:
            raise PosekitError(f"a network of the family {self.family} has one stack, not {self.stacks}")
        if self.family == "hrnet" and self.columns is not None:
            raise PosekitError("an hrnet computes all columns: columns must be None")
        unread = ("stem", "separable", "gated", "merge", "handed_on")
        changed = [f.name for f in fields(self) if f.name in unread and getattr(self, f.name) != f.default]
        if changed:
            raise PosekitError(f"a network of the family {self.family} does not read {', '.join(changed)}")

    def width(self, level: int) -> int:
        """Channels after so many reductions; what grows is a multiple of 16, which processors like."""
        if level == 0 or self.growth == 1:
            return self.channels
        return 16 * round(self.channels * self.growth**level / 16)

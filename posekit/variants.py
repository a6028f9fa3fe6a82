"""Networks beyond the report: its original one, changed in one thing at a time, and what is best put together.

All are trained alike, by one recipe and for the same number of steps, on crops that show the same of the image.
"""

from dataclasses import dataclass, field

from posekit.crop import CropRule

#: Side of the crops, px, and image px that they show per unit of MPII's scale: 1.5 % of the joints lie outside.
SIZE, SHOWN = 128, 230.0


@dataclass(frozen=True)
class Variant:
    """What is changed in the original network (fields of `posekit.hourglass.NetworkConfig`), and what for.

    teacher: name of the variant whose heatmaps are learned as well. reference: number in the report's list.
    """

    name: str
    does: str
    levers: dict[str, object] = field(default_factory=dict)
    teacher: str = ""
    reference: int | None = None

    @property
    def crop(self) -> CropRule:
        """As high for all; no wider than what the network looks at, so that nothing of the box is cut off."""
        columns = self.levers.get("columns")
        share = (columns or SIZE) / SIZE
        return CropRule(width=SHOWN * share, height=SHOWN, size=SIZE, context=1.5, columns=columns)


#: Everything that saves without harm, one on top of the other.
_SMALL = {"stem": "early", "columns": 96, "stacks": 1, "separable": True, "unread": False}

VARIANTS: dict[str, Variant] = {
    variant.name: variant
    for variant in (
        Variant("original", "the report's original network"),
        Variant("reduced", "the report's: five convolutions before the hourglasses", {"stem": "reduced"}),
        Variant("rectangle", "looks at 96 of 128 columns", {"columns": 96}),
        Variant("early", "three convolutions before the hourglasses, none of them wide at a high resolution",
                {"stem": "early"}),
        Variant("one-stack", "one hourglass instead of two", {"stacks": 1, "unread": False}),
        Variant("narrow", "half the channels", {"channels": 32}),
        Variant("separable", "3 x 3 convolutions that see one channel each", {"separable": True}),
        Variant("gated", "a learned weight a channel on every skip; skips joined by concatenation",
                {"gated": True, "merge": "concatenate"}, reference=3),
        Variant("coupled", "every place of the second hourglass reads the same place of the first",
                {"handed_on": "coupled"}, reference=4),
        Variant("aggregated", "the second hourglass adds what the first had at every resolution",
                {"handed_on": "aggregated"}, reference=5),
        Variant("hrnet", "four resolutions side by side from beginning to end",
                {"family": "hrnet", "channels": 16, "stacks": 1}, reference=6),
        Variant("small", "early, rectangle, one stack, separable, and nothing that is not read", _SMALL),
        Variant("smaller", "small, with 48 instead of 64 channels", _SMALL | {"channels": 48}),
        Variant("dense", "small, with 32 channels and convolutions that see all of them",
                _SMALL | {"channels": 32, "separable": False}),
        Variant("student", "smaller, taught by the original's heatmaps as well",
                _SMALL | {"channels": 48}, teacher="original", reference=7),
    )
}  # fmt: skip

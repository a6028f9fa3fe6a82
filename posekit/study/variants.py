"""Networks beyond the report: its original one, changed in one thing at a time, and what is best put together.

All see the same people for the same number of steps, on crops that show the same of the image. The report's two
learn by its loss; what is changed is changed on top of a loss that teaches more a step.
"""

from dataclasses import dataclass, field

from posekit.preprocessing.crop import CropRule

#: Side of the crops, px, and image px that they show per unit of MPII's scale: 1.5 % of the joints lie outside.
SIZE, SHOWN = 128, 230.0


@dataclass(frozen=True)
class Variant:
    """What is changed in the original network (fields of `posekit.models.config.NetworkConfig`), and what for.

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


#: Answers as likelihoods, on which all further changes build: the report's loss teaches too little in an epoch.
_LIKELY = {"softmax": True}

#: What most saves, one on top of the other.
_SMALL = _LIKELY | {"stem": "early", "columns": 96, "stacks": 1, "separable": True, "unread": False}
_SLIM = _SMALL | {"columns": 64}
#: As slim, but with its channels where they cost little: few at a high resolution, more at every lower one.
_COMPACT = _SLIM | {"separable": False, "channels": 32, "growth": 1.5, "reductions": 3}
#: Another family (`posekit.models.lean`), with more convolutions that look around, each of few channels.
_LEAN = _LIKELY | {"family": "lean", "columns": 64, "stacks": 1, "channels": 24, "growth": 1.4, "reductions": 3,
                   "modules": 2}  # fmt: skip

VARIANTS: dict[str, Variant] = {
    variant.name: variant
    for variant in (
        Variant("original", "the report's original network, learning by the report's loss"),
        Variant("reduced", "the report's: five convolutions before the hourglasses", {"stem": "reduced"}),
        Variant("likelihood", "the original network; a softmax over each heatmap, learning by cross-entropy",
                _LIKELY),
        Variant("rectangle", "likelihood, looking at 96 of 128 columns", _LIKELY | {"columns": 96}),
        Variant("early", "likelihood; three convolutions before the hourglasses, none wide at a high resolution",
                _LIKELY | {"stem": "early"}),
        Variant("one-stack", "likelihood; one hourglass instead of two",
                _LIKELY | {"stacks": 1, "unread": False}),
        Variant("narrow", "likelihood; half the channels", _LIKELY | {"channels": 32}),
        Variant("separable", "likelihood; 3 x 3 convolutions that see one channel each",
                _LIKELY | {"separable": True}),
        Variant("gated", "likelihood; a learned weight a channel on every skip, skips joined by concatenation",
                _LIKELY | {"gated": True, "merge": "concatenate"}, reference=3),
        Variant("coupled", "likelihood; every place of the second hourglass reads the same place of the first",
                _LIKELY | {"handed_on": "coupled"}, reference=4),
        Variant("aggregated", "likelihood; the second hourglass adds what the first had at every resolution",
                _LIKELY | {"handed_on": "aggregated"}, reference=5),
        Variant("hrnet", "four resolutions side by side from beginning to end, with likelihoods",
                _LIKELY | {"family": "hrnet", "channels": 16, "stacks": 1}, reference=6),
        Variant("small", "likelihood, rectangle, early, one-stack, separable, nothing that is not read", _SMALL),
        Variant("slim", "small, looking at 64 columns", _SLIM),
        Variant("compact", "slim, not separable: 32 channels, half as many more after each of three reductions",
                _COMPACT),
        Variant("compact-plain", "compact, learning by the report's loss", _COMPACT | {"softmax": False}),
        Variant("lean", "64 columns; an hourglass of single 3 x 3 convolutions, 24 channels and more below",
                _LEAN),
        Variant("lean-plain", "lean, learning by the report's loss", _LEAN | {"softmax": False}),
        Variant("student", "compact, taught by the heatmaps of likelihood as well", _COMPACT,
                teacher="likelihood", reference=7),
    )
}  # fmt: skip

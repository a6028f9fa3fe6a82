"""Networks beyond the report, compared by cost: the original one with one change at a time, then several at once.

All are trained by one recipe (the sizes `short` and `long`) with Adam along a cosine, on crops that show the same
part of the image. Changes are made on top of `likelihood`, the original network that learns by cross-entropy,
because the report's loss teaches too little in three epochs.
"""

from dataclasses import replace

from posekit.models.config import NetworkConfig
from posekit.models.encoder import EncoderConfig
from posekit.models.hourglass import HourglassConfig
from posekit.models.hrnet import HRNetConfig
from posekit.models.lean import LeanConfig
from posekit.study.models import Model
from posekit.training.losses import Loss

_ORIGINAL = HourglassConfig(channels=64, modules=1)

#: What saves most, one change on top of the other.
_SMALL = replace(_ORIGINAL, stem="early", columns=96, stacks=1, separable=True, unread=False)
_SLIM = replace(_SMALL, columns=64)
#: As slim, but with its channels where they cost little: few at a high resolution, more at every lower one.
_COMPACT = replace(_SLIM, separable=False, channels=32, growth=1.5, reductions=3)
_LEAN = LeanConfig(columns=64)

_ENCODER = Model(
    "encoder",
    "encoder",
    "EfficientNet-Lite0 that was trained on ImageNet, and a light decoder",
    "AdamW",
    "warmup cosine",
    "cross-entropy",
    network=EncoderConfig(),
    start="imagenet",
    # Edges and colors look alike everywhere, and learning them anew would take half of every step.
    frozen=("encoder.stem", "encoder.stages.0", "encoder.stages.1"),
)


def _model(
    name: str, description: str, network: NetworkConfig, loss: Loss = "cross-entropy", teacher: str = ""
) -> Model:
    return Model(name, name, description, "Adam", "cosine", loss, network=network, teacher=teacher)


NETWORKS: dict[str, Model] = {
    model.name: model
    for model in (
        _model("original", "the report's original network and loss", _ORIGINAL, "squared error"),
        _model(
            "reduced",
            "the report's reduced network and loss: five convolutions before the hourglasses",
            replace(_ORIGINAL, stem="reduced"),
            "squared error",
        ),
        _model("likelihood", "the original network; a softmax over each heatmap, cross-entropy", _ORIGINAL),
        _model("rectangle", "likelihood, looking at 96 of 128 columns", replace(_ORIGINAL, columns=96)),
        _model(
            "early",
            "likelihood; three convolutions before the hourglasses, none wide at a high resolution",
            replace(_ORIGINAL, stem="early"),
        ),
        _model(
            "one-stack",
            "likelihood; one hourglass instead of two",
            replace(_ORIGINAL, stacks=1, unread=False),
        ),
        _model("narrow", "likelihood; half the channels", replace(_ORIGINAL, channels=32)),
        _model(
            "separable",
            "likelihood; 3 x 3 convolutions that see one channel each",
            replace(_ORIGINAL, separable=True),
        ),
        _model(
            "gated",
            "likelihood; a learned weight per channel on every skip, skips joined by concatenation",
            replace(_ORIGINAL, gated=True, merge="concatenate"),
        ),
        _model(
            "coupled",
            "likelihood; every block of the second hourglass reads the same block of the first",
            replace(_ORIGINAL, handed_on="coupled"),
        ),
        _model(
            "aggregated",
            "likelihood; the second hourglass adds the features of the first at every resolution",
            replace(_ORIGINAL, handed_on="aggregated"),
        ),
        _model(
            "hrnet",
            "four resolutions side by side from beginning to end, cross-entropy",
            HRNetConfig(channels=16),
        ),
        _model("small", "likelihood with the changes of rectangle, early, one-stack and separable", _SMALL),
        _model("slim", "small, looking at 64 columns", _SLIM),
        _model(
            "compact",
            "slim, not separable: 32 channels, half as many more after each of three reductions",
            _COMPACT,
        ),
        _model("compact-plain", "compact, learning by the report's loss", _COMPACT, "squared error"),
        _model(
            "lean",
            "64 columns; an hourglass of single 3 x 3 convolutions, 24 channels, more at lower resolutions",
            _LEAN,
        ),
        _model("lean-plain", "lean, learning by the report's loss", _LEAN, "squared error"),
        _model(
            "student",
            "compact, learning from the heatmaps of likelihood as well",
            _COMPACT,
            teacher="likelihood",
        ),
        _ENCODER,
        replace(
            _ENCODER,
            name="encoder-scratch",
            title="encoder-scratch",
            description="encoder, without the weights of ImageNet",
            start="",
            frozen=(),
        ),
        replace(
            _ENCODER,
            name="encoder-small",
            title="encoder-small",
            description="encoder, without its last two stages; half the channels in the decoder",
            network=EncoderConfig(channels=32, stride=16),
        ),
    )
}

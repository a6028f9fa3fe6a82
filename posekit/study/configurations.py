"""What a study compares: models, and the sizes at which they are trained; both are data.

A further model is one entry of `MODELS` (here, or in `posekit.study.networks` if it has a network of its own). A
further size is one entry of `SIZES`. Figures, tables and verdicts take what is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from posekit.device import Precision
from posekit.errors import PosekitError
from posekit.models.config import NetworkConfig
from posekit.models.hourglass import HourglassConfig
from posekit.preprocessing.augmentation import Augmentation
from posekit.preprocessing.crop import CropRule
from posekit.preprocessing.heatmaps import Codec
from posekit.study.models import Model
from posekit.study.networks import NETWORKS
from posekit.training.run_config import OptimizerName, RunConfig, continued_name, original_name

#: The six models of the report, section V, by name.
REPORT_MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        Model("model-1", "Model 1", "original, RMSprop", "RMSprop", stem="original"),
        Model("model-2", "Model 2", "original, RAdam", "RAdam", stem="original"),
        Model("model-3", "Model 3", "original, Adam", "Adam", stem="original"),
        Model("model-4", "Model 4", "original, Adam with scheduler", "Adam", schedule="step", stem="original"),
        Model("model-5", "Model 5", "reduced, RMSprop", "RMSprop", stem="reduced"),
        Model("model-6", "Model 6", "reduced, Adam", "Adam", stem="reduced"),
    )
}

#: Everything that can be trained: the report's models, and the networks that are compared by cost.
MODELS: dict[str, Model] = REPORT_MODELS | NETWORKS


@dataclass(frozen=True)
class Size:
    """How large crops and networks are, and how they are trained: what all models of a study share."""

    name: str
    network: HourglassConfig  # the report's original network at this size
    crop: CropRule
    codec: Codec
    batch_size: int
    epochs: int
    learning_rates: dict[OptimizerName, float]
    augmentation: Augmentation | None = None  # the report has none
    precision: Precision = "float32"  # of convolutions while training, where the hardware is faster in it
    cpu_threads: int | None = None  # that one run uses on a CPU; None: all. The rest trains other runs beside it
    weight_decay: float = 0.0  # of AdamW
    encoder_rate: float | None = None  # learning rate of a pretrained encoder; None: that of the rest
    averaging: float = 0.0  # see `RunConfig`, as are the two below
    growing: tuple[tuple[float, int], ...] = ()
    emphasis: tuple[tuple[str, float], ...] = ()
    repaired: bool = False  # people of LSP Extended whose sides look exchanged are repaired: see `read_people`


#: Table II gives RMSprop's rate. The report gives none for the others: their usual 1e-3.
REPORT_RATES: dict[OptimizerName, float] = {"RMSprop": 2.5e-4, "RAdam": 1e-3, "Adam": 1e-3}

#: For comparing networks: a crop as wide as high (it loses 1.5 % of MPII's joints instead of 4.8 %), augmentation,
#: and rates that suit a cosine.
_SHORT = Size(
    "short",
    HourglassConfig(channels=64, modules=1),
    CropRule(width=230, height=230, size=128, context=1.5),
    Codec("subpixel"),
    batch_size=16,
    epochs=3,
    learning_rates={"RMSprop": 5e-4, "RAdam": 2e-3, "Adam": 2e-3, "AdamW": 2e-3},
    augmentation=Augmentation(),
    cpu_threads=1,
    weight_decay=0.01,
    encoder_rate=5e-4,
)

#: What the shipped network is trained at: everything that makes it better, chosen before the training.
_PHOTOGRAPHS = Size(
    "photographs",
    HourglassConfig(channels=64, modules=1),
    CropRule(width=230, height=230, size=192, context=1.5),
    Codec("subpixel"),
    batch_size=32,
    epochs=10,
    learning_rates={"AdamW": 2e-3},
    augmentation=Augmentation(
        rotation=35,
        scale=0.3,
        translation=0.06,
        half_body=0.15,
        occlusion=0.2,
        blur=0.1,
        contrast=0.2,
        gray=0.05,
    ),
    precision="bfloat16",
    cpu_threads=1,
    weight_decay=0.01,
    encoder_rate=5e-4,
    averaging=0.998,
    growing=((0.0, 128), (0.5, 160), (0.8, 192)),
    emphasis=(("mpii", 2.0), ("lsp", 2.0)),
    repaired=True,
)

#: Its second part, from the weights that the first one ends with. They find 76 % of the joints of MPII's train
#: people, so even these are not learned yet: crops are changed less, and there are more steps.
_SECOND = replace(
    _PHOTOGRAPHS,
    name="photographs-second",
    batch_size=16,
    epochs=7,
    learning_rates={"AdamW": 1e-3},
    augmentation=Augmentation(
        rotation=30, scale=0.25, translation=0.04, half_body=0.08, occlusion=0.1, contrast=0.2, gray=0.03
    ),
    encoder_rate=3e-4,
    averaging=0.999,
    growing=((0.0, 160), (0.57, 192)),
    emphasis=(("mpii", 4.0), ("lsp", 2.0)),
)

SIZES: dict[str, Size] = {
    size.name: size
    for size in (
        Size(
            "full",
            HourglassConfig(),
            CropRule(size=256),
            Codec("report"),
            batch_size=16,
            epochs=5,
            learning_rates=REPORT_RATES,
            precision="bfloat16",
        ),
        # The report's rates; half the side, a quarter of the width, one residual block: some hours on two cores.
        Size(
            "half",
            HourglassConfig(channels=64, modules=1),
            CropRule(size=128),
            Codec("subpixel"),
            batch_size=8,
            epochs=5,
            learning_rates=REPORT_RATES,
            precision="bfloat16",
            cpu_threads=1,
        ),
        # Made to learn visibly in minutes on two cores: smaller in everything, and RMSprop faster than Table II.
        Size(
            "quick",
            HourglassConfig(channels=48, modules=1, reductions=2),
            CropRule(size=80),
            Codec("subpixel"),
            batch_size=8,
            epochs=5,
            learning_rates={"RMSprop": 1e-3, "RAdam": 1e-3, "Adam": 1e-3},
            cpu_threads=1,  # layers this small take as long on two threads as on one
        ),
        _SHORT,
        replace(_SHORT, name="long", epochs=20),
        _PHOTOGRAPHS,
        _SECOND,
        # Its third part: the same recipe at lower rates, all on crops of the full size.
        replace(
            _SECOND,
            name="photographs-third",
            epochs=6,
            learning_rates={"AdamW": 6e-4},
            encoder_rate=2e-4,
            growing=((0.0, 192),),
        ),
        # For the small network, which learns slowly and takes a third of the time per crop: many epochs, on crops
        # that are changed as in the second part.
        replace(
            _PHOTOGRAPHS,
            name="photographs-small",
            crop=replace(_PHOTOGRAPHS.crop, size=128),
            epochs=14,
            augmentation=_SECOND.augmentation,
            averaging=_SECOND.averaging,
            growing=((0.0, 96), (0.4, 128)),
            emphasis=_SECOND.emphasis,
        ),
    )
}

#: The sizes at which networks are compared by cost: the same recipe for 3 and for 20 epochs.
COMPARISON_SIZES = ("short", "long")


def get_model(name: str | int) -> Model:
    """A model by its name, or one of the report's by its number. Raises `PosekitError` if there is none."""
    key = f"model-{name}" if str(name).isdigit() else str(name)
    if key not in MODELS:
        raise PosekitError(
            f"there is no model {name}; the report's have the numbers 1 to {len(REPORT_MODELS)}, further networks "
            f"are called {', '.join(NETWORKS)}"
        )
    return MODELS[key]


def get_size(name: str) -> Size:
    """Raises `PosekitError` for a size that does not exist."""
    if name not in SIZES:
        raise PosekitError(f"there is no size {name!r}; choose one of {', '.join(SIZES)}")
    return SIZES[name]


def label_of(config: RunConfig) -> str:
    """What figures call a run's model, such as "Model 5: reduced, RMSprop", or "lean"."""
    return MODELS[config.model].label if config.model in MODELS else config.model


def title_of(config: RunConfig) -> str:
    """What tables call a run's model, such as "Model 5", or "lean-from-0123abcd"."""
    return MODELS[config.model].title if config.model in MODELS else config.model


def description_of(config: RunConfig) -> str:
    """What is special about a run's model, in a few words."""
    if config.model in MODELS:
        return MODELS[config.model].description
    return f"{original_name(config.model)}, learning on from other weights"


def network_of(model: Model, size: Size) -> NetworkConfig:
    """The network of a model at a size: its own, or the size's with the model's stem."""
    return model.network if model.network is not None else replace(size.network, stem=model.stem)


def run_config(
    model: Model,
    size: Size,
    seed: int,
    data: str,
    data_fingerprint: str,
    learning_rate: float | None = None,
    batch_size: int | None = None,
    teacher_weights: str = "",
    start_weights: str = "",
) -> RunConfig:
    """A run is a model at a size, on a data set, from a seed.

    learning_rate and batch_size take the place of the size's. start_weights: hash of the weights that it starts
    from, if they are not the model's own; its first digits are then in the run's name, such as
    encoder-from-0123abcd. Raises `PosekitError` if a rate or a batch size is not positive.
    """
    for name, value in (("learning rate", learning_rate), ("batch size", batch_size)):
        if value is not None and not 0 < value < float("inf"):
            raise PosekitError(f"the {name} must be positive and finite, not {value:g}")
    network, start = network_of(model, size), start_weights or model.start
    if learning_rate is None and model.optimizer not in size.learning_rates:
        raise PosekitError(
            f"size {size.name} has no learning rate for {model.optimizer}; name one by --learning-rate"
        )
    return RunConfig(
        model=continued_name(model.name, start_weights) if start_weights else model.name,
        size=size.name,
        seed=seed,
        data=data,
        data_fingerprint=data_fingerprint,
        network=network,
        crop=size.crop.looking_at(network.columns),
        codec=size.codec,
        loss=model.loss,
        optimizer=model.optimizer,
        learning_rate=learning_rate or size.learning_rates[model.optimizer],
        schedule=model.schedule,
        batch_size=batch_size or size.batch_size,
        epochs=size.epochs,
        augmentation=size.augmentation,
        teacher=model.teacher,
        teacher_weights=teacher_weights,
        weight_decay=size.weight_decay if model.optimizer == "AdamW" else 0.0,
        start=start,
        frozen=model.frozen,
        encoder_rate=size.encoder_rate if network.family == "encoder" and start else None,
        averaging=size.averaging,
        growing=size.growing,
        emphasis=size.emphasis,
    )


def in_order(models: Sequence[str]) -> list[str]:
    """Names of models in the order of `MODELS`, those that it does not have last."""
    return sorted(models, key=lambda name: (list(MODELS).index(name) if name in MODELS else len(MODELS), name))

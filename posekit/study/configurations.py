"""What a run is asked to do: the report's six models, the profiles (sizes), and both as one frozen record."""

from dataclasses import dataclass, field, replace
from typing import Literal

from posekit.device import Precision
from posekit.errors import PosekitError
from posekit.models.config import NetworkConfig
from posekit.preprocessing.augmentation import Augmentation
from posekit.preprocessing.crop import CropRule
from posekit.preprocessing.heatmaps import Codec
from posekit.study.variants import VARIANTS
from posekit.training.run_config import OptimizerName, RunConfig


@dataclass(frozen=True)
class Model:
    """One of the six configurations of the report, section V, or posekit's own."""

    number: int
    stem: Literal["original", "reduced"]
    optimizer: OptimizerName
    scheduler: bool = False
    annealed: bool = False  # the rate falls to zero along a cosine

    @property
    def name(self) -> str:
        return f"Model {self.number}"

    @property
    def description(self) -> str:
        extra = " with scheduler" if self.scheduler else ", annealed" if self.annealed else ""
        return f"{self.stem}, {self.optimizer}{extra}"

    @property
    def label(self) -> str:
        return f"{self.name}: {self.description}"


MODELS: dict[int, Model] = {
    model.number: model
    for model in (
        Model(1, "original", "RMSprop"),
        Model(2, "original", "RAdam"),
        Model(3, "original", "Adam"),
        Model(4, "original", "Adam", scheduler=True),
        Model(5, "reduced", "RMSprop"),
        Model(6, "reduced", "Adam"),
    )
}

#: Not of the report: made to find joints in people's own photographs, in the profile `photograph`.
OWN_MODEL = Model(7, "reduced", "Adam", annealed=True)


@dataclass(frozen=True)
class Profile:
    """The size of a study: numbers only, the code is the same for all profiles."""

    name: str
    crop: CropRule
    codec: Codec
    channels: int
    stacks: int
    modules: int
    reductions: int
    batch_size: int
    epochs: int
    learning_rates: dict[OptimizerName, float]
    augmentation: Augmentation | None = None  # the report has none
    precision: Precision = "float32"  # of convolutions while training, where the hardware has it
    cpu_threads: int | None = None  # that one run uses on a CPU; None: all. The rest trains other runs beside it
    levers: dict[str, object] = field(default_factory=dict)  # of `NetworkConfig`, in the place of all of the above
    teacher: str = ""  # profile whose network of the same model and seed 0 teaches as well


PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        # Table II gives RMSprop's rate. The report gives none for the others: their usual 1e-3.
        Profile(
            "full",
            CropRule(size=256),
            Codec("report"),
            channels=256,
            stacks=2,
            modules=2,
            reductions=4,
            batch_size=16,
            epochs=5,
            learning_rates={"RMSprop": 2.5e-4, "RAdam": 1e-3, "Adam": 1e-3},
            precision="bfloat16",
        ),
        # The report's rates; half the side, a quarter of the width, one block a place: some hours on two cores.
        Profile(
            "half",
            CropRule(size=128),
            Codec("subpixel"),
            channels=64,
            stacks=2,
            modules=1,
            reductions=4,
            batch_size=8,
            epochs=5,
            learning_rates={"RMSprop": 2.5e-4, "RAdam": 1e-3, "Adam": 1e-3},
            precision="bfloat16",
            cpu_threads=1,
        ),
        # For `OWN_MODEL`, not for the comparison: one hourglass, a crop as wide as high (it loses 1.5 % of MPII's
        # joints instead of 4.8 %), augmentation, and four times the epochs.
        Profile(
            "photograph",
            CropRule(width=230, height=230, size=128, context=1.5),
            Codec("subpixel"),
            channels=96,
            stacks=1,
            modules=1,
            reductions=4,
            batch_size=16,
            epochs=20,
            learning_rates={"RMSprop": 5e-4, "RAdam": 2e-3, "Adam": 2e-3},
            augmentation=Augmentation(),
            cpu_threads=1,
        ),
        # Made to learn visibly in minutes on two cores: smaller in everything, and RMSprop faster than Table II.
        Profile(
            "quick",
            CropRule(size=80),
            Codec("subpixel"),
            channels=48,
            stacks=2,
            modules=1,
            reductions=2,
            batch_size=8,
            epochs=5,
            learning_rates={"RMSprop": 1e-3, "RAdam": 1e-3, "Adam": 1e-3},
            # Layers this small take as long on two threads as on one.
            cpu_threads=1,
        ),
    )
}


#: Two budgets for `VARIANTS`: epochs of batches of 16. A profile is called short-original, long-small ...
BUDGETS = {"short": 3, "long": 20}

VARIANT_PROFILES: dict[str, Profile] = {
    f"{budget}-{variant.name}": replace(
        PROFILES["photograph"],  # the recipe; only size and budget are their own
        name=f"{budget}-{variant.name}",
        crop=variant.crop,
        channels=64,
        stacks=2,
        epochs=epochs,
        levers={"stem": "original"} | variant.levers,
        teacher=variant.teacher and f"{budget}-{variant.teacher}",
    )
    for budget, epochs in BUDGETS.items()
    for variant in VARIANTS.values()
}


def get_model(number: int) -> Model:
    """Raises `PosekitError` for a number that neither the report nor posekit has."""
    models = MODELS | {OWN_MODEL.number: OWN_MODEL}
    if number not in models:
        raise PosekitError(
            f"there is no model {number}; the report has {', '.join(map(str, MODELS))}, and {OWN_MODEL.number} is "
            "posekit's own"
        )
    return models[number]


def label_of(config: RunConfig) -> str:
    """Such as "Model 5: reduced, RMSprop"; of a variant its profile, such as "short-early"."""
    return config.profile if config.profile in VARIANT_PROFILES else get_model(config.model).label


def get_profile(name: str) -> Profile:
    """Raises `PosekitError` for a profile that does not exist."""
    profiles = PROFILES | VARIANT_PROFILES
    if name not in profiles:
        raise PosekitError(
            f"there is no profile {name!r}; choose one of {', '.join(PROFILES)}, or a variant with its budget, "
            f"such as short-small: {', '.join(VARIANTS)}"
        )
    return profiles[name]


def network_config(model: Model, profile: Profile) -> NetworkConfig:
    """The network of a model at the size of a profile."""
    usual = NetworkConfig(model.stem, profile.channels, profile.stacks, profile.modules, profile.reductions)
    return replace(usual, **profile.levers)


def run_config(
    model: Model,
    profile: Profile,
    seed: int,
    data: str,
    data_fingerprint: str,
    learning_rate: float | None = None,
    batch_size: int | None = None,
) -> RunConfig:
    """A run is a model at the size of a profile, on a data set, from a seed.

    learning_rate and batch_size take the place of the profile's. Raises `PosekitError` if one is not positive.
    """
    for name, value in (("learning rate", learning_rate), ("batch size", batch_size)):
        if value is not None and not 0 < value < float("inf"):
            raise PosekitError(f"the {name} must be positive and finite, not {value:g}")
    return RunConfig(
        model=model.number,
        profile=profile.name,
        seed=seed,
        data=data,
        data_fingerprint=data_fingerprint,
        network=network_config(model, profile),
        crop=profile.crop,
        codec=profile.codec,
        optimizer=model.optimizer,
        learning_rate=learning_rate or profile.learning_rates[model.optimizer],
        scheduler=model.scheduler,
        batch_size=batch_size or profile.batch_size,
        epochs=profile.epochs,
        augmentation=profile.augmentation,
        annealed=model.annealed,
        teacher=profile.teacher,
    )

"""What one run is asked to do, frozen: all that decides its numbers, as it stands in its records."""

import hashlib
import json
from dataclasses import asdict, dataclass, is_dataclass
from typing import Literal, get_args, get_type_hints

from posekit.errors import PosekitError
from posekit.models.build import network_config
from posekit.models.config import NetworkConfig
from posekit.preprocessing.augmentation import Augmentation
from posekit.preprocessing.crop import CropRule
from posekit.preprocessing.heatmaps import Codec
from posekit.training.losses import Loss

OptimizerName = Literal["RMSprop", "RAdam", "Adam", "AdamW"]

#: constant: the rate stays. step: times `STEP_FACTOR` after epoch `STEP_EPOCH`. cosine: it falls to zero, once per
#: epoch. warmup cosine: it rises over the first `WARMUP` of all steps, then falls to zero, after every step.
Schedule = Literal["constant", "step", "cosine", "warmup cosine"]

#: The report's scheduler acts "after several epochs", it says no more. Our reading: after the third of five.
STEP_EPOCH, STEP_FACTOR = 3, 0.1

#: Share of all steps in which the rate of "warmup cosine" rises.
WARMUP = 0.03


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides a run's numbers, apart from versions and hardware.

    model and size are names for people; every other field is what is trained.
    """

    model: str  # such as "model-5" or "lean"
    size: str  # such as "half"
    seed: int
    data: str  # name of the table of people
    data_fingerprint: str  # of its content
    network: NetworkConfig
    crop: CropRule
    codec: Codec
    loss: Loss
    optimizer: OptimizerName
    learning_rate: float
    schedule: Schedule
    batch_size: int
    epochs: int
    augmentation: Augmentation | None = None
    teacher: str = ""  # model whose heatmaps are learned as well
    teacher_weights: str = ""  # hash of its weights
    epoch_people: int | None = None  # that an epoch draws, pass after pass over those at hand; None: one pass
    weight_decay: float = 0.0  # of AdamW
    start: str = ""  # "imagenet": the encoder's weights; else the hash of the weights; "": drawn from the seed
    frozen: tuple[str, ...] = ()  # parts of the network that keep the weights that they start with
    encoder_rate: float | None = None  # learning rate of a pretrained encoder; None: that of the rest
    averaging: float = 0.0  # decay of the mean of the weights that is kept as the network; 0: the last weights
    # Smaller crops in the beginning: (share of the training from which it holds, side in px); (): the crop's side.
    growing: tuple[tuple[float, int], ...] = ()
    # (data set, weight): an epoch draws people by these weights, the others have 1; (): everybody once.
    emphasis: tuple[tuple[str, float], ...] = ()

    @property
    def likelihoods(self) -> bool:
        """Whether the network's scores are those of cross-entropy: see `posekit.models.answers.to_heatmaps`."""
        return self.loss == "cross-entropy"

    def people_of_an_epoch(self, at_hand: int) -> int:
        """How many people an epoch trains on, where so many are at hand."""
        return self.epoch_people or at_hand

    def steps_of_an_epoch(self, at_hand: int) -> int:
        """How many batches that is."""
        return -(-self.people_of_an_epoch(at_hand) // self.batch_size)

    def to_dict(self) -> dict:
        return asdict(self)

    def fingerprint(self) -> str:
        """16 hexadecimal digits that differ whenever a setting differs."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()[:16]

    @classmethod
    def from_dict(cls, values: dict) -> "RunConfig":
        """The way back from `to_dict`. Raises `PosekitError` if a field is missing or unknown."""
        try:
            augmentation = values.get("augmentation")
            config = cls(
                **{
                    **values,
                    "network": network_config(values["network"]),
                    "crop": CropRule(**values["crop"]),
                    "codec": Codec(**values["codec"]),
                    "augmentation": Augmentation(**augmentation) if augmentation else None,
                    "frozen": tuple(values.get("frozen", ())),
                    **{name: tuple(map(tuple, values.get(name, ()))) for name in ("growing", "emphasis")},
                }
            )
            _check_types(config)
            return config
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise PosekitError(f"these settings are not of a run of this version ({error})") from error


def _check_types(settings: object) -> None:
    """Raises `TypeError` if a field of a dataclass, or of one within, is not what its annotation says."""
    for name, hint in get_type_hints(type(settings)).items():
        value, choices = getattr(settings, name), get_args(hint) or (hint,)
        types = tuple(choice for choice in choices if isinstance(choice, type))
        if is_dataclass(value):
            _check_types(value)
        elif types and not isinstance(value, (*types, *([int] if float in types else []), tuple)):
            raise TypeError(f"{name} is {value!r}")
        elif not types and isinstance(value, str) and value not in choices:
            raise TypeError(f"{name} is {value!r}, which is none of {', '.join(map(str, choices))}")


#: Stands between the model and the weights in the name of a run that starts from weights of another run.
_FROM = "-from-"


def continued_name(model: str, weights: str) -> str:
    """The model of a run that starts from the weights with this hash, such as encoder-from-0123abcd.

    What was continued already is named after the last weights only.
    """
    return f"{original_name(model)}{_FROM}{weights[:8]}"


def original_name(model: str) -> str:
    """The way back: the name that a model had before it was continued, such as encoder."""
    return model.split(_FROM)[0]

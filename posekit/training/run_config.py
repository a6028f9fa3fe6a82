"""What one run is asked to do, frozen: all that decides its numbers, as it stands in its records."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal

from posekit.errors import PosekitError
from posekit.models.build import network_config
from posekit.models.config import NetworkConfig
from posekit.preprocessing.augmentation import Augmentation
from posekit.preprocessing.crop import CropRule
from posekit.preprocessing.heatmaps import Codec
from posekit.training.losses import Loss

OptimizerName = Literal["RMSprop", "RAdam", "Adam"]

#: constant: the rate stays. step: times `STEP_FACTOR` after epoch `STEP_EPOCH`. cosine: it falls to zero.
Schedule = Literal["constant", "step", "cosine"]

#: The report's scheduler acts "after several epochs", it says no more. Our reading: after the third of five.
STEP_EPOCH, STEP_FACTOR = 3, 0.1


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

    @property
    def likelihoods(self) -> bool:
        """Whether the network's scores are those of cross-entropy: see `posekit.models.answers.to_heatmaps`."""
        return self.loss == "cross-entropy"

    def people_of_an_epoch(self, at_hand: int) -> int:
        """How many people an epoch trains on, where so many are at hand."""
        return self.epoch_people or at_hand

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
            return cls(
                **{
                    **values,
                    "network": network_config(values["network"]),
                    "crop": CropRule(**values["crop"]),
                    "codec": Codec(**values["codec"]),
                    "augmentation": Augmentation(**augmentation) if augmentation else None,
                }
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise PosekitError(f"these settings are not of a run of this version ({error})") from error

"""What one run is asked to do, frozen: all that decides its numbers, as it stands in its records."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal

from posekit.errors import PosekitError
from posekit.models.config import NetworkConfig
from posekit.preprocessing.augmentation import Augmentation
from posekit.preprocessing.crop import CropRule
from posekit.preprocessing.heatmaps import Codec

OptimizerName = Literal["RMSprop", "RAdam", "Adam"]

#: The report says "after several epochs" and no more. Our reading: times 0.1 after the third of five.
SCHEDULER_EPOCH, SCHEDULER_FACTOR = 3, 0.1


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides a run's numbers, apart from versions and hardware. Written into its records."""

    model: int
    profile: str
    seed: int
    data: str  # name of the data set
    data_fingerprint: str  # of the table of people
    network: NetworkConfig
    crop: CropRule
    codec: Codec
    optimizer: OptimizerName
    learning_rate: float
    scheduler: bool
    batch_size: int
    epochs: int
    augmentation: Augmentation | None = None
    annealed: bool = False
    teacher: str = ""
    epoch_people: int | None = None  # that an epoch draws, pass after pass over those at hand; None: one pass

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
        augmentation = values.get("augmentation")
        try:
            return cls(
                **{
                    **values,
                    "network": NetworkConfig(**values["network"]),
                    "crop": CropRule(**values["crop"]),
                    "codec": Codec(**values["codec"]),
                    "augmentation": Augmentation(**augmentation) if augmentation else None,
                }
            )
        except (KeyError, TypeError) as error:
            raise PosekitError(f"these settings are not of a run of this version ({error})") from error

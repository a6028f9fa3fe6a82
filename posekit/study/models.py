"""What a model is: a network and how it learns, whatever the size."""

from dataclasses import dataclass

from posekit.models.config import NetworkConfig
from posekit.models.hourglass import Stem
from posekit.training.losses import Loss
from posekit.training.run_config import OptimizerName, Schedule


@dataclass(frozen=True)
class Model:
    """One of the things that a study compares.

    A model has the original network of the size with the named stem or, if `network` is given, its own network.
    """

    name: str  # of folders and of --model
    title: str  # of figures and tables
    description: str  # what is special about it, in a few words
    optimizer: OptimizerName
    schedule: Schedule = "constant"
    loss: Loss = "squared error"
    stem: Stem = "original"
    network: NetworkConfig | None = None
    start: str = ""  # "imagenet": the encoder begins with weights that were trained on ImageNet
    frozen: tuple[str, ...] = ()  # parts of the network that keep the weights that they start with
    teacher: str = ""  # name of the model whose heatmaps are learned as well

    @property
    def label(self) -> str:
        """Title and description of one of the report's models; of the others the title alone."""
        return self.title if self.network is not None else f"{self.title}: {self.description}"

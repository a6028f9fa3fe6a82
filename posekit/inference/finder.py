"""Finds people in a photograph with the network that is included for it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from posekit.models.finder import FinderNetwork
from posekit.paths import PACKAGE
from posekit.training.finder import find_peaks, load_finder

#: The network, made by benchmarks/train_finder.py; what it finds is measured by benchmarks/finding.py.
OWN_FINDER = PACKAGE / "networks" / "finder.pt"

#: The longer side to which photographs are resized for the network, px.
SIDE = 320

#: Answers that score less are not taken as people. Of 0.1, 0.15, ... 0.45 it has the best F1 score on training
#: photographs that were held out (benchmarks/finding.py --held-out).
LEAST_SCORE = 0.4

#: Where no answer scores as much, the surest one still counts from this score on, since most photographs show a
#: person.
LEAST_OF_SUREST = 0.3

#: Two answers are the same person if their middles are nearer than this part of the larger height, and neither
#: height is more than this many times the other.
NEAR, ALIKE = 0.12, 2.0


@dataclass(frozen=True)
class Found:
    """A person that was found: center (2,) float64, image px; scale, the height of the person standing upright /
    200 px, as in MPII; score, how sure the finder is, 0..1."""

    center: np.ndarray
    scale: float
    score: float


class Finder:
    """A network that finds people; side: the longer side to which photographs are resized for it, px."""

    def __init__(self, network: FinderNetwork, side: int = SIDE, least_score: float = LEAST_SCORE) -> None:
        self.network, self.side, self.least_score = network.eval(), side, least_score

    @classmethod
    def own(cls, device: torch.device) -> "Finder":
        """The finder that is included in the package."""
        return cls.from_file(OWN_FINDER, device)

    @classmethod
    def from_file(cls, path: Path, device: torch.device) -> "Finder":
        """What benchmarks/train_finder.py wrote. Raises `PosekitError` if it is something else."""
        return cls(load_finder(path, device))

    def find(self, image: np.ndarray) -> list[Found]:
        """The people in a photograph (H, W, 3) uint8 RGB, the surest first; their centers lie in it."""
        last = np.array(image.shape[1::-1]) - 1
        people: list[Found] = []
        for score, x, y, height in find_peaks(self.network, image, self.side):
            one = Found(np.clip([x, y], 0, last), height / 200, float(score))
            least = self.least_score if people else min(self.least_score, LEAST_OF_SUREST)
            if score >= least and not any(_same(one, other) for other in people):
                people.append(one)
        return people


def _same(one: Found, other: Found) -> bool:
    low, high = sorted((200 * one.scale, 200 * other.scale))
    return bool(np.linalg.norm(one.center - other.center) < NEAR * high and high < ALIKE * low)

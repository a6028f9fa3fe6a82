"""Where people stand, sit and run: a Gaussian mixture over the 16 joints, fitted on real pose statistics.

One pose is a (16, 2) array relative to the annotated center of the person, in units of 200 px times the
annotated scale, x to the right and y down. In these units center-to-body and scale-to-body relations of
MPII carry over to whatever is drawn from the mixture. Only the fitted parameters are stored
(`pose_prior.json`), never an annotation.

`benchmarks/fit_pose_prior.py` fits it again.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from posekit.skeleton import JOINTS

#: MPII's scale is a person's height divided by this many pixels.
PIXELS_PER_SCALE = 200.0

#: The parameters are stored as whole multiples of this (0.2 px of a person of scale 1).
STEP = 0.001

_DIMENSIONS = 2 * len(JOINTS)
LOWER = np.tril_indices(_DIMENSIONS)


@dataclass(frozen=True)
class PosePrior:
    """A Gaussian mixture over flattened poses (x0, y0, x1, ...) and the body's own lengths.

    weights (K,), means (K, 32), factors (K, 32, 32) lower Cholesky factors of the covariances;
    lengths: limb name -> length in the plane of the limb itself, same unit as the poses.
    """

    weights: np.ndarray
    means: np.ndarray
    factors: np.ndarray
    lengths: dict[str, float]

    def draw(self, rng: np.random.Generator, count: int, spread: float = 1.0) -> np.ndarray:
        """(count, 16, 2) poses; spread below 1 keeps them nearer to their component's mean."""
        component = rng.choice(len(self.weights), size=count, p=self.weights)
        noise = rng.standard_normal((count, _DIMENSIONS))
        # A sum instead of a BLAS product: the same bits on every machine, whatever BLAS it has.
        flat = self.means[component] + spread * (self.factors[component] * noise[:, None, :]).sum(axis=2)
        return flat.reshape(count, len(JOINTS), 2)


def load(path: Path) -> PosePrior:
    """Reads what `benchmarks/fit_pose_prior.py` wrote."""
    document = json.loads(path.read_text())
    if document["joints"] != list(JOINTS):
        raise ValueError(f"{path} was fitted for other joints than posekit.skeleton.JOINTS; fit it again")
    weights = np.array(document["weights"])
    factors = np.zeros((len(weights), _DIMENSIONS, _DIMENSIONS))
    for factor, flat in zip(factors, document["factors"], strict=True):
        factor[LOWER] = np.array(flat) * document["step"]
    means = np.array(document["means"]) * document["step"]
    return PosePrior(weights / weights.sum(), means, factors, document["lengths"])


@cache
def shipped() -> PosePrior:
    """The prior that is included in the package."""
    return load(Path(__file__).with_name("pose_prior.json"))

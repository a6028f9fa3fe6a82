"""Fits the pose prior of the drawn people to annotated poses.

    python benchmarks/fit_pose_prior.py ANNOTATIONS.json[.gz] -o posekit/datasets/drawn/pose_prior.json

A Gaussian mixture over the 16 joints of people who have all of them; only its parameters are stored, never an
annotation. See `posekit.datasets.drawn.pose_prior` for the unit of a pose.
"""

import argparse
import gzip
import json
from pathlib import Path

import numpy as np

from posekit.datasets.drawn.pose_prior import LOWER, PIXELS_PER_SCALE, STEP, PosePrior
from posekit.skeleton import INDEX, JOINTS

#: Limbs whose typical unforeshortened length the prior keeps, by the names of their two ends.
MEASURED = {
    "shin": ("right knee", "right ankle"),
    "thigh": ("right hip", "right knee"),
    "torso": ("pelvis", "thorax"),
    "neck": ("thorax", "upper neck"),
    "head": ("upper neck", "head top"),
    "upper arm": ("right shoulder", "right elbow"),
    "forearm": ("right elbow", "right wrist"),
    "shoulders": ("right shoulder", "left shoulder"),
    "hips": ("right hip", "left hip"),
}


def poses_of(people: list[dict]) -> np.ndarray:
    """(N, 16, 2) poses of the training people with all joints annotated, in the unit of the module."""
    rows = []
    for person in people:
        joints = np.array(person["joint_self"], dtype=float)[:, :2]
        if person["isValidation"] or (joints <= 0).any():
            continue
        size = PIXELS_PER_SCALE * float(person["scale_provided"])
        rows.append((joints - np.array(person["objpos"], dtype=float)) / size)
    return np.array(rows)


def fit(poses: np.ndarray, components: int = 48, steps: int = 80, seed: int = 0) -> PosePrior:
    """Expectation maximization from a few rounds of k-means; components of under 60 people are dropped."""
    rng = np.random.default_rng(seed)
    data = poses.reshape(len(poses), -1)
    centers = data[rng.choice(len(data), components, replace=False)]
    for _ in range(20):
        distance = (data**2).sum(1)[:, None] - 2 * data @ centers.T + (centers**2).sum(1)
        nearest = distance.argmin(axis=1)
        centers = np.array(
            [data[nearest == k].mean(0) if (nearest == k).any() else centers[k] for k in range(components)]
        )
    share = np.eye(components)[nearest]
    for _ in range(steps):
        weights, means, factors = _maximize(data, share)
        share = _expect(data, weights, means, factors)
    kept = share.sum(axis=0) >= 60
    weights, means, factors = _maximize(data, share[:, kept])
    lengths = {
        # The 80th percentile: most limbs are foreshortened, a few are over-long by annotation noise.
        name: float(np.percentile(np.linalg.norm(poses[:, INDEX[a]] - poses[:, INDEX[b]], axis=1), 80))
        for name, (a, b) in MEASURED.items()
    }
    return PosePrior(weights / weights.sum(), means, factors, lengths)


def _maximize(data: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights, means and Cholesky factors for given shares (N, K) of the people in the components."""
    mass = share.sum(axis=0) + 1e-9
    means = share.T @ data / mass[:, None]
    factors = []
    for k in range(share.shape[1]):
        offset = data - means[k]
        covariance = (share[:, k, None] * offset).T @ offset / mass[k]
        # 1e-4 is (2 px)^2 for a person of scale 1: below the annotators' own precision.
        factors.append(np.linalg.cholesky(covariance + 1e-4 * np.eye(data.shape[1])))
    return mass / len(data), means, np.array(factors)


def _expect(data: np.ndarray, weights: np.ndarray, means: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """(N, K) probability of every component for every person."""
    log = np.empty((len(data), len(weights)))
    for k, factor in enumerate(factors):
        whitened = np.linalg.solve(factor, (data - means[k]).T)
        log[:, k] = np.log(weights[k]) - np.log(np.diag(factor)).sum() - 0.5 * (whitened**2).sum(axis=0)
    log -= log.max(axis=1, keepdims=True)
    share = np.exp(log)
    return share / share.sum(axis=1, keepdims=True)


def save(prior: PosePrior, path: Path) -> None:
    """Writes the parameters as whole multiples of STEP (weights as plain numbers)."""
    document = {
        "step": STEP,
        "joints": list(JOINTS),
        "lengths": {name: round(value, 4) for name, value in prior.lengths.items()},
        "weights": [round(float(w), 5) for w in prior.weights],
        "means": np.rint(prior.means / STEP).astype(int).tolist(),
        "factors": [np.rint(f[LOWER] / STEP).astype(int).tolist() for f in prior.factors],
    }
    path.write_text(json.dumps(document, separators=(",", ":")).replace("],[", "],\n[") + "\n")


def main() -> None:
    """Command line: fit the prior on an annotation file."""
    parser = argparse.ArgumentParser(description="Fit the pose prior of the drawn sample.")
    parser.add_argument("annotations", type=Path, help="MPII people as one JSON list, may be gzipped")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    opener = gzip.open if arguments.annotations.suffix == ".gz" else open
    with opener(arguments.annotations, "rt") as stream:
        poses = poses_of(json.load(stream))
    prior = fit(poses)
    save(prior, arguments.output)
    print(f"{len(prior.weights)} components from {len(poses)} people -> {arguments.output}")


if __name__ == "__main__":
    main()

"""How good is a pose: PCKh, and the floors that a number must be read against.

PCKh@t (Andriluka et al., CVPR 2014) is the share of annotated joints whose prediction lies within t times the
head size of the truth. "PCKh" alone is not a number, so every mean here has a name:

- macro14:    the mean of the percentages of 14 joints (without pelvis and thorax);
- weighted14: all annotated joints of these 14 counted together;
- weighted16: all annotated joints of all 16.
"""

from dataclasses import dataclass

import numpy as np
import torch

from posekit.annotations import People
from posekit.crop import CropRule, clip_box, crop_matrix, inside, person_box, transform
from posekit.heatmaps import STRIDE, Codec
from posekit.skeleton import GROUPS, JOINTS, SCORED


def head_distances(predicted: np.ndarray, truth: np.ndarray, head_size: np.ndarray) -> np.ndarray:
    """(N, 16) float64: distances in head sizes; NaN where the joint is not annotated or no head size is known.

    predicted and truth are (N, 16, 2) in image px, head_size is (N,) in image px. A prediction that is not a
    number is infinitely far away: it must not drop out of the count.
    """
    distance = np.linalg.norm(predicted - truth, axis=2) / head_size[:, None]
    counted = np.isfinite(truth).all(axis=2) & np.isfinite(head_size)[:, None]
    return np.where(counted, np.where(np.isfinite(distance), distance, np.inf), np.nan)


@dataclass(frozen=True)
class PCKh:
    """PCKh at one threshold, in percent; NaN for joints that nobody has."""

    threshold: float
    joints: np.ndarray  # (16,) float64
    counts: np.ndarray  # (16,) int64, annotated joints behind each percentage

    @property
    def macro14(self) -> float:
        return float(self.joints[list(SCORED)].mean())

    @property
    def weighted14(self) -> float:
        return self._weighted(SCORED)

    @property
    def weighted16(self) -> float:
        return self._weighted(range(len(JOINTS)))

    @property
    def groups(self) -> dict[str, float]:
        """The seven columns of published tables: each the mean over right and left."""
        return {group: float(self.joints[list(members)].mean()) for group, members in GROUPS.items()}

    def _weighted(self, joints: range | tuple[int, ...]) -> float:
        which = [joint for joint in joints if self.counts[joint]]
        if not which:
            return float("nan")
        return float(np.average(self.joints[which], weights=self.counts[which]))


def pckh(distances: np.ndarray, threshold: float = 0.5) -> PCKh:
    """PCKh of distances (N, 16) in head sizes, NaN where a joint does not count."""
    counted = np.isfinite(distances) | np.isinf(distances)
    counts = counted.sum(axis=0)
    hits = (counted & (distances <= threshold)).sum(axis=0)
    percent = np.divide(100.0 * hits, counts, out=np.full(len(JOINTS), np.nan), where=counts > 0)
    return PCKh(threshold, percent, counts)


def zero_heatmap_loss(joints: np.ndarray, present: np.ndarray, size: int, codec: Codec, stacks: int) -> float:
    """The report's loss of a network that answers zero everywhere: what a loss curve must get below.

    joints (N, 16, 2) crop px, present (N, 16) bool, size of the square crop in px. The loss is the sum over
    stacks of the mean over all heatmap cells, joints and people of the squared target (report, section V).
    """
    cells = (size // STRIDE, size // STRIDE)
    total = 0.0
    for start in range(0, len(joints), 256):
        part = slice(start, start + 256)
        target = codec.encode(torch.from_numpy(joints[part]), torch.from_numpy(present[part]), cells)
        total += float(target.square().sum(dtype=torch.float64))
    return stacks * total / (len(joints) * len(JOINTS) * cells[0] * cells[1])


def zero_heatmap_floor(people: People, rule: CropRule, codec: Codec, stacks: int) -> float:
    """`zero_heatmap_loss` of a table of people whose image sizes are known; it needs no photograph."""
    boxes = clip_box(person_box(rule, people.center, people.scale), people.image_size)
    joints = transform(crop_matrix(boxes, rule.size), people.joints)
    return zero_heatmap_loss(joints, people.labelled & inside(boxes, people.joints), rule.size, codec, stacks)


def mean_pose(joints: np.ndarray, present: np.ndarray) -> np.ndarray:
    """(16, 2) crop px: where each joint lies on average among people (N, 16, 2) of whom it is present (N, 16).

    Answered for everybody, whatever the image, it is the accuracy that needs no network. Joints that nobody has
    are in the middle of the others.
    """
    there = present[..., None]
    counts = there.sum(axis=0)
    total = np.where(there, joints, 0).sum(axis=0, dtype=float)
    mean = total / np.maximum(counts, 1)
    return np.where(counts > 0, mean, total.sum(axis=0) / counts.sum())

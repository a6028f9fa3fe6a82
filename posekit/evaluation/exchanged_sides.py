"""Left and right exchanged: how many misses lie at the other side's joint, and how many would by chance."""

import numpy as np
import pandas as pd

from posekit.datasets.people import People
from posekit.evaluation.pckh import head_distances
from posekit.skeleton import GROUPS, mirrored_joints


def exchanged_joints(joints: np.ndarray, people: People, threshold: float = 0.5) -> np.ndarray:
    """(N, 16) bool: predictions that miss their joint but lie within `threshold` head sizes of the same joint of
    the person's other side.

    joints (N, 16, 2) are answers in image px. Joints in the middle of the body are never exchanged.
    """
    return _missed(joints, people, threshold) & _near(joints, people.joints, people, threshold)


def exchanged_by_chance(joints: np.ndarray, people: People, threshold: float = 0.5) -> np.ndarray:
    """(N, 16) float64: how likely a miss would lie on the other side if it had nothing to do with the person.

    Each missed answer is compared with the other side's joint of every other person, moved to this person's center
    and size; the value is the share of them within `threshold` head sizes. 0 where the prediction is no miss, or
    where no other person has the joint.
    """
    missed = _missed(joints, people, threshold)
    relative = (people.joints - people.center[:, None]) / people.scale[:, None, None]
    near, counted = np.zeros(missed.shape), np.zeros(missed.shape)
    for other in range(len(people)):
        moved = people.center[:, None] + people.scale[:, None, None] * relative[other]
        others = np.arange(len(people)) != other
        near += others[:, None] & _near(joints, moved, people, threshold)
        counted += others[:, None] & np.isfinite(relative[other, mirrored_joints()]).all(axis=1)
    share = np.divide(near, counted, out=np.zeros(near.shape), where=counted > 0)
    return np.where(missed, share, 0.0)


def partly_exchanged(joints: np.ndarray, people: People, threshold: float = 0.5) -> int:
    """The number of an instructive person: of those with two or more joints exchanged, the one with most joints
    found. If nobody has two, the person with most joints exchanged.

    Only joints count whose two sides are a head size apart or more: elsewhere, little is to be seen.
    """
    apart = ~_near(people.joints, people.joints, people, threshold=1.0)
    exchanged = (exchanged_joints(joints, people, threshold) & apart).sum(axis=1)
    found = (head_distances(joints, people.joints, people.head_size) <= threshold).sum(axis=1)
    enough = exchanged >= min(2, exchanged.max())
    return int(np.argmax(np.where(enough, found, -1)))


def exchanged_table(joints: np.ndarray, people: People, threshold: float = 0.5) -> pd.DataFrame:
    """A row per group of joints, shoulder to ankle, and one for all: misses; exchanged, those on the other side;
    partner found too, those of them where the answer for the other side's joint is right, so that this joint has
    two answers; by chance, how many of the misses would lie there if they had nothing to do with the person."""
    exchanged = exchanged_joints(joints, people, threshold)
    found = head_distances(joints, people.joints, people.head_size) <= threshold
    parts = {
        "misses": _missed(joints, people, threshold).astype(float),
        "exchanged": exchanged.astype(float),
        "partner found too": (exchanged & found[:, mirrored_joints()]).astype(float),
        "by chance": exchanged_by_chance(joints, people, threshold),
    }
    groups = {name: members for name, members in GROUPS.items() if len(members) == 2}
    groups["all"] = tuple(joint for members in groups.values() for joint in members)
    return pd.DataFrame(
        {
            group: {name: part[:, list(members)].sum() for name, part in parts.items()}
            for group, members in groups.items()
        }
    ).T


def _missed(joints: np.ndarray, people: People, threshold: float) -> np.ndarray:
    """(N, 16) bool: annotated joints with a side whose answer lies farther away than the threshold."""
    has_side = np.array(mirrored_joints()) != np.arange(joints.shape[1])
    return has_side & (head_distances(joints, people.joints, people.head_size) > threshold)


def _near(joints: np.ndarray, truth: np.ndarray, people: People, threshold: float) -> np.ndarray:
    """(N, 16) bool: answers within the threshold of the other side's joint of `truth` (N, 16, 2), image px."""
    return head_distances(joints, truth[:, mirrored_joints()], people.head_size) <= threshold

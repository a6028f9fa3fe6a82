"""People whose right and left are exchanged in the annotation: found with a network, repaired or left out.

A network gives each cell a log-likelihood of holding, say, the right wrist. The annotation as it stands has one
log-likelihood, and so has the annotation with right and left exchanged. Their difference, in nats, is positive
where the network agrees with the annotation. Arms and legs are judged apart: annotators exchange one without the
other. A network that was trained on a person may have learned the mistake, so it should have seen other people, or
each person rarely.
"""

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from posekit.datasets.people import People
from posekit.skeleton import LEFT_RIGHT, mirrored_joints

#: Joint numbers of the two halves that are judged apart.
_PAIRS = {"legs": LEFT_RIGHT[:3], "arms": LEFT_RIGHT[3:]}
HALVES: dict[str, tuple[int, ...]] = {half: tuple(np.ravel(pairs).tolist()) for half, pairs in _PAIRS.items()}

#: The lowest log-likelihood of a cell, nats, so that a single joint cannot decide alone. A network that knows
#: nothing gives each of 32 x 32 cells -6.9.
FLOOR = -10.0

#: Arms or legs with a ratio below the first number are exchanged; below the second, their joints count as not
#: annotated. Chosen by looking at 140 people of LSP Extended beside the ratios of posekit.pt of commit 0867f1e (64
#: % on MPII). Below -9, all 17 whose sides could be recognized were exchanged (1 was unclear); from -9 to -6, it
#: was 7 of 11 (13 were unclear). A better network has larger ratios: look again then.
EXCHANGE_BELOW, LEAVE_OUT_BELOW = -9.0, -4.0

#: The people of LSP Extended of whom a half has a ratio below `LEAVE_OUT_BELOW`.
SUSPICIOUS = Path(__file__).with_name("lspet_exchanged.csv")


def log_likelihood_ratios(logarithms: np.ndarray, cells: np.ndarray, present: np.ndarray) -> dict[str, np.ndarray]:
    """(N,) float64 nats per half: how much more likely the annotation is than with right and left exchanged.

    logarithms (N, 16, H, W): log-likelihood of each cell; cells (N, 16, 2): annotated joints in cells, x and y;
    present (N, 16) bool. Joints that are not present are ignored; those outside the map count as at its border.
    """
    height, width = logarithms.shape[-2:]
    # Nothing is known of NaN; what it becomes is not read.
    nearest = np.rint(np.nan_to_num(cells)).astype(int)
    x, y = np.clip(nearest[..., 0], 0, width - 1), np.clip(nearest[..., 1], 0, height - 1)
    people, joints = np.arange(len(cells))[:, None], np.arange(cells.shape[1])
    as_annotated = np.maximum(logarithms[people, joints, y, x].astype(float), FLOOR)
    exchanged = np.maximum(logarithms[people, mirrored_joints(), y, x].astype(float), FLOOR)
    gain = np.where(present, as_annotated - exchanged, 0.0)
    return {half: gain[:, list(members)].sum(axis=1) for half, members in HALVES.items()}


def repair_lspet(people: People) -> People:
    """People of LSP Extended, `repaired` by the ratios in `SUSPICIOUS`; benchmarks/find_exchanged.py made them."""
    with SUSPICIOUS.open(newline="", encoding="utf-8") as stream:
        rows = {row["image"]: row for row in csv.DictReader(stream)}
    ratios = {
        half: np.array([float(rows[image][half]) if image in rows else np.inf for image in people.image])
        for half in HALVES
    }
    return repaired(people, ratios)[0]


def repaired(
    people: People,
    ratios: Mapping[str, np.ndarray],
    exchange_below: float = EXCHANGE_BELOW,
    leave_out_below: float = LEAVE_OUT_BELOW,
) -> tuple[People, dict[str, int]]:
    """The people with right and left of suspicious halves exchanged or, where less sure, not annotated.

    ratios: as `log_likelihood_ratios` gives them for these people. People who have no joint left are left out.
    Also returns how many halves were exchanged and left out, and how many people are gone.
    """
    joints, visible = people.joints.copy(), people.visible.copy()
    mirrored = mirrored_joints()
    count = {"exchanged": 0, "left out": 0}
    for half, members in HALVES.items():
        sides, others = list(members), [mirrored[joint] for joint in members]
        wrong = ratios[half] < exchange_below
        unsure = ~wrong & (ratios[half] < leave_out_below)
        for table in (joints, visible):
            table[np.ix_(wrong, sides)] = table[np.ix_(wrong, others)]
        joints[np.ix_(unsure, sides)] = np.nan
        visible[np.ix_(unsure, sides)] = False
        count["exchanged"] += int(wrong.sum())
        count["left out"] += int(unsure.sum())
    left = np.isfinite(joints).all(axis=2).any(axis=1)
    count["people gone"] = int((~left).sum())
    kept = people.select(left)
    return replace(kept, joints=joints[left], visible=visible[left]), count

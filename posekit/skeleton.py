"""The 16 joints of MPII Human Pose, the limbs between them and the left/right pairs.

Joint numbers are positions in `JOINTS`; every other file of the project asks here, by name.
The order is the one of the MPII annotations (Andriluka et al., CVPR 2014).
"""

JOINTS: tuple[str, ...] = (
    "right ankle",
    "right knee",
    "right hip",
    "left hip",
    "left knee",
    "left ankle",
    "pelvis",
    "thorax",
    "upper neck",
    "head top",
    "right wrist",
    "right elbow",
    "right shoulder",
    "left shoulder",
    "left elbow",
    "left wrist",
)

INDEX: dict[str, int] = {name: number for number, name in enumerate(JOINTS)}

_LIMB_NAMES = (
    ("right ankle", "right knee"),
    ("right knee", "right hip"),
    ("right hip", "pelvis"),
    ("left hip", "pelvis"),
    ("left knee", "left hip"),
    ("left ankle", "left knee"),
    ("pelvis", "thorax"),
    ("thorax", "upper neck"),
    ("upper neck", "head top"),
    ("right wrist", "right elbow"),
    ("right elbow", "right shoulder"),
    ("right shoulder", "thorax"),
    ("left shoulder", "thorax"),
    ("left elbow", "left shoulder"),
    ("left wrist", "left elbow"),
)

#: Pairs of joint numbers that a drawn skeleton connects.
LIMBS: tuple[tuple[int, int], ...] = tuple((INDEX[a], INDEX[b]) for a, b in _LIMB_NAMES)

#: (right, left) joint numbers that a mirrored image exchanges.
LEFT_RIGHT: tuple[tuple[int, int], ...] = tuple(
    (INDEX["right " + part], INDEX["left " + part])
    for part in ("ankle", "knee", "hip", "wrist", "elbow", "shoulder")
)

#: "right", "left" or "middle" for every joint.
SIDES: tuple[str, ...] = tuple(
    name.split()[0] if name.split()[0] in ("right", "left") else "middle" for name in JOINTS
)

#: The seven groups of published PCKh tables. Their "head" is the head top alone.
GROUPS: dict[str, tuple[int, ...]] = {
    "head": (INDEX["head top"],),
    **{
        part: (INDEX["right " + part], INDEX["left " + part])
        for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    },
}

#: The 14 joints of published means: all but pelvis and thorax.
SCORED: tuple[int, ...] = tuple(number for number, name in enumerate(JOINTS) if name not in ("pelvis", "thorax"))


def mirrored_joints() -> list[int]:
    """Entry i is the joint that joint i becomes in a mirror image: left and right are exchanged."""
    order = list(range(len(JOINTS)))
    for right, left in LEFT_RIGHT:
        order[right], order[left] = left, right
    return order

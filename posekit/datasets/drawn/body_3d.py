"""From a flat pose to a figure with depth: limbs of plausible length, a facing direction, near and far.

Coordinates here: x right, y down, z away from the camera; lengths in the unit of the pose prior (200 px
times the scale), relative to the annotated center. A figure's depth only decides what is drawn over what,
which side of a foot or head is seen and which joints are hidden; the picture itself is the flat pose.
"""

from dataclasses import dataclass

import numpy as np

from posekit.datasets.drawn.pose_prior import PosePrior
from posekit.skeleton import INDEX, JOINTS, LEFT_RIGHT

SIDES = ("right", "left")

#: Parent of every joint but the pelvis, with the limb's name in PosePrior.lengths.
_TREE: tuple[tuple[str, str, str], ...] = (
    ("pelvis", "thorax", "torso"),
    ("thorax", "upper neck", "neck"),
    ("upper neck", "head top", "head"),
    *(
        (f"{side} {a}", f"{side} {b}", limb)
        for side in SIDES
        for a, b, limb in (
            ("shoulder", "elbow", "upper arm"),
            ("elbow", "wrist", "forearm"),
            ("hip", "knee", "thigh"),
            ("knee", "ankle", "shin"),
        )
    ),
)


@dataclass(frozen=True)
class Figure:
    """joints (16, 3); up, right and forward are the torso's unit vectors (right is the person's own)."""

    joints: np.ndarray
    up: np.ndarray
    right: np.ndarray
    forward: np.ndarray
    lengths: dict[str, float]

    def at(self, name: str) -> np.ndarray:
        """(3,) position of the joint called `name`."""
        return self.joints[INDEX[name]]


def draw_figure(rng: np.random.Generator, prior: PosePrior, batch: int = 24, tries: int = 12) -> Figure:
    """A plausible figure drawn from the prior, mirrored in half of the cases."""
    for _ in range(tries):
        poses = prior.draw(rng, batch, spread=0.95)
        good = [pose for pose in poses if is_plausible(pose, prior.lengths)]
        if good:
            pose = mirror(good[0]) if rng.random() < 0.5 else good[0]
            return lift(pose, prior.lengths)
    raise RuntimeError("the pose prior gives no plausible pose; fit it again")


def mirror(pose: np.ndarray) -> np.ndarray:
    """The pose seen in a mirror: x changes its sign and left and right change places."""
    flipped = pose * np.array([-1.0, 1.0])
    for right, left in LEFT_RIGHT:
        flipped[[right, left]] = flipped[[left, right]]
    return flipped


def is_plausible(pose: np.ndarray, lengths: dict[str, float]) -> bool:
    """False for poses that a drawn body would look broken in.

    No limb may be far longer than a body's or nearly vanish, the head must be on top of the torso and
    the two sides of the body must agree about the direction that the person faces.
    """
    shortest = {
        "torso": 0.62,
        "thigh": 0.4,
        "shin": 0.4,
        "upper arm": 0.4,
        "forearm": 0.4,
        "neck": 0.0,
        "head": 0.8,
    }
    for parent, child, limb in _TREE:
        length = np.linalg.norm(pose[INDEX[child]] - pose[INDEX[parent]]) / lengths[limb]
        if not shortest[limb] < length < (2.2 if limb == "neck" else 1.3):
            return False
    up = pose[INDEX["thorax"]] - pose[INDEX["pelvis"]]
    head = pose[INDEX["head top"]] - pose[INDEX["upper neck"]]
    if up @ head < 0.55 * np.linalg.norm(up) * np.linalg.norm(head):
        return False
    across = np.array([-up[1], up[0]]) / np.linalg.norm(up)
    shoulders = (pose[INDEX["left shoulder"]] - pose[INDEX["right shoulder"]]) @ across / lengths["shoulders"]
    hips = (pose[INDEX["left hip"]] - pose[INDEX["right hip"]]) @ across / lengths["hips"]
    middle = (pose[INDEX["left shoulder"]] + pose[INDEX["right shoulder"]]) / 2 - pose[INDEX["thorax"]]
    if np.linalg.norm(middle) > 0.07 or abs(shoulders) > 1.35 or abs(hips) > 1.5:
        return False
    # A twisted trunk (shoulders from the front, hips from behind) is rare in life and unreadable here.
    return abs(shoulders - hips) < 0.9 and not (shoulders * hips < 0 and abs(shoulders - hips) > 0.6)


def lift(pose: np.ndarray, lengths: dict[str, float]) -> Figure:
    """Gives a pose depth: a limb that looks too short points towards or away from the camera.

    `pose` (16, 2) as in the module's text. Over-long limbs are cut back to the body's lengths first.
    """
    size = float(np.clip(_size(pose, lengths), 0.9, 1.12))
    body = {limb: length * size for limb, length in lengths.items()}
    body["neck"], body["head"] = lengths["neck"], lengths["head"]
    flat = _shorten(pose, body)

    up2 = _unit(flat[INDEX["thorax"]] - flat[INDEX["pelvis"]])
    across = np.array([-up2[1], up2[0]])  # to the right in the image for an upright person
    span = sum(
        (flat[INDEX[f"left {part}"]] - flat[INDEX[f"right {part}"]]) @ across for part in ("shoulder", "hip")
    )
    frontal = float(np.clip(span / (body["shoulders"] + body["hips"]), -1, 1))  # 1 front, -1 back, 0 profile
    profile = _profile_side(flat, across, up2) * np.sqrt(1 - frontal**2)  # 1 looks along `across`
    up = np.array([*up2, 0.0])
    right = np.array([*(-frontal * across), -profile])
    forward = np.array([*(profile * across), -frontal])

    depth = np.zeros(len(JOINTS))
    for parent, child, limb in _TREE:
        i, j = INDEX[parent], INDEX[child]
        length = np.linalg.norm(flat[j] - flat[i])
        missing = np.sqrt(max(body[limb] ** 2 - length**2, 0.0))
        # Knees and hands go forward of the body, feet come back again.
        bend = {"shin": -0.5, "upper arm": 0.5, "torso": 0.5, "neck": 0.0, "head": 0.0}.get(limb, 1.0)
        base = depth[i]
        for part, line, anchor in (("shoulder", "shoulders", "thorax"), ("hip", "hips", "pelvis")):
            if parent.endswith(part):
                sign = 1 if parent.startswith("right") else -1
                base = depth[INDEX[anchor]] + sign * right[2] * body[line] / 2
                depth[i] = base
        depth[j] = base + bend * forward[2] * missing
    return Figure(np.column_stack([flat, depth]), up, right, forward, body)


def _size(pose: np.ndarray, lengths: dict[str, float]) -> float:
    """How large the body is for its annotated scale: the upper quartile of its limbs' relative lengths."""
    ratios = [
        np.linalg.norm(pose[INDEX[b]] - pose[INDEX[a]]) / lengths[limb]
        for a, b, limb in _TREE
        if limb not in ("neck", "head")
    ]
    return float(np.percentile(ratios, 75))


def _shorten(pose: np.ndarray, body: dict[str, float]) -> np.ndarray:
    """The pose with no limb longer than the body's; what hangs on a shortened limb moves along."""
    out = pose.copy()
    for part, line, anchor in (("shoulder", "shoulders", "thorax"), ("hip", "hips", "pelvis")):
        pair = [INDEX[f"{side} {part}"] for side in SIDES]
        width = np.linalg.norm(pose[pair[0]] - pose[pair[1]])
        offset = (pose[pair] - pose[pair].mean(axis=0)) * min(1.0, body[line] / max(width, 1e-6))
        # MPII's pelvis and thorax lie between hips and shoulders; the drawn ones nearly do.
        out[pair] = 0.8 * pose[INDEX[anchor]] + 0.2 * pose[pair].mean(axis=0) + offset
    moved = {INDEX["pelvis"]: np.zeros(2)}
    for side in SIDES:
        for part in ("shoulder", "hip"):
            i = INDEX[f"{side} {part}"]
            moved[i] = out[i] - pose[i]
    for parent, child, limb in _TREE:
        i, j = INDEX[parent], INDEX[child]
        step = pose[j] - pose[i]
        limit = body[limb] * (1.3 if limb == "neck" else 1.0)
        out[j] = pose[i] + moved[i] + step * min(1.0, limit / max(np.linalg.norm(step), 1e-6))
        moved[j] = out[j] - pose[j]
    thorax = moved[INDEX["thorax"]]
    for side in SIDES:  # the trunk may have been shortened: the arms follow its upper end
        for part in ("shoulder", "elbow", "wrist"):
            out[INDEX[f"{side} {part}"]] += thorax
    return out


def _profile_side(flat: np.ndarray, across: np.ndarray, up: np.ndarray) -> float:
    """1.0 when the person looks along `across`, -1.0 against it: knees, hands and head point forward."""

    def ahead(middle: str, start: str, end: str) -> float:
        line = flat[INDEX[end]] - flat[INDEX[start]]
        offset = flat[INDEX[middle]] - flat[INDEX[start]]
        offset = offset - line * (offset @ line) / max(line @ line, 1e-6)
        return float(offset @ across)

    evidence = 2.0 * float((flat[INDEX["upper neck"]] - flat[INDEX["thorax"]]) @ across)
    for side in SIDES:
        evidence += 2.0 * ahead(f"{side} knee", f"{side} hip", f"{side} ankle")
        evidence -= 1.0 * ahead(f"{side} elbow", f"{side} shoulder", f"{side} wrist")
        hand = flat[INDEX[f"{side} wrist"]] - flat[INDEX[f"{side} shoulder"]]
        if hand @ up < 0.1:  # a raised hand says nothing
            evidence += 0.5 * float(hand @ across)
    return 1.0 if evidence >= 0 else -1.0


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)

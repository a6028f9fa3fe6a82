"""Reads Leeds Sports Pose and LSP Extended: `joints.mat` and `images/` become MPII's table of people.

Sources: Johnson & Everingham, BMVC 2010 (LSP) and CVPR 2011 (LSP Extended). There is one person per image and no
center, scale or head box: center and scale are derived here from the joints, by a rule fitted to MPII.
"""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np

from posekit.datasets.people import People, estimated_head_size
from posekit.errors import PosekitError
from posekit.files import check_folder, load_mat
from posekit.skeleton import INDEX, JOINTS

#: The order of `joints.mat`, in MPII's names. LSP has no pelvis and no thorax; its neck and head top are the
#: joints that come nearest to MPII's upper neck and head top.
LSP_JOINTS: tuple[str, ...] = (
    "right ankle",
    "right knee",
    "right hip",
    "left hip",
    "left knee",
    "left ankle",
    "right wrist",
    "right elbow",
    "right shoulder",
    "left shoulder",
    "left elbow",
    "left wrist",
    "upper neck",
    "head top",
)

#: The longer of the right and the left one, px of a person of MPII's scale 1 (200 px tall): MPII's medians, all
#: times one factor, so that the 75 % quantile of `scale_and_center` has its median at MPII's own scale.
#: `tests/test_lsp.py` computes them anew.
LENGTHS: dict[tuple[str, str], float] = {
    ("shoulder", "hip"): 65.2,
    ("hip", "knee"): 51.6,
    ("knee", "ankle"): 50.4,
    ("shoulder", "elbow"): 37.3,
    ("elbow", "wrist"): 31.2,
}


#: People of LSP from this number on (counted from 1) are its standard test set.
FIRST_TEST_PERSON = 1001


def read_lsp(folder: Path) -> People:
    """All people in `joints.mat` in `folder`, whether or not the photographs exist.

    `joints` is 14 x 3 x N (LSP Extended, named "lspet": x, y, 1 = labeled; images/im00001.jpg ...; all for
    training) or 3 x 14 x N (LSP, named "lsp": x, y, 1 = occluded; images/im0001.jpg ...; people 1 to 1000 for
    training, 1001 to 2000 for validation, the standard split), image px as they stand. Columns without a labeled
    joint, and people of whom no limb is labeled at both ends, so that no scale can be derived, are left out; the
    latter are logged.
    Head sizes are estimated from neck and head top. In the 6,000 people of LSP Extended that were looked at, the
    head is labeled about a fifth shorter beside the limbs than in MPII, so these head sizes are too.
    Raises `PosekitError` naming the file that is missing or malformed.
    """
    folder = Path(folder)
    path = folder / "joints.mat"
    check_folder(folder, "name the folder that holds joints.mat and images/")
    xy, labeled, visible, extended = _columns(load_mat(path), path)
    name, digits = ("lspet", 5) if extended else ("lsp", 4)
    joints = np.full((len(xy), len(JOINTS), 2), np.nan)
    seen = np.zeros(joints.shape[:2], bool)
    places = [INDEX[joint] for joint in LSP_JOINTS]
    joints[:, places] = np.where(labeled[..., None], xy, np.nan)
    seen[:, places] = visible & labeled
    center, scale = center_and_scale(joints)
    unknown = labeled.any(axis=1) & ~(scale > 0)
    if unknown.any():
        logging.getLogger(__name__).info("%s: %d people have no whole limb and are left out", path, unknown.sum())
    kept = np.flatnonzero(scale > 0)
    return People(
        name=name,
        images_folder=folder / "images",
        data_set=np.full(len(kept), name),
        image=np.array([f"im{number + 1:0{digits}d}.jpg" for number in kept]),
        center=center[kept],
        scale=scale[kept],
        joints=joints[kept],
        visible=seen[kept],
        head_size=estimated_head_size(joints[kept]),
        head_size_estimated=np.full(len(kept), True),
        validation=(kept + 1 >= FIRST_TEST_PERSON) & (not extended),
        image_size=np.zeros((len(kept), 2), int),
    )


def center_and_scale(joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Center (N, 2) image px and scale (N,) as MPII would have them, from joints (N, 16, 2); NaN where unknown.

    MPII's own scale is 6 x |head top - upper neck| / 200 px. That is not copied, because the head is labeled
    differently in LSP. Instead, every length in `LENGTHS` gives a scale, and their 75 % quantile counts: a person
    who crouches or is foreshortened still has long limbs somewhere, and one length that is too long does not
    decide.

    The center is halfway between the middle of the joints' box and the mean of the joints. The mean alone comes
    0.004 body heights nearer to MPII's centers, but loses more outstretched limbs.

    On MPII's 25,204 people the scale is within 10.4 % of MPII's for half and within 27.3 % for nine of ten, the
    center within 0.063 and 0.102 body heights (`agreement`; `tests/test_lsp.py` prints it).
    """
    votes = np.stack([_longer(joints, *ends) / length for ends, length in LENGTHS.items()], axis=1)
    center = np.full((len(joints), 2), np.nan)
    scale = np.full(len(joints), np.nan)
    voted = (votes > 0).any(axis=1)
    scale[voted] = np.nanquantile(np.where(votes > 0, votes, np.nan)[voted], 0.75, axis=1)
    # Pelvis and thorax lie between the others and are not there in LSP: they must not weigh in MPII.
    counted = joints[:, [INDEX[joint] for joint in LSP_JOINTS]]
    known = np.isfinite(counted).all(axis=2).any(axis=1)
    box = (np.nanmin(counted[known], axis=1) + np.nanmax(counted[known], axis=1)) / 2
    center[known] = (box + np.nanmean(counted[known], axis=1)) / 2
    return center, scale


def agreement(
    people: People, lost: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
) -> dict[str, float]:
    """How well `center_and_scale` gives back the center and scale that a data set annotates itself, on MPII say.

    Median and 90 % quantile of the relative error of the scale and of the distance of the centers, in units of
    200 px x scale (body heights); and the shares of joints that a crop loses with either. lost: from center, scale
    and joints to (N, 16) bool, such as `posekit.preprocessing.crop.lost_joints` with a rule.
    """
    center, scale = center_and_scale(people.joints)
    known = scale > 0
    scale_error = np.abs(scale / people.scale - 1)[known]
    distance = (np.linalg.norm(center - people.center, axis=1) / (200 * people.scale))[known]
    joints, labeled = people.joints[known], people.labeled[known].sum()
    own = lost(people.center[known], people.scale[known], joints)
    derived = lost(center[known], scale[known], joints)
    return {
        "people": len(people),
        "people without a whole limb": int((~known).sum()),
        "scale, median error": float(np.median(scale_error)),
        "scale, 90 % quantile": float(np.quantile(scale_error, 0.9)),
        "center, median distance / height": float(np.median(distance)),
        "center, 90 % quantile": float(np.quantile(distance, 0.9)),
        "joints lost with the annotated ones": float(own.sum() / labeled),
        "joints lost with the derived ones": float(derived.sum() / labeled),
        "people losing a joint with the annotated ones": float(own.any(axis=1).mean()),
        "people losing a joint with the derived ones": float(derived.any(axis=1).mean()),
    }


def _longer(joints: np.ndarray, start: str, end: str) -> np.ndarray:
    """(N,) px: from one joint to the other on the person's right or left, whichever is longer; NaN if neither."""
    sides = [joints[:, INDEX[f"{side} {start}"]] - joints[:, INDEX[f"{side} {end}"]] for side in ("right", "left")]
    return np.fmax(*(np.linalg.norm(side, axis=1) for side in sides))


def _columns(content: dict[str, np.ndarray], path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
    """(x, y) (N, 14, 2) float64, labeled and visible (N, 14) bool, whether it is LSP Extended."""
    if "joints" not in content:
        raise PosekitError(f"{path} has no variable 'joints'; it should be joints.mat of LSP or LSP Extended")
    joints = content["joints"]
    count = len(LSP_JOINTS)
    if joints.ndim == 2:  # MATLAB drops the last axis of a single person
        joints = joints[:, :, None]
    if joints.dtype.kind not in "biuf" or joints.ndim != 3 or joints.shape[:2] not in ((count, 3), (3, count)):
        raise PosekitError(
            f"'joints' of {path} is {joints.dtype} {joints.shape}, not numbers of shape (14, 3, N) or (3, 14, N)"
        )
    extended = joints.shape[:2] == (count, 3)
    joints = joints.transpose(2, 0, 1) if extended else joints.transpose(2, 1, 0)
    flags = joints[..., 2]
    if not np.isin(flags, (0, 1)).all():
        raise PosekitError(f"'joints' of {path} has a third value that is not 0 or 1; fetch the file again")
    # LSP labels everything, hidden joints too; only (0, 0) or NaN stands for a joint that is not there.
    given = np.isfinite(joints[..., :2]).all(axis=2) & (joints[..., :2] != 0).any(axis=2)
    labeled = given & (flags == 1) if extended else given
    if not labeled.any():
        raise PosekitError(f"'joints' of {path} has no labeled joint; fetch the file again")
    return joints[..., :2].astype(float), labeled, labeled if extended else flags == 0, extended

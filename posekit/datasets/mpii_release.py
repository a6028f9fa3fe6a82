"""MPII's official release, a MATLAB struct whose fields may be missing, empty, one value or many: into plain rows.

`RELEASE.annolist(i)` is an image with `image.name` and `annorect(p)`, its people: `x1 y1 x2 y2` (head box),
`scale`, `objpos.x/.y` and `annopoints.point` with `x y id is_visible`. Only images with `img_train` 1 have
annotated joints (Andriluka et al., CVPR 2014). Coordinates are taken as they stand: image px, (x, y), no shift.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from posekit.errors import PosekitError
from posekit.skeleton import JOINTS

#: Head size / diagonal of the head box (evaluation code of Andriluka et al., `SC_BIAS` in getHeadSize.m).
HEAD_SIZE_OVER_DIAGONAL = 0.6

NO_JOINT, NO_SCALE, NO_CENTER = "have no annotated joint", "have no scale", "have no center"
BESIDE_VALIDATION = "stand beside the validation people in images of the validation split"


def release_rows(
    content: Mapping[str, np.ndarray], path: Path, validation_people: Mapping[str, frozenset[int]]
) -> tuple[list[dict], str]:
    """One row per person, from which `posekit.datasets.mpii` makes its table, and a sentence about the others.

    content is what scipy's `loadmat` returns for the file `path`; `validation_people` says for every image of the
    validation split which of its annorect entries, counted from 1, the split names. All other people in those
    images are on neither side. A row has image (str), center (2,), scale, joints (16, 2), labeled and visible
    (16,) bool, head_size (NaN without a head box), validation (bool) and image_size (0, 0).

    All people with joints, scale and center are included: `single_person` is not applied. The field's list of
    22,246 + 2,958 people does not apply it either (genJSON.m of convolutional pose machines, Wei et al., CVPR
    2016, of which the lists of later papers are copies): it has all 22,246 annotated people of the train images,
    and 2,958 of the 6,637 in the validation images. As in that list, a joint whose `is_visible` is missing or
    empty counts as visible. The list rounds to 0.001 px, this reader does not.

    The sentence is "" if nobody is left out. Raises `PosekitError` naming the file, and the image and person
    where it is about one, if it is not such a release, is malformed, or nobody is left.
    """
    rows, left_out, everybody = [], Counter(), 0
    for image, rect, number in _train_people(content, path):
        everybody += 1
        try:
            row = _row(rect)
        except (ValueError, TypeError) as error:
            raise PosekitError(f"{path}: person {number} of image {image} is malformed ({error})") from error
        if isinstance(row, str):
            left_out[row] += 1
        elif image in validation_people and number not in validation_people[image]:
            left_out[BESIDE_VALIDATION] += 1
        else:
            rows.append({"image": image, "validation": image in validation_people, **row})
    reasons = "; ".join(f"{count} because they {reason}" for reason, count in left_out.items())
    sentence = f"{left_out.total()} of {everybody} people of the train images are left out: {reasons}"
    if not rows:
        raise PosekitError(f"{path} has no annotated people" + (f": {sentence}" if left_out else ""))
    return rows, sentence if left_out else ""


def _train_people(content: Mapping[str, np.ndarray], path: Path) -> Iterator[tuple[str, np.void, int]]:
    """(file name of the image, annorect entry, its number from 1) of everybody in the train images."""
    release = _structs(content.get("RELEASE"))
    if len(release) != 1:
        raise PosekitError(f"{path} has no struct RELEASE; it should be mpii_human_pose_v1_u12_1.mat")
    annolist, img_train = _structs(_value(release[0], "annolist")), _value(release[0], "img_train")
    if not annolist or img_train is None:
        raise PosekitError(f"{path}: RELEASE has no annolist or no img_train; fetch the file again")
    if img_train.dtype.kind not in "biuf" or img_train.size != len(annolist):
        raise PosekitError(
            f"{path}: img_train has {img_train.size} entries of {img_train.dtype} for {len(annolist)} images; "
            "fetch the file again"
        )
    for index in np.flatnonzero(img_train.ravel() == 1):
        rects = _structs(_value(annolist[index], "annorect"))
        names = [_value(image, "name") for image in _structs(_value(annolist[index], "image"))]
        if rects and not (
            len(names) == 1 and names[0] is not None and (names[0].dtype.kind, names[0].size) == ("U", 1)
        ):
            raise PosekitError(f"{path}: entry {index + 1} of annolist has people but no image.name")
        for number, rect in enumerate(rects, start=1):
            yield str(names[0].item()), rect, number


def _row(rect: np.void) -> dict | str:
    """The columns that an annorect entry itself gives, or the reason why it is no usable person."""
    joints = np.full((len(JOINTS), 2), np.nan)
    visible = np.zeros(len(JOINTS), bool)
    for annopoints in _structs(_value(rect, "annopoints")):
        for point in _structs(_value(annopoints, "point")):
            joint = _number(point, "id")
            if joint not in range(len(JOINTS)):
                raise ValueError(f"joint id {joint} is none of 0 to {len(JOINTS) - 1}")
            joints[int(joint)] = _xy(point)
            visible[int(joint)] = _number(point, "is_visible") != 0
    labeled = np.isfinite(joints).all(axis=1)
    if not labeled.any():
        return NO_JOINT
    scale = _number(rect, "scale")
    if np.isnan(scale):
        return NO_SCALE
    objpos = _structs(_value(rect, "objpos"))
    center = _xy(objpos[0]) if objpos else np.full(2, np.nan)
    if np.isnan(center).any():
        return NO_CENTER
    diagonal = np.hypot(_number(rect, "x2") - _number(rect, "x1"), _number(rect, "y2") - _number(rect, "y1"))
    return {
        "center": center,
        "scale": scale,
        "joints": joints,
        "labeled": labeled,
        "visible": visible & labeled,
        "head_size": HEAD_SIZE_OVER_DIAGONAL * diagonal if diagonal > 0 else np.nan,
        "image_size": np.zeros(2, int),
    }


def _structs(value: np.ndarray | None) -> list[np.void]:
    """The elements of a struct array of any shape; none where something else stands, such as []."""
    return list(value.ravel()) if value is not None and value.dtype.names else []


def _value(struct: np.void, field: str) -> np.ndarray | None:
    """What a field holds; None where the field is missing or empty."""
    value = struct[field] if field in struct.dtype.names else None
    return value if value is not None and value.size else None


def _number(struct: np.void, field: str) -> float:
    """The one number of a field, which may be written as text ('0'); NaN where it is missing or empty."""
    value = _value(struct, field)
    if value is None:
        return np.nan
    if value.size != 1 or value.dtype.kind not in "biufU":
        raise ValueError(f"{field} is {value.dtype} of shape {value.shape}, not one number")
    return float(value.item())


def _xy(struct: np.void) -> np.ndarray:
    return np.array([_number(struct, "x"), _number(struct, "y")])

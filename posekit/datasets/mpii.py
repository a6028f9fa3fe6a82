"""Reads annotations in MPII's forms: a folder with `annotations/` and `images/` becomes a table of people.

Two JSON forms are understood, plain or gzipped, and where there is no JSON the official release:

- records of one person with `image`, `scale`, `center`, `joints` (16 x [x, y]), `joints_vis` (16): what the
  report used, as `train.json` and `valid.json` or as one list. The drawn sample has this form too, with
  `head_size` and `image_size` in addition;
- the list of all 25,204 people, with `img_paths`, `objpos`, `scale_provided`, `joint_self`
  (16 x [x, y, visible]) and `isValidation`;
- `mpii_human_pose_v1_u12_1.mat` (see `posekit.datasets.mpii_release`).

Numbers are taken as they stand: pixels of the image, (x, y), no shift.
"""

import gzip
import json
import logging
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np

from posekit.datasets.mpii_release import HEAD_SIZE_OVER_DIAGONAL, release_rows
from posekit.datasets.people import People, estimated_head_size
from posekit.errors import PosekitError, naming
from posekit.files import check_folder, load_mat
from posekit.skeleton import JOINTS

#: Annotated people of the complete data set.
ALL_PEOPLE = 25_204

#: The ground truth of MPII's evaluation: joints and head boxes of the validation people.
GROUND_TRUTH = Path("evaluation") / "detections_our_format.mat"


def read_mpii(folder: Path, name: str = "mpii") -> People:
    """All annotated people below `folder`, whether or not their photographs exist.

    Head sizes of the validation people come from `evaluation/detections_our_format.mat` if it exists; all others
    from the head box where the file has it, and from the head top and upper neck otherwise. People of the official
    release who are left out are logged. Raises `PosekitError` naming the folder, file or entry that is wrong.
    """
    folder = Path(folder)
    check_folder(folder, "name the folder that holds annotations/ and images/")
    files = _annotation_files(folder / "annotations")
    columns = []
    for path in files:
        if path.suffix == ".mat":
            columns, left_out = release_rows(load_mat(path), path, validation_people())
            if left_out:
                logging.getLogger(__name__).info("%s: %s", path, left_out)
            continue
        read = None
        for number, record in enumerate(_load(path)):
            with naming(f"{path}: entry {number}", "fetch the file again"):
                read = read or (_read_complete if "joint_self" in record else _read_person)
                columns.append(read(record, _split_of(path)))
    if not columns:
        raise PosekitError(f"{files[0]}: the annotation list is empty; check that it is the right file")
    people = _table(name, folder / "images", columns)
    ground_truth = folder / GROUND_TRUTH
    return _with_ground_truth(people, ground_truth) if ground_truth.exists() else people


def read_everybody(folder: Path) -> dict[str, np.ndarray]:
    """Joints (N, 16, 2) of all N people that MPII's list of 25,204 annotates in each photograph, image px, NaN
    where not annotated. They include people who are only listed with another person (`joint_others`).

    Raises `PosekitError` as `read_mpii` does, and for another form of the list, which does not name them.
    """
    everybody = {}
    for path in _annotation_files(Path(folder) / "annotations"):
        if path.suffix == ".mat":
            raise PosekitError(f"{path} is read without the other people of a photograph; use the JSON list")
        for number, record in enumerate(_load(path)):
            with naming(f"{path}: entry {number}", "fetch the file again"):
                others = record["joint_others"] if record["numOtherPeople"] else []  # none is not written as []
                beside = np.array(others, float).reshape(-1, len(JOINTS), 3)
                own = np.array(record["joint_self"], float).reshape(1, len(JOINTS), 3)
                joints = np.concatenate([own, beside])[..., :2]
                everybody[str(record["img_paths"])] = np.where(
                    (joints == 0).all(axis=2)[..., None], np.nan, joints
                )
    return everybody


def _load(path: Path) -> list:
    """The list of a JSON file, with a message instead of a traceback for whatever can be wrong with it."""
    try:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8-sig") as stream:  # a byte order mark changes nothing
            records = json.load(stream)
    except (OSError, EOFError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise PosekitError(f"{path} cannot be read as JSON ({error}); fetch the file again") from error
    if not isinstance(records, list):
        raise PosekitError(f"{path} holds a {type(records).__name__}, not a list of people")
    return records


def _annotation_files(folder: Path) -> list[Path]:
    """train.json and valid.json where both are there, else the only list; `PosekitError` if that is not clear.

    A .mat file is read only where there is no JSON: of several the one that has the name of the official release.
    """
    files = sorted([*folder.glob("*.json"), *folder.glob("*.json.gz")])
    if not files:
        files = sorted(folder.glob("*.mat"))
        files = [path for path in files if "mpii_human_pose" in path.name] or files
    if not files:
        raise PosekitError(f"there is no .json, .json.gz or .mat file in {folder}")
    halves = [[path for path in files if _split_of(path) is side] for side in (False, True)]
    if all(len(half) == 1 for half in halves):
        return halves[0] + halves[1]
    if len(files) > 1:
        names = ", ".join(path.name for path in files)
        raise PosekitError(
            f"{folder} holds {names}; leave one list of everybody there, or train.json and valid.json"
        )
    return files


def _split_of(path: Path) -> bool | None:
    """Whether a file of the report's form holds validation people, by its name; None if that does not say."""
    stem = path.name.split(".")[0].lower()
    return {"train": False, "valid": True, "val": True, "validation": True}.get(stem)


def _read_complete(record: dict, _: bool | None) -> dict:
    joints = np.array(record["joint_self"], float).reshape(len(JOINTS), 3)
    return {
        "image": str(record["img_paths"]),
        "center": np.array(record["objpos"], float).reshape(2),
        "scale": float(record["scale_provided"]),
        "joints": joints[:, :2],
        "labeled": ~(joints[:, :2] == 0).all(axis=1),
        "visible": joints[:, 2] > 0,
        "head_size": np.nan,
        "validation": bool(record["isValidation"]),
        "image_size": np.array([record["img_width"], record["img_height"]], int),
    }


def _read_person(record: dict, validation: bool | None) -> dict:
    joints = np.array(record["joints"], float).reshape(len(JOINTS), 2)
    image = str(record["image"])
    return {
        "image": image,
        "center": np.array(record["center"], float).reshape(2),
        "scale": float(record["scale"]),
        "joints": joints,
        # Files of this form mark a joint that nobody annotated as (-1, -1) or (0, 0).
        "labeled": ~(joints <= 0).all(axis=1),
        "visible": np.array(record["joints_vis"], float).reshape(len(JOINTS)) > 0,
        "head_size": float(record.get("head_size") or np.nan),
        "validation": image in _validation_images() if validation is None else validation,
        "image_size": np.array(record.get("image_size", [0, 0]), int).reshape(2),
    }


def validation_people() -> dict[str, frozenset[int]]:
    """The standard validation split (Tompson et al., CVPR 2015): image -> its people in it.

    People are numbers of annorect entries of the official release, from 1. No image is on both sides.
    """
    lines = resources.files("posekit.datasets").joinpath("mpii_validation_people.txt").read_text().splitlines()
    return {image: frozenset(map(int, numbers)) for image, *numbers in map(str.split, lines)}


@cache
def _validation_images() -> frozenset[str]:
    return frozenset(validation_people())


def _table(name: str, images_folder: Path, columns: list[dict]) -> People:
    stacked = {key: np.array([row[key] for row in columns]) for key in columns[0]}
    labeled = stacked.pop("labeled") & np.isfinite(stacked["joints"]).all(axis=2)
    joints = np.where(labeled[..., None], stacked.pop("joints"), np.nan)
    known = stacked.pop("head_size")
    return People(
        name=name,
        images_folder=images_folder,
        data_set=np.full(len(joints), name),
        joints=joints,
        head_size=np.where(np.isfinite(known), known, estimated_head_size(joints)),
        head_size_estimated=~np.isfinite(known),
        visible=stacked.pop("visible") & labeled,
        **stacked,
    )


def _with_ground_truth(people: People, path: Path) -> People:
    """Joints and head sizes of the validation people as the official evaluation has them, in the same order."""
    truth = load_mat(path)
    try:
        joints = truth["pos_gt_src"].transpose(2, 0, 1).astype(float)  # (N, 16, 2)
        missing = truth["jnt_missing"].T > 0  # (N, 16)
        boxes = truth["headboxes_src"].transpose(2, 0, 1).astype(float)  # (N, 2 corners, 2)
    except (ValueError, KeyError, TypeError) as error:
        raise PosekitError(f"{path} is not the ground truth of MPII's evaluation ({error})") from error
    where = np.flatnonzero(people.validation)
    if len(joints) != len(where):
        raise PosekitError(f"{path} is about {len(joints)} validation people, the annotations about {len(where)}")
    new_joints, new_visible, head_size = people.joints.copy(), people.visible.copy(), people.head_size.copy()
    new_joints[where] = np.where(missing[..., None], np.nan, joints)
    new_visible[where] &= ~missing
    estimated = people.head_size_estimated.copy()
    estimated[where] = False
    head_size[where] = HEAD_SIZE_OVER_DIAGONAL * np.linalg.norm(boxes[:, 1] - boxes[:, 0], axis=1)
    return replace(
        people, joints=new_joints, visible=new_visible, head_size=head_size, head_size_estimated=estimated
    )

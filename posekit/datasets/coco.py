"""COCO's keypoint format, which annotation tools and other pose libraries write: people out of a .json file.

Source of the format: https://cocodataset.org/#format-data (Lin et al., "Microsoft COCO", ECCV 2014). A file lists
images, categories, which name their keypoints in order, and annotations: one per person, with keypoints
[x1, y1, v1, x2, ...] and a box [left, top, width, height]. v is 0 (not labeled), 1 (labeled, but hidden) or 2.

Keypoints are taken as they stand: a whole number is the center of a pixel of the photograph, turned upright as its
EXIF orientation says, as annotation tools and OpenCV show it. The edges of a box count from the corner of the
image instead, half a pixel before the center of its first pixel.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Hashable
from contextlib import AbstractContextManager
from itertools import chain
from pathlib import Path

import numpy as np

from posekit.datasets.coco_images import find_images
from posekit.datasets.lsp import center_and_scale
from posekit.datasets.people import HEAD_SIZE_OVER_SCALE, People, center_and_scale_of_box, estimated_head_size
from posekit.errors import PosekitError, naming
from posekit.skeleton import INDEX, JOINTS

#: Keypoints of COCO that have no counterpart among MPII's joints.
FACE = ("nose", "left eye", "right eye", "left ear", "right ear")

#: MPII's joints that COCO's 17 do not have, but that lie in the middle of two that it has. On MPII's own people
#: the distance to that middle is at most 0.015 head sizes for nine of ten (`tests/test_coco.py` computes it anew).
#: The middle of the shoulders is no upper neck: one in six is more than half a head size away from it.
MIDDLES = {"pelvis": ("right hip", "left hip"), "thorax": ("right shoulder", "left shoulder")}

#: Share of the images, not of the people, that is kept for validation: no image is on both sides.
VALIDATION_SHARE = 0.2


def read_coco(path: Path) -> tuple[People, str]:
    """All people in a COCO keypoint file with at least one of MPII's joints, and a sentence about those left out.

    Joints are found by name, in any order: COCO's 17, MPII's 16, or others with some of these among them. Pelvis
    and thorax are computed (`MIDDLES`) where the file does not name them; the face has no counterpart (`FACE`);
    upper neck and head top stay unlabeled unless the file names them. Crowds, and annotations without a labeled
    joint, are left out.

    Center and scale come from the box, clipped to the image, as in `Predictor.predict_box`. Without a box they
    come from the lengths of the limbs (`posekit.datasets.lsp.center_and_scale`); people who do not have a whole
    limb either are left out. Head sizes are estimated from upper neck and head top, else from the limbs: in MPII a
    person of scale 1 has a head size of 25 px. On MPII's people this is within 10.5 % of the head size for half of
    them and within 27.5 % for nine of ten. People with neither have no head size and are not counted in PCKh.

    A fifth of the images is for validation: those whose names have the smallest hashes, so that an image hardly
    ever changes sides when others are added. Photographs are looked for as `find_images` says.

    Raises `PosekitError` naming the file, and the image or annotation in it, that is missing or malformed.
    """
    path = Path(path)
    content = _load(path)
    images = _images(content, path)
    places = _keypoints(content, path)
    seen: set[Hashable] = set()
    rows, left_out = [], Counter()
    for annotation in content["annotations"]:
        with _entry(path, "annotation", annotation):
            if annotation["id"] in seen:
                raise ValueError("another one has the same id; an id must name one annotation")
            seen.add(annotation["id"])
            if annotation["image_id"] not in images:
                raise ValueError(f"the file has no image {annotation['image_id']!r}")
            reason, row = _person(annotation, places, images[annotation["image_id"]])
        if row is None:
            left_out[reason] += 1
        else:
            rows.append(row)
    columns = _with_place_and_head(rows) if rows else {"scale": np.empty(0)}
    known = columns["scale"] > 0
    if unplaced := int((~known).sum()):
        left_out["with neither a box nor a whole limb"] = unplaced
    sentence = _sentence(path, left_out, len(content["annotations"]), places)
    if not known.any():
        raise PosekitError(f"{sentence}; annotate some people, and export them as COCO keypoints")
    return _table(path, {key: column[known] for key, column in columns.items()}), sentence


def _entry(path: Path, kind: str, entry: object) -> AbstractContextManager[None]:
    """`naming` with the file and the entry's id."""
    name = entry.get("id", "without id") if isinstance(entry, dict) else repr(entry)[:40]
    return naming(f"{path}: {kind} {name}", "correct it, or export again")


def _load(path: Path) -> dict:
    try:
        content = json.loads(path.read_bytes().decode("utf-8-sig"))  # with or without a byte order mark
    except OSError as error:
        raise PosekitError(f"{path} cannot be read ({error.strerror}); check the path") from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise PosekitError(f"{path} is not a JSON file in UTF-8 ({error}); export it again") from error
    if isinstance(content, list):
        raise PosekitError(
            f"{path} holds a list, as COCO's files of results do, not a COCO data set with images, categories and "
            "annotations; of MPII, name the folder that holds annotations/ and images/"
        )
    for key in ("images", "categories", "annotations"):
        if not isinstance(content, dict) or not isinstance(content.get(key), list):
            raise PosekitError(f"{path} has no list {key!r}, so it is no COCO data set; export COCO keypoints")
        if not content[key]:
            raise PosekitError(f"{path}: the list {key!r} is empty; annotate some people and export them again")
    return content


def _images(content: dict, path: Path) -> dict[Hashable, dict]:
    """Id -> file, width and height (0 where the file does not say)."""
    images: dict[Hashable, dict] = {}
    for image in content["images"]:
        with _entry(path, "image", image):
            if image["id"] in images:
                raise ValueError("another one has the same id; an id must name one image")
            size = [image.get(side) or 0 for side in ("width", "height")]
            if not all(isinstance(side, int | float) and side == int(side) for side in size):
                raise ValueError(f"width and height must be whole numbers, not {size[0]!r} and {size[1]!r}")
            if not isinstance(image["file_name"], str) or not image["file_name"]:
                raise ValueError(f"file_name must be a name, not {image['file_name']!r}")
            if min(size) < 0:
                raise ValueError(f"a photograph cannot have {size[0]} x {size[1]} px")
            images[image["id"]] = {"file": image["file_name"].replace("\\", "/"), "size": [*map(int, size)]}
    return images


def _keypoints(content: dict, path: Path) -> dict[Hashable, list[str]]:
    """Id of a category -> its keypoints, called as MPII calls them; only categories of people."""
    names: dict[Hashable, list[str]] = {}
    for entry in content["categories"]:
        with _entry(path, "category", entry):
            names[entry["id"]] = [_spoken(name) for name in entry.get("keypoints") or []]
    if not any(names.values()):
        raise PosekitError(
            f"{path}: no category names keypoints, so it is a file of boxes or outlines; "
            "export COCO keypoints instead"
        )
    people = {number: of for number, of in names.items() if set(of) & set(JOINTS)}
    if not people:
        shown = ", ".join(dict.fromkeys(chain(*names.values())))
        raise PosekitError(f"{path}: none of its keypoints ({shown}) has the name of a joint of COCO's or MPII's")
    for number, of in people.items():
        if twice := [name for name, count in Counter(of).items() if count > 1]:
            raise PosekitError(f"{path}: category {number} names the keypoint {twice[0]!r} twice; rename one")
    return people


def _spoken(name: str) -> str:
    """left_shoulder, Left-Shoulder and left shoulder are one joint."""
    return re.sub(r"[\s_-]+", " ", name).strip().lower()


def _person(annotation: dict, categories: dict[Hashable, list[str]], image: dict) -> tuple[str, dict | None]:
    """("", what is annotated) or (why it is left out, None). Raises `ValueError` for what is malformed."""
    if annotation["category_id"] not in categories:
        return "of categories without a person's joints", None
    if annotation.get("iscrowd"):
        return "crowds", None
    if not annotation.get("keypoints"):
        return "without labeled joints", None
    joints, visible = _joints(annotation["keypoints"], categories[annotation["category_id"]])
    if not np.isfinite(joints).any():
        return "without labeled joints", None
    row = {"image": image["file"], "image_size": image["size"], "joints": joints, "visible": visible}
    return "", row | {"box": _box(annotation.get("bbox"), image["size"])}


def _with_place_and_head(rows: list[dict]) -> dict[str, np.ndarray]:
    """Columns, with center, scale and head size in the place of the box; a scale that cannot be known is NaN."""
    columns = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    joints, box = columns["joints"], columns.pop("box")
    boxed = np.isfinite(box).all(axis=1)
    center, limb_scale = center_and_scale(joints)
    scale, head_size = limb_scale.copy(), estimated_head_size(joints)
    center[boxed], scale[boxed] = center_and_scale_of_box(box[boxed])
    head_size = np.where(head_size > 0, head_size, HEAD_SIZE_OVER_SCALE * limb_scale)
    return columns | {"center": center, "scale": scale, "head_size": head_size}


def _joints(keypoints: list, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """(16, 2) float64 image px, NaN where not labeled, and (16,) bool: whether they are visible."""
    values = _numbers(keypoints, "keypoints")
    if values.shape != (3 * len(names),):
        raise ValueError(
            f"{values.size} numbers of keypoints instead of {3 * len(names)}, three for each of the {len(names)} "
            "names of its category"
        )
    x, y, flags = values.reshape(-1, 3).T
    if not np.isin(flags, (0, 1, 2)).all():
        raise ValueError("a keypoint's third number must be 0 (not labeled), 1 (hidden) or 2 (visible)")
    if not np.isfinite(values).all():
        raise ValueError("a keypoint's place is not a number")
    joints, visible = np.full((len(JOINTS), 2), np.nan), np.full(len(JOINTS), False)
    for name, place, flag in zip(names, np.column_stack([x, y]), flags, strict=True):
        if name in INDEX and flag > 0:
            joints[INDEX[name]], visible[INDEX[name]] = place, flag == 2
    for name, ends in MIDDLES.items():
        if name not in names:
            numbers = [INDEX[end] for end in ends]
            joints[INDEX[name]], visible[INDEX[name]] = joints[numbers].mean(axis=0), visible[numbers].all()
    return joints, visible


def _box(bbox: object, size: list[int]) -> np.ndarray:
    """(4,) left, top, right, bottom, image px with pixel centers at whole numbers, clipped to the image; NaN where
    there is none, which some tools write as zeros."""
    values = _numbers(bbox or [0, 0, 0, 0], "box")
    if values.shape != (4,) or not np.isfinite(values).all():
        raise ValueError(f"its box must be four numbers, left, top, width and height, not {bbox}")
    if not values.any():
        return np.full(4, np.nan)
    if min(values[2:]) <= 0:
        raise ValueError(f"its box {bbox} has no positive width and height")
    box = np.concatenate([values[:2], values[:2] + values[2:]]) - 0.5
    last = np.tile(np.where(np.array(size) > 0, size, np.inf), 2) - 1
    clipped = np.clip(box, 0, last)
    if (clipped[:2] >= clipped[2:]).any():
        raise ValueError(f"its box {bbox} lies outside the photograph of {size[0]} x {size[1]} px")
    return clipped


def _numbers(values: object, what: str) -> np.ndarray:
    try:
        return np.asarray(values, float)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"its {what} must be a list of numbers") from error


def _table(path: Path, columns: dict[str, np.ndarray]) -> People:
    files = columns["image"]
    try:
        folder, found = find_images(path.parent, sorted(set(files.tolist())))
    except OSError as error:  # as for a name that is too long
        raise PosekitError(f"{path} names a photograph that cannot be looked for ({error.strerror})") from error
    name = "coco-" + (re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-") or "people")
    return People(
        name=name,
        images_folder=folder,
        data_set=np.full(len(files), name),
        head_size_estimated=np.full(len(files), True),
        upright=np.full(len(files), True),
        validation=np.isin(files, _for_validation(set(files.tolist()))),
        **columns | {"image": np.array([found[file] for file in files])},
    )


def _for_validation(files: set[str]) -> list[str]:
    """`VALIDATION_SHARE` of the images, at least one of several, by the hashes of their names."""
    count = max(round(VALIDATION_SHARE * len(files)), int(len(files) > 1))
    return sorted(files, key=lambda file: hashlib.sha256(file.encode("utf-8", "surrogatepass")).digest())[:count]


def _sentence(path: Path, left_out: Counter, annotations: int, categories: dict[Hashable, list[str]]) -> str:
    """What is left out: annotations, and keypoints that are neither MPII's joints nor COCO's face."""
    sentences = []
    if left_out:
        reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.most_common())
        sentences.append(f"{path}: {left_out.total()} of {annotations} annotations are left out: {reasons}")
    unused = [name for name in dict.fromkeys(chain(*categories.values())) if name not in {*JOINTS, *FACE}]
    if unused:
        sentences.append(
            f"{path}: no joint of MPII is called {', '.join(unused)}, so these keypoints are left out"
        )
    return "\n".join(sentences)

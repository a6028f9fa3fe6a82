"""The table of annotated people that every reader of a data set returns, validated when it is made."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from posekit.datasets.images import read_image
from posekit.errors import PosekitError
from posekit.files import check_folder
from posekit.skeleton import INDEX, JOINTS

#: Head size / distance from head top to upper neck. On the 2,958 validation people of MPII the product is
#: within 2.5 % of the head size for 98 % (the head box was drawn from these two joints).
HEAD_SIZE_OVER_HEAD = 0.75

#: Head size, px, of a person of scale 1: MPII's scale is 6 x |head top - upper neck| / 200 px.
HEAD_SIZE_OVER_SCALE = HEAD_SIZE_OVER_HEAD * 200 / 6


@dataclass(frozen=True)
class People:
    """N annotated people of one data set; all coordinates are image pixels, (x, y), pixel centers whole.

    Raises `PosekitError` when made with columns of the wrong length, without people, or with a person that
    has no joint, no positive scale or a center that is not a number: it names the person.
    """

    name: str  # of the data set, used in the names of folders
    images_folder: Path
    image: np.ndarray  # (N,) str, file names below images_folder
    data_set: np.ndarray  # (N,) str, the data set that a person comes from, such as "mpii"
    center: np.ndarray  # (N, 2) float64
    scale: np.ndarray  # (N,) float64, height of the person / 200 px
    joints: np.ndarray  # (N, 16, 2) float64, NaN where not annotated
    visible: np.ndarray  # (N, 16) bool, False where occluded or not annotated
    head_size: np.ndarray  # (N,) float64, what PCKh divides by; NaN where it cannot be known
    head_size_estimated: np.ndarray  # (N,) bool: from the joints of the head, as no head box is known
    validation: np.ndarray  # (N,) bool
    image_size: np.ndarray  # (N, 2) int64, width and height; 0 where the annotation does not say
    # (N,) bool: whether the joints count pixels of the photograph turned upright, as its EXIF orientation says, or
    # those that are stored; None: those that are stored.
    upright: np.ndarray | None = None

    def __post_init__(self) -> None:
        count = len(self.image)
        if self.upright is None:
            object.__setattr__(self, "upright", np.full(count, False))
        if count == 0:
            raise PosekitError(f"{self.name}: the annotation list is empty; check that it is the right file")
        shapes = {
            "data_set": (count,),
            "center": (count, 2),
            "scale": (count,),
            "joints": (count, len(JOINTS), 2),
            "visible": (count, len(JOINTS)),
            "head_size": (count,),
            "head_size_estimated": (count,),
            "validation": (count,),
            "image_size": (count, 2),
            "upright": (count,),
        }
        for column, shape in shapes.items():
            if getattr(self, column).shape != shape:
                raise PosekitError(
                    f"{self.name}: column {column} has shape {getattr(self, column).shape}, not {shape}"
                )
        self._refuse(~self.labeled.any(axis=1), "has no annotated joint")
        self._refuse(~(np.isfinite(self.scale) & (self.scale > 0)), "has no positive scale")
        self._refuse(~np.isfinite(self.center).all(axis=1), "has no center")
        self._refuse(self.head_size <= 0, "has a head size that is not positive")

    def _refuse(self, bad: np.ndarray, why: str) -> None:
        if bad.any():
            first = int(np.flatnonzero(bad)[0])
            raise PosekitError(
                f"{self.name}: {describe(self, first)} {why} ({int(bad.sum())} such people); "
                "correct or remove the entry"
            )

    def __len__(self) -> int:
        return len(self.image)

    @property
    def labeled(self) -> np.ndarray:
        """(N, 16) bool: joints that are annotated, whether visible or occluded."""
        return np.isfinite(self.joints).all(axis=2)

    def photograph(self, person: int) -> np.ndarray:
        """The image that a person is in, RGB uint8 (H, W, 3), as the joints count its pixels.

        Raises `PosekitError` as `read_image` does.
        """
        return read_image(self.images_folder / self.image[person], upright=bool(self.upright[person]))

    def select(self, which: np.ndarray) -> People:
        """The people of a boolean mask or of a list of numbers, as a table of its own."""
        columns = {
            field.name: getattr(self, field.name)[which]
            for field in fields(self)
            if isinstance(getattr(self, field.name), np.ndarray)
        }
        return replace(self, **columns)

    def validation_sets(self) -> list[People]:
        """The validation people of each data set that has some, the first data set's first, under its name.

        Raises `PosekitError` if nobody is for validation.
        """
        if not self.validation.any():
            raise PosekitError(
                f"{self.images_folder}: there are no validation people among the {len(self)} of {self.name}; name "
                "a data set that has some, annotated and with their photographs"
            )
        names = dict.fromkeys(self.data_set[self.validation].tolist())
        return [replace(self.select(self.validation & (self.data_set == name)), name=name) for name in names]

    def split(self) -> tuple[People, People]:
        """(train people, validation people). Raises `PosekitError` if one side is empty."""
        for side, on_side in (("train", ~self.validation), ("validation", self.validation)):
            if not on_side.any():
                raise PosekitError(
                    f"{self.images_folder}: there are no {side} people among the {len(self)} of {self.name}; "
                    "a study needs both sides of the split, annotated and with their photographs"
                )
        return self.select(~self.validation), self.select(self.validation)

    def fingerprint(self) -> str:
        """16 hex digits of every column that numbers depend on: other people or joints have another one."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        digest = hashlib.sha256()
        without = {"head_size_estimated", "data_set", *([] if self.upright.any() else ["upright"])}
        for field in fields(self):
            column = getattr(self, field.name)
            if isinstance(column, np.ndarray) and field.name not in without:
                text = column.dtype.kind == "U"
                digest.update("\n".join(column).encode() if text else np.ascontiguousarray(column).tobytes())
        return digest.hexdigest()[:16]


def combine(parts: Sequence[People], name: str) -> People:
    """One table of several data sets; file names become relative to the folder that their images share."""
    root = Path(os.path.commonpath([part.images_folder.resolve() for part in parts]))
    columns = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(People)
        if isinstance(getattr(parts[0], field.name), np.ndarray)
    }
    columns["image"] = np.concatenate(
        [
            [(part.images_folder.resolve() / image).relative_to(root).as_posix() for image in part.image]
            for part in parts
        ]
    )
    return People(name=name, images_folder=root, **columns)


def describe(people: People, person: int) -> str:
    """How messages name a person: number in the table and image."""
    return f"person {person} (image {people.image[person]})"


def estimated_head_size(joints: np.ndarray) -> np.ndarray:
    """Head size (N,) in px from joints (N, 16, 2), for people without a head box; NaN if not annotated."""
    head = joints[:, INDEX["head top"]] - joints[:, INDEX["upper neck"]]
    size = HEAD_SIZE_OVER_HEAD * np.linalg.norm(head, axis=1)
    return np.where(size > 0, size, np.nan)


def center_and_scale_of_box(box: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Center (..., 2) image px and scale (...) of people who fill boxes (..., 4): left, top, right, bottom.

    The longer side is taken as the person's height, as for a standing person.
    """
    box = np.asarray(box, float)
    return (box[..., :2] + box[..., 2:]) / 2, (box[..., 2:] - box[..., :2]).max(axis=-1) / 200


def with_images(people: People) -> tuple[People, str]:
    """The people whose photograph exists and whose center lies in it, and a sentence about those left out.

    The sentence is "" if nobody is left out. Raises `PosekitError` if no person remains.
    """
    check_folder(people.images_folder, "the photographs belong there")
    exists = {image: (people.images_folder / image).is_file() for image in sorted(set(people.image))}
    missing = np.array([not exists[image] for image in people.image])
    # Where the annotation does not give the image's size, the crop will find out.
    size = np.where(people.image_size > 0, people.image_size, np.inf)
    outside = ~((people.center >= 0) & (people.center <= size - 1)).all(axis=1) & ~missing
    if (missing | outside).all():
        why = "has its photograph" if missing.any() else "has a center inside the image"
        raise PosekitError(f"{people.images_folder}: none of the {len(people)} annotated people {why}")
    reasons = []
    if missing.any():
        files = len(set(people.image[missing]))
        reasons.append(f"{missing.sum()} because {files} photographs are not in {people.images_folder}")
    if outside.any():
        names = ", ".join(people.image[outside][:3])
        reasons.append(f"{outside.sum()} because their center lies outside the image ({names})")
    left_out = f"{(missing | outside).sum()} of {len(people)} people are left out: " + "; ".join(reasons)
    return people.select(~(missing | outside)), left_out if reasons else ""

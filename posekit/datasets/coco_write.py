"""Writes people as a file in COCO's keypoint format, which `posekit.datasets.coco` and annotation tools read."""

import json
import os
from pathlib import Path

import numpy as np

from posekit.datasets.people import People
from posekit.errors import PosekitError
from posekit.files import write_whole
from posekit.skeleton import JOINTS, LIMBS

#: The one category: a person with MPII's 16 joints. COCO counts the ends of a skeleton's limbs from 1.
PERSON = {
    "id": 1,
    "name": "person",
    "supercategory": "person",
    "keypoints": [joint.replace(" ", "_") for joint in JOINTS],
    "skeleton": [[start + 1, end + 1] for start, end in LIMBS],
}


class CocoContent:
    """The photographs and people of one file, numbered from 1 as they are added.

    path: of the file; photographs are named relative to its folder, so both can be moved together.
    """

    def __init__(self, path: Path) -> None:
        self.folder = path.parent
        self.images: list[dict] = []
        self.annotations: list[dict] = []

    def add_photograph(self, file: Path, width: int, height: int) -> None:
        """One more photograph, of a size in px; people that are added from now on are in it."""
        try:
            name = os.path.relpath(file, self.folder)
        except ValueError:  # on another drive of Windows
            name = os.path.abspath(file)
        entry = {"id": len(self.images) + 1, "file_name": Path(name).as_posix()}
        self.images.append(entry | {"width": int(width), "height": int(height)})

    def add_person(self, joints: np.ndarray, visible: np.ndarray, score: float | None = None) -> None:
        """A person in the last photograph: joints (16, 2) image px, NaN where unknown, and visible (16,) bool.

        The box is the smallest one around the joints, in the image and at least one px wide and high. score: the
        confidence of a network, if one found the joints. Raises `ValueError` if no joint is known.
        """
        image = self.images[-1]
        known = np.isfinite(joints).all(axis=1)
        if not known.any():
            raise ValueError("a person without joints has no place in a file of keypoints")
        size = np.array([image["width"], image["height"]])
        low = np.clip(joints[known].min(axis=0) + 0.5, 0, size - 1)  # edges count from the corner of the image
        extent = np.clip(joints[known].max(axis=0) + 0.5, low + 1, size) - low
        flags = np.where(known, np.where(visible, 2, 1), 0)
        places = np.where(known[:, None], joints, 0).round(2).tolist()
        entry = {
            "id": len(self.annotations) + 1,
            "image_id": image["id"],
            "category_id": PERSON["id"],
            "keypoints": [
                value for (x, y), flag in zip(places, flags.tolist(), strict=True) for value in (x, y, flag)
            ],
            "num_keypoints": int(known.sum()),
            "bbox": np.concatenate([low, extent]).round(2).tolist(),
            "area": round(float(extent.prod()), 2),
            "iscrowd": 0,
        }
        self.annotations.append(entry if score is None else entry | {"score": round(float(score), 4)})

    def text(self) -> str:
        """The file's JSON."""
        content = {"images": self.images, "categories": [PERSON], "annotations": self.annotations}
        return json.dumps(content, indent=1) + "\n"


def write_coco(path: Path, people: People, overwrite: bool = False) -> None:
    """A table of people as a COCO file that `read_coco` reads back to the same joints.

    Centers and scales are not kept: a reader of the file takes them from the boxes around the joints. Raises
    `PosekitError` if the file exists already, a photograph's size is unknown, or the file cannot be written.
    """
    if path.exists() and not overwrite:
        raise PosekitError(f"{path} exists already; choose another name or say overwrite")
    if (people.image_size <= 0).any():
        raise PosekitError(f"{people.name} does not say how large its photographs are, as a COCO file must")
    content = CocoContent(path)
    for image in dict.fromkeys(people.image.tolist()):
        inside = np.flatnonzero(people.image == image)
        content.add_photograph(people.images_folder / image, *people.image_size[inside[0]])
        for person in inside:
            content.add_person(people.joints[person], people.visible[person])
    write_whole(path, content.text())

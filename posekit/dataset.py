"""The crops of a table of people, made once and kept in a cache, and batches of them for a network."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from posekit.annotations import People, describe
from posekit.crop import CropRule, crop_image, crop_matrix, inside, transform, visible_box
from posekit.device import network_input
from posekit.errors import PosekitError
from posekit.images import read_image
from posekit.machine import cpu_cores

#: Counted up when `crop_image` makes other pixels from the same input, so that no stale cache is read.
CROP_VERSION = 1


@dataclass(frozen=True)
class Crops:
    """N people cropped: what training and evaluation read.

    images (N, size, size, 3) uint8 RGB, memory-mapped; matrices (N, 2, 3) float64, image px -> crop px;
    joints (N, 16, 2) float32 crop px, NaN where not annotated; present (N, 16) bool, annotated and inside the
    cropped box.
    """

    people: People
    rule: CropRule
    images: np.ndarray
    matrices: np.ndarray
    joints: np.ndarray
    present: np.ndarray

    def __len__(self) -> int:
        return len(self.people)


@dataclass(frozen=True)
class Batch:
    """B people on a device: images (B, 3, S, S) float32 in 0..1; joints, present as in `Crops`; which (B,)."""

    images: Tensor
    joints: Tensor
    present: Tensor
    which: np.ndarray


def make_crops(people: People, rule: CropRule, cache: Path, progress: bool = True) -> Crops:
    """Crops of all people, from the cache folder if they are there, else made and kept there.

    Raises `PosekitError` naming the person or file if an image is broken, a center lies outside the image, a crop
    has no pixel, or the cache cannot be written. Nothing half-made stays behind.
    """
    folder = Path(cache) / f"{people.name}-{rule.size}px-{_cache_key(people, rule)}"
    if not folder.exists():
        unfinished = folder.with_name(f"{folder.name}.{os.getpid()}.unfinished")
        try:
            unfinished.mkdir(parents=True)
            _build(people, rule, unfinished, progress)
            unfinished.rename(folder)
        except OSError as error:
            if not folder.exists():  # else another process made the same crops first
                raise PosekitError(f"the crop cache {folder} cannot be written ({error})") from error
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    images = np.load(folder / "images.npy", mmap_mode="r")
    boxes = np.load(folder / "boxes.npy")
    matrices = crop_matrix(boxes, rule.size)
    return Crops(
        people,
        rule,
        images,
        matrices,
        joints=transform(matrices, people.joints).astype(np.float32),
        present=people.labelled & inside(boxes, people.joints),
    )


def _cache_key(people: People, rule: CropRule) -> str:
    """16 hex digits that differ if anything differs that the pixels of the crops depend on."""
    try:
        bytes_of = {name: (people.images_folder / name).stat().st_size for name in sorted(set(people.image))}
    except OSError as error:
        raise PosekitError(f"image {error.filename} cannot be read ({error.strerror})") from error
    return hashlib.sha256(f"{CROP_VERSION} {people.fingerprint()} {rule} {bytes_of}".encode()).hexdigest()[:16]


def _build(people: People, rule: CropRule, folder: Path, progress: bool) -> None:
    """Writes images.npy and boxes.npy (N, 4) into a folder, one photograph at a time and thread."""
    shape = (len(people), rule.size, rule.size, 3)
    images = np.lib.format.open_memmap(folder / "images.npy", mode="w+", dtype=np.uint8, shape=shape)
    boxes = np.zeros((len(people), 4), np.int64)
    by_image: dict[str, list[int]] = {}
    for person, name in enumerate(people.image):
        by_image.setdefault(str(name), []).append(person)

    def crop_people_of(name: str) -> int:
        image = read_image(people.images_folder / name, upright=False)
        for person in by_image[name]:
            boxes[person] = checked_box(people, person, rule, image)
            images[person] = crop_image(image, boxes[person], rule.size)
        return len(by_image[name])

    bar = tqdm(total=len(people), desc=f"cropping {people.name}", unit=" people", disable=not progress)
    with bar, ThreadPoolExecutor(cpu_cores()) as pool:
        try:
            for done in pool.map(crop_people_of, by_image):
                bar.update(done)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    images.flush()
    np.save(folder / "boxes.npy", boxes)


def checked_box(people: People, person: int, rule: CropRule, image: np.ndarray) -> np.ndarray:
    """The clipped box (4,) of one person in the image (H, W, 3); `PosekitError` names who cannot be cropped."""
    height, width = image.shape[:2]
    declared = tuple(people.image_size[person])
    if min(declared) > 0 and declared != (width, height):
        raise PosekitError(
            f"image {people.image[person]} is {width} x {height} px, its annotation says "
            f"{declared[0]} x {declared[1]}; fetch the original image"
        )
    try:
        return visible_box(rule, people.center[person], people.scale[person], (width, height))
    except PosekitError as error:
        raise PosekitError(f"{describe(people, person)}: {error}; correct or remove the entry") from error


def batches(
    crops: Crops, batch_size: int, device: torch.device, shuffle: np.random.Generator | None = None
) -> Iterator[Batch]:
    """All people once, in order or shuffled; the last batch may be smaller."""
    order = np.arange(len(crops)) if shuffle is None else shuffle.permutation(len(crops))
    for start in range(0, len(order), batch_size):
        which = order[start : start + batch_size]
        yield Batch(
            images=network_input(crops.images[which], device),
            joints=torch.from_numpy(crops.joints[which]).to(device, non_blocking=True),
            present=torch.from_numpy(crops.present[which]).to(device, non_blocking=True),
            which=which,
        )

"""The crops of a table of people, made once and kept in a cache, and batches of them for a network."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from posekit.annotations import People
from posekit.cache import cached_crops
from posekit.crop import CropRule, crop_matrix, inside, kept_box, transform
from posekit.device import network_input


@dataclass(frozen=True)
class Crops:
    """N people cropped: what training and evaluation read.

    images (N, side, side, 3) uint8 RGB, memory-mapped, the crop in their middle; matrices (N, 2, 3) float64, image
    px -> crop px; joints (N, 16, 2) float32 crop px, NaN where not annotated; present (N, 16) bool, annotated and
    on a pixel of the image that is kept.
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
    has no pixel, or the cache cannot be written (see `posekit.cache`).
    """
    images, boxes = cached_crops(people, rule, cache, progress)
    matrices = crop_matrix(boxes, rule.size)
    # A joint beyond the border of the image was never seen. Sizes that no annotation gives are no limit here.
    image_size = np.where(people.image_size > 0, people.image_size, np.iinfo(np.int64).max)
    kept = kept_box(boxes, rule, image_size)
    return Crops(
        people,
        rule,
        images,
        matrices,
        joints=transform(matrices, people.joints).astype(np.float32),
        present=people.labelled & inside(kept, people.joints),
    )


def batches(
    crops: Crops, batch_size: int, device: torch.device, shuffle: np.random.Generator | None = None
) -> Iterator[Batch]:
    """All people once, in order or shuffled, as they are kept; the last batch may be smaller."""
    order = np.arange(len(crops)) if shuffle is None else shuffle.permutation(len(crops))
    for start in range(0, len(order), batch_size):
        which = order[start : start + batch_size]
        yield Batch(
            images=network_input(crops.images[which], device),
            joints=torch.from_numpy(crops.joints[which]).to(device, non_blocking=True),
            present=torch.from_numpy(crops.present[which]).to(device, non_blocking=True),
            which=which,
        )


def without_context(batch: Batch, rule: CropRule) -> Batch:
    """The crops themselves, cut out of the middle of what is kept; joints outside them are not present."""
    if rule.margin == 0:
        return batch
    middle = slice(rule.margin, rule.margin + rule.size)
    present = batch.present & ((batch.joints >= -0.5) & (batch.joints < rule.size - 0.5)).all(dim=2)
    return replace(batch, images=batch.images[:, :, middle, middle], present=present)

"""The crops of a table of people, made once and kept in a cache, and batches of them for a network."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from posekit.datasets.people import People
from posekit.device import network_input, to_device
from posekit.paths import cache_folder
from posekit.preprocessing.cache import cached_crops
from posekit.preprocessing.crop import CropRule, crop_matrix, inside, kept_box, transform


@dataclass(frozen=True)
class Crops:
    """N people cropped: what training and evaluation read.

    images (N, side, side, 3) uint8 RGB, the crop in their middle: memory-mapped, or a tensor on a device (see
    `resident`); matrices (N, 2, 3) float64, image
    px -> crop px; joints (N, 16, 2) float32 crop px, NaN where not annotated; present (N, 16) bool, annotated and
    on a pixel of the image that is kept.
    """

    people: People
    rule: CropRule
    images: np.ndarray | Tensor
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
    share: float = 1.0  # weight of their mean loss, where a batch is divided among processes (see `batches`)


def make_crops(people: People, rule: CropRule, cache: Path | None = None, progress: bool = True) -> Crops:
    """Crops of all people, read from the folder `cache` (`cache_folder()`); missing ones are made and kept there.

    Raises `PosekitError` naming the person or file if an image is broken, a center lies outside the image, a crop
    has no pixel, or the cache cannot be written (see `posekit.preprocessing.cache`).
    """
    images, boxes = cached_crops(people, rule, cache or cache_folder(), progress)
    matrices = crop_matrix(boxes, rule)
    # A joint beyond the border of the image was never seen. Sizes that no annotation gives are no limit here.
    image_size = np.where(people.image_size > 0, people.image_size, np.iinfo(np.int64).max)
    kept = kept_box(boxes, rule, image_size)
    return Crops(
        people,
        rule,
        images,
        matrices,
        joints=transform(matrices, people.joints).astype(np.float32),
        present=people.labeled & inside(kept, people.joints),
    )


def resident(crops: Crops, device: torch.device) -> Crops:
    """The crops with their images in the memory of a CUDA device, if they take less than 40 % of what is free."""
    if device.type != "cuda" or isinstance(crops.images, Tensor):
        return crops
    torch.cuda.empty_cache()  # what torch keeps for later counts as free
    if crops.images.nbytes > 0.4 * torch.cuda.mem_get_info(device)[0]:
        return crops
    images = torch.empty(crops.images.shape, dtype=torch.uint8, device=device)
    for start in range(0, len(crops), 1024):  # in pieces, so that the host never holds them all
        images[start : start + 1024] = torch.from_numpy(np.array(crops.images[start : start + 1024]))
    return replace(crops, images=images)


def batches(
    crops: Crops,
    batch_size: int,
    device: torch.device,
    shuffle: np.random.Generator | None = None,
    part: tuple[int, int] = (0, 1),
    people: int | None = None,
    weights: np.ndarray | None = None,
) -> Iterator[Batch]:
    """All people once, in order or shuffled, as they are kept; the last batch may be smaller.

    people: draw this many instead, pass after pass, each shuffled anew; the last pass ends when they are reached.
    weights (N,): of each person; a pass then draws as many people as there are, with replacement, in proportion to
    them. It needs shuffle.
    part: (number of this process, how many there are); every process gets its share of every batch, so that
    together they see the batches that one process would see. A last batch that is too small to be shared is left
    out, and `Batch.share` makes up for processes that get one person more than others.
    """
    number, count = part
    people = people or len(crops)
    passes = range(-(-people // len(crops)))
    order = np.concatenate([_order(len(crops), shuffle, weights) for _ in passes])[:people]
    on_device = isinstance(crops.images, Tensor)
    for start in range(0, len(order), batch_size):
        together = order[start : start + batch_size]
        if len(together) < count:
            return
        which = together[number::count]
        yield Batch(
            images=network_input(crops.images[to_device(which, device) if on_device else which], device),
            joints=to_device(crops.joints[which], device),
            present=to_device(crops.present[which], device),
            which=which,
            share=len(which) * count / len(together),
        )


def _order(count: int, shuffle: np.random.Generator | None, weights: np.ndarray | None) -> np.ndarray:
    """The people of one pass."""
    if shuffle is None:
        return np.arange(count)
    if weights is None:
        return shuffle.permutation(count)
    return shuffle.choice(count, size=count, p=weights / weights.sum())


def without_context(batch: Batch, rule: CropRule) -> Batch:
    """The crops themselves, cut out of the middle of what is kept; joints outside them are not present."""
    if rule.margin == 0:
        return batch
    middle = slice(rule.margin, rule.margin + rule.size)
    present = batch.present & in_crop(batch.joints, rule)
    return replace(batch, images=batch.images[:, :, middle, middle], present=present)


def in_crop(joints: Tensor, rule: CropRule) -> Tensor:
    """(B, 16) bool: joints (B, 16, 2), crop px, that lie on a pixel of the crop's columns."""
    (first, end), (x, y) = rule.span, joints.unbind(dim=2)
    return (x >= first - 0.5) & (x < end - 0.5) & (y >= -0.5) & (y < rule.size - 0.5)

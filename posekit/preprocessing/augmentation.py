"""Turns, scales, mirrors and recolours crops while training: ONE matrix a person for image and joints.

The report does not augment; its configurations leave this off. Everything is batched and runs on the device.
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from posekit.device import to_device
from posekit.errors import PosekitError
from posekit.preprocessing.batches import Batch, in_crop
from posekit.preprocessing.crop import CropRule
from posekit.skeleton import mirrored_joints


@dataclass(frozen=True)
class Augmentation:
    """How far crops are changed; every person and step draws anew, uniformly.

    Pixels from outside the crop come into it, so the crops should have context (`CropRule.context`).
    """

    flip: float = 0.5  # share of people who are mirrored
    rotation: float = 30.0  # degrees, to either side
    scale: float = 0.25  # 0.25: from 1 / 1.25 to 1.25 times as large
    color: float = 0.2  # 0.2: every channel times 0.8 to 1.2

    def __post_init__(self) -> None:
        if not (0 <= self.flip <= 1 and self.rotation >= 0 and self.scale >= 0 and 0 <= self.color < 1):
            raise PosekitError(f"impossible augmentation {self}")


def random_matrices(
    augmentation: Augmentation, count: int, size: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """(B, 2, 3) float32, crop px -> augmented crop px about the crop's middle, and who is mirrored (B,) bool."""
    # Drawn on the CPU, whatever the device: the same seed gives the same people everywhere.
    draw = torch.rand(count, 3, generator=generator)
    angle = (2 * draw[:, 0] - 1) * math.radians(augmentation.rotation)
    zoom = (1 + augmentation.scale) ** (2 * draw[:, 1] - 1)
    flip = draw[:, 2] < augmentation.flip
    mirror = torch.where(flip, -1.0, 1.0)
    cosine, sine = zoom * angle.cos(), zoom * angle.sin()
    linear = torch.stack([mirror * cosine, -mirror * sine, sine, cosine], dim=1).view(-1, 2, 2)
    middle = torch.full((2, 1), (size - 1) / 2)
    return torch.cat([linear, middle - linear @ middle], dim=2), flip


def augment(batch: Batch, rule: CropRule, augmentation: Augmentation, generator: torch.Generator) -> Batch:
    """The batch as the network gets it: crops with context become augmented ones of size x size px.

    batch.images (B, 3, S', S') with the crop in its middle; batch.joints (B, 16, 2) crop px. Joints that leave the
    crop are not present any more.
    """
    device, count, size = batch.images.device, len(batch.images), rule.size
    matrices, flip = random_matrices(augmentation, count, size, generator)
    factors = 1 + augmentation.color * (2 * torch.rand(count, 3, 1, 1, generator=generator) - 1)
    images = (warp(batch.images, matrices, size) * to_device(factors, device)).clamp(0, 1)
    matrices, flip = to_device(matrices, device), to_device(flip, device)
    joints = batch.joints @ matrices[:, :, :2].transpose(1, 2) + matrices[:, None, :, 2]
    order = to_device(torch.tensor(mirrored_joints()), device)
    joints = torch.where(flip[:, None, None], joints[:, order], joints)
    present = torch.where(flip[:, None], batch.present[:, order], batch.present)
    present = present & in_crop(joints, rule)
    images = images.contiguous(memory_format=_format_of(batch.images))
    return replace(batch, images=images, joints=joints, present=present)


def warp(images: Tensor, matrices: Tensor, size: int) -> Tensor:
    """Images (B, 3, S', S') through matrices (B, 2, 3), crop px -> new px; (B, 3, size, size), zeros from outside.

    The matrices may lie on the CPU, where inverting them is possible for every device. The crop of size x size px
    lies in the middle of the images, so its pixel 0 is their pixel (S' - size) / 2.
    """
    side = images.shape[-1]
    margin = (side - size) / 2
    back = torch.linalg.inv(matrices[:, :, :2])
    back, offset = (to_device(part, images.device) for part in (back, -back @ matrices[:, :, 2:]))
    pixels = torch.arange(size, device=images.device, dtype=torch.float32)
    ys, xs = torch.meshgrid(pixels, pixels, indexing="ij")
    target = torch.stack([xs, ys], dim=-1).view(1, -1, 2)
    source = target @ back.transpose(1, 2) + offset.transpose(1, 2) + margin  # px of the images
    grid = (2 * source + 1) / side - 1  # grid_sample's frame: -1 and 1 are the outer edges of the outer pixels
    return F.grid_sample(images, grid.view(-1, size, size, 2), mode="bilinear", align_corners=False)


def _format_of(images: Tensor) -> torch.memory_format:
    channels_last = images.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if channels_last else torch.contiguous_format

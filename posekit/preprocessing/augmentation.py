"""Changes crops while training: turned, scaled, moved, mirrored, cut to half a body, covered, blurred, recolored.

ONE matrix per person moves image and joints. The report does not augment; its configurations leave this off.
Everything is batched and runs on the device.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from posekit.device import to_device
from posekit.errors import PosekitError
from posekit.preprocessing.batches import Batch, in_crop
from posekit.preprocessing.crop import CropRule
from posekit.skeleton import INDEX, JOINTS, mirrored_joints

#: The two halves of a body: joint numbers.
LOWER: tuple[int, ...] = tuple(
    n for n, joint in enumerate(JOINTS) if joint.split()[-1] in ("ankle", "knee", "hip")
)
UPPER: tuple[int, ...] = tuple(n for n in range(len(JOINTS)) if n not in LOWER and n != INDEX["pelvis"])

#: A half is cut out with this much around its joints, as a multiple of their box, and at most so much enlarged.
#: 1.5 is the room of Sun et al., "Deep High-Resolution Representation Learning for Human Pose Estimation", CVPR
#: 2019.
HALF_BODY_ROOM, HALF_BODY_ZOOM = 1.5, 2.5

#: Sides of a patch that covers a part of a person, over the crop's side.
PATCH_SIDES = (0.1, 0.4)

#: How many times the resolution is lowered by a blur.
BLUR_FACTORS = (2, 3)

#: The luminance of red, green and blue: Recommendation ITU-R BT.601.
LUMINANCE = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Augmentation:
    """How far crops are changed; every person and step draws anew, uniformly.

    Pixels from outside the crop come into it, so the crops should have context (`CropRule.context`).
    """

    flip: float = 0.5  # share of people who are mirrored
    rotation: float = 30.0  # degrees, to either side
    scale: float = 0.25  # 0.25: from 1 / 1.25 to 1.25 times as large
    color: float = 0.2  # 0.2: every channel times 0.8 to 1.2
    translation: float = 0.0  # 0.1: moved by up to a tenth of the crop's side, in x and in y
    half_body: float = 0.0  # share of people of whom the crop shows only the upper or the lower half
    occlusion: float = 0.0  # share of people of whom a patch is covered by a part of another person's crop
    blur: float = 0.0  # share of people whose crop has a half or a third of the resolution
    contrast: float = 0.0  # 0.2: differences from the crop's mean times 0.8 to 1.2
    gray: float = 0.0  # share of people without color

    def __post_init__(self) -> None:
        shares = (self.flip, self.half_body, self.occlusion, self.blur, self.gray)
        possible = (
            all(0 <= share <= 1 for share in shares)
            and min(self.rotation, self.scale, self.translation) >= 0
            and 0 <= self.color < 1
            and 0 <= self.contrast < 1
        )
        if not possible:
            raise PosekitError(f"impossible augmentation {self}")


def random_matrices(
    augmentation: Augmentation, count: int, size: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """(B, 2, 3) float32, crop px -> augmented crop px, and who is mirrored (B,) bool.

    Turned and scaled about the crop's middle, then moved.
    """
    # Drawn on the CPU, whatever the device: the same seed gives the same people everywhere.
    draw = torch.rand(count, 3, generator=generator)
    angle = (2 * draw[:, 0] - 1) * math.radians(augmentation.rotation)
    zoom = (1 + augmentation.scale) ** (2 * draw[:, 1] - 1)
    flip = draw[:, 2] < augmentation.flip
    mirror = torch.where(flip, -1.0, 1.0)
    cosine, sine = zoom * angle.cos(), zoom * angle.sin()
    linear = torch.stack([mirror * cosine, -mirror * sine, sine, cosine], dim=1).view(-1, 2, 2)
    middle = torch.full((2, 1), (size - 1) / 2)
    offset = middle - linear @ middle
    if augmentation.translation:
        offset = offset + augmentation.translation * size * (2 * torch.rand(count, 2, 1, generator=generator) - 1)
    return torch.cat([linear, offset], dim=2), flip


def half_body_matrices(
    joints: Tensor, present: Tensor, share: float, size: int, generator: torch.Generator
) -> Tensor:
    """(B, 2, 3) float32, crop px -> crop px in which the upper or the lower half of the body fills the crop.

    joints (B, 16, 2) crop px and present (B, 16), on the CPU. Chance chooses a share of the people and a half.
    A person with fewer than three joints in that half stays unchanged (identity), like those who are not chosen.
    """
    draw = torch.rand(len(joints), 2, generator=generator)
    half = torch.zeros(2, len(JOINTS), dtype=torch.bool)
    half[0, list(UPPER)] = half[1, list(LOWER)] = True
    looked_at = present & half[(draw[:, 1] < 0.5).long()]
    chosen = (draw[:, 0] < share) & (looked_at.sum(dim=1) >= 3)
    far = 1e6
    low = torch.where(looked_at[..., None], joints, far).amin(dim=1)
    high = torch.where(looked_at[..., None], joints, -far).amax(dim=1)
    side = (HALF_BODY_ROOM * (high - low).amax(dim=1)).clamp(size / HALF_BODY_ZOOM, size)
    zoom = torch.where(chosen, size / side, 1.0)[:, None]
    middle = (size - 1) / 2
    center = torch.where(chosen[:, None], (low + high) / 2, middle)
    return torch.cat([zoom[..., None] * torch.eye(2), (middle - zoom * center)[..., None]], dim=2)


def after(second: Tensor, first: Tensor) -> Tensor:
    """(B, 2, 3): one matrix that does what the first and then the second one does, all (B, 2, 3)."""
    linear = second[:, :, :2]
    return torch.cat([linear @ first[:, :, :2], linear @ first[:, :, 2:] + second[:, :, 2:]], dim=2)


def augment(
    batch: Batch, rule: CropRule, augmentation: Augmentation, generator: torch.Generator, size: int | None = None
) -> Batch:
    """The batch as the network gets it: crops with context become augmented ones.

    size: px of the side of what comes out, images and joints alike; None: the rule's. Smaller crops cost less, see
    `progressive_size`.

    batch.images (B, 3, S', S') with the crop in its middle; batch.joints (B, 16, 2) crop px. Joints that leave the
    crop are not present any more; those that a patch covers are, as annotators of MPII guess hidden joints too.
    """
    device, count = batch.images.device, len(batch.images)
    matrices, flip = random_matrices(augmentation, count, rule.size, generator)
    factors = 1 + augmentation.color * (2 * torch.rand(count, 3, 1, 1, generator=generator) - 1)
    if augmentation.half_body:
        halves = half_body_matrices(
            batch.joints.cpu(), batch.present.cpu(), augmentation.half_body, rule.size, generator
        )
        matrices = after(matrices, halves)
    if size is not None and size != rule.size:
        matrices = after(resizing(rule.size, size).expand(count, 2, 3), matrices)
    images = warp(batch.images, matrices, rule.size, size)
    if augmentation.blur:
        images = blurred(images, augmentation.blur, generator)
    if augmentation.occlusion:
        images = covered(images, augmentation.occlusion, generator)
    images = recolored(images, factors, augmentation, generator)

    matrices, flip = to_device(matrices, device), to_device(flip, device)
    joints = batch.joints @ matrices[:, :, :2].transpose(1, 2) + matrices[:, None, :, 2]
    order = to_device(torch.tensor(mirrored_joints()), device)
    joints = torch.where(flip[:, None, None], joints[:, order], joints)
    present = torch.where(flip[:, None], batch.present[:, order], batch.present)
    present = present & in_crop(joints, rule if size is None else resized(rule, size))
    images = images.contiguous(memory_format=_format_of(batch.images))
    return replace(batch, images=images, joints=joints, present=present)


def blurred(images: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Images (B, 3, S, S), a share of them made smaller by one of `BLUR_FACTORS` and enlarged again."""
    draw = torch.rand(len(images), 2, generator=generator)
    which = (draw[:, 1] * len(BLUR_FACTORS)).long()
    images = images.clone()
    for number, factor in enumerate(BLUR_FACTORS):
        people = to_device(torch.nonzero((draw[:, 0] < share) & (which == number))[:, 0], images.device)
        if len(people):
            small = F.interpolate(images[people], scale_factor=1 / factor, mode="area")
            images[people] = F.interpolate(small, size=images.shape[-2:], mode="bilinear", align_corners=False)
    return images


def covered(images: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Images (B, 3, S, S), a share of them with a rectangle of the image before in the same place.

    Zhong et al., "Random Erasing Data Augmentation", AAAI 2020, with pixels of people instead of noise, as in Yun
    et al., "CutMix", ICCV 2019.
    """
    count, size = len(images), images.shape[-1]
    draw = torch.rand(count, 5, generator=generator)
    low, high = PATCH_SIDES
    sides = (low + (high - low) * draw[:, 1:3]) * size
    first = draw[:, 3:5] * (size - sides)
    end = torch.where((draw[:, 0] < share)[:, None], first + sides, first)
    first, end = to_device(first, images.device), to_device(end, images.device)
    pixels = torch.arange(size, device=images.device)
    x, y = ((pixels >= first[:, axis, None]) & (pixels < end[:, axis, None]) for axis in (0, 1))
    patch = (y[:, :, None] & x[:, None, :])[:, None]
    return torch.where(patch, images.roll(1, dims=0), images)


def recolored(images: Tensor, factors: Tensor, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    """Images (B, 3, S, S) in 0..1: some without color, then every channel times its factor (B, 3, 1, 1), then with
    more or less contrast about the image's mean; clipped to 0..1."""
    count, device = len(images), images.device
    if augmentation.gray:
        people = torch.nonzero(torch.rand(count, generator=generator) < augmentation.gray)[:, 0]
        people = to_device(people, device)
        weights = to_device(torch.tensor(LUMINANCE), device).view(3, 1, 1)
        images = images.index_copy(
            0, people, (images[people] * weights).sum(dim=1, keepdim=True).expand(-1, 3, -1, -1)
        )
    images = images * to_device(factors, device)
    if augmentation.contrast:
        change = 1 + augmentation.contrast * (2 * torch.rand(count, 1, 1, 1, generator=generator) - 1)
        images = torch.lerp(images.mean(dim=(1, 2, 3), keepdim=True), images, to_device(change, device))
    return images.clamp(0, 1)


def progressive_size(progress: float, sizes: Sequence[tuple[float, int]]) -> int:
    """The side of crops, px, after a share `progress` in 0..1 of a training: small at first, as that is cheap.

    sizes: (share from which it applies, side), growing from share 0. Sides are multiples of 32. Touvron et al.,
    "Fixing the train-test resolution discrepancy", NeurIPS 2019, say why the last epochs should have the size of
    the test.
    """
    return [side for first, side in sizes if first <= progress][-1]


def resizing(size: int, new: int) -> Tensor:
    """(2, 3) float32: px of a crop of size x size -> px of the same crop with new x new."""
    zoom = new / size
    return torch.tensor([[zoom, 0, (zoom - 1) / 2], [0, zoom, (zoom - 1) / 2]])


def resized(rule: CropRule, size: int) -> CropRule:
    """The rule with another side, without context; its columns must stay a multiple of 8 px."""
    columns = rule.columns and rule.columns * size // rule.size
    return replace(rule, size=size, columns=columns, context=1.0)


def warp(images: Tensor, matrices: Tensor, size: int, new: int | None = None) -> Tensor:
    """Images (B, 3, S', S') through matrices (B, 2, 3), crop px -> new px; (B, 3, new, new), zeros from outside.

    The matrices may lie on the CPU, where inverting them is possible for every device. The crop of size x size px
    lies in the middle of the images, so its pixel 0 is their pixel (S' - size) / 2. new: None is size.
    """
    side, new = images.shape[-1], new or size
    margin = (side - size) / 2
    back = torch.linalg.inv(matrices[:, :, :2])
    back, offset = (to_device(part, images.device) for part in (back, -back @ matrices[:, :, 2:]))
    pixels = torch.arange(new, device=images.device, dtype=torch.float32)
    ys, xs = torch.meshgrid(pixels, pixels, indexing="ij")
    target = torch.stack([xs, ys], dim=-1).view(1, -1, 2)
    source = target @ back.transpose(1, 2) + offset.transpose(1, 2) + margin  # px of the images
    grid = (2 * source + 1) / side - 1  # grid_sample's frame: -1 and 1 are the outer edges of the outer pixels
    return F.grid_sample(images, grid.view(-1, new, new, 2), mode="bilinear", align_corners=False)


def _format_of(images: Tensor) -> torch.memory_format:
    channels_last = images.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if channels_last else torch.contiguous_format

"""Augmentation: image and joints go the same way, left and right change their names, chance is from the seed."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from posekit.errors import PosekitError
from posekit.preprocessing.augmentation import Augmentation, augment, random_matrices
from posekit.preprocessing.batches import Batch, batches, make_crops, without_context
from posekit.preprocessing.crop import CropRule
from posekit.skeleton import INDEX, JOINTS, mirrored_joints
from posekit.study.configurations import SIZES
from posekit.training.loop import train

NOTHING = Augmentation(flip=0, rotation=0, scale=0, color=0)
SIZE, MARGIN = 64, 20


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def dots(count: int = 24) -> Batch:
    """Each person a black crop with context and one bright dot per batch entry, at a joint of its own."""
    side = SIZE + 2 * MARGIN
    rng = np.random.default_rng(0)
    images = torch.zeros(count, 3, side, side)
    joints = torch.full((count, 16, 2), float("nan"))
    present = torch.zeros(count, 16, dtype=torch.bool)
    ys, xs = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    for person in range(count):
        joint, (x, y) = person % 16, rng.uniform(12, SIZE - 12, 2)
        joints[person, joint] = torch.tensor([x, y], dtype=torch.float32)
        present[person, joint] = True
        squared = (xs - x - MARGIN) ** 2 + (ys - y - MARGIN) ** 2
        images[person] = torch.exp(-squared / (2 * 2.0**2)).float()
    return Batch(images, joints, present, np.arange(count))


def brightest(images: torch.Tensor) -> torch.Tensor:
    """(B, 2): the centre of the light of each image, computed in float64."""
    light = images.sum(dim=1).double()
    size = light.shape[-1]
    cells = torch.arange(size, dtype=torch.float64)
    total = light.sum(dim=(1, 2))
    return torch.stack(
        [(light.sum(dim=1) * cells).sum(1) / total, (light.sum(dim=2) * cells).sum(1) / total], dim=1
    )


@pytest.mark.parametrize(
    "augmentation",
    [NOTHING, replace(NOTHING, flip=1.0), replace(NOTHING, rotation=30), replace(NOTHING, scale=0.3),
     Augmentation(flip=0.5, rotation=40, scale=0.3, color=0)],
    ids=["nothing", "flip", "rotation", "scale", "all"],
)  # fmt: skip
def test_the_joint_stays_on_its_dot(augmentation):
    before = dots()
    after = augment(before, CropRule(size=SIZE), augmentation, chance())
    assert after.images.shape == (24, 3, SIZE, SIZE)
    found = brightest(after.images)
    compared = 0
    for person in range(24):
        there = torch.nonzero(after.present[person]).flatten().tolist()
        if not there:
            continue
        (joint,) = there
        x, y = after.joints[person, joint].tolist()
        if min(x, y) > 9 and max(x, y) < SIZE - 10:  # the whole dot is in the picture
            assert (found[person] - after.joints[person, joint]).abs().max() < 0.1
            compared += 1
    assert compared >= 12


def test_nothing_is_the_crop_itself():
    batch = dots()
    after = augment(batch, CropRule(size=SIZE), NOTHING, chance())
    torch.testing.assert_close(after.images, batch.images[:, :, MARGIN:-MARGIN, MARGIN:-MARGIN], atol=1e-4, rtol=0)
    torch.testing.assert_close(after.joints, batch.joints, equal_nan=True, atol=1e-4, rtol=0)


def test_a_mirrored_left_wrist_is_a_right_wrist():
    order = mirrored_joints()
    assert JOINTS[order[INDEX["left wrist"]]] == "right wrist" and order[INDEX["pelvis"]] == INDEX["pelvis"]
    batch = dots()
    person = INDEX["left wrist"]  # its dot is its left wrist
    after = augment(batch, CropRule(size=SIZE), replace(NOTHING, flip=1.0), chance())
    assert torch.nonzero(after.present[person]).flatten().tolist() == [INDEX["right wrist"]]
    x, y = batch.joints[person, INDEX["left wrist"]].tolist()
    expected = torch.tensor([SIZE - 1 - x, y])
    torch.testing.assert_close(after.joints[person, INDEX["right wrist"]], expected, atol=1e-4, rtol=0)


def test_joints_that_leave_the_crop_are_not_present():
    batch = dots(2)
    batch.joints[0, 0] = torch.tensor([1.0, 1.0])  # a corner leaves the crop when it is enlarged
    larger = replace(NOTHING, scale=0.3)
    seed = next(s for s in range(50) if random_matrices(larger, 2, SIZE, chance(s))[0][0, 0, 0] > 1.05)
    assert not augment(batch, CropRule(size=SIZE), larger, chance(seed)).present[0, 0]


def test_matrices_stay_within_what_was_asked_and_keep_shapes():
    augmentation = Augmentation(flip=0.5, rotation=20, scale=0.25, color=0)
    matrices, flip = random_matrices(augmentation, 4000, SIZE, chance())
    linear = matrices[:, :, :2].double()
    determinant = torch.linalg.det(linear)
    zoom = determinant.abs().sqrt()
    assert zoom.min() >= 1 / 1.25 - 1e-4 and zoom.max() <= 1.25 + 1e-4
    assert zoom.min() < 0.82 and zoom.max() > 1.22
    assert ((determinant < 0) == flip).all() and abs(flip.double().mean() - 0.5) < 0.04
    angle = torch.rad2deg(torch.atan2(linear[:, 1, 0], linear[:, 1, 1]))
    assert angle.abs().max() <= 20.01 and angle.abs().max() > 19
    middle = torch.full((2, 1), (SIZE - 1) / 2, dtype=torch.float64)
    moved = linear @ middle + matrices[:, :, 2:].double() - middle
    assert moved.abs().max() < 1e-3


def test_color_changes_channels_and_stays_a_picture():
    batch = dots()
    flat = replace(batch, images=torch.full_like(batch.images, 0.9))
    after = augment(flat, CropRule(size=SIZE), replace(NOTHING, color=0.2), chance()).images
    channels = after[:, :, SIZE // 2, SIZE // 2]
    assert channels.max() <= 1 and channels.min() >= 0.9 * 0.8 - 1e-4 and channels.std() > 0.02


def test_the_same_seed_draws_the_same():
    first, second, other = (
        augment(dots(), CropRule(size=SIZE), Augmentation(), chance(seed)).images for seed in (4, 4, 5)
    )
    assert torch.equal(first, second) and not torch.equal(first, other)


@pytest.mark.parametrize("wrong", [{"flip": 1.5}, {"rotation": -1}, {"color": 1.0}, {"scale": -0.1}])
def test_impossible_augmentation_is_refused(wrong):
    with pytest.raises(PosekitError):
        Augmentation(**wrong)


def test_the_reports_sizes_do_not_augment():
    compared = [SIZES[name] for name in ("quick", "half", "full")]
    assert all(size.augmentation is None and size.crop.context == 1 for size in compared)


def test_training_with_augmentation_resumes_and_validates_on_plain_crops(tiny_study, tmp_path):
    rule = replace(tiny_study.size.crop, context=1.5)
    crops = [make_crops(side, rule, tmp_path / "cache", progress=False) for side in tiny_study.people.split()]
    config = replace(tiny_study.config(5), crop=rule, augmentation=Augmentation())
    _, history, evaluation = train(config, *crops, tmp_path / "a.pt", torch.device("cpu"), progress=False)
    _, again, same = train(config, *crops, tmp_path / "b.pt", torch.device("cpu"), progress=False)
    assert [row.train_loss for row in history] == [row.train_loss for row in again]
    np.testing.assert_array_equal(evaluation.joints, same.joints)
    kept = next(batches(crops[1], 4, torch.device("cpu")))
    plain = without_context(kept, rule)
    assert plain.images.shape[-1] == rule.size and kept.images.shape[-1] == rule.side

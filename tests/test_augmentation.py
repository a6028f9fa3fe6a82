"""Augmentation: image and joints go the same way, left and right change their names, chance is from the seed."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from posekit.errors import PosekitError
from posekit.preprocessing.augmentation import (
    HALF_BODY_ZOOM,
    LOWER,
    PATCH_SIDES,
    UPPER,
    Augmentation,
    augment,
    blurred,
    covered,
    half_body_matrices,
    progressive_size,
    random_matrices,
    recolored,
)
from posekit.preprocessing.batches import Batch, batches, make_crops, without_context
from posekit.preprocessing.crop import CropRule
from posekit.skeleton import INDEX, JOINTS, mirrored_joints
from posekit.study.configurations import SIZES
from posekit.training.loop import train

NOTHING = Augmentation(flip=0, rotation=0, scale=0, color=0)
SIZE, MARGIN = 72, 20


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
    """(B, 2): the center of the light of each image, computed in float64."""
    light = images.sum(dim=1).double()
    size = light.shape[-1]
    cells = torch.arange(size, dtype=torch.float64)
    total = light.sum(dim=(1, 2))
    return torch.stack(
        [(light.sum(dim=1) * cells).sum(1) / total, (light.sum(dim=2) * cells).sum(1) / total], dim=1
    )


@pytest.mark.parametrize(
    "augmentation",
    [
        NOTHING,
        replace(NOTHING, flip=1.0),
        replace(NOTHING, rotation=30),
        replace(NOTHING, scale=0.3),
        replace(NOTHING, translation=0.1),
        replace(NOTHING, blur=1.0),
        Augmentation(flip=0.5, rotation=40, scale=0.3, color=0, translation=0.1, blur=0.5, gray=0.5),
    ],
    ids=["nothing", "flip", "rotation", "scale", "translation", "blur", "all"],
)
def test_the_joint_stays_on_its_dot(augmentation):
    before = dots()
    after = augment(before, CropRule(size=SIZE), augmentation, chance())
    assert after.images.shape == (24, 3, SIZE, SIZE)
    found = brightest(after.images)
    compared = 0
    for person in range(24):
        present = torch.nonzero(after.present[person]).flatten().tolist()
        if not present:
            continue
        (joint,) = present
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


def test_matrices_stay_within_the_settings_and_keep_shapes():
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


@pytest.mark.parametrize(
    "wrong",
    [
        {"flip": 1.5},
        {"rotation": -1},
        {"color": 1.0},
        {"scale": -0.1},
        {"translation": -0.1},
        {"occlusion": 2.0},
        {"half_body": -0.1},
        {"blur": float("nan")},
        {"contrast": 1.0},
        {"gray": 1.1},
    ],
)
def test_impossible_augmentation_is_refused(wrong):
    with pytest.raises(PosekitError):
        Augmentation(**wrong)


def bodies(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Joints (B, 16, 2) of people whose upper half lies above their lower half; all present."""
    rng = np.random.default_rng(1)
    joints = torch.tensor(rng.uniform(18, SIZE - 18, (count, 16, 2)), dtype=torch.float32)
    joints[:, list(UPPER), 1] = 14 + (joints[:, list(UPPER), 1] - 14) / 2
    joints[:, list(LOWER), 1] = SIZE / 2 + (joints[:, list(LOWER), 1] - 14) / 2
    return joints, torch.ones(count, 16, dtype=torch.bool)


def test_every_joint_but_the_pelvis_is_in_one_half():
    assert sorted(UPPER + LOWER) == [n for n in range(16) if n != INDEX["pelvis"]]
    assert INDEX["right hip"] in LOWER and INDEX["thorax"] in UPPER and INDEX["head top"] in UPPER


def test_half_a_body_fills_the_crop_and_joints_stay_on_their_dots():
    joints, present = bodies(300)
    matrices = half_body_matrices(joints, present, 0.4, SIZE, chance())
    moved = joints @ matrices[:, :, :2].transpose(1, 2) + matrices[:, None, :, 2]
    zoom = matrices[:, 0, 0]
    chosen = (matrices != torch.eye(2, 3)).any(dim=(1, 2))
    assert 0.3 < chosen.double().mean() < 0.5 and zoom.min() >= 1 and zoom.max() <= HALF_BODY_ZOOM + 1e-5
    inside = ((moved >= -0.5) & (moved < SIZE - 0.5)).all(dim=2)
    whole = torch.stack([inside[:, list(half)].all(dim=1) for half in (UPPER, LOWER)], dim=1)
    assert whole.any(dim=1).all()  # of the half that was chosen nothing is lost
    assert not whole[chosen].all() and (whole[chosen].sum(dim=0) > 20).all()  # and both halves are chosen
    # The dot of a joint moves with it.
    batch = dots(48)
    batch.joints[:] = bodies(48)[0]
    for person in range(48):
        x, y = batch.joints[person, person % 16]
        ys, xs = torch.meshgrid(torch.arange(SIZE + 2 * MARGIN), torch.arange(SIZE + 2 * MARGIN), indexing="ij")
        batch.images[person] = torch.exp(-((xs - x - MARGIN) ** 2 + (ys - y - MARGIN) ** 2) / 8)
    after = augment(
        replace(batch, present=torch.ones(48, 16, dtype=torch.bool)),
        CropRule(size=SIZE),
        replace(NOTHING, half_body=1.0),
        chance(),
    )
    found = brightest(after.images)
    compared = 0
    for person in range(48):
        x, y = after.joints[person, person % 16].tolist()
        if min(x, y) > 16 and max(x, y) < SIZE - 16:
            compared += 1
            assert (found[person] - torch.tensor([x, y])).abs().max() < 0.3
    assert compared > 10


def test_a_person_with_too_few_joints_keeps_their_whole_body():
    joints, present = bodies(20)
    present[:, list(UPPER)[2:]] = False
    present[:, list(LOWER)[2:]] = False
    joints[~present] = float("nan")
    matrices = half_body_matrices(joints, present, 1.0, SIZE, chance())
    assert torch.equal(matrices, torch.eye(2, 3).expand(20, 2, 3))


def test_a_patch_of_another_person_covers_a_rectangle():
    images = torch.arange(200, dtype=torch.float32).view(200, 1, 1, 1).expand(200, 3, SIZE, SIZE)
    after = covered(images, 0.5, chance())
    changed = (after != images).any(dim=1)
    share = changed.any(dim=(1, 2)).double().mean()
    assert 0.4 < share < 0.6
    for person in torch.nonzero(changed.any(dim=(1, 2)))[:, 0].tolist():
        rows, columns = changed[person].any(dim=1).sum(), changed[person].any(dim=0).sum()
        assert changed[person].sum() == rows * columns  # a whole rectangle
        assert PATCH_SIDES[0] * SIZE - 1 <= min(rows, columns) and max(rows, columns) <= PATCH_SIDES[1] * SIZE + 1
        assert (after[person][:, changed[person]] == (person - 1) % 200).all()


def test_covered_joints_stay_present():
    before = dots()
    after = augment(before, CropRule(size=SIZE), replace(NOTHING, occlusion=1.0), chance())
    assert torch.equal(after.present, before.present)


def test_a_blur_lowers_the_resolution_of_some():
    torch.manual_seed(0)
    noise = torch.rand(200, 3, 48, 48)
    after = blurred(noise, 0.3, chance())
    same = (after == noise).flatten(1).all(dim=1)
    assert 0.6 < same.double().mean() < 0.8
    assert after[~same].std() < 0.6 * noise.std()
    torch.testing.assert_close(after.mean(), noise.mean(), atol=0.002, rtol=0)


def test_gray_has_equal_channels_and_contrast_keeps_the_mean():
    torch.manual_seed(0)
    images = 0.4 + 0.2 * torch.rand(300, 3, 16, 16)
    ones = torch.ones(300, 3, 1, 1)
    gray = recolored(images, ones, replace(NOTHING, gray=0.3), chance())
    equal = (gray.amax(dim=1) - gray.amin(dim=1)).flatten(1).amax(dim=1) < 1e-6
    assert 0.2 < equal.double().mean() < 0.4 and torch.equal(gray[~equal], images[~equal])
    changed = recolored(images, ones, replace(NOTHING, contrast=0.5), chance())
    torch.testing.assert_close(changed.mean(dim=(1, 2, 3)), images.mean(dim=(1, 2, 3)), atol=1e-5, rtol=0)
    ratio = changed.flatten(1).std(dim=1) / images.flatten(1).std(dim=1)
    assert 0.5 <= ratio.min() < 0.55 and 1.45 < ratio.max() <= 1.5


def test_new_ways_to_change_crops_leave_the_old_ones_as_they_were():
    old = augment(dots(), CropRule(size=SIZE), Augmentation(), chance())
    matrices, _ = random_matrices(Augmentation(translation=0.1), 24, SIZE, chance())
    same, _ = random_matrices(Augmentation(), 24, SIZE, chance())
    assert torch.equal(matrices[:, :, :2], same[:, :, :2])
    again = augment(dots(), CropRule(size=SIZE), Augmentation(half_body=0.0, occlusion=0.0), chance())
    assert torch.equal(old.images, again.images)


@pytest.mark.parametrize("size", [48, 96, 108])
def test_smaller_crops_show_the_same(size):
    strong = Augmentation(flip=0.5, rotation=40, scale=0.3, color=0, translation=0.1)
    whole = augment(dots(), CropRule(size=SIZE), strong, chance())
    small = augment(dots(), CropRule(size=SIZE), strong, chance(), size)
    assert small.images.shape == (24, 3, size, size) and torch.equal(small.present, whole.present)
    present = whole.present
    torch.testing.assert_close(
        (small.joints[present] + 0.5) / size, (whole.joints[present] + 0.5) / SIZE, atol=1e-5, rtol=0
    )
    expected = F.interpolate(whole.images, size=(size, size), mode="bilinear", align_corners=False)
    in_picture = ((whole.joints > 9) & (whole.joints < SIZE - 10)).all(dim=2).any(dim=1)  # of whole dots
    difference = brightest(small.images[in_picture]) - brightest(expected[in_picture])
    assert in_picture.sum() > 8 and difference.abs().max() < 0.1


def test_sizes_grow_with_the_training():
    sizes = ((0.0, 128), (0.4, 160), (0.7, 192))
    shares = (0, 0.39, 0.4, 0.69, 0.7, 1)
    assert [progressive_size(share, sizes) for share in shares] == [128, 128, 160, 160, 192, 192]


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

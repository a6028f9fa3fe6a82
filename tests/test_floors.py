"""Floors and ceilings against the definition with loops, by hand, and on MPII."""

import numpy as np
import pytest
from floors import measure
from tables import make_people

from posekit.analysis import original_report
from posekit.evaluation.floors import (
    center_distances,
    codec_distances,
    crops_without_images,
    mean_pose,
    mean_pose_distances,
    zero_heatmap_loss,
)
from posekit.evaluation.pckh import pckh
from posekit.preprocessing.crop import CropRule, clip_box, inside, person_box
from posekit.preprocessing.heatmaps import Codec
from posekit.skeleton import INDEX


def test_zero_heatmap_loss_is_the_loss_of_answering_zero():
    """Against the definition, in float64 and with loops: the mean of squared targets, once per stack."""
    rng = np.random.default_rng(0)
    joints = rng.uniform(5, 58, (5, 16, 2)).astype(np.float32)
    present = rng.random((5, 16)) < 0.8
    total = 0.0
    for person in range(5):
        for joint in range(16):
            if present[person, joint]:
                center = np.floor(joints[person, joint] / 4 + 0.125)
                ys, xs = np.mgrid[:16, :16]
                total += np.exp(-((xs - center[0]) ** 2 + (ys - center[1]) ** 2)).sum()
    expected = 2 * total / (5 * 16 * 16 * 16)
    assert zero_heatmap_loss(joints, present, 64, Codec("report"), stacks=2) == pytest.approx(expected, rel=1e-6)


def test_the_floor_of_mpii(mpii):
    """The joints in the crop are counted for all 22,246 train people, the floor is computed for every fourth."""
    people, _ = mpii.split()
    boxes = clip_box(person_box(CropRule(), people.center, people.scale), people.image_size)
    kept = people.labeled & inside(boxes, people.joints)
    assert kept.mean() == pytest.approx(0.887, abs=0.0005)
    some = np.arange(0, len(people), 4)
    crops = crops_without_images(people.select(some), CropRule())
    floor = zero_heatmap_loss(crops.joints, crops.present, CropRule().size, Codec("report"), stacks=2)
    assert floor == pytest.approx(0.00136, abs=0.000005)
    assert original_report.floor() == pytest.approx(floor, rel=0.01)
    # By hand: the squares of a bump of sigma 1 sum to pi. Bumps at the border are cut.
    assert floor == pytest.approx(2 * np.pi * kept[some].mean() / 64**2, rel=0.01)


def test_mean_pose_by_hand():
    joints = np.zeros((3, 16, 2), np.float32)
    joints[:, 0, 0] = [10, 20, 90]
    present = np.full((3, 16), True)
    present[2, 0] = False
    assert mean_pose(joints, present)[0].tolist() == [15, 0]
    assert np.isfinite(mean_pose(joints, present & (np.arange(16) != 7))).all()


def test_the_center_floor_is_the_middle_of_every_crop():
    people = make_people(2)  # center (150, 200), scale 1.5: the box is 180 x 315 px, not cut by the image
    distances = center_distances(crops_without_images(people, CropRule(size=80)))
    # The box holds whole pixels: 60 to 239 and 42 to 357 (42.5 rounds to even), so its middle is (149.5, 199.5).
    by_hand = np.hypot(people.joints[0, :, 0] - 149.5, people.joints[0, :, 1] - 199.5) / 30
    np.testing.assert_allclose(distances, [by_hand, by_hand])


def test_the_mean_pose_is_that_of_the_train_people_in_each_ones_own_crop():
    small, large = make_people(2), make_people(3)
    doubled = make_people(
        3,
        scale=np.full(3, 3.0),
        center=np.full((3, 2), [300.0, 400.0]),
        joints=2 * large.joints,
        image_size=np.full((3, 2), [600, 800]),
        head_size=np.full(3, 60.0),
    )
    rule = CropRule(size=256)
    train, validation = crops_without_images(small, rule), crops_without_images(doubled, rule)
    # The same pose at twice the size is the same crop: the mean pose is right to a pixel of the image.
    assert mean_pose_distances(train, validation).max() * 60 < 1.5
    shifted = make_people(2, joints=small.joints + [15.0, 0.0])  # half a head to the right in the image
    distances = mean_pose_distances(train, crops_without_images(shifted, rule))
    np.testing.assert_allclose(distances, 0.5, rtol=1e-5)


def test_the_ceiling_of_the_codecs():
    rng = np.random.default_rng(0)
    people = make_people(200)
    people.joints[:] += rng.uniform(-20, 20, people.joints.shape)
    crops = crops_without_images(people, CropRule(size=80))
    image_px = 316 / 80  # of a crop px
    error = {kind: codec_distances(crops, Codec(kind)) * 30 / image_px for kind in ("report", "subpixel")}
    # A cell is 4 crop px: the report's codec loses up to half of it in x and y, sqrt(8 / pi) for half the joints.
    assert 2.5 < error["report"].max() <= np.sqrt(8) + 1e-3
    assert np.median(error["report"]) == pytest.approx(np.sqrt(8 / np.pi), rel=0.05)
    assert error["subpixel"].max() < 0.01


def test_a_joint_outside_the_crop_is_lost_to_every_network():
    people = make_people(1)
    people.joints[0, INDEX["left ankle"]] = [150, 390]  # in the image, below the box
    people.joints[0, INDEX["left wrist"]] = np.nan
    distances = codec_distances(crops_without_images(people, CropRule(size=80)), Codec("subpixel"))
    score = pckh(distances)
    assert score.mean("left ankle") == 0 and score.mean("right ankle") == 100
    assert score.counts[INDEX["left wrist"]] == 0


def test_joints_in_the_context_around_the_crop_are_no_part_of_its_heatmaps():
    """With room for augmentation more of the image is kept, but a network still answers for the crop alone."""
    people = make_people(1)
    people.joints[0, INDEX["left ankle"]] = [150, 390]
    kept = crops_without_images(people, CropRule(size=80, context=1.5))
    kept.present[:] = True
    assert np.isinf(codec_distances(kept, Codec("subpixel"))[0, INDEX["left ankle"]])


def test_what_mpii_lets_a_network_reach(mpii):
    """At the report's size its crop is what limits a network, not its codec."""
    _, people = mpii.split()
    crops = crops_without_images(people, CropRule())
    ceilings = {kind: codec_distances(crops, Codec(kind)) for kind in ("report", "subpixel")}
    outside = people.labeled & ~crops.present
    for distances in ceilings.values():
        np.testing.assert_array_equal(np.isinf(distances), outside)
        assert pckh(distances, 0.5).weighted16 == pytest.approx(100 * (1 - outside.sum() / people.labeled.sum()))
    # At 256 px a head of MPII is 30 px, so half a cell is less than a tenth of it; at 80 px it is not.
    assert pckh(ceilings["report"], 0.1).weighted14 == pckh(ceilings["subpixel"], 0.1).weighted14
    coarse = codec_distances(crops_without_images(people, CropRule(size=80)), Codec("report"))
    assert pckh(coarse, 0.1).weighted14 < 30
    assert pckh(coarse, 0.5).weighted14 == pckh(ceilings["report"], 0.5).weighted14


def test_floors_of_lsp_are_in_torsos():
    """LSP's distances are divided by the torso, right shoulder to left hip, whatever the head size is."""
    people = make_people(2, data_set=np.array(["lsp", "lsp"]), head_size=np.full(2, 1e6))
    torso = np.linalg.norm(people.joints[0, INDEX["right shoulder"]] - people.joints[0, INDEX["left hip"]])
    distances = center_distances(crops_without_images(people, CropRule(size=80)))
    by_hand = np.hypot(people.joints[0, :, 0] - 149.5, people.joints[0, :, 1] - 199.5) / torso
    np.testing.assert_allclose(distances, [by_hand, by_hand])


def test_the_benchmark_of_floors_measures_what_runs_record(tiny_study):
    """It reads the sizes of photographs, and no pixel; runs record what their crops were cut to."""
    record = measure(tiny_study.people, "tiny")
    (found,) = record["sets"].values()
    recorded = tiny_study.floors(tiny_study.config(5))
    for name in ("mean_pose", "center", "codec_ceiling"):
        assert found[name] == pytest.approx(recorded[f"{name}_weighted14"])
    assert record["data_fingerprint"] == tiny_study.people.fingerprint() and found["people"] == 16

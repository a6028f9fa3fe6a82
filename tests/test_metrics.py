"""PCKh by hand, against the published table of a network, and floors against a slow computation."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from posekit.cli import app
from posekit.crop import CropRule, clip_box, inside, person_box
from posekit.heatmaps import Codec
from posekit.metrics import head_distances, mean_pose, pckh, zero_heatmap_floor, zero_heatmap_loss
from posekit.mpii import read_mpii, read_predictions
from posekit.skeleton import INDEX


def one_person(**at: float) -> np.ndarray:
    """Distances (1, 16): the named joints annotated and that many head sizes off."""
    distances = np.full((1, 16), np.nan)
    for name, distance in at.items():
        distances[0, INDEX[name.replace("_", " ")]] = distance
    return distances


def test_distances_are_in_head_sizes_of_the_person():
    truth = np.full((2, 16, 2), 100.0)
    predicted = truth + [30.0, 40.0]  # 50 px away
    distances = head_distances(predicted, truth, np.array([100.0, 25.0]))
    assert distances[0].tolist() == [0.5] * 16
    assert distances[1].tolist() == [2.0] * 16


def test_what_cannot_be_scored_does_not_count_and_a_missing_answer_is_a_miss():
    truth = np.full((2, 16, 2), 100.0)
    truth[0, 3] = np.nan
    predicted = truth.copy()
    predicted[0, 3] = 100
    predicted[0, 4] = np.nan
    distances = head_distances(predicted, truth, np.array([20.0, np.nan]))
    score = pckh(distances)
    assert score.counts.tolist() == [1] * 3 + [0] + [1] * 12
    assert score.joints[4] == 0 and np.isnan(score.joints[3]) and score.joints[0] == 100


def test_a_joint_exactly_at_the_threshold_is_a_hit():
    score = pckh(one_person(left_knee=0.5, right_knee=0.5 + 1e-9))
    assert score.joints[INDEX["left knee"]] == 100
    assert score.joints[INDEX["right knee"]] == 0


def test_the_three_means_by_hand():
    # 3 people. Wrist: 3 annotated, 1 hit. Knee: 1 annotated, 1 hit. Pelvis: 2 annotated, 0 hit.
    distances = np.full((3, 16), np.nan)
    distances[:, INDEX["left wrist"]] = [0.1, 0.9, 0.9]
    distances[0, INDEX["left knee"]] = 0.2
    distances[:2, INDEX["pelvis"]] = 0.8
    score = pckh(distances)
    assert score.weighted14 == pytest.approx(100 * 2 / 4)
    assert score.weighted16 == pytest.approx(100 * 2 / 6)
    everybody = pckh(np.where(np.isnan(distances), 0.0, distances))  # all others hit
    # 12 joints at 100 %, wrist 1 of 3, knee 3 of 3; the pelvis is not among the 14.
    assert everybody.macro14 == pytest.approx((13 * 100 + 100 / 3) / 14)


PUBLISHED = {
    "head": 95.80,
    "shoulder": 94.57,
    "elbow": 88.12,
    "wrist": 83.31,
    "hip": 86.24,
    "knee": 80.88,
    "ankle": 77.44,
}


def test_published_pckh_of_a_two_stack_hourglass(mpii_folder):
    path = mpii_folder / "evaluation" / "hourglass_2stack_predictions.mat"
    if not path.exists():
        pytest.skip(f"{path.name} is not there")
    _, people = read_mpii(mpii_folder).split()
    distances = head_distances(read_predictions(path, len(people)), people.joints, people.head_size)
    score = pckh(distances)
    assert score.macro14 == pytest.approx(86.76, abs=0.005)
    assert score.weighted14 == pytest.approx(87.30, abs=0.005)
    assert score.weighted16 == pytest.approx(88.20, abs=0.005)
    assert score.groups == pytest.approx(PUBLISHED, abs=0.006)
    assert pckh(distances, 0.1).macro14 == pytest.approx(23.72, abs=0.005)


def test_evaluate_prints_the_same_as_json(mpii_folder):
    path = mpii_folder / "evaluation" / "hourglass_2stack_predictions.mat"
    if not path.exists():
        pytest.skip(f"{path.name} is not there")
    command = ["evaluate", "--predictions", str(path), "--mpii", str(mpii_folder), "--json"]
    answer = json.loads(CliRunner().invoke(app, command).stdout)
    assert answer["macro14"] == pytest.approx(86.76, abs=0.005)
    assert answer["left wrist"] == pytest.approx(83.02, abs=0.005)
    assert len(answer) == 1 + 3 + 16


def test_zero_heatmap_loss_is_the_loss_of_answering_zero():
    """Against the definition, in float64 and with loops: the mean of squared targets, once a stack."""
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


def test_zero_heatmap_floor_of_mpii(mpii_folder):
    people, _ = read_mpii(mpii_folder).split()
    floor = zero_heatmap_floor(people, CropRule(), Codec("report"), stacks=2)
    assert floor == pytest.approx(0.00136, abs=0.000005)
    # By hand: the squares of a bump of sigma 1 sum to pi.
    boxes = clip_box(person_box(CropRule(), people.center, people.scale), people.image_size)
    share = (people.labelled & inside(boxes, people.joints)).mean()
    assert share == pytest.approx(0.887, abs=0.0005)
    assert floor == pytest.approx(2 * np.pi * share / 64**2, rel=0.01)  # bumps at the border are cut


def test_mean_pose_by_hand():
    joints = np.zeros((3, 16, 2), np.float32)
    joints[:, 0, 0] = [10, 20, 90]
    present = np.full((3, 16), True)
    present[2, 0] = False
    assert mean_pose(joints, present)[0].tolist() == [15, 0]
    assert np.isfinite(mean_pose(joints, present & (np.arange(16) != 7))).all()

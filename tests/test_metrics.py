"""PCKh by hand and against the published table of a network; its curve against single thresholds."""

import numpy as np
import pytest

from posekit.evaluation.pckh import head_distances, pckh, pckh_curve, split_by_visibility
from posekit.evaluation.prediction_files import read_predictions
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


def test_published_pckh_of_a_two_stack_hourglass(mpii, mpii_folder):
    path = mpii_folder / "evaluation" / "hourglass_2stack_predictions.mat"
    if not path.exists():
        pytest.skip(f"{path.name} is not there")
    joints, people = read_predictions(path, mpii.split()[1])
    distances = head_distances(joints, people.joints, people.head_size)
    score = pckh(distances)
    assert score.macro14 == pytest.approx(86.76, abs=0.005)
    assert score.weighted14 == pytest.approx(87.30, abs=0.005)
    assert score.weighted16 == pytest.approx(88.20, abs=0.005)
    assert score.groups == pytest.approx(PUBLISHED, abs=0.006)
    assert pckh(distances, 0.1).macro14 == pytest.approx(23.72, abs=0.005)


def answers(seed: int, people: int = 40) -> np.ndarray:
    """Distances (people, 16) of somebody's answer: some joints not annotated, some never found."""
    rng = np.random.default_rng(seed)
    distances = rng.exponential(0.4, (people, 16)).round(3)  # rounded, so that some lie exactly on a threshold
    distances[rng.random(distances.shape) < 0.2] = np.nan
    distances[rng.random(distances.shape) < 0.1] = np.inf
    return distances


def test_the_curve_is_pckh_at_every_threshold():
    distances = answers(0)
    distances[:, 5] = np.nan  # a joint that nobody has
    curve = pckh_curve(distances)
    assert curve.thresholds[0] == 0 and curve.thresholds[-1] == 0.5 and len(curve.thresholds) == 501
    for number in (0, 1, 100, 333, 500):
        score = pckh(distances, curve.thresholds[number])
        np.testing.assert_allclose(curve.joints[number], score.joints)
        for name in ("weighted14", "weighted16", "wrist", "left knee"):
            assert curve.mean(name)[number] == pytest.approx(score.mean(name)), name
    assert np.isnan(curve.mean("macro14")).all() and np.isnan(curve.mean("left ankle")).all()


def test_the_area_is_the_mean_share_of_the_range_that_a_joint_is_found_in():
    distances = answers(1)
    reach = np.clip(1 - distances / 0.5, 0, None)  # a joint at distance d is found at thresholds d to 0.5
    curve = pckh_curve(distances)
    assert curve.area("weighted16") == pytest.approx(100 * np.nanmean(reach), abs=0.1)
    assert curve.area("left wrist") == pytest.approx(100 * np.nanmean(reach[:, INDEX["left wrist"]]), abs=0.1)
    assert pckh_curve(np.zeros((2, 16))).area("macro14") == pytest.approx(100)
    assert pckh_curve(np.full((2, 16), 0.25)).area("macro14") == pytest.approx(50, abs=0.1)
    assert pckh_curve(np.full((2, 16), np.inf)).area("macro14") == 0


def test_the_curve_asks_only_the_thresholds_it_is_given():
    curve = pckh_curve(one_person(left_knee=0.5, right_knee=0.3), np.array([0.2, 0.4, 0.8]))
    assert curve.mean("knee").tolist() == [0, 50, 100]


def test_visible_and_occluded_joints_apart():
    distances = one_person(left_knee=0.1, right_knee=0.9, left_hip=0.1, right_hip=0.2)
    visible = np.full((1, 16), False)
    visible[0, [INDEX["left knee"], INDEX["right knee"]]] = True
    parts = split_by_visibility(distances, visible)
    assert pckh(parts["visible"]).weighted14 == 50 and pckh(parts["visible"]).counts.sum() == 2
    assert pckh(parts["occluded"]).weighted14 == 100 and pckh(parts["occluded"]).counts.sum() == 2


def test_a_network_finds_visible_joints_of_mpii_more_often(mpii, mpii_folder):
    path = mpii_folder / "evaluation" / "hourglass_2stack_predictions.mat"
    if not path.exists():
        pytest.skip(f"{path.name} is not there")
    joints, people = read_predictions(path, mpii.split()[1])
    distances = head_distances(joints, people.joints, people.head_size)
    parts = split_by_visibility(distances, people.visible)
    visible, occluded = pckh(parts["visible"]), pckh(parts["occluded"])
    np.testing.assert_array_equal(visible.counts + occluded.counts, pckh(distances).counts)
    assert visible.weighted14 > occluded.weighted14 + 20

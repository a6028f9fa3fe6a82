"""People whose right and left are exchanged are found by likelihoods, and repaired."""

from dataclasses import replace

import numpy as np
import pytest

from posekit.datasets.exchanged import HALVES, log_likelihood_ratios, repaired
from posekit.skeleton import INDEX, mirrored_joints
from tests.tables import make_people

SIDE = 16


def maps(cells: np.ndarray, sigma: float = 1.5) -> np.ndarray:
    """(N, 16, SIDE, SIDE): log-likelihoods of a network that is right about joints at `cells`."""
    y, x = np.mgrid[:SIDE, :SIDE]
    squared = (x - cells[..., 0, None, None]) ** 2 + (y - cells[..., 1, None, None]) ** 2
    logarithms = -squared / (2 * sigma**2)
    return logarithms - np.log(np.exp(logarithms).sum(axis=(2, 3), keepdims=True))


def exchanged(joints: np.ndarray, half: str) -> np.ndarray:
    joints, members = joints.copy(), list(HALVES[half])
    joints[:, members] = joints[:, [mirrored_joints()[joint] for joint in members]]
    return joints


def test_halves_hold_every_joint_that_has_a_side():
    assert sorted(HALVES["legs"] + HALVES["arms"]) == [n for n in range(16) if mirrored_joints()[n] != n]
    assert INDEX["left hip"] in HALVES["legs"] and INDEX["right shoulder"] in HALVES["arms"]


@pytest.mark.parametrize("half", ["legs", "arms"])
def test_the_exchanged_half_has_the_opposite_ratio(half):
    cells = np.random.default_rng(0).uniform(2, SIDE - 3, (20, 16, 2))
    present = np.ones((20, 16), bool)
    right = log_likelihood_ratios(maps(cells), cells, present)
    wrong = log_likelihood_ratios(maps(cells), exchanged(cells, half), present)
    (other,) = set(HALVES) - {half}
    np.testing.assert_allclose(wrong[half], -right[half])
    np.testing.assert_allclose(wrong[other], right[other])
    assert (right[half] > 0).all()


def test_joints_that_are_not_present_are_ignored():
    cells = np.random.default_rng(0).uniform(2, SIDE - 3, (3, 16, 2))
    present = np.ones((3, 16), bool)
    missing = cells.copy()
    missing[1] = np.nan
    present[1] = False
    ratios = log_likelihood_ratios(maps(cells), missing, present)
    assert ratios["arms"][1] == ratios["legs"][1] == 0 and ratios["arms"][0] > 0


def test_people_are_repaired_half_by_half():
    people = make_people(4)
    ratios = {"legs": np.array([5.0, -9.0, 5.0, -4.0]), "arms": np.array([5.0, 5.0, -9.0, -4.0])}
    fixed, count = repaired(people, ratios, exchange_below=-6, leave_out_below=-3)
    assert count == {"exchanged": 2, "left out": 2, "people gone": 0}
    np.testing.assert_array_equal(fixed.joints[0], people.joints[0])
    np.testing.assert_array_equal(fixed.joints[1:2], exchanged(people.joints[1:2], "legs"))
    np.testing.assert_array_equal(fixed.joints[2:3], exchanged(people.joints[2:3], "arms"))
    np.testing.assert_array_equal(fixed.visible[1, INDEX["left knee"]], people.visible[1, INDEX["right knee"]])
    with_side = list(HALVES["legs"] + HALVES["arms"])
    assert np.isnan(fixed.joints[3, with_side]).all() and not fixed.visible[3, with_side].any()
    again, _ = repaired(fixed, {half: np.where(ratios[half] < -6, -20.0, 5.0) for half in HALVES})
    np.testing.assert_array_equal(again.joints[:3], people.joints[:3])  # exchanging twice is nothing


def test_people_without_any_joint_left_are_left_out():
    people = make_people(2)
    joints = people.joints.copy()
    joints[0, [joint for joint in range(16) if mirrored_joints()[joint] == joint]] = np.nan
    people = replace(people, joints=joints)
    fixed, count = repaired(people, {half: np.array([-5.0, 5.0]) for half in HALVES})
    assert len(fixed) == 1 and count["people gone"] == 1 and fixed.image[0] == people.image[1]

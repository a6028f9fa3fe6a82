"""Left and right exchanged: against values worked out by hand and against loops over people and joints."""

import numpy as np
import pytest
from tables import make_people

from posekit.evaluation.exchanged_sides import (
    exchanged_by_chance,
    exchanged_joints,
    exchanged_table,
    partly_exchanged,
)
from posekit.skeleton import INDEX, JOINTS, LEFT_RIGHT

RIGHT, LEFT = INDEX["right ankle"], INDEX["left ankle"]
OTHER = {a: b for pair in LEFT_RIGHT for a, b in (pair, pair[::-1])}


def test_an_answer_on_the_other_foot_is_exchanged_and_one_beside_the_person_is_not():
    people = make_people(3)
    joints = people.joints.copy()
    joints[0, RIGHT] = people.joints[0, LEFT]
    joints[1, RIGHT] = [10.0, 10.0]
    assert np.argwhere(exchanged_joints(joints, people)).tolist() == [[0, RIGHT]]
    table = exchanged_table(joints, people)
    assert table.loc["ankle", ["misses", "exchanged", "partner found too"]].tolist() == [2, 1, 1]
    joints[0, LEFT] = people.joints[0, RIGHT]  # now both are on the wrong side
    both = exchanged_table(joints, people)
    assert both.loc["ankle", ["misses", "exchanged", "partner found too"]].tolist() == [3, 2, 0]
    assert table.loc["all", ["misses", "exchanged"]].tolist() == [2, 1]
    assert table.drop(index=["ankle", "all"]).to_numpy().sum() == 0


def test_chance_is_the_share_of_other_people_with_the_joint_at_this_position():
    people = make_people(3)
    truth = people.joints.copy()
    truth[2, LEFT] += 100  # a third person whose left foot is elsewhere
    people = make_people(3, joints=truth)
    joints = truth.copy()
    joints[0, RIGHT] = truth[0, LEFT]
    chance = exchanged_by_chance(joints, people)
    assert chance[0, RIGHT] == pytest.approx(0.5)  # of two others, one has its left foot there
    assert chance.sum() == pytest.approx(0.5)


def test_other_people_are_moved_and_scaled_and_missing_joints_do_not_count():
    """Against plain loops, on people of all sizes and places."""
    rng = np.random.default_rng(3)
    count = 12
    truth = rng.uniform(0, 100, (count, len(JOINTS), 2))
    truth[rng.random((count, len(JOINTS))) < 0.2] = np.nan
    truth[:, INDEX["pelvis"]] = 50.0  # everybody has some joint
    people = make_people(
        count,
        joints=truth,
        center=rng.uniform(20, 80, (count, 2)),
        scale=rng.uniform(0.5, 2, count),
        head_size=rng.uniform(20, 40, count),
    )
    joints = truth + rng.normal(0, 30, truth.shape)
    expected = np.zeros((count, len(JOINTS)))
    for person in range(count):
        for joint, other in OTHER.items():
            if not np.linalg.norm(joints[person, joint] - truth[person, joint]) / people.head_size[person] > 0.5:
                continue
            near = []
            for stranger in set(range(count)) - {person}:
                if np.isnan(truth[stranger, other]).any():
                    continue
                offset = (truth[stranger, other] - people.center[stranger]) / people.scale[stranger]
                moved = people.center[person] + offset * people.scale[person]
                near.append(np.linalg.norm(joints[person, joint] - moved) / people.head_size[person] <= 0.5)
            expected[person, joint] = np.mean(near) if near else 0
    assert expected.any()
    np.testing.assert_allclose(exchanged_by_chance(joints, people), expected)


def test_answers_for_another_person_are_exchanged_as_often_as_by_chance():
    """Each person is answered with another one's pose: that is what chance means."""
    rng = np.random.default_rng(0)
    count = 400
    truth = rng.uniform(0, 120, (count, len(JOINTS), 2))
    people = make_people(count, joints=truth, center=np.full((count, 2), 60.0))
    table = exchanged_table(np.roll(truth, 1, axis=0), people)
    assert table.loc["all", "exchanged"] == pytest.approx(table.loc["all", "by chance"], rel=0.1)


def test_the_person_to_learn_from_has_two_joints_exchanged_and_most_found():
    people = make_people(4)
    joints = people.joints.copy()
    joints[1:, [RIGHT, LEFT]] = people.joints[1:, [LEFT, RIGHT]]
    joints[1, INDEX["head top"]] += 500
    joints[3, INDEX["pelvis"]] += 500
    joints[3, INDEX["thorax"]] += 500
    assert partly_exchanged(joints, people) == 2
    assert partly_exchanged(people.joints, people) == 0

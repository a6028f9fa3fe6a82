"""Who is followed in a video keeps his number, and is found again; people are made, so their places are known."""

import numpy as np
import pytest

from posekit.inference.following import PATIENCE, FollowAll, FollowOne, joints_box, overlap
from posekit.inference.predictor import Prediction
from posekit.preprocessing.crop import CropRule
from posekit.skeleton import INDEX, JOINTS

FRAME = np.zeros((400, 600, 3), np.uint8)

#: Somebody upright, from the hips, px.
BODY = {
    "head top": (0, -80),
    "upper neck": (0, -55),
    "thorax": (0, -45),
    "pelvis": (0, 0),
    **{
        f"{side} {joint}": (sign * x, y)
        for side, sign in (("right", -1), ("left", 1))
        for joint, x, y in (
            ("shoulder", 18, -45),
            ("elbow", 24, -15),
            ("wrist", 26, 10),
            ("hip", 12, 0),
            ("knee", 12, 45),
            ("ankle", 12, 85),
        )
    },
}
STANDING = np.array([BODY[joint] for joint in JOINTS], float)


def person(x: float, y: float, size: float = 1.0, confidence: float = 0.9) -> Prediction:
    joints = size * STANDING + (x, y)
    none = np.zeros((8, 8, 3), np.uint8), np.zeros((16, 2, 2), np.float32), np.eye(2, 3)
    return Prediction(joints, np.full(16, confidence), *none)


class Sees:
    """Stands in for a predictor: every frame has the people that are written down for it."""

    rule = CropRule(width=230, height=230, size=128)

    def __init__(self, frames: list[list[Prediction]]) -> None:
        self.frames, self.number, self.found = frames, -1, 0
        self.places: list[tuple[np.ndarray, float]] = []

    def predict_people(self, image: np.ndarray, people: int | None = None) -> list[Prediction]:
        self.number += 1
        self.found += 1
        return self.frames[self.number][:people]

    def predict(self, image: np.ndarray, center: np.ndarray, scale: float) -> Prediction:
        """The person nearest to the center; an unsure answer if nobody is near."""
        self.number += 1
        self.places.append((center, scale))
        people = self.frames[self.number] or [person(*center, confidence=0.05)]
        return min(people, key=lambda one: np.linalg.norm(one.joints.mean(axis=0) - center))

    def place_of_box(self, image: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, float]:
        return (box[:2] + box[2:]) / 2, (box[3] - box[1]) / 230


def numbers(follow: FollowAll, frames: int) -> list[dict[int, float]]:
    """By frame: number -> where that person's pelvis is, x."""
    return [{one.number: one.answer.joints[INDEX["pelvis"], 0] for one in follow(FRAME)} for _ in range(frames)]


def test_numbers_stay_when_the_surest_changes_and_people_pass_each_other():
    """One walks from left to right and one back, 60 px apart; frames list them in this or the other order."""
    frames = []
    for step in range(40):
        walkers = [person(60 + 12 * step, 150), person(540 - 12 * step, 210, size=0.8)]
        frames.append(walkers[:: 1 if step % 3 else -1])
    found = numbers(FollowAll(Sees(frames)), 40)
    first, second = (2, 1) if abs(found[0][1] - 540) < 1 else (1, 2)
    for step, places in enumerate(found):
        assert places == pytest.approx({first: 60 + 12 * step, second: 540 - 12 * step})


def test_who_comes_later_is_new_and_who_was_away_too_long_is_forgotten():
    left, right = person(100, 200), person(450, 200)
    frames = [[left], [left, right], [right], [left, right]]
    found = numbers(FollowAll(Sees(frames)), 4)
    assert [sorted(places) for places in found] == [[1], [1, 2], [2], [1, 2]] and found[3][1] == 100
    frames = [[left]] + [[]] * (PATIENCE + 1) + [[left]]
    found = numbers(FollowAll(Sees(frames)), len(frames))
    assert list(found[0]) == [1] and list(found[-1]) == [2] and not any(found[1:-1])


def test_at_most_so_many():
    frames = [[person(100, 200), person(300, 200), person(500, 200)]]
    assert len(FollowAll(Sees(frames), most=2)(FRAME)) == 2


def test_one_is_followed_without_finding_and_the_place_goes_along():
    frames = [[person(60 + 8 * step, 200), person(500, 100)] for step in range(40)]
    sees = Sees(frames)
    follow = FollowOne(sees)
    for step in range(40):
        (one,) = follow(FRAME)
        assert one.number == 1 and one.answer is frames[step][0]
    assert sees.found == 1
    # The place runs behind by at most one step per half of the way.
    assert all(abs(center[0] - (60 + 8 * step)) < 20 for step, (center, _) in enumerate(sees.places, start=1))


def test_one_is_found_again_where_he_was_lost():
    other = person(480, 200)
    frames = [[person(100, 200)]] * 3 + [[]] * 4 + [[other, person(110, 205)]] * 3
    sees = Sees(frames)
    follow = FollowOne(sees)
    seen = [follow(FRAME) for _ in frames]
    assert [len(people) for people in seen] == [1] * 3 + [0] * 4 + [1] * 3
    assert seen[-1][0].answer.joints[INDEX["pelvis"], 0] == 110 and seen[-1][0].number == 1


@pytest.mark.parametrize(("sure", "followed"), [(8, 1), (7, 0)])
def test_one_is_lost_where_fewer_than_half_of_the_joints_are_sure(sure, followed):
    one = person(300, 200)
    one.confidence[:] = np.where(np.arange(16) < sure, 0.2, 0.19)
    assert len(FollowOne(Sees([[one]]))(FRAME)) == followed


def test_a_box_chooses_the_person_to_follow():
    frames = [[person(480, 200), person(100, 200)]] * 3
    sees = Sees(frames)
    follow = FollowOne(sees, np.array([60, 110, 140, 290]))
    assert all(follow(FRAME)[0].answer is frames[0][1] for _ in frames) and sees.found == 0


def test_the_scale_grows_only_with_a_person_who_comes_nearer():
    frames = [[person(300, 200, size=1 + step / 50)] for step in range(50)]
    sees = Sees(frames)
    follow = FollowOne(sees)
    assert all(follow(FRAME) for _ in frames)
    scales = [scale for _, scale in sees.places]
    assert scales[-1] / scales[0] > 1.5
    sees = Sees([[person(300, 200)]] * 50)
    follow = FollowOne(sees)
    assert all(follow(FRAME) for _ in range(50))
    (first, _), (last, _) = sees.places[0], sees.places[-1]
    assert np.linalg.norm(first - last) < 12 and sees.places[0][1] == pytest.approx(sees.places[-1][1])


def test_overlap_by_hand():
    assert overlap(np.array([0, 0, 10, 10]), np.array([5, 0, 15, 10])) == pytest.approx(50 / 150)
    assert overlap(np.array([0, 0, 10, 10]), np.array([20, 0, 30, 10])) == 0
    np.testing.assert_array_equal(joints_box(np.array([[3, 9], [np.nan, np.nan], [1, 11]])), [1, 9, 3, 11])

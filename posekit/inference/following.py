"""Follows people from frame to frame of a video: each keeps a number and is found again when lost."""

import numpy as np
from scipy.optimize import linear_sum_assignment

from posekit.datasets.lsp import center_and_scale
from posekit.inference.predictor import Person, Prediction, Predictor
from posekit.preprocessing.crop import CropRule

#: Joints with less confidence do not count, and with fewer that count the person is lost. Chosen for the networks
#: that come along, so that a person is rarely taken for lost and a place beside a person mostly is.
SURE, FEWEST_JOINTS = 0.2, 8

#: How much of the way to what the joints of a frame say the place of the next frame goes: middle and height.
STEP, STRETCH = 0.5, 0.1

#: The same person's joints' boxes share at least so much from frame to frame (intersection over union).
LEAST_OVERLAP = 0.2

#: A person who is not seen for this many frames is forgotten; a person who comes later gets a new number.
PATIENCE = 25


class FollowOne:
    """Follows one person; call it with every frame (H, W, 3) uint8 RGB.

    box (4,), image px, says where the person is in the first frame; without one, the surest person that is found.
    The joints of a frame tell where to crop the next one, which needs no finder. While the person is lost, people
    are searched in every frame: the one found at the last position is taken, or else the surest.
    """

    def __init__(self, predictor: Predictor, box: np.ndarray | None = None) -> None:
        self.predictor = predictor
        self._place: tuple[np.ndarray, float] | None = None
        self._first_box, self._last = box, None

    def __call__(self, image: np.ndarray) -> list[Person]:
        """The person, in a list that is empty while the person is lost."""
        if self._first_box is not None:
            self._place, self._first_box = self.predictor.place_of_box(image, self._first_box), None
        if self._place is not None:
            answer = self.predictor.predict(image, *self._place)
        else:
            answer = self._found(image)
            if answer is None:
                return []
            self._place = _place_of(answer, self.predictor.rule)
        self._place = next_place(*self._place, answer, image.shape[1::-1])
        if self._place is None:
            return []
        self._last = joints_box(answer.joints)
        return [Person(1, answer)]

    def _found(self, image: np.ndarray) -> Prediction | None:
        people = self.predictor.predict_people(image)
        if not people or self._last is None:
            return people[0] if people else None
        overlaps = [overlap(joints_box(person.joints), self._last) for person in people]
        return people[int(np.argmax(overlaps))]  # the surest of several that overlap equally


def _place_of(answer: Prediction, rule: CropRule) -> tuple[np.ndarray, float]:
    """Center and scale by the joints; the scale of the crop, where no limb is long enough to tell it."""
    center, scale = center_and_scale(answer.joints[None])
    side = answer.crop.shape[0] / answer.matrix[0, 0]  # image px
    return center[0], float(scale[0] if scale[0] > 0 else side / rule.height)


def next_place(
    center: np.ndarray, scale: float, answer: Prediction, size: tuple[int, int]
) -> tuple[np.ndarray, float] | None:
    """Center (2,) image px and scale for the next frame; None if the person is lost.

    center, scale: of this frame, with its answer; size: width, height of the frame. One wrong joint moves the
    center by a quarter of its error. The scale follows slowly: limbs seem shorter when they point at the camera.
    """
    sure = answer.confidence >= SURE
    if sure.sum() < FEWEST_JOINTS:
        return None
    last = np.array(size) - 1
    joints = np.clip(answer.joints, 0, last)
    middle = (joints[sure].min(axis=0) + joints[sure].max(axis=0)) / 2
    seen = center_and_scale(np.where(sure[:, None], answer.joints, np.nan)[None])[1][0]
    stretch = np.clip(seen / scale, 0.5, 2) ** STRETCH if seen > 0 else 1.0
    return np.clip(center + STEP * (middle - center), 0, last), float(scale * stretch)


class FollowAll:
    """Follows all people, or at most `people`; call it with every frame (H, W, 3) uint8 RGB.

    People are found in every frame anew. Who they are is decided for all at once, so that the overlaps of the
    joints' boxes have the largest sum (the Hungarian method, Kuhn, 1955). A person who overlaps none of them is
    new.
    """

    def __init__(self, predictor: Predictor, most: int | None = None) -> None:
        self.predictor, self.most = predictor, most
        self._boxes: dict[int, np.ndarray] = {}  # where each person was last
        self._unseen: dict[int, int] = {}  # for how many frames
        self._numbers = 0

    def __call__(self, image: np.ndarray) -> list[Person]:
        """All people in the frame, by number."""
        people = self.predictor.predict_people(image, self.most)
        boxes = [joints_box(person.joints) for person in people]
        known = list(self._boxes)
        shared = np.array([[overlap(self._boxes[number], box) for box in boxes] for number in known])
        numbers: dict[int, int] = {}  # person of this frame -> number
        if shared.size:
            for row, column in zip(*linear_sum_assignment(-shared), strict=True):
                if shared[row, column] >= LEAST_OVERLAP:
                    numbers[int(column)] = known[row]
        for person in range(len(people)):
            if person not in numbers:
                self._numbers += 1
                numbers[person] = self._numbers
        for person, number in numbers.items():
            self._boxes[number] = boxes[person]
        self._unseen = {n: 0 if n in numbers.values() else self._unseen[n] + 1 for n in self._boxes}
        self._boxes = {number: box for number, box in self._boxes.items() if self._unseen[number] <= PATIENCE}
        return [Person(numbers[person], people[person]) for person in sorted(numbers, key=numbers.__getitem__)]


def joints_box(joints: np.ndarray) -> np.ndarray:
    """The smallest box (4,) around joints (N, 2), same px; those that are not numbers are left out."""
    return np.concatenate([np.nanmin(joints, axis=0), np.nanmax(joints, axis=0)])


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two boxes (4,)."""
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    shared = float(np.prod(np.clip(high - low, 0, None)))
    union = float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2])) - shared
    return shared / union if union > 0 else 0.0

"""Tables of people: annotated, lost to the crop, predicted; and people who show well what a crop does."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from posekit.datasets.people import People
from posekit.errors import PosekitError
from posekit.inference.predictor import Prediction
from posekit.preprocessing.crop import CropRule, clip_box, lost_joints, person_box
from posekit.skeleton import INDEX, JOINTS

ANKLES = [INDEX["right ankle"], INDEX["left ankle"]]

#: Joints by kind, both sides of the body together, from the head down.
KINDS: dict[str, list[int]] = {
    kind: [number for number, joint in enumerate(JOINTS) if joint.endswith(kind)]
    for kind in "head top, upper neck, thorax, shoulder, elbow, wrist, pelvis, hip, knee, ankle".split(", ")
}


def annotation_table(people: People) -> pd.DataFrame:
    """How often each kind of joint is annotated (% of the people) and how many of these are visible (%)."""
    rows = {
        kind: {
            "annotated (%)": 100 * people.labeled[:, joints].mean(),
            "visible among them (%)": 100 * people.visible[:, joints].sum() / people.labeled[:, joints].sum(),
        }
        for kind, joints in KINDS.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").round(1)


def lost_by_kind(people: People, rules: Sequence[CropRule]) -> pd.DataFrame:
    """Annotated joints outside the box (%): a row per kind of joint, a column per height of the rules' boxes."""
    columns = {}
    for rule in rules:
        lost = lost_joints(rule, people.center, people.scale, people.joints)
        columns[f"{rule.height:g}"] = {
            kind: 100 * lost[:, joints].sum() / people.labeled[:, joints].sum() for kind, joints in KINDS.items()
        }
    return pd.DataFrame(columns).sort_values(f"{rules[0].height:g}", ascending=False)


def crop_table(people: People, rules: Sequence[CropRule]) -> pd.DataFrame:
    """What boxes of different shapes lose, a row per rule; all in percent.

    The last column is how tall a person is in the square crop, in percent of the report's 120 x 210.
    """
    rows = {}
    for rule in rules:
        lost = lost_joints(rule, people.center, people.scale, people.joints)
        rows[f"{rule.width:g} x {rule.height:g}"] = {
            "people who lose a joint (%)": 100 * lost.any(axis=1).mean(),
            "joints lost (%)": 100 * lost.sum() / people.labeled.sum(),
            "ankles lost (%)": 100 * lost[:, ANKLES].sum() / people.labeled[:, ANKLES].sum(),
            "person's height in the crop (%)": 100 * CropRule().height / max(rule.width, rule.height),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("box, px per unit of scale").round(1)


def clipped_person(people: People, rule: CropRule) -> int:
    """Number of a person whose box is cut off by the border of the image, although every joint is in the image.

    Of those people, the one who loses the largest share of the box. Raises `PosekitError` if there is none, or
    no image sizes are known.
    """
    box = person_box(rule, people.center, people.scale)
    cut = 1 - _area(clip_box(box, people.image_size)) / _area(box)
    whole = _whole(people) & ~lost_joints(rule, people.center, people.scale, people.joints).any(axis=1)
    cut = np.where(whole & (people.image_size > 0).all(axis=1), cut, 0)
    if cut.max() <= 0:
        raise PosekitError(f"nobody of {people.name} has a box that the border of the image cuts off")
    return int(np.argmax(cut))


def people_without_ankles(people: People, rule: CropRule, count: int = 3) -> list[int]:
    """Numbers of people of whom the crop loses both ankles and no other joint, the first such ones in the table.

    Raises `PosekitError` if there are fewer.
    """
    lost = lost_joints(rule, people.center, people.scale, people.joints)
    both = lost[:, ANKLES].all(axis=1) & (lost.sum(axis=1) == len(ANKLES)) & _whole(people)
    if both.sum() < count:
        raise PosekitError(f"only {both.sum()} people of {people.name} lose both ankles and nothing else")
    return np.flatnonzero(both)[:count].tolist()


def answer_table(answer: Prediction) -> pd.DataFrame:
    """The joints of a prediction, least certain first: x and y (image px) and confidence (0 to about 1)."""
    table = pd.DataFrame(
        answer.joints.round(1), index=pd.Index(JOINTS, name="joint"), columns=["x (px)", "y (px)"]
    )
    return table.assign(confidence=answer.confidence.round(2)).sort_values("confidence", kind="stable")


def _whole(people: People) -> np.ndarray:
    """(N,) bool: who has all joints that anybody of these people has; LSP annotates 14, COCO has no head top."""
    return people.labeled[:, people.labeled.any(axis=0)].all(axis=1)


def _area(box: np.ndarray) -> np.ndarray:
    return np.prod(np.maximum(box[..., 2:] - box[..., :2], 0), axis=-1)

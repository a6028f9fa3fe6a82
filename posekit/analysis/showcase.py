"""What README and docs show about the included networks: a table that compares them with others, and a picture."""

import io
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

from posekit.analysis.own_recipe import pretraining, recipe_steps
from posekit.analysis.pages import renew
from posekit.analysis.peers import described_peers, peers, peers_table, worth_of_confidence
from posekit.analysis.publish import markdown
from posekit.analysis.style import new_figure
from posekit.datasets.people import People
from posekit.datasets.sources import read_people
from posekit.evaluation.evaluate import Evaluation, evaluate
from posekit.evaluation.exchanged_sides import exchanged_joints
from posekit.files import write_whole
from posekit.inference.drawing import draw_skeleton
from posekit.inference.predictor import Predictor
from posekit.preprocessing.batches import make_crops
from posekit.preprocessing.crop import transform
from posekit.skeleton import JOINTS, SCORED

#: A joint counts as found within this many head sizes.
FOUND = 0.5

#: Width / height of a picture, its height in px, and how much of the height the person takes.
_ASPECT, _HEIGHT, _PERSON = 0.8, 480, 0.8


def publish_tables(folder: Path) -> list[Path]:
    """Writes peers.csv (numbers), peers.md and peers_by_joint.md (for readers); returns the paths."""
    table = peers_table(peers())
    texts = {
        "peers.csv": table.to_csv(index=False, float_format="%.4g", lineterminator="\n"),
        "peers.md": markdown(described_peers(table)),
        "peers_by_joint.md": markdown(described_peers(table, joints=True)),
    }
    for name, text in texts.items():
        write_whole(folder / name, text)
    return [folder / name for name in texts]


def publish_pages(repository: Path) -> list[Path]:
    """Writes the tables of peers into README.md and docs/networks.md of a checkout, and into the latter what
    a confidence is worth and what pretraining and the steps of the recipe brought; the pages that changed."""
    networks = peers()
    table = peers_table(networks)
    pages = {
        repository / "README.md": {"peers": markdown(described_peers(table))},
        repository / "docs" / "networks.md": {
            "peers": markdown(described_peers(table, joints=True)),
            "confidence": markdown(worth_of_confidence(networks)),
            "pretraining": markdown(pretraining()),
            "recipe": markdown(recipe_steps()),
        },
    }
    return [page for page, blocks in pages.items() if renew(page, blocks, "showcase")]


def publish_picture(folder: Path) -> Path:
    """Runs posekit's own network on the drawn validation people, draws some of its predictions into people.png and
    returns its path. Missing people are drawn first."""
    people = read_people()[0].validation_sets()[0]
    own = Predictor.own()
    crops = make_crops(people, own.rule)
    answers = evaluate(own.network, crops, own.codec, own.device)
    stream = io.BytesIO()
    answers_figure(people, answers, *shown_people(people, answers)).savefig(stream, dpi=110, bbox_inches="tight")
    write_whole(folder / "people.png", stream.getvalue())
    return folder / "people.png"


def found_joints(distances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(found (N,), annotated (N,)) int: of each person's 14 scored joints; distances (N, 16) in head sizes."""
    scored = distances[:, SCORED]
    return (scored <= FOUND).sum(axis=1), (~np.isnan(scored)).sum(axis=1)


def shown_people(people: People, answers: Evaluation, right: int = 4) -> tuple[list[int], int]:
    """Whom the picture shows, by number: of the people whose 14 joints are all found, those with the widest poses;
    and the person with the fewest joints found (the first of several). All have room in their images."""
    found, annotated = found_joints(answers.distances)
    wide, tall = np.ptp(people.joints, axis=1).T
    room = np.minimum(people.image_size[:, 1], people.image_size[:, 0] / _ASPECT)
    whole = (annotated == len(SCORED)) & (np.maximum(tall, wide / _ASPECT) / _PERSON <= room)
    all_found = np.flatnonzero(whole & (found == annotated))
    widest = all_found[np.argsort(-(wide / tall)[all_found], kind="stable")[:right]]
    return sorted(widest.tolist()), int(np.argmin(np.where(whole, found, len(SCORED) + 1)))


def answers_figure(people: People, answers: Evaluation, right: Sequence[int], wrong: int) -> Figure:
    """Predicted skeletons of chosen people; under each, how many of the annotated joints are found.

    The last but one is `wrong`, and the last one is the annotation of that person.
    """
    found, annotated = found_joints(answers.distances)
    figure, axes = new_figure(1.76 * (len(right) + 2), 2.5, len(right) + 2)
    for axis, person in zip(axes[0], [*right, wrong, wrong], strict=True):
        picture, matrix = _around(people.photograph(person), people.joints[person])
        text = f"{found[person]} of {annotated[person]} joints"
        joints, shown = answers.joints[person], np.full(len(JOINTS), True)
        if axis is axes[0, -1]:
            text, joints, shown = "the truth", people.joints[person], people.labeled[person]
        elif person == wrong:
            text = f"a failure: {text}" + "\nleft and right exchanged" * _mostly_exchanged(people, answers, wrong)
        axis.imshow(draw_skeleton(picture, transform(matrix, joints), shown))
        axis.text(0.5, -0.03, text, transform=axis.transAxes, ha="center", va="top")
        axis.set_axis_off()
    return figure


def _mostly_exchanged(people: People, answers: Evaluation, person: int) -> bool:
    """Whether most of a person's misses lie on the other side of the body."""
    missed = (answers.distances[person, SCORED] > FOUND).sum()
    return bool(2 * exchanged_joints(answers.joints, people)[person].sum() > missed)


def _around(image: np.ndarray, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The part of an image (H, W, 3) around a person's joints (16, 2), and the matrix (2, 3) from image px."""
    low, high = np.nanmin(joints, axis=0), np.nanmax(joints, axis=0)
    wide, tall = high - low
    height = min(max(tall, wide / _ASPECT) / _PERSON, image.shape[0], image.shape[1] / _ASPECT)
    size = np.array([height * _ASPECT, height])
    left, top = np.clip((low + high - size) / 2, 0, np.array(image.shape[1::-1]) - size)
    zoom = _HEIGHT / height
    matrix = np.array([[zoom, 0, -zoom * left], [0, zoom, -zoom * top]])
    shape = (round(_HEIGHT * _ASPECT), _HEIGHT)
    return cv2.warpAffine(image, matrix, shape, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), matrix

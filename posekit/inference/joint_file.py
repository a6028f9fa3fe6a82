"""Joints of many photographs or frames in one file: CSV or JSON, written as they are found, or COCO's format."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from posekit.datasets.coco_write import CocoContent
from posekit.errors import PosekitError
from posekit.files import whole_file, write_whole
from posekit.inference.predictor import Person
from posekit.skeleton import JOINTS

ENDINGS = (".csv", ".json")


def joint_rows(joints: np.ndarray, confidence: np.ndarray) -> list[dict]:
    """A row per joint: joint (its name), x, y (image px, 2 decimals), confidence (4), of (16, 2) and (16,)."""
    return [
        {"joint": name, "x": round(float(x), 2), "y": round(float(y), 2), "confidence": round(float(sure), 4)}
        for name, (x, y), sure in zip(JOINTS, joints, confidence, strict=True)
    ]


def people_rows(people: Sequence[Person]) -> list[dict]:
    """The rows of `joint_rows` for all people, each with the number of the `person`; one row without values if
    there is no person."""
    rows = [
        {"person": person.number} | row
        for person in people
        for row in joint_rows(person.answer.joints, person.answer.confidence)
    ]
    return rows or [dict.fromkeys(("person", "joint", "x", "y", "confidence"))]


def printable(name: str) -> str:
    """A file's name with escapes instead of bytes that are not UTF-8."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


@contextmanager
def joint_file(path: Path, key: str) -> Iterator[Callable[..., None]]:
    """A function to call with a photograph's name or a frame's number, and the people in it.

    Every row of `people_rows` is preceded by the name or number, in a column called `key`; a frame's also by its
    `seconds` from the beginning. A name that is not UTF-8 is written with \\x escapes. The file takes the place of
    `path` at the end. Raises `PosekitError` for another ending than .csv or .json and if it cannot be written.
    """
    kind = path.suffix.lower()
    if kind not in ENDINGS:
        raise PosekitError(f"{path}: unknown kind of table; end the name in .csv or .json")
    try:
        with whole_file(path) as stream:
            text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
            table = csv.DictWriter(
                text,
                [key, *(["seconds"] if key == "frame" else []), "person", "joint", "x", "y", "confidence"],
                lineterminator="\n",
            )
            begun = False

            def write(name: str | int, people: Sequence[Person], **more: float) -> None:
                nonlocal begun
                name = name if isinstance(name, int) else printable(name)
                for row in people_rows(people):
                    if kind == ".csv":
                        table.writerow({key: name} | more | row)
                    else:
                        text.write((",\n" if begun else "[\n") + json.dumps({key: name} | more | row))
                    begun = True

            if kind == ".csv":
                table.writeheader()
            yield write
            if kind == ".json":
                text.write("\n]\n" if begun else "[]\n")
            text.detach()  # whole_file closes the stream, when it is on the disk
    except OSError as error:
        raise PosekitError(f"{path} cannot be written ({error.strerror}); check folder and free space") from error


@contextmanager
def photograph_file(path: Path, coco: bool) -> Iterator[Callable[[Path, Sequence[Person], np.ndarray], None]]:
    """A function to call with a photograph's path, the people in it and its pixels (H, W, 3): `joint_file`, or a
    COCO file.

    A COCO file names photographs relative to its own folder; all joints count as visible, and a person's score is
    the mean confidence of the joints. Raises `PosekitError` as `joint_file` does, or if the name of a COCO file
    does not end in .json.
    """
    if not coco:
        with joint_file(path, "file") as note:
            yield lambda photograph, people, image: note(photograph.name, people)
        return
    if path.suffix.lower() != ".json":
        raise PosekitError(f"{path}: COCO's format is JSON; end the name in .json")
    content = CocoContent(path)

    def add(photograph: Path, people: Sequence[Person], image: np.ndarray) -> None:
        content.add_photograph(photograph, image.shape[1], image.shape[0])
        for person in people:
            answer = person.answer
            content.add_person(answer.joints, np.full(len(JOINTS), True), answer.confidence.mean())

    yield add
    write_whole(path, content.text())

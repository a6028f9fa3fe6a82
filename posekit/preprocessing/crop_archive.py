"""The crops of a data set in one file: JPEGs as good as a limit of size allows, and all that training and its
records need beside them. `posekit.cli.gpu_study` takes it to a machine that does not have the data set."""

import json
import zipfile
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from tqdm.auto import tqdm

from posekit.datasets.images import decode_image
from posekit.datasets.people import People
from posekit.errors import PosekitError
from posekit.files import whole_file
from posekit.machine import cpu_cores
from posekit.preprocessing.batches import Crops
from posekit.preprocessing.crop import CropRule

#: Qualities that are tried; 100 is hardly better than 95 and much larger.
QUALITIES = range(20, 96)

#: People whose crops say how large all of them will be at a quality.
SAMPLE = 2_000

_Part = TypeVar("_Part", Crops, People)

#: What makes such a file, for messages.
_COMMAND = "python -m posekit.cli.gpu_study pack"


@dataclass(frozen=True)
class Archive:
    """people: all of them, in the order that their fingerprint is of; train: crops of the train people.

    validation: crops of the validation people of each data set that has some, as `People.validation_sets`.
    quality: of the JPEGs that the crops went through, 0 to 100.
    """

    people: People
    train: Crops
    validation: tuple[Crops, ...]
    quality: int


def write_archive(
    path: Path, people: People, train: Crops, validation: Sequence[Crops], megabytes: float, progress: bool = True
) -> int:
    """Writes crops and annotations in the highest quality that fits into so many megabytes (1e6 bytes).

    Returns that quality. Zeros beside a crop's photograph are kept exactly: a JPEG holds the photograph alone.
    Raises `PosekitError` if the file exists, cannot be written, or no quality fits.
    """
    if path.exists():
        raise PosekitError(f"{path} exists; delete it, or name another file by --out")
    parts = _parts(train, validation)
    beside = {f"people_{column}": getattr(people, column) for column in _columns()}
    for name, crops in parts.items():
        beside |= {f"{name}_{key}": getattr(crops, key) for key in ("matrices", "joints", "present")}
    every = max(1, len(people) // SAMPLE)
    sample = [crops.images[number] for crops in parts.values() for number in range(0, len(crops), every)]
    compressed_beside = sum(len(zlib.compress(array.tobytes())) for array in beside.values())

    def expected(quality: int) -> float:
        """Bytes of the file. What is alike in all JPEGs, as their headers, is compressed away."""
        jpegs = b"".join(_encode(crop, quality)[1].tobytes() for crop in sample)
        return len(zlib.compress(jpegs)) * len(people) / len(sample) + compressed_beside

    best = bisect_right(QUALITIES, megabytes * 1e6, key=expected) - 1
    for quality in reversed(QUALITIES[: best + 1]):  # what was expected of a sample can be a little too small
        content = dict(beside)
        for name, crops in parts.items():
            content |= {f"{name}_{key}": array for key, array in _jpegs(crops, quality, name, progress).items()}
        settings = {"name": people.name, "crop": asdict(train.rule), "quality": quality}
        try:
            with whole_file(path) as stream:
                np.savez_compressed(stream, settings=np.array(json.dumps(settings)), **content)
        except OSError as error:
            raise PosekitError(f"{path} cannot be written ({error.strerror})") from error
        if path.stat().st_size <= megabytes * 1e6:
            return quality
        path.unlink()
    raise PosekitError(f"the crops do not fit into {megabytes:g} MB at JPEG quality {QUALITIES[0]}; allow more")


def read_archive(path: Path, progress: bool = True) -> Archive:
    """What `write_archive` wrote, its crops unpacked into memory. `PosekitError` if it is something else."""
    try:
        with np.load(path, allow_pickle=False) as content:
            settings = json.loads(str(content["settings"]))
            columns = {column: content[f"people_{column}"] for column in _columns()}
            people = People(name=settings["name"], images_folder=path.parent, **columns)
            rule = CropRule(**settings["crop"])
            train, *validation = (
                Crops(
                    of_part,
                    rule,
                    _decode(content, name, rule.side, progress),
                    **{key: content[f"{name}_{key}"] for key in ("matrices", "joints", "present")},
                )
                for name, of_part in _parts(people.split()[0], people.validation_sets()).items()
            )
    except FileNotFoundError as error:
        raise PosekitError(f"there is no file {path}; make it by: {_COMMAND}") from error
    except (OSError, EOFError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise PosekitError(f"{path} is not a whole archive of crops ({error}); make it by: {_COMMAND}") from error
    return Archive(people, train, tuple(validation), settings["quality"])


def _parts(train: _Part, validation: Sequence[_Part]) -> dict[str, _Part]:
    """What an archive holds, by its name there."""
    return {"train": train} | {f"validation{number}": part for number, part in enumerate(validation)}


def _columns() -> list[str]:
    return [field.name for field in fields(People) if field.name not in ("name", "images_folder")]


def _encode(crop: np.ndarray, quality: int) -> tuple[tuple[int, int], np.ndarray]:
    """Where the photograph begins in a crop (S, S, 3) (x, y), and its JPEG (bytes,) uint8."""
    pixels = crop.any(axis=2)
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    left, top, right, bottom = (
        (0, 0, 1, 1) if len(rows) == 0 else (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    )
    photograph = cv2.cvtColor(crop[top:bottom, left:right], cv2.COLOR_RGB2BGR)
    return (int(left), int(top)), cv2.imencode(".jpg", photograph, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]


def _jpegs(crops: Crops, quality: int, name: str, progress: bool) -> dict[str, np.ndarray]:
    """jpegs (bytes,) uint8, one after the other; lengths (N,) int64 of each; corners (N, 2) int16, (x, y)."""
    made = list(_in_threads(lambda image: _encode(image, quality), crops.images, f"JPEG, {name}", progress))
    return {
        "jpegs": np.concatenate([jpeg for _, jpeg in made]),
        "lengths": np.array([len(jpeg) for _, jpeg in made]),
        "corners": np.array([corner for corner, _ in made], np.int16),
    }


def _decode(content: np.lib.npyio.NpzFile, name: str, side: int, progress: bool) -> np.ndarray:
    """The crops (N, side, side, 3) uint8 of `_jpegs`."""
    jpegs, ends, corners = (
        content[f"{name}_jpegs"],
        np.cumsum(content[f"{name}_lengths"]),
        content[f"{name}_corners"],
    )
    images = np.zeros((len(ends), side, side, 3), np.uint8)

    def place(number: int) -> None:
        data = jpegs[ends[number - 1] if number else 0 : ends[number]].tobytes()
        photograph = decode_image(data, f"{number} of {name}", upright=False)
        (x, y), (height, width) = corners[number], photograph.shape[:2]
        images[number, y : y + height, x : x + width] = photograph

    for _ in _in_threads(place, range(len(ends)), f"unpacking {name}", progress):
        pass
    return images


def _in_threads(work: Callable, items: np.ndarray | range, title: str, progress: bool) -> Iterator:
    with ThreadPoolExecutor(cpu_cores()) as pool:
        yield from tqdm(pool.map(work, items), desc=title, total=len(items), unit=" crops", disable=not progress)

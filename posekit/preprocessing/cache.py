"""Crops made once and kept: a folder of memory-mapped pixels that is whole or resumable, and never stale."""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from threading import Lock

import numpy as np
from filelock import FileLock, Timeout
from tqdm.auto import tqdm

import posekit
from posekit.datasets.images import read_image
from posekit.datasets.people import People, describe
from posekit.errors import PosekitError
from posekit.files import write_whole
from posekit.machine import cpu_cores
from posekit.preprocessing.crop import CropRule, crop_image, visible_box

#: Counted up when `crop_image` makes other pixels from the same input.
CROP_VERSION = 3

#: People between two writings to disk of what is done: so many are cropped again after a killed run, at most.
FLUSH_EVERY = 500


def cached_crops(
    people: People, rule: CropRule, cache: Path, progress: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Crops (N, S, S, 3) uint8 RGB, memory-mapped, and their boxes (N, 4) int64; made if they are missing.

    The folder's name holds a hash of its manifest: the crop's definition, the people, the sizes of their files and
    the version of the library. Anything else is another folder, so nothing stale is ever read. The manifest is
    written last; without it, the next call goes on where a stopped one was. Of two processes that want the same
    crops, one makes them and the other waits.

    What is kept is measured before it is used: files of another size than they should have are made anew.

    Raises `PosekitError` naming the person or file if a photograph is broken or cannot be cropped, or the cache
    cannot be written; the crops made so far are kept for the next attempt.
    """
    manifest = _manifest(people, rule)
    key = hashlib.sha256(json.dumps(manifest).encode()).hexdigest()[:16]
    folder = Path(cache) / f"{people.name}-{rule.side}px-{key}"
    try:
        Path(cache).mkdir(parents=True, exist_ok=True)
        with _only_one(folder.with_name(f"{folder.name}.lock"), progress):
            if folder.exists() and not _is_whole(folder, len(people), rule.side):
                shutil.rmtree(folder)
            if not (folder / "manifest.json").exists():
                _build(people, rule, folder, progress)
                write_whole(folder / "manifest.json", json.dumps(manifest, indent=2) + "\n")
    except OSError as error:
        raise PosekitError(f"the crop cache {folder} cannot be written ({error}); is the disk full?") from error
    return np.load(folder / "images.npy", mmap_mode="r"), np.load(folder / "boxes.npy")


def preparation_cost(people: People, rule: CropRule, sample: int = 200) -> dict[str, float]:
    """Seconds and bytes per person that making the cache takes here, measured on `sample` people."""
    some = people.select(np.linspace(0, len(people) - 1, min(sample, len(people))).astype(int))
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        crops, _ = cached_crops(some, rule, Path(folder), progress=False)
        seconds = time.perf_counter() - started
        return {"seconds_per_person": seconds / len(some), "bytes_per_person": crops.nbytes / len(some)}


def _manifest(people: People, rule: CropRule) -> dict:
    """Everything that the pixels of the crops depend on."""
    try:
        sizes = {name: (people.images_folder / name).stat().st_size for name in sorted(set(people.image.tolist()))}
    except OSError as error:
        raise PosekitError(f"image {error.filename} cannot be read ({error.strerror})") from error
    return {
        "data": people.name,
        "people": len(people),
        "fingerprint": people.fingerprint(),
        "files": hashlib.sha256(json.dumps(sizes).encode()).hexdigest()[:16],
        "crop": asdict(rule),
        "crop_version": CROP_VERSION,
        "posekit": posekit.__version__,
    }


@contextmanager
def _only_one(path: Path, progress: bool) -> Iterator[None]:
    """Holds the lock of a folder; the system releases it when its process ends, however it ends."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0.1)
    except Timeout:
        if progress:
            print(f"another process is making {path.stem}; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _is_whole(folder: Path, count: int, side: int) -> bool:
    """Whether the three files of a cache, finished or not, have the sizes that so many crops need."""
    try:
        boxes, done = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("boxes", "done"))
        images = np.load(folder / "images.npy", mmap_mode="r")
    except Exception:  # a file is missing, cut off or empty; numpy meets a damaged head with almost any exception
        return False
    shapes = (images.shape, boxes.shape, done.shape) == ((count, side, side, 3), (count, 4), (count,))
    return shapes and (images.dtype, boxes.dtype, done.dtype) == (np.uint8, np.int64, np.bool_)


def _build(people: People, rule: CropRule, folder: Path, progress: bool) -> None:
    """Writes images.npy, boxes.npy and done.npy, one photograph at a time and thread."""
    start, boxes, done = _open(folder, len(people), rule.side)
    by_image: dict[tuple[str, bool], list[int]] = {}  # two data sets may name one photograph
    for person in np.flatnonzero(~done):
        key = str(people.image[person]), bool(people.upright[person])
        by_image.setdefault(key, []).append(int(person))
    one_writes = Lock()

    # Written, not mapped: a mapped file takes memory as it grows, and ends the process where the disk is full.
    with (folder / "images.npy").open("r+b") as pixels:

        def crop_people_of(image_of: tuple[str, bool]) -> list[int]:
            name, upright = image_of
            image = read_image(people.images_folder / name, upright)
            for person in by_image[image_of]:
                boxes[person] = checked_box(people, person, rule, image)
                crop = crop_image(image, boxes[person], rule)
                with one_writes:
                    pixels.seek(start + person * crop.nbytes)
                    pixels.write(crop.tobytes())
            return by_image[image_of]

        def mark() -> None:
            """Notes people as done, after their pixels and boxes are on disk."""
            with one_writes:
                pixels.flush()
            os.fsync(pixels.fileno())
            boxes.flush()
            done[finished] = True
            done.flush()
            finished.clear()

        bar = tqdm(
            total=len(people),
            initial=int(done.sum()),
            desc=f"cropping {people.name}",
            unit=" people",
            disable=not progress,
        )
        finished: list[int] = []
        with bar, ThreadPoolExecutor(cpu_cores()) as pool:
            try:
                for cropped in pool.map(crop_people_of, by_image):
                    finished += cropped
                    bar.update(len(cropped))
                    if len(finished) >= FLUSH_EVERY:
                        mark()
            except OSError:  # as of a full disk: what is not on it yet must not be noted as done
                pool.shutdown(wait=True, cancel_futures=True)
                raise
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                mark()
                raise
        mark()


def _open(folder: Path, count: int, side: int) -> tuple[int, np.ndarray, np.ndarray]:
    """Where the pixels begin in images.npy, and boxes and done, mapped: as a stopped run left them, or new."""
    images, boxes, done = (folder / f"{name}.npy" for name in ("images", "boxes", "done"))
    if not done.exists():
        needed, free = count * side * side * 3, shutil.disk_usage(folder.parent).free
        if needed > free:
            raise PosekitError(
                f"the crops of {count} people need {needed / 1e9:.1f} GB in {folder.parent}, where "
                f"{free / 1e9:.1f} GB are free; make room, or set POSEKIT_HOME to a larger disk"
            )
        folder.mkdir(exist_ok=True)
        np.lib.format.open_memmap(images, mode="w+", dtype=np.uint8, shape=(count, side, side, 3))
        np.save(boxes, np.zeros((count, 4), np.int64))
        np.save(done, np.zeros(count, np.bool_))  # last: it says that the other two are there
    start = np.load(images, mmap_mode="r").offset
    return start, np.load(boxes, mmap_mode="r+"), np.load(done, mmap_mode="r+")


def checked_box(people: People, person: int, rule: CropRule, image: np.ndarray) -> np.ndarray:
    """The clipped box (4,) of one person in the image (H, W, 3).

    Raises `PosekitError` naming the person whose box is empty or whose annotation gives another size of the image.
    """
    height, width = image.shape[:2]
    declared = tuple(int(length) for length in people.image_size[person])
    if min(declared) <= 0:
        return _box(people, person, rule, (width, height))
    if declared != (width, height):
        raise PosekitError(
            f"image {people.image[person]} is {width} x {height} px, its annotation says "
            f"{declared[0]} x {declared[1]}; fetch the original image"
        )
    return _box(people, person, rule, declared)


def _box(people: People, person: int, rule: CropRule, image_size: tuple[int, int]) -> np.ndarray:
    try:
        return visible_box(rule, people.center[person], people.scale[person], image_size)
    except PosekitError as error:
        raise PosekitError(f"{describe(people, person)}: {error}; correct or remove the entry") from error

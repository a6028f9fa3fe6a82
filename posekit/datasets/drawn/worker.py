"""Draws the sample's images, in this process or in several that import no torch."""

from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, as_completed
from pathlib import Path

import cv2

from posekit.datasets.drawn.scene import draw_person
from posekit.machine import cpu_cores, process_pool

_JPEG_QUALITY = 92
#: Below this many images starting processes takes longer than drawing.
_WORTH_PROCESSES = 60


def draw_all(folder: Path, seed: int, total: int) -> Iterator[dict]:
    """Writes images 0 .. total-1 into `folder`; yields their annotations in the order they are finished.

    Every annotation has its number under "index". OSError when an image cannot be written or a process is killed.
    """
    processes = min(cpu_cores(), 8, total // (_WORTH_PROCESSES // 2))
    if processes < 2:
        for index in range(total):
            yield draw_into(folder, seed, index)
        return
    with process_pool(processes) as pool:
        drawn = [pool.submit(_draw_on_one_core, folder, seed, index) for index in range(total)]
        try:
            for future in as_completed(drawn):
                yield future.result()
        except BrokenExecutor as error:
            raise OSError("a drawing process ended early") from error


def draw_into(folder: Path, seed: int, index: int) -> dict:
    """Draws one image, writes it into `folder` and returns its annotation with the file's name as "image" and its
    number as "index"."""
    image, annotation = draw_person(seed, index)
    name = f"{index + 1:06d}.jpg"
    done, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not done:
        raise OSError(f"{name} could not be encoded")
    (folder / name).write_bytes(data.tobytes())
    return {"index": index, "image": name, **annotation}


def _draw_on_one_core(folder: Path, seed: int, index: int) -> dict:
    cv2.setNumThreads(1)  # the other processes have the other cores
    return draw_into(folder, seed, index)

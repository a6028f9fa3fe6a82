"""Draws a share of the sample's images, in this process or as a process of its own.

As a program (`main` with the arguments FOLDER SEED FIRST STOP STEP) it prints one JSON line per
image, so that `make_sample` may run several at once from anywhere: a notebook, a test, a plain script.
Process pools would import the caller's main module again, which not every caller survives.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import cv2

from posekit.datasets.drawn.scene import draw_person
from posekit.machine import cpu_cores
from posekit.paths import REPOSITORY

_JPEG_QUALITY = 92
#: Below this many images starting processes takes longer than drawing.
_WORTH_PROCESSES = 60
_PROGRAM = "import sys; from posekit.datasets.drawn.worker import main; sys.exit(main(sys.argv[1:]))"


def draw_all(folder: Path, seed: int, total: int) -> Iterator[dict]:
    """Writes images 0 .. total-1 into `folder`; yields their annotations in the order they are finished.

    Every annotation has its number under "index". OSError when an image cannot be written.
    """
    processes = min(cpu_cores(), 8, total // (_WORTH_PROCESSES // 2))
    if processes < 2:
        for index in range(total):
            yield {"index": index, **draw_into(folder, seed, index)}
    else:
        yield from _draw_in_processes(folder, seed, total, processes)


def draw_into(folder: Path, seed: int, index: int) -> dict:
    """Draws one image, writes it into `folder` and returns its annotation with the file's name as "image"."""
    image, annotation = draw_person(seed, index)
    name = f"{index + 1:06d}.jpg"
    done, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not done:
        raise OSError(f"{name} could not be encoded")
    (folder / name).write_bytes(data.tobytes())
    return {"image": name, **annotation}


def _draw_in_processes(folder: Path, seed: int, total: int, processes: int) -> Iterator[dict]:
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-c", _PROGRAM, str(folder), str(seed)]
    running = [
        subprocess.Popen(
            [*command, str(first), str(total), str(processes)], stdout=subprocess.PIPE, text=True, env=environment
        )
        for first in range(processes)
    ]
    lines: SimpleQueue[str | None] = SimpleQueue()

    def read(process: subprocess.Popen) -> None:
        for line in process.stdout:
            lines.put(line)
        lines.put(None)  # this one is through

    with ThreadPoolExecutor(processes) as readers:
        try:
            for process in running:
                readers.submit(read, process)
            received = open_ends = 0
            while open_ends < processes:
                line = lines.get()
                if line is None:
                    open_ends += 1
                    continue
                message = json.loads(line)
                if "error" in message:
                    raise OSError(message["errno"], message["error"])
                received += 1
                yield message
            if received < total:
                raise OSError("a drawing process ended early")
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait()
                process.stdout.close()


def main(arguments: list[str]) -> int:
    """Draws every STEP-th image from FIRST up to STOP; 1 when one could not be written."""
    cv2.setNumThreads(1)  # the other processes have the other cores
    folder, seed, first, stop, step = Path(arguments[0]), *(int(text) for text in arguments[1:])
    for index in range(first, stop, step):
        try:
            annotation = draw_into(folder, seed, index)
        except OSError as error:
            print(json.dumps({"error": error.strerror or str(error), "errno": error.errno}), flush=True)
            return 1
        try:
            print(json.dumps({"index": index, **annotation}), flush=True)
        except BrokenPipeError:  # nobody listens any more: the one who asked was stopped
            os._exit(1)
    return 0

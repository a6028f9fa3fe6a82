"""Trains several runs at once on a CPU, each in a process of its own: small networks use one core at best."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tqdm.auto import tqdm

from posekit.errors import PosekitError


def run_together(
    commands: list[list[str]],
    jobs: int,
    environment: dict[str, str],
    epochs_done: Callable[[], int],
    epochs: int,
    progress: bool = True,
) -> None:
    """Runs `python -m posekit` with each command's arguments, at most `jobs` at a time, to their ends.

    The bar follows `epochs_done`, which counts what the runs have recorded. If one fails, the others are stopped
    (what they recorded is kept) and its message is raised as `PosekitError`; so are they on Ctrl-C.
    """
    package = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    waiting = list(commands)
    running: list[tuple[subprocess.Popen, Path]] = []
    with (
        tempfile.TemporaryDirectory() as logs,
        tqdm(
            total=epochs,
            initial=epochs_done(),
            desc=f"training, {jobs} at a time",
            unit=" epochs",
            disable=not progress,
        ) as bar,
    ):
        try:
            while waiting or running:
                while waiting and len(running) < jobs:
                    arguments = waiting.pop(0)
                    log = Path(logs) / f"{len(waiting)}.log"
                    with log.open("w") as stream:
                        process = subprocess.Popen(
                            [sys.executable, "-m", "posekit", *arguments],
                            stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL,
                            stderr=stream,
                            env={**os.environ, **environment, "PYTHONPATH": path},
                        )
                    running.append((process, log))
                time.sleep(0.5)
                if (done := epochs_done()) > bar.n:
                    bar.update(done - bar.n)
                for process, log in [job for job in running if job[0].poll() is not None]:
                    running.remove((process, log))
                    if process.returncode != 0:
                        raise PosekitError(_why(process.returncode, log.read_text(errors="replace")))
        finally:
            for process, _ in running:
                process.terminate()
            for process, _ in running:
                process.wait()


def _why(status: int, log: str) -> str:
    """The message of a run that failed: its own last line, unless something ended it from outside."""
    lines = log.strip().splitlines()
    if status < 0 or not lines:
        return (
            f"a training process was ended from outside (status {status}), most likely for want of memory; "
            "the same command goes on from what it recorded"
        )
    return lines[-1].removeprefix("posekit: ")

"""Trains several runs at once on a CPU, each in a process of its own: small networks use one core at best."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tqdm.auto import tqdm

from posekit.errors import PosekitError
from posekit.paths import REPOSITORY

#: Set in the environment of processes that must not outlive the one that started them.
BESIDE = "POSEKIT_BESIDE"


def run_together(
    commands: list[list[str]],
    jobs: int,
    environment: dict[str, str],
    state: Callable[[], tuple[int, str]],
    images: int,
    progress: bool = True,
) -> None:
    """Runs `python -m posekit` with each command's arguments, at most `jobs` at a time, to their ends.

    The bar follows `state`: how many images of `images` the runs have trained on, and a text. If one fails, the
    others are stopped (what they recorded is kept) and its message is raised as `PosekitError`; so are they on
    Ctrl-C, and when this process is killed.
    """
    path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    waiting = list(commands)
    running: list[tuple[subprocess.Popen, Path]] = []
    with (
        tempfile.TemporaryDirectory() as logs,
        tqdm(
            total=images,
            initial=state()[0],
            desc=f"training, {jobs} at a time",
            unit=" images",
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
                            stdin=subprocess.PIPE,  # never written to; it closes when this process ends
                            stdout=subprocess.DEVNULL,
                            stderr=stream,
                            env={**os.environ, **environment, "PYTHONPATH": path, BESIDE: "1"},
                        )
                    running.append((process, log))
                time.sleep(0.5)
                done, text = state()
                if done > bar.n:
                    bar.set_postfix_str(text, refresh=False)
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


def end_with_parent() -> None:
    """Lets a process that `run_together` started stop, as by Ctrl-C, when the one that started it is gone."""
    if BESIDE in os.environ:

        def watch() -> None:
            os.read(0, 1)  # returns when the other end is closed
            os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=watch, daemon=True).start()


def _why(status: int, log: str) -> str:
    """The message of a run that failed: its own last line, unless something ended it from outside."""
    lines = log.strip().splitlines()
    if status < 0 or not lines:
        return (
            f"a training process was ended from outside (status {status}), most likely for want of memory; "
            "the same command goes on from what it recorded"
        )
    return lines[-1].removeprefix("posekit: ")

"""Trainings on a machine that is reached for minutes at a time: a call ends in time, and the next one goes on.

Records and networks of all runs lie in one folder (`Work`), and the records in one file after every epoch.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from posekit.datasets.people import People
from posekit.evaluation.evaluate import Evaluation
from posekit.files import write_whole
from posekit.preprocessing.batches import Crops
from posekit.study.record_bundle import write_bundle
from posekit.study.recording import Execution, answers_for, train_and_record
from posekit.study.runs import RunStore, is_recorded, read_run
from posekit.training.checkpoint import snapshot_path
from posekit.training.loop import EpochRecord
from posekit.training.run_config import RunConfig

#: Bytes of the largest part of the weights.
PART = 15_000_000

#: Seconds at the end of a call for writing and for an epoch that is slower than those before.
RESERVE = 15.0


class TimeIsUp(Exception):
    """The next epoch does not fit any more; what was trained is on the disk."""


class Clock:
    """The time of one call, and how long an epoch takes: measured, the slowest so far.

    The first epoch of a run chooses algorithms or compiles, so it counts apart. Before any is measured, one is
    trained whatever the time: every call comes further.
    """

    def __init__(self, minutes: float) -> None:
        self.end = time.monotonic() + 60 * minutes
        self.slowest: dict[bool, float] = {}
        self.start_epoch()

    def start_epoch(self) -> None:
        self.started = time.monotonic()

    def end_epoch(self, first: bool) -> None:
        self.slowest[first] = max(self.slowest.get(first, 0.0), time.monotonic() - self.started)
        self.start_epoch()

    def fits(self, first: bool) -> bool:
        """Whether one more epoch ends in time."""
        if not self.slowest:
            return True
        seconds = self.slowest.get(first, max(self.slowest.values()))
        return time.monotonic() + seconds + RESERVE < self.end


@dataclass(frozen=True)
class Work:
    """What one call leaves to the next: records and networks of all runs in a folder, and the bundle in `out`."""

    folder: Path
    out: Path

    @property
    def store(self) -> RunStore:
        return RunStore(self.folder / "records", self.folder / "networks")

    def is_finished(self, subfolder: Path, config: RunConfig) -> bool:
        """Whether a run is done. Raises `PosekitError` if its records are of other settings."""
        return is_recorded(self.store.folder(subfolder), config, "name another --work")

    def bundle(self) -> None:
        """The records of all runs as one file in `out`."""
        write_bundle(self.store.records, self.out / "records.zip")

    def save_best(self, subfolders: list[Path]) -> None:
        """The weights of the finished run that finds most joints, in parts in `out`; of those trained here."""
        best = {}
        for subfolder in subfolders:
            run = read_run(self.store.folder(subfolder))
            path = snapshot_path(self.store.checkpoint(subfolder), run.config.epochs)
            if path.exists():
                best[run.history.pckh_weighted14.iloc[-1]] = (subfolder.name, path)
        if best:
            name, path = best[max(best)]
            for old in self.out.glob("model-*.pt.*"):
                old.unlink()
            data = path.read_bytes()
            for number, start in enumerate(range(0, len(data), PART), start=1):
                write_whole(self.out / f"{name}.pt.{number}", data[start : start + PART])


@dataclass(frozen=True)
class Training:
    """What all runs of a call have in common."""

    train: Crops
    validation: Sequence[Crops]  # of each data set that has some; the first is watched
    floors: dict[str, float]
    how: Execution
    work: Work
    clock: Clock

    def run(self, subfolder: Path, config: RunConfig) -> None:
        """Trains a run from where it is to its end. Raises `TimeIsUp` after an epoch if no other one fits."""
        watched, *others = self.validation
        epochs = 0

        def after_epoch(history: list[EpochRecord]) -> None:
            nonlocal epochs
            self.work.bundle()
            self.clock.end_epoch(first=epochs == 0)
            epochs += 1
            if len(history) < config.epochs and not self.clock.fits(first=False):
                raise TimeIsUp

        def further(network: nn.Module) -> dict[str, tuple[People, Evaluation]]:
            return answers_for(config, network, others, self.how.device)

        self.clock.start_epoch()
        people, asked = (self.train, watched), {"further": further, "after_epoch": after_epoch}
        train_and_record(config, self.work.store, subfolder, people, self.floors, self.how, **asked)
        self.work.bundle()

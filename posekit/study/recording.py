"""One run, from what it is asked to do to its records: locked, resumed, recorded after every epoch."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn

from posekit.datasets.people import People
from posekit.device import Precision, cpu_threads
from posekit.evaluation.evaluate import Evaluation
from posekit.preprocessing.batches import Crops
from posekit.study.runs import RunStore, continued, environment, write_finished, write_progress
from posekit.training.checkpoint import owned
from posekit.training.distributed import from_leader, is_leader
from posekit.training.loop import EpochRecord, train, validate
from posekit.training.run_config import RunConfig


@dataclass(frozen=True)
class Execution:
    """Where and how runs are computed: device, precision and the reason for it (see
    `posekit.device.choose_precision`), torch.compile, and threads on a CPU (None: all)."""

    device: torch.device
    precision: Precision
    precision_reason: str
    compiled: bool = False
    threads: int | None = None
    progress: bool = True
    notes: Mapping[str, str] = field(default_factory=dict)  # what the records say of it beside these


def train_and_record(
    config: RunConfig,
    store: RunStore,
    subfolder: Path,
    crops: tuple[Crops, Crops],
    floors: dict[str, float],
    how: Execution,
    force: bool = False,
    teacher: nn.Module | None = None,
    start: Path | None = None,
    further: Callable[[nn.Module], Mapping[str, tuple[People, Evaluation]]] = lambda network: {},
    after_epoch: Callable[[list[EpochRecord]], None] = lambda history: None,
) -> None:
    """Trains a run to its last epoch on crops (train, validation), and writes its records into its subfolder.

    Finished records stay as they are when only the network is missing, as in a fresh checkout. force: begin anew,
    which replaces what is there. floors: see `Run`; teacher, start: see `train`; further: see `write_finished`, it
    is asked after the last epoch. after_epoch is called when an epoch is recorded. An error that it raises ends
    the training; the next call goes on from there. Raises `PosekitError` as `train` does, and if another process
    trains the run.
    """
    folder, checkpoint = store.folder(subfolder), store.checkpoint(subfolder)
    with ExitStack() as held, cpu_threads(how.threads):
        from_leader(lambda: (held.enter_context(owned(checkpoint)), None)[1])
        if force and is_leader():
            store.forget(subfolder, config)
        recorded = from_leader(lambda: store.is_recorded(subfolder, config))
        made_by = continued(folder, environment(how.device, how.precision, how.precision_reason) | how.notes)

        def on_epoch(history: list[EpochRecord]) -> None:
            if not recorded:
                write_progress(folder, config, floors, made_by, history)
            after_epoch(history)

        options = how.device, how.progress, on_epoch, how.precision, how.compiled, teacher, start
        network, history, evaluation = train(config, *crops, checkpoint, *options)
        if is_leader() and not recorded:
            people, others = crops[1].people, further(network)
            write_finished(folder, config, floors, made_by, history, people, evaluation, others)


def answers_for(
    config: RunConfig, network: nn.Module, sets: Iterable[Crops], device: torch.device
) -> dict[str, tuple[People, Evaluation]]:
    """What a network of a run answers for further sets of people, by their names: see `write_finished`."""
    return {crops.people.name: (crops.people, validate(config, network, crops, device)) for crops in sets}

"""A trained network learns on, from people that somebody annotated: a few epochs at a small rate.

It is judged on people who are kept out of it, before and after. The run is recorded like every other, in
data/runs/<data>-fine-tuned/. `RunConfig.start` is the hash of the weights that it starts from; its first digits
are in the run's name, such as lean-from-0123abcd.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from torch import nn

from posekit.datasets.people import People
from posekit.device import choose_device, choose_precision
from posekit.errors import PosekitError
from posekit.evaluation.evaluate import Evaluation, evaluate, metric_of
from posekit.evaluation.floors import floors_and_ceiling
from posekit.evaluation.intervals import Comparison, Interval, compare, interval
from posekit.paths import checkpoints_folder, records_folder
from posekit.preprocessing.batches import make_crops
from posekit.skeleton import JOINTS
from posekit.study.networks import NETWORKS
from posekit.study.recording import Execution, train_and_record
from posekit.study.runs import Run, RunStore, read_run
from posekit.training.checkpoint import load_network, read_checkpoint, weights_hash
from posekit.training.distributed import from_leader
from posekit.training.run_config import RunConfig, continued_name

#: The size of a fine-tuned run in its records, and the end of its study's name.
SIZE = "fine-tuned"

#: What the network answered before the first epoch: distances-start.csv, beside the records of the run.
BEFORE = "start"

EPOCHS, BATCH_SIZE, LEARNING_RATE, WEIGHT_DECAY = 10, 8, 1e-3, 0.01

#: An encoder learns at this share of the rate, as in the recipe of the shipped networks.
ENCODER_SHARE = 0.25

#: People that an epoch draws at least, so that a handful of people is seen often enough to learn something.
EPOCH_PEOPLE = 40


@dataclass(frozen=True)
class FineTuned:
    """A fine-tuned run: its records, its network, and the same N validation people before and after.

    before and after: distances (N, 16) in the unit of the metric, as of `head_distances`; within `threshold` a
    joint counts as found.
    """

    run: Run
    checkpoint: Path  # for `Predictor.from_checkpoint` and `posekit predict --checkpoint`
    train_people: int
    before: np.ndarray
    after: np.ndarray
    metric: str
    threshold: float

    @property
    def scores(self) -> tuple[Interval, Interval]:
        """The metric, weighted14, before and after."""
        return interval(self.before, threshold=self.threshold), interval(self.after, threshold=self.threshold)

    @property
    def gain(self) -> Comparison:
        """After minus before on the same people: a paired interval over people, for this one training."""
        return compare(self.after, self.before, threshold=self.threshold)


def fine_tune(
    people: People,
    start: Path,
    seed: int = 0,
    learning_rate: float | None = None,
    batch_size: int | None = None,
    device: str | None = None,
    precision: str | None = None,
    compiled: bool = False,
    force: bool = False,
    progress: bool = True,
) -> FineTuned:
    """Trains the network of a checkpoint on the train people of a table, or goes on with a run that was stopped.

    It is judged by the validation people of the first data set that has some. What is finished is read from its
    records. learning_rate and batch_size take the place of `LEARNING_RATE` and `BATCH_SIZE` (or of the number of
    train people, if that is smaller); device, precision and compiled are as in `posekit.study.study.Study`; force
    begins anew, which replaces what is there. Raises `PosekitError` if there are no train or no validation people,
    if `start` is not a checkpoint, or as `train` does.
    """
    train_people, validation_people = people.split()[0], people.validation_sets()[0]
    asked = RunConfig.from_dict(read_checkpoint(start)["config"]), people, len(train_people), start, seed
    usual = fine_tuning(*asked)
    config = usual if learning_rate is None else fine_tuning(*asked, learning_rate)
    if batch_size is not None:
        config = replace(config, batch_size=batch_size)
    if not (0 < config.learning_rate < float("inf") and config.batch_size > 0):
        raise PosekitError("the learning rate and the batch size must be positive and finite")
    where = choose_device(device)
    how = Execution(where, *choose_precision(precision, "bfloat16", where), compiled, progress=progress)
    name = f"{people.name}-{SIZE}"
    store = RunStore(records_folder() / name, checkpoints_folder(name))
    subfolder = store.subfolder(config, usual)
    sides = (train_people, validation_people)
    crops = tuple(make_crops(side, config.crop, progress=progress) for side in sides)

    def before(_: nn.Module) -> Mapping[str, tuple[People, Evaluation]]:
        network, _ = load_network(start, where)
        answers = evaluate(network, crops[1], config.codec, where)
        return {BEFORE: (validation_people, answers)}

    def done() -> bool:
        return not force and store.is_recorded(subfolder, config) and store.is_trained(subfolder, config)

    if not from_leader(done):
        floors = floors_and_ceiling(*crops, config.codec, config.network.stacks)
        train_and_record(config, store, subfolder, crops, floors, how, force, start=start, further=before)
    return from_leader(lambda: _read(store, subfolder, len(train_people), validation_people.name))


def fine_tuning(
    base: RunConfig,
    people: People,
    train_people: int,
    start: Path,
    seed: int,
    learning_rate: float = LEARNING_RATE,
) -> RunConfig:
    """What a fine-tuned run is asked to do. base: the run that the weights in `start` are of; its network, crop,
    codec, loss and augmentation are kept, the rest are the settings of this module."""
    weights = weights_hash(start)
    return replace(
        base,
        model=continued_name(base.model, weights),
        size=SIZE,
        seed=seed,
        data=people.name,
        data_fingerprint=people.fingerprint(),
        start=weights,
        frozen=NETWORKS["encoder"].frozen if base.network.family == "encoder" else (),
        optimizer="AdamW",
        learning_rate=learning_rate,
        encoder_rate=ENCODER_SHARE * learning_rate if base.network.family == "encoder" else None,
        weight_decay=WEIGHT_DECAY,
        schedule="warmup cosine",
        averaging=0.0,
        batch_size=min(BATCH_SIZE, train_people),
        epochs=EPOCHS,
        epoch_people=max(EPOCH_PEOPLE, train_people),
        teacher="",
        teacher_weights="",
        growing=(),
        emphasis=(),
    )


def _read(store: RunStore, subfolder: Path, train_people: int, judged_on: str) -> FineTuned:
    run = read_run(store.folder(subfolder))
    path = store.folder(subfolder) / f"distances-{BEFORE}.csv"
    try:
        before = pd.read_csv(path).reindex(columns=list(JOINTS)).to_numpy(float)
    except (OSError, ValueError) as error:
        raise PosekitError(f"record {path} cannot be read ({error}); use --force to train again") from error
    answers = before, run.distances()
    return FineTuned(run, store.checkpoint(subfolder), train_people, *answers, *metric_of(judged_on))

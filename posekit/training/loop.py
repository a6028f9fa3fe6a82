"""The training loop: one epoch after the other, each recorded and checkpointed, resumed where it was left."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm.auto import tqdm

from posekit.device import Precision
from posekit.errors import PosekitError
from posekit.evaluation.evaluate import Evaluation, evaluate
from posekit.evaluation.pckh import pckh
from posekit.preprocessing.augmentation import augment, progressive_size
from posekit.preprocessing.batches import Crops, batches, resident, without_context
from posekit.training.averaging import WeightAverage
from posekit.training.checkpoint import (
    judged_weights,
    load_checkpoint,
    load_weights,
    read_checkpoint,
    save_checkpoint,
    save_weights,
    snapshot_path,
)
from posekit.training.distributed import from_leader, is_leader, process, total
from posekit.training.losses import LOSSES
from posekit.training.parameter_groups import warmup_cosine_scheduler
from posekit.training.run_config import STEP_EPOCH, STEP_FACTOR, WARMUP, RunConfig
from posekit.training.step import Step, make_network, make_optimizer

#: Steps between two looks at the loss. A look makes a GPU wait, so it is not taken at every step.
CHECK_EVERY = 20


@dataclass(frozen=True)
class EpochRecord:
    """One row of a run's history. Losses are the run's own (`RunConfig.loss`); PCKh is at 0.5 over the validation
    people, percent."""

    epoch: int
    train_loss: float  # mean over the epoch's batches, while the network was learning
    validation_loss: float  # after the epoch
    pckh_weighted14: float
    pckh_macro14: float
    learning_rate: float
    seconds: float


def make_scheduler(
    config: RunConfig, optimizer: torch.optim.Optimizer, epoch_steps: int
) -> torch.optim.lr_scheduler.LRScheduler:
    """What `Schedule` names. "warmup cosine" is moved after every step, of which an epoch has `epoch_steps`; the
    others after every epoch. The cosine is zero after the last one (Loshchilov and Hutter, "SGDR", ICLR 2017)."""
    if config.schedule == "warmup cosine":
        steps = config.epochs * epoch_steps
        return warmup_cosine_scheduler(optimizer, steps, round(WARMUP * steps))
    if config.schedule == "cosine":
        return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.epochs)
    milestones = [STEP_EPOCH] if config.schedule == "step" else []
    return torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones, gamma=STEP_FACTOR)


def train(
    config: RunConfig,
    train_crops: Crops,
    validation_crops: Crops,
    checkpoint: Path,
    device: torch.device,
    progress: bool = True,
    on_epoch: Callable[[list[EpochRecord]], None] = lambda history: None,
    precision: Precision = "float32",
    compiled: bool = False,
    teacher: nn.Module | None = None,
    start: Path | None = None,
) -> tuple[nn.Module, list[EpochRecord], Evaluation]:
    """Trains from the checkpoint if there is one, else from the weights in `start`, else from the seed.

    After every epoch the checkpoint is replaced, a snapshot of the weights is kept beside it (`snapshot_path`) and
    `on_epoch` gets the history so far. A run that is stopped, by Ctrl-C or by force, goes on after its last whole
    epoch when called again. precision, compiled, teacher: see `Step`; validation is in float32 always. Started by
    torchrun, every process calls this, and only the leader writes.
    Returns the network, the history and the evaluation of the validation people after the last epoch.
    Raises `PosekitError` if the loss stops being a number, memory is exhausted, the checkpoint belongs to another
    configuration, or a batch is larger than the data or smaller than the number of processes.
    """
    if process()[1] > config.batch_size:
        raise PosekitError(
            f"a batch of {config.batch_size} people cannot be shared by {process()[1]} processes; start fewer, or "
            "train with a larger --batch-size"
        )
    if config.batch_size > len(train_crops):
        raise PosekitError(
            f"a batch of {config.batch_size} is larger than the data, {len(train_crops)} people; choose a smaller "
            "--batch-size"
        )
    network = make_network(config, device)
    if start is not None:
        load_weights(network, {"network": judged_weights(read_checkpoint(start))}, start)
    optimizer = make_optimizer(config, network)
    people = config.people_of_an_epoch(len(train_crops))
    scheduler = make_scheduler(config, optimizer, config.steps_of_an_epoch(len(train_crops)))
    average = WeightAverage(network, config.averaging) if config.averaging else None
    history: list[EpochRecord] = []
    state = from_leader(lambda: load_checkpoint(checkpoint, config) if checkpoint.exists() else None)
    if state is not None:
        load_weights(network, state, checkpoint)
        optimizer.load_state_dict(state["optimizer"])
        scheduler.load_state_dict(state["scheduler"])
        history = [EpochRecord(**row) for row in state["history"]]
        _restore_random(state.get("random", {}), device)
        if average is not None:
            average.load_state_dict(state["average"])
    answering = network if average is None else average.network
    step = Step(config, network, optimizer, precision, compiled, teacher)
    train_crops = resident(train_crops, device)

    evaluation = None
    bar = tqdm(
        total=config.epochs * people,
        initial=len(history) * people,
        desc=f"{config.model}, seed {config.seed}",
        unit=" images",
        disable=not (progress and is_leader()),
        mininterval=0.5,
    )
    with bar:
        for epoch in range(len(history) + 1, config.epochs + 1):
            started = time.perf_counter()
            learning_rate = scheduler.get_last_lr()[-1]
            train_loss = _train_epoch(config, step, train_crops, epoch, bar, history, scheduler, average)
            evaluation = from_leader(lambda: validate(config, answering, validation_crops, device))
            score = pckh(evaluation.distances)
            history.append(
                EpochRecord(
                    epoch=epoch,
                    train_loss=train_loss,
                    validation_loss=evaluation.loss,
                    pckh_weighted14=score.weighted14,
                    pckh_macro14=score.macro14,
                    learning_rate=learning_rate,
                    seconds=time.perf_counter() - started,
                )
            )
            bar.set_postfix_str(_describe(history, train_loss))
            if is_leader():
                rows = [vars(row) for row in history]
                # In this order: a run that is killed in between does the epoch again, and its snapshot too.
                save_weights(snapshot_path(checkpoint, epoch), config, answering, rows)
                save_checkpoint(checkpoint, config, network, optimizer, scheduler, rows, average)
                on_epoch(history)
    if evaluation is None:  # the checkpoint was already at the last epoch
        evaluation = from_leader(lambda: validate(config, answering, validation_crops, device))
    return answering.eval(), history, evaluation


def validate(config: RunConfig, network: nn.Module, crops: Crops, device: torch.device) -> Evaluation:
    """What the network of a run answers for all people of the crops, with the run's own loss."""
    return evaluate(network, crops, config.codec, device, config.likelihoods, LOSSES[config.loss])


def _train_epoch(
    config: RunConfig,
    step: Step,
    crops: Crops,
    epoch: int,
    bar: tqdm,
    history: list[EpochRecord],
    scheduler: torch.optim.lr_scheduler.LRScheduler,
    average: WeightAverage | None,
) -> float:
    """An epoch, in an order that depends on seed and epoch alone; the mean loss over the people drawn."""
    step.begin()
    part = number, count = process()
    order = np.random.default_rng([config.seed, epoch])
    chance = torch.Generator().manual_seed(1_000_003 * (config.seed * count + number) + epoch)
    losses: list[torch.Tensor] = []
    people: list[int] = []
    weights = emphasis(config, crops)
    epoch_steps = config.steps_of_an_epoch(len(crops))
    for kept in batches(crops, config.batch_size, step.device, order, part, config.epoch_people, weights):
        if config.augmentation is None:
            batch = without_context(kept, crops.rule)
        else:
            progress = (epoch - 1 + len(losses) / epoch_steps) / config.epochs
            side = progressive_size(progress, config.growing) if config.growing else None
            batch = augment(kept, crops.rule, config.augmentation, chance, side)
        losses.append(step(batch))
        people.append(len(batch.which))
        if average is not None:
            average.update(step.learning)
        if config.schedule == "warmup cosine":
            scheduler.step()
        if len(losses) % CHECK_EVERY == 0:
            recent = _finite(config, losses[-CHECK_EVERY:], epoch, len(losses) - CHECK_EVERY)
            bar.set_postfix_str(_describe(history, recent.mean()))
        bar.update(len(batch.which) * count)
    if config.schedule != "warmup cosine":
        scheduler.step()
    bar.update(epoch * config.people_of_an_epoch(len(crops)) - bar.n)
    values = _finite(config, losses, epoch, 0)
    weights = torch.tensor(people, dtype=torch.float64)
    summed, number_of_people = total(torch.stack([values @ weights, weights.sum()])).tolist()
    return summed / number_of_people


def emphasis(config: RunConfig, crops: Crops) -> np.ndarray | None:
    """(N,) the weight of each person of the crops in an epoch; None where everybody is drawn once."""
    if not config.emphasis:
        return None
    weights = dict(config.emphasis)
    return np.array([weights.get(name, 1.0) for name in crops.people.data_set])


def _finite(config: RunConfig, losses: list[torch.Tensor], epoch: int, before: int) -> torch.Tensor:
    """The losses as float64 on the CPU. Raises `PosekitError` if one is not a number."""
    values = torch.stack(losses).cpu().double()
    finite = torch.isfinite(values)
    if not finite.all():
        batch = before + int((~finite).nonzero()[0]) + 1
        raise PosekitError(
            f"the loss of {config.model} is not a number any more in epoch {epoch}, batch {batch}; "
            f"most likely {config.optimizer}'s learning rate of {config.learning_rate:g} is too high: try a lower "
            "--learning-rate. What was recorded of earlier epochs is kept"
        )
    return values


def _describe(history: list[EpochRecord], loss: float) -> str:
    """What the progress bar says beside speed and time left."""
    now = f"loss {loss:.5f}"
    return f"{now}, PCKh@0.5 {history[-1].pckh_weighted14:.1f} % after epoch {len(history)}" if history else now


def _restore_random(states: dict, device: torch.device) -> None:
    if states:
        torch.set_rng_state(states["cpu"])
        if states["cuda"] is not None and device.type == "cuda":
            torch.cuda.set_rng_state(states["cuda"], device)

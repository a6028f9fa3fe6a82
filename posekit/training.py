"""The training loop: one epoch after the other, each recorded and checkpointed, resumed where it was left."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm.auto import tqdm

from posekit.augmentation import augment
from posekit.checkpoint import load_checkpoint, load_weights, save_checkpoint
from posekit.configurations import SCHEDULER_EPOCH, SCHEDULER_FACTOR, RunConfig
from posekit.dataset import Crops, batches, without_context
from posekit.device import memory_format
from posekit.errors import PosekitError
from posekit.evaluation import Evaluation, evaluate, heatmap_loss
from posekit.hourglass import StackedHourglass
from posekit.metrics import pckh

#: Steps between two looks at the loss. A look makes a GPU wait, so it is not taken at every step.
LOOK_EVERY = 20

EVALUATION_BATCH = 32


@dataclass(frozen=True)
class EpochRecord:
    """One row of a run's history. Losses are the report's; PCKh is at 0.5 over the validation people, percent."""

    epoch: int
    train_loss: float  # mean over the epoch's batches, while the network was learning
    validation_loss: float  # after the epoch
    pckh_weighted14: float
    pckh_macro14: float
    learning_rate: float
    seconds: float


def make_network(config: RunConfig, device: torch.device) -> StackedHourglass:
    """The run's network with the weights that its seed gives, in the memory layout that convolutions like."""
    torch.manual_seed(config.seed)
    return StackedHourglass(config.network).to(device, memory_format=memory_format(device))


def make_optimizer(config: RunConfig, network: nn.Module) -> torch.optim.Optimizer:
    """RMSprop, RAdam or Adam as torch has them, over the parameters that can learn."""
    learnable = [parameter for parameter in network.parameters() if parameter.requires_grad]
    # One kernel for all parameters where torch has it, else one for many: there are hundreds of small ones.
    faster = {"fused": True} if config.optimizer == "Adam" else {"foreach": True}
    return getattr(torch.optim, config.optimizer)(learnable, lr=config.learning_rate, **faster)


def make_scheduler(config: RunConfig, optimizer: torch.optim.Optimizer) -> torch.optim.lr_scheduler.LRScheduler:
    """Times 0.1 after the third epoch for a model with scheduler; else the rate stays as it is."""
    milestones = [SCHEDULER_EPOCH] if config.scheduler else []
    return torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones, gamma=SCHEDULER_FACTOR)


def train(
    config: RunConfig,
    train_crops: Crops,
    validation_crops: Crops,
    checkpoint: Path,
    device: torch.device,
    progress: bool = True,
    on_epoch: Callable[[list[EpochRecord]], None] = lambda history: None,
) -> tuple[StackedHourglass, list[EpochRecord], Evaluation]:
    """Trains from the checkpoint if there is one, else from the seed, to the last epoch.

    After every epoch the checkpoint is replaced and `on_epoch` gets the history so far. A run that is stopped,
    by Ctrl-C or by force, goes on after its last whole epoch when called again. Returns the network, the history
    and the evaluation of the validation people after the last epoch.
    Raises `PosekitError` if the loss stops being a number, or the checkpoint belongs to another configuration.
    """
    network = make_network(config, device)
    optimizer = make_optimizer(config, network)
    scheduler = make_scheduler(config, optimizer)
    history: list[EpochRecord] = []
    if checkpoint.exists():
        state = load_checkpoint(checkpoint, config)
        load_weights(network, state, checkpoint)
        optimizer.load_state_dict(state["optimizer"])
        scheduler.load_state_dict(state["scheduler"])
        history = [EpochRecord(**row) for row in state["history"]]

    evaluation = None
    steps = -(-len(train_crops) // config.batch_size)
    label = f"model {config.model}, seed {config.seed}"
    with tqdm(
        total=config.epochs * steps,
        initial=len(history) * steps,
        desc=label,
        unit=" steps",
        disable=not progress,
        mininterval=0.5,
    ) as bar:
        for epoch in range(len(history) + 1, config.epochs + 1):
            started = time.perf_counter()
            learning_rate = scheduler.get_last_lr()[0]
            train_loss = _train_epoch(config, network, optimizer, train_crops, device, epoch, bar)
            scheduler.step()
            evaluation = evaluate(network, validation_crops, config.codec, device, EVALUATION_BATCH)
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
            bar.set_postfix_str(
                f"epoch {epoch}: loss {train_loss:.5f}, PCKh@0.5 weighted14 {score.weighted14:.1f} %"
            )
            save_checkpoint(checkpoint, config, network, optimizer, scheduler, [vars(row) for row in history])
            on_epoch(history)
    if evaluation is None:  # the checkpoint was already at the last epoch
        evaluation = evaluate(network, validation_crops, config.codec, device, EVALUATION_BATCH)
    return network.eval(), history, evaluation


def _train_epoch(
    config: RunConfig,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    crops: Crops,
    device: torch.device,
    epoch: int,
    bar: tqdm,
) -> float:
    """One pass over all crops, in an order that depends on seed and epoch alone; the mean loss over people."""
    network.train()
    order = np.random.default_rng([config.seed, epoch])
    losses: list[torch.Tensor] = []
    people: list[int] = []
    chance = torch.Generator().manual_seed(1_000_003 * config.seed + epoch)
    for kept in batches(crops, config.batch_size, device, shuffle=order):
        if config.augmentation is None:
            batch = without_context(kept, crops.rule)
        else:
            batch = augment(kept, crops.rule.size, config.augmentation, chance)
        answers = network(batch.images)
        target = config.codec.encode(batch.joints, batch.present, answers[-1].shape[-2:])
        loss = heatmap_loss(answers, target)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
        people.append(len(batch.which))
        bar.update()
        if len(losses) % LOOK_EVERY == 0:
            _refuse_nan(config, losses[-LOOK_EVERY:], epoch, len(losses) - LOOK_EVERY)
    _refuse_nan(config, losses, epoch, 0)
    return float(np.average(torch.stack(losses).cpu().double(), weights=people))


def _refuse_nan(config: RunConfig, losses: list[torch.Tensor], epoch: int, before: int) -> None:
    finite = torch.isfinite(torch.stack(losses)).cpu()
    if not finite.all():
        batch = before + int((~finite).nonzero()[0]) + 1
        raise PosekitError(
            f"the loss of model {config.model} is not a number any more in epoch {epoch}, batch {batch}; "
            f"most likely {config.optimizer}'s learning rate of {config.learning_rate:g} is too high: lower it in "
            "posekit/configurations.py. What was recorded of earlier epochs is kept"
        )

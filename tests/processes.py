"""What tests let other processes do: it must be importable there."""

from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist

from posekit.preprocessing.batches import Crops, batches
from posekit.training.distributed import process
from posekit.training.loop import train
from posekit.training.run_config import RunConfig
from posekit.training.step import Step, make_network

CPU = torch.device("cpu")


def train_alone(config: RunConfig, crops: Crops, checkpoint: Path) -> None:
    """Trains to the end, on one thread as every process that is compared."""
    torch.set_num_threads(1)
    train(config, crops, crops, checkpoint, CPU, progress=False)


def write_gradients(number: int, count: int, config: RunConfig, crops: Crops, folder: Path) -> None:
    """One step of process `number` of `count`, batch normalization frozen; writes the gradients of the weights."""
    torch.set_num_threads(1)
    if count > 1:  # they meet in a file: a port that is free now may be taken a moment later
        meeting = (folder / f"meeting-of-{count}").as_uri()
        dist.init_process_group("gloo", init_method=meeting, rank=number, world_size=count)
    network = make_network(config, CPU)
    optimizer = torch.optim.SGD((p for p in network.parameters() if p.requires_grad), lr=0.0)
    step = Step(config, network, optimizer)
    step.network.eval()
    order = np.random.default_rng(7)
    step(next(batches(crops, config.batch_size, CPU, order, part=process())))
    gradients = {name: p.grad for name, p in network.named_parameters() if p.grad is not None}
    torch.save(gradients, folder / f"{number}-of-{count}.pt")
    if count > 1:
        dist.destroy_process_group()

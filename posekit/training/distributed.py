"""Several processes that train one network together, started by torchrun; one process alone needs none of this.

Every process takes its share of every batch and torch averages their gradients, so a run is the same however many
train it: its batch size and learning rate stay those of its configuration. The first process, the leader, reads
and writes the files.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist

from posekit.errors import PosekitError

Made = TypeVar("Made")


@contextmanager
def launched(device: torch.device) -> Iterator[None]:
    """Joins the processes that torchrun started, NCCL between GPUs and gloo between CPUs; alone, does nothing."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    # One machine may make its crops for longer than torch's ten minutes while the others wait.
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=timedelta(hours=2))
    try:
        yield
    finally:
        dist.destroy_process_group()


def process() -> tuple[int, int]:
    """(number of this process, how many there are)."""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def is_leader() -> bool:
    """Whether this process is the one that reads and writes files and shows progress."""
    return process()[0] == 0


def from_leader(make: Callable[[], Made]) -> Made:
    """What `make` gives in the leader, in every process, or the `PosekitError` that it raises; the others wait."""
    if not dist.is_initialized():
        return make()
    made: list = [None]
    if is_leader():
        try:
            made = [make()]
        except PosekitError as error:  # the others must not wait for what never comes
            made = [error]
    dist.broadcast_object_list(made, src=0)
    if isinstance(made[0], PosekitError):
        raise made[0]
    return made[0]


def total_on_device(value: torch.Tensor) -> torch.Tensor:
    """The sum over all processes of a tensor, where it is; the host does not wait for it."""
    value = value.clone()
    dist.all_reduce(value)
    return value


def total(values: torch.Tensor) -> torch.Tensor:
    """The sum over all processes of a tensor on the CPU, in every process."""
    if not dist.is_initialized():
        return values
    values = values.to("cuda" if dist.get_backend() == "nccl" else "cpu")
    dist.all_reduce(values)
    return values.cpu()

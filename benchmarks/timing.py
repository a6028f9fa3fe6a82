"""How long work of torch takes, on any device."""

import time
from collections.abc import Callable

import torch
from torch import nn

CPU = torch.device("cpu")


def seconds(work: Callable[[], object], device: torch.device = CPU) -> float:
    """How long some work takes; a GPU is waited for at both ends."""
    waits = {"cuda": lambda: torch.cuda.synchronize(device), "mps": torch.mps.synchronize}
    wait = waits.get(device.type, lambda: None)
    wait()
    start = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - start


def forward_seconds(network: nn.Module, crops: torch.Tensor) -> float:
    """How long the network takes to answer for crops (B, 3, S, S)."""
    with torch.inference_mode():
        return seconds(lambda: network(crops), crops.device)

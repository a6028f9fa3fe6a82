"""How benchmarks measure: whatever is compared takes turns, and medians over rounds have intervals.

A machine's speed varies while it is measured. Ways that take turns, in reverse order in every other round, are
affected alike, so ratios within a round keep their meaning.
"""

import os
import platform
import time
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

import numpy as np
import torch
from scipy import stats
from torch import nn
from tqdm.auto import tqdm

Way = TypeVar("Way", bound=Hashable)

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


def in_turns(ways: Mapping[Way, Callable[[], float]], rounds: int, title: str, warm_up: int = 1) -> dict:
    """What each way measures in every round, (rounds,) float64 by its key; warm-up rounds are dropped."""
    measured: dict[Way, list[float]] = {key: [] for key in ways}
    with tqdm(total=(rounds + warm_up) * len(ways), desc=title, leave=False) as bar:
        for number in range(rounds + warm_up):
            for key in list(ways)[:: 1 if number % 2 == 0 else -1]:
                measured[key].append(ways[key]())
                bar.update()
    return {key: np.array(values[warm_up:]) for key, values in measured.items()}


def with_interval(values: np.ndarray) -> list[float]:
    """[median, low, high] of values (R,): the 95 % percentile bootstrap interval over rounds."""
    drawn = stats.bootstrap(
        (values,), np.median, n_resamples=10_000, method="percentile", rng=np.random.default_rng(0)
    )
    return [float(np.median(values)), *map(float, drawn.confidence_interval)]


def surroundings(load: float) -> dict:
    """What times depend on; load: of the machine before anything was measured (`load_now`)."""
    return {
        "torch": torch.__version__,
        "python": platform.python_version(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", ""),
        "load_before": load,
    }


def load_now() -> float:
    """How many processes compute on this machine, on average over the last minute."""
    return round(os.getloadavg()[0], 1)

"""How benchmarks compare: what is compared takes turns, and medians over rounds have intervals.

A machine changes its speed while it is measured. Ways that take turns, in the other order in every other round,
are changed alike, so ratios within a round keep their meaning. Nothing here needs torch or posekit.
"""

import os
import platform
from collections.abc import Callable, Hashable, Mapping
from importlib.metadata import version
from typing import TypeVar

import numpy as np
from scipy import stats
from tqdm.auto import tqdm

Way = TypeVar("Way", bound=Hashable)


def in_turns(ways: Mapping[Way, Callable[[], float]], rounds: int, title: str, warm_up: int = 1) -> dict:
    """What each way measures in every round, (rounds,) float64 by its key; the warm-up's rounds are dropped."""
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


def surroundings(load: float, packages: tuple[str, ...] = ("torch",)) -> dict:
    """What times depend on, with the versions of packages; load: of the machine before anything was measured
    (`load_now`)."""
    return {
        **{package: version(package) for package in packages},
        "python": platform.python_version(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", ""),
        "load_before": load,
    }


def load_now() -> float:
    """How many processes compute on this machine, on average over the last minute."""
    return round(os.getloadavg()[0], 1)

"""How long a training will take on the device at hand, and how much memory, measured over a few steps."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn
from tqdm.auto import tqdm

from posekit.device import Precision
from posekit.preprocessing.augmentation import augment
from posekit.preprocessing.batches import Batch, Crops, batches, resident, without_context
from posekit.training.run_config import RunConfig
from posekit.training.step import Step, make_network, make_optimizer

#: Steps are measured until this many seconds have passed, but at least three.
MEASURED_SECONDS = 2.0


@dataclass(frozen=True)
class Estimate:
    """What a run will take: seconds of its training steps, gigabytes (1e9 bytes) of memory while it trains."""

    seconds: float
    gigabytes: float

    def describe(self, runs: int, jobs: int) -> str:
        """A sentence for `runs` runs, of which `jobs` are trained at the same time."""
        total = self.seconds * -(-runs // jobs)
        minutes = f"about {round(total / 60)} minutes" if total > 90 else "a minute or two"
        needed = f"about {total / 3600:.1f} hours" if total > 5400 else minutes
        which = f"{runs} runs, {jobs} at a time" if jobs > 1 else f"{runs} runs" if runs > 1 else "one run"
        return f"{which}: {needed}, with {self.gigabytes * jobs:.2g} GB of memory"


def estimate(
    config: RunConfig,
    crops: Crops,
    device: torch.device,
    precision: Precision = "float32",
    compiled: bool = False,
    progress: bool = True,
    teacher: nn.Module | None = None,
) -> Estimate:
    """Trains a network for some steps on the crops, throws it away, and multiplies.

    Where crops grow during the training, each size is measured and counts by its share of the steps.

    Validation comes on top, about a third of a training step for each of its people. Memory is what torch
    allocated on CUDA; elsewhere the weights, gradients and optimizer states, what a step keeps for gradients, and
    the teacher's weights. Raises `PosekitError` if memory is exhausted.
    """
    network = make_network(config, device)
    step = Step(config, network, make_optimizer(config, network), precision, compiled, teacher)
    step.begin()
    crops = resident(crops, device)
    sides = _sides(config)
    people = _batches_as_trained(config, crops, device, sides[-1][1])
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    kept: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        step(next(people))
    for _ in range(3 if compiled else 1):  # the first steps compile, record and find the fastest algorithms
        float(step(next(people)))
    per_image = 0.0
    with tqdm(desc="measuring a few steps", unit=" steps", disable=not progress) as bar:
        for share, side in sides:
            per_image += share * _seconds_per_image(step, _batches_as_trained(config, crops, device, side), bar)
    if device.type == "cuda":
        memory = torch.cuda.max_memory_allocated(device)
    else:
        # Weights, gradients and the two states of Adam; a teacher has its weights only.
        memory = sum(kept.values()) + 4 * _weight_bytes(network) + (_weight_bytes(teacher) if teacher else 0)
    return Estimate(per_image * config.people_of_an_epoch(len(crops)) * config.epochs, memory / 1e9)


def _weight_bytes(network: nn.Module) -> int:
    return sum(value.nbytes for value in network.state_dict().values())


def _sides(config: RunConfig) -> list[tuple[float, int | None]]:
    """(share of the steps, side of the crops in px), the largest last; None is the crop rule's own."""
    if config.augmentation is None or not config.growing:
        return [(1.0, None)]
    ends = [first for first, _ in config.growing[1:]] + [1.0]
    return [(end - first, side) for (first, side), end in zip(config.growing, ends, strict=True)]


def _seconds_per_image(step: Step, people: Iterator[Batch], bar: tqdm) -> float:
    """Of at least three steps, after one that is not counted."""
    float(step(next(people)))
    seconds, images, steps = 0.0, 0, 0
    while seconds < MEASURED_SECONDS or steps < 3:
        started = time.perf_counter()
        batch = next(people)
        float(step(batch))  # reading the loss waits for the device
        seconds += time.perf_counter() - started
        images, steps = images + len(batch.which), steps + 1
        bar.update()
    return seconds / images


def _batches_as_trained(
    config: RunConfig, crops: Crops, device: torch.device, side: int | None
) -> Iterator[Batch]:
    """Batches as the loop trains on them, again and again; one at a time is in memory."""
    chance = torch.Generator().manual_seed(0)
    while True:
        for kept in batches(crops, config.batch_size, device):
            if config.augmentation is None:
                yield without_context(kept, crops.rule)
            else:
                yield augment(kept, crops.rule, config.augmentation, chance, side)

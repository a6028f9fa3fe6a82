"""A network while it learns: its heatmaps after different numbers of steps on a few people."""

from collections.abc import Sequence

import numpy as np
import torch

from posekit.models.answers import HeatmapNetwork
from posekit.preprocessing.batches import Crops, batches, without_context
from posekit.training.run_config import RunConfig
from posekit.training.step import Step, make_network, make_optimizer


def heatmaps_while_learning(
    config: RunConfig, crops: Crops, steps: Sequence[int], device: torch.device
) -> list[np.ndarray]:
    """The last stack's heatmaps (N, 16, S / 4, S / 4) float32 for the N people of `crops`, after each of these
    numbers of steps (growing, from 0).

    Every step is on all N people, without augmentation; weights, loss, optimizer and rate are those of the run,
    from its seed. The people are few on purpose: the network learns them by heart.
    """
    network = make_network(config, device)
    step = Step(config, network, make_optimizer(config, network))
    asked = HeatmapNetwork(network, config.likelihoods)
    batch = without_context(next(batches(crops, len(crops), device)), crops.rule)
    found, done = [], 0
    for number in steps:
        for _ in range(number - done):
            step(batch)
        done = number
        # In training mode: normalized by this very batch, as while learning.
        with torch.no_grad():
            found.append(asked(batch.images)[-1].cpu().numpy())
    return found

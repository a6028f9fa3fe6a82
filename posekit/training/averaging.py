"""A running mean of a network's weights, which answers better than the weights of any one step.

Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992; as an exponential mean with a
decay that grows, as in TensorFlow's ExponentialMovingAverage.
"""

import copy

import torch
from torch import nn


class WeightAverage:
    """Keeps `network`, a copy in evaluation mode whose weights and buffers are the mean of those of the steps.

    Update number n = 1, 2, ... moves the mean by 1 - d of the way to the step's weights, with
    d = min(decay, n / (n + 9)). So early weights are forgotten fast, and later the mean reaches back
    about 1 / (1 - decay) steps. Means and variances of normalizations are averaged too, as they belong to the
    weights; whole numbers are copied.
    """

    def __init__(self, network: nn.Module, decay: float = 0.999) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"decay must be at least 0 and less than 1, not {decay:g}")
        self.decay, self.updates = decay, 0
        self.network = copy.deepcopy(network).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Takes in the weights of a step; the network is the one that this began with, or one of its shape."""
        self.updates += 1
        decay = min(self.decay, self.updates / (self.updates + 9))
        means, learned = [], []
        for mean, now in zip(_tensors(self.network), _tensors(network), strict=True):
            if mean.is_floating_point():
                means.append(mean)
                learned.append(now.detach())
            else:
                mean.copy_(now)
        torch._foreach_lerp_(means, learned, 1 - decay)  # a few kernels for hundreds of tensors

    def state_dict(self) -> dict:
        """What a checkpoint keeps, to go on with `load_state_dict`."""
        return {"network": self.network.state_dict(), "updates": self.updates}

    def load_state_dict(self, state: dict) -> None:
        """The way back from `state_dict`; torch's RuntimeError if it is of another network."""
        self.network.load_state_dict(state["network"])
        self.updates = state["updates"]


def _tensors(network: nn.Module) -> list[torch.Tensor]:
    return [*network.parameters(), *network.buffers()]

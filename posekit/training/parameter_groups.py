"""AdamW with rates of their own for parts of a network, and a rate that rises and then falls in every step."""

import math
from collections.abc import Mapping

import torch
from torch import nn


def parameter_groups(
    network: nn.Module, learning_rate: float, weight_decay: float, rates: Mapping[str, float] | None = None
) -> list[dict]:
    """What torch's optimizers take as their parameters: groups with `lr`, `weight_decay`, `name` and `params`.

    rates: part of the network -> its learning rate, such as {"encoder": 5e-4}; all others have `learning_rate`.
    Only weights of convolutions and linear layers decay: biases and normalizations have one axis and do not. Every
    parameter that learns is in exactly one group; empty groups are left out. Raises `ValueError` for a part that
    the network does not have.
    """
    rates = dict(rates or {})
    unknown = [part for part in rates if part not in dict(network.named_modules())]
    if unknown:
        raise ValueError(f"the network has no part {unknown[0]!r}")
    groups: dict[tuple[str, bool], dict] = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        parts = [part for part in rates if name.startswith(f"{part}.")]
        part = max(parts, key=len, default="")  # the innermost
        decays = parameter.ndim > 1
        group = groups.setdefault(
            (part, decays),
            {
                "name": f"{part or 'rest'}, {'with' if decays else 'without'} weight decay",
                "lr": rates.get(part, learning_rate),
                "weight_decay": weight_decay if decays else 0.0,
                "params": [],
            },
        )
        group["params"].append(parameter)
    return list(groups.values())


def adamw(
    network: nn.Module, learning_rate: float, weight_decay: float, rates: Mapping[str, float] | None = None
) -> torch.optim.AdamW:
    """Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019; groups as `parameter_groups`."""
    return torch.optim.AdamW(parameter_groups(network, learning_rate, weight_decay, rates), fused=True)


def warmup_cosine(step: int, steps: int, warmup: int) -> float:
    """The factor of the learning rate in step number `step` of `steps`, from 0: in 0..1.

    It rises in a line over `warmup` steps to 1 (Goyal et al., "Accurate, Large Minibatch SGD", 2017), then falls
    as half a cosine (Loshchilov and Hutter, "SGDR", ICLR 2017). It would be 0 one step after the last.
    """
    if step < warmup:
        return (step + 1) / (warmup + 1)
    return (1 + math.cos(math.pi * (step - warmup) / max(steps - warmup, 1))) / 2


def warmup_cosine_scheduler(
    optimizer: torch.optim.Optimizer, steps: int, warmup: int
) -> torch.optim.lr_scheduler.LambdaLR:
    """All groups' rates along `warmup_cosine`; its `step` is called after every step of the optimizer."""
    return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: warmup_cosine(step, steps, warmup))

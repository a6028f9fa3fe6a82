"""What a Stacked Hourglass computes on its way: the features of one hourglass at every resolution."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from posekit.models.hourglass import Hourglass, StackedHourglass


@torch.inference_mode()
def hourglass_features(network: StackedHourglass, images: Tensor, stack: int = 0) -> dict[str, Tensor]:
    """Features (B, C, H, W) by position in the network, in the order in which they are computed.

    images: crops, float (B, 3, S, S), RGB in 0..1, on the network's device. stack: number of the hourglass, the
    first is 0. The positions are "stem", "down to 32 x 32" and so on, "bottom", "up to 8 x 8" and so on, and
    "scores" (B, 16, S / 4, S / 4), from which heatmaps are made. They are read by forward hooks, so the network is
    the one that is trained, and computes what it always computes.
    """
    found: list[tuple[str, Tensor]] = []
    hourglass = network.hourglasses[stack]
    hooks = [network.stem.register_forward_hook(_note(found, "stem"))]
    hooks += _watch(hourglass, found)
    hooks.append(network.heads[stack].register_forward_hook(_note(found, "scores")))
    try:
        network(images)
    finally:
        for hook in hooks:
            hook.remove()
    return {_with_size(place, values): values for place, values in found}


def _watch(hourglass: Hourglass, found: list[tuple[str, Tensor]]) -> list[torch.utils.hooks.RemovableHandle]:
    """Hooks on an hourglass and on the smaller ones inside it."""
    hooks = [hourglass.before.register_forward_hook(_note(found, "down"))]
    if hourglass.nested:
        hooks += _watch(hourglass.inner, found)
    else:
        hooks.append(hourglass.inner.register_forward_hook(_note(found, "bottom")))
    return [*hooks, hourglass.register_forward_hook(_note(found, "up"))]


def _note(found: list[tuple[str, Tensor]], place: str) -> Callable[[nn.Module, tuple, Tensor | tuple], None]:
    """A hook that notes a module's output; hourglasses and heads return a pair, of which the first is meant."""

    def hook(module: nn.Module, inputs: tuple, output: Tensor | tuple) -> None:
        found.append((place, output[0] if isinstance(output, tuple) else output))

    return hook


def _with_size(place: str, values: Tensor) -> str:
    height, width = values.shape[-2:]
    return f"{place} to {height} x {width}" if place in ("down", "up") else place

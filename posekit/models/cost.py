"""What a network costs: parameters and floating-point operations, counted by torch, not by formula."""

from collections.abc import Iterator
from functools import cache

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from posekit.errors import PosekitError
from posekit.models.build import build_network
from posekit.models.config import NetworkConfig
from posekit.models.hourglass import Hourglass, HourglassConfig, StackedHourglass
from posekit.preprocessing.heatmaps import STRIDE


@cache
def network_cost(config: NetworkConfig, size: int) -> dict[str, float]:
    """Cost of a network at crops of size x size px: the keys of `posekit cost --json`, for one image.

    Nothing is computed: the network is built without memory on torch's "meta" device.
    """
    with torch.device("meta"):
        network = build_network(config).eval()
        image = torch.empty(1, 3, size, size)
    stem = convolutions(network.stem)
    counted = flops_by_module(network, image)
    return {
        "parameters": count_parameters(network),
        "stem_convolutions": len(stem),
        "stem_convolution_parameters": sum(count_parameters(layer) for layer in stem),
        "gflop": counted[network] / 1e9,
        "stem_gflop": counted[network.stem] / 1e9,
    }


def cost_by_part(config: NetworkConfig, size: int, levels: bool = False) -> list[dict[str, float | str | None]]:
    """One row for the stem, every hourglass and every head of a stacked hourglass: part, parameters, gflop.

    levels: instead, an hourglass has one row for each of its resolutions, and all rows have `level` as in
    `modules_by_part`. The rows add up to the network. Raises `PosekitError` for a network of another family.
    """
    if not isinstance(config, HourglassConfig):
        raise PosekitError(
            f"only stacked hourglasses are counted by part, not a network of the family {config.family}"
        )
    with torch.device("meta"):
        network = StackedHourglass(config).eval()
        x = torch.empty(1, 3, size, size)
    counted = flops_by_module(network, x)
    rows: dict[tuple, dict] = {}
    for (part, level), modules in modules_by_part(network, size).items():
        key = {"part": part} | ({"level": level} if levels else {})
        row = rows.setdefault(tuple(key.values()), key | {"parameters": 0, "gflop": 0.0})
        row["parameters"] += sum(map(count_parameters, modules))
        row["gflop"] += sum(counted[module] for module in modules) / 1e9
    return list(rows.values())


def modules_by_part(network: StackedHourglass, size: int) -> dict[tuple[str, int | None], list[nn.Module]]:
    """Every layer that learns, by (part, level): modules that together hold each of them once.

    part: stem, hourglass 1, head 1, hourglass 2 ... level: the height, in cells, at which the modules of an
    hourglass work for crops of size px; None for stem and heads.
    """
    parts: dict[tuple[str, int | None], list[nn.Module]] = {("stem", None): [network.stem]}
    for number, (hourglass, head) in enumerate(zip(network.hourglasses, network.heads, strict=True), start=1):
        levels: dict[int, list[nn.Module]] = {}
        for height, module in _modules_by_level(hourglass, size // STRIDE):
            levels.setdefault(height, []).append(module)
        parts |= {(f"hourglass {number}", height): levels[height] for height in sorted(levels, reverse=True)}
        parts[f"head {number}", None] = [head]
    return parts


def _modules_by_level(hourglass: Hourglass, height: int) -> Iterator[tuple[int, nn.Module]]:
    """What an hourglass that is given features of so many cells computes at this and every lower height."""
    exchanged = [] if hourglass.exchange is None else hourglass.exchange.children()
    for module in (hourglass.skip, *exchanged, *filter(None, [hourglass.merge])):
        yield height, module
    low = height // 2
    yield low, hourglass.before
    yield low, hourglass.after
    if hourglass.nested:
        yield from _modules_by_level(hourglass.inner, low)
    else:
        yield low, hourglass.inner


def flops_by_module(network: nn.Module, *inputs: object) -> dict[nn.Module, int]:
    """FLOPs of one forward pass of a network and of every module inside it, including everything inside it:
    2 per multiply-add. Only convolutions are counted."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(*inputs)
    by_name, root = counter.get_flop_counts(), type(network).__name__
    return {
        module: sum(by_name.get(f"{root}.{name}" if name else root, {}).values())
        for name, module in network.named_modules()
    }


def count_parameters(module: nn.Module) -> int:
    """Weights, biases and normalization factors of a module."""
    return sum(parameter.numel() for parameter in module.parameters())


def convolutions(module: nn.Module) -> list[nn.Conv2d]:
    """All convolutions inside a module, in the order in which they were made."""
    return [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)]

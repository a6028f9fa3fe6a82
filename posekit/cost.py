"""What a network costs: parameters and floating-point operations, counted by torch, not by formula."""

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from posekit.hourglass import NetworkConfig, StackedHourglass, convolutions, count_parameters
from posekit.hrnet import build_network


def flops(module: nn.Module, *inputs: object) -> int:
    """FLOPs of one forward pass, 2 a multiply-add; of convolutions, as the counter knows only those here."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(*inputs)
    return counter.get_total_flops()


def network_cost(config: NetworkConfig, size: int) -> dict[str, float]:
    """Cost of a network at crops of size x size px: the keys of `posekit cost --json`, for one image.

    Nothing is computed: the network is built without memory on torch's "meta" device.
    """
    with torch.device("meta"):
        network = build_network(config).eval()
        image = torch.empty(1, 3, size, size)
    stem = convolutions(network.stem)
    return {
        "parameters": count_parameters(network),
        "stem_convolutions": len(stem),
        "stem_convolution_parameters": sum(count_parameters(layer) for layer in stem),
        "gflop": flops(network, image) / 1e9,
        "stem_gflop": flops(network.stem, image) / 1e9,
    }


def cost_by_part(config: NetworkConfig, size: int) -> list[dict[str, float | str]]:
    """One row for the stem, every hourglass and every head of a stacked hourglass: part, parameters, gflop."""
    with torch.device("meta"):
        network = StackedHourglass(config).eval()
        x = torch.empty(1, 3, size, size)
        rows = [_part("stem", network.stem, x)]
        x, places = network.stem(x), []
        for number, (hourglass, head) in enumerate(zip(network.hourglasses, network.heads, strict=True), start=1):
            rows += [_part(f"hourglass {number}", hourglass, x, places), _part(f"head {number}", head, x)]
            _, places = hourglass(x, places)
    return rows


def _part(name: str, module: nn.Module, *inputs: object) -> dict[str, float | str]:
    return {"part": name, "parameters": count_parameters(module), "gflop": flops(module, *inputs) / 1e9}

"""What holds for the networks of every family, whatever they are made of."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from posekit.inference.export import export_onnx
from posekit.inference.predictor import Predictor
from posekit.models.answers import HeatmapNetwork
from posekit.models.folding import folded
from posekit.training.checkpoint import save_weights
from posekit.training.run_config import RunConfig

CPU = torch.device("cpu")


def as_if_trained(network: nn.Module) -> nn.Module:
    """The network, with means and variances of sizes that a training would leave, so that differences show."""
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.running_mean, -0.2, 0.2)
            nn.init.uniform_(layer.running_var, 0.5, 2)
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.uniform_(layer.bias, -0.2, 0.2)
    return network


def without_gradient(network: nn.Module) -> list[str]:
    """Names of the parameters that a loss of all heatmaps does not reach."""
    (answer,) = network(torch.rand(2, 3, 64, 64))
    answer.square().mean().backward()
    return [name for name, p in network.named_parameters() if p.grad is None or not (p.grad != 0).any()]


def far_corner_matters(network: nn.Module) -> bool:
    """Whether the corner of the heatmaps depends on the opposite corner of the crop."""
    crop = torch.rand(1, 3, 64, 64)
    other = crop.clone()
    other[..., 48:, 48:] = 1 - other[..., 48:, 48:]
    with torch.inference_mode():
        return bool((network(crop)[0] - network(other)[0])[..., 0, 0].abs().max() > 0)


def normalizations_when_folded(network: nn.Module) -> list[int]:
    """How many there are before and after folding, which leaves the answers as they are."""
    less, crops = folded(network), torch.rand(3, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(less(crops)[0], network(crops)[0], rtol=1e-4, atol=1e-4)
    return [sum(isinstance(layer, nn.BatchNorm2d) for layer in n.modules()) for n in (network, less)]


def assert_read_alike(network: nn.Module, config: RunConfig, folder: Path) -> tuple[Predictor, torch.Tensor]:
    """A checkpoint of the network answers as it does. Returns its predictor and crops to ask it about."""
    network = network.half().float()  # weights are kept in half precision
    save_weights(folder / "network.pt", config, network, [])
    read = Predictor.from_checkpoint(folder / "network.pt", CPU)
    crops = torch.rand(3, 3, config.crop.size, config.crop.size)
    with torch.inference_mode():
        (expected,), (ours,) = HeatmapNetwork(network.eval(), config.likelihoods)(crops), read.network(crops)
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-4)
    return read, crops


def assert_read_and_exported_alike(network: nn.Module, config: RunConfig, folder: Path) -> None:
    """A checkpoint of the network and an ONNX file answer as it does."""
    read, crops = assert_read_alike(network, config, folder)
    export_onnx(read, folder / "network.onnx")
    exported = Predictor.from_checkpoint(folder / "network.onnx", CPU)
    with torch.inference_mode():
        (ours,), (theirs,) = read.network(crops), exported.network(crops)
    # In the file, weights are rounded again, with the normalizations in them.
    np.testing.assert_allclose(theirs, ours, rtol=1e-2, atol=0.05)

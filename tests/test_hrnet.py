"""timm's HRNet as one of posekit's networks: what it answers, what of it is read, and that all else takes it."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from posekit.checkpoint import save_weights
from posekit.configurations import OWN_MODEL, get_profile, network_config, run_config
from posekit.cost import network_cost
from posekit.errors import PosekitError
from posekit.export import export_onnx
from posekit.folding import folded
from posekit.hourglass import NetworkConfig, StackedHourglass
from posekit.hrnet import HRNet
from posekit.networks import build_network
from posekit.predictor import Predictor

CPU = torch.device("cpu")
CONFIG = NetworkConfig(channels=8, stacks=1, family="hrnet")


def make(seed: int = 0) -> HRNet:
    """With means, variances and heatmaps of sizes that a training would leave, so that differences show."""
    torch.manual_seed(seed)
    network = build_network(CONFIG)
    nn.init.normal_(network.heatmaps.weight, std=0.1)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.running_mean, -0.2, 0.2)
            nn.init.uniform_(layer.running_var, 0.5, 2)
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.uniform_(layer.bias, -0.2, 0.2)
    return network


@pytest.mark.parametrize("height, width", [(64, 64), (96, 32)])
def test_heatmaps_are_a_quarter_of_the_crop(height, width):
    (answer,) = make().eval()(torch.rand(2, 3, height, width))
    assert answer.shape == (2, 16, height // 4, width // 4) and answer.dtype == torch.float32


def test_a_crop_that_cannot_be_halved_so_often_is_refused():
    with pytest.raises(PosekitError, match="multiple of 32 px, not 80 x 64"):
        make()(torch.rand(1, 3, 64, 80))


def test_four_resolutions_stand_side_by_side():
    """From 8 channels at a quarter of the crop, each has half the side and twice the channels of the last."""
    network, there = make().eval(), []
    for branch in network.body.stage4[0].branches:
        branch.register_forward_hook(lambda _, inputs, output: there.append(tuple(output.shape[1:])))
    network(torch.rand(1, 3, 64, 64))
    assert there == [(8, 16, 16), (16, 8, 8), (32, 4, 4), (64, 2, 2)]


def test_every_parameter_receives_a_gradient():
    network = make()
    (answer,) = network(torch.rand(2, 3, 64, 64))
    answer.square().mean().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not (p.grad != 0).any()] == []


def test_before_training_it_answers_almost_zero():
    """A mean square far below that of a crop's true heatmaps, 0.003: it need not unlearn anything."""
    torch.manual_seed(0)
    network = build_network(network_config(OWN_MODEL, get_profile("short-hrnet")))
    (answer,) = network(torch.rand(4, 3, 128, 128))
    assert 0 < answer.square().mean() < 0.001


def test_a_low_resolution_sees_the_whole_crop_and_adds_to_the_highest():
    """The corner of the heatmaps depends on the opposite corner of the crop."""
    network, crop = make().eval(), torch.rand(1, 3, 64, 64)
    other = crop.clone()
    other[..., 48:, 48:] = 1 - other[..., 48:, 48:]
    with torch.inference_mode():
        assert (network(crop)[0] - network(other)[0])[..., 0, 0].abs().max() > 0


def test_the_variant_costs_what_the_original_does():
    ours, original = (
        network_cost(network_config(OWN_MODEL, get_profile(f"short-{name}")), 128)
        for name in ("hrnet", "original")
    )
    assert 0.85 < ours["gflop"] / original["gflop"] < 1
    # 3 to 32 and 32 to 64 channels, 3 x 3, at a half and a quarter of the side; timm's have no biases.
    assert ours["stem_gflop"] == pytest.approx(2 * 9 * (3 * 32 * 64**2 + 32 * 64 * 32**2) / 1e9, rel=1e-12)


def test_only_its_own_settings_are_taken():
    assert type(build_network(NetworkConfig(channels=8))) is StackedHourglass
    for changes, why in (({"stacks": 2}, "one stack, not 2"), ({"columns": 96}, "computes all columns")):
        with pytest.raises(PosekitError, match=why):
            replace(CONFIG, **changes)
    with pytest.raises(PosekitError, match="unknown family 'resnet'"):
        replace(CONFIG, family="resnet")


@pytest.mark.parametrize("package", ["timm", "torchvision"])
def test_without_timm_a_sentence_says_what_to_install(package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "timm.models", raising=False)
    with pytest.raises(PosekitError, match="pip install timm"):
        build_network(CONFIG)


def test_folded_it_has_no_normalisation_left_and_the_same_answers():
    network = make().eval()
    less = folded(network)
    kinds = [sum(isinstance(layer, nn.BatchNorm2d) for layer in n.modules()) for n in (network, less)]
    assert kinds[0] > 50 and kinds[1] == 0
    crops = torch.rand(3, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(less(crops)[0], network(crops)[0], rtol=1e-4, atol=1e-4)


def test_a_checkpoint_and_an_onnx_file_answer_as_the_network(tmp_path):
    config = replace(run_config(OWN_MODEL, get_profile("short-hrnet"), 0, "data", "0" * 16), network=CONFIG)
    network = make().half().float()  # weights are kept in half precision
    save_weights(tmp_path / "hrnet.pt", config, network, [])
    read = Predictor.from_checkpoint(tmp_path / "hrnet.pt", CPU)
    export_onnx(read, tmp_path / "hrnet.onnx")
    exported = Predictor.from_checkpoint(tmp_path / "hrnet.onnx", CPU)
    crops = torch.rand(3, 3, config.crop.size, config.crop.size)
    with torch.inference_mode():
        (expected,), (ours,), (theirs,) = (n(crops) for n in (network.eval(), read.network, exported.network))
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(theirs, expected, rtol=1e-4, atol=1e-4)

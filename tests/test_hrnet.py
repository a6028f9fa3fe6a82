"""timm's HRNet as one of posekit's networks: what it answers, what of it is read, and that all else takes it."""

import sys
from dataclasses import asdict, replace

import pytest
import torch
from families import (
    as_if_trained,
    assert_read_and_exported_alike,
    far_corner_matters,
    normalizations_when_folded,
    without_gradient,
)
from torch import nn

from posekit.errors import PosekitError
from posekit.models.build import build_network, network_config
from posekit.models.cost import network_cost
from posekit.models.hourglass import HourglassConfig, StackedHourglass
from posekit.models.hrnet import HRNet, HRNetConfig
from posekit.study.configurations import get_model, get_size, network_of, run_config

CONFIG = HRNetConfig(channels=8)


def make(seed: int = 0) -> HRNet:
    """As if trained, heatmaps too."""
    torch.manual_seed(seed)
    network = build_network(CONFIG)
    nn.init.normal_(network.heatmaps.weight, std=0.1)
    return as_if_trained(network)


@pytest.mark.parametrize("height, width", [(64, 64), (96, 32)])
def test_heatmaps_are_a_quarter_of_the_crop(height, width):
    (answer,) = make().eval()(torch.rand(2, 3, height, width))
    assert answer.shape == (2, 16, height // 4, width // 4) and answer.dtype == torch.float32


def test_a_crop_that_cannot_be_halved_so_often_is_refused():
    with pytest.raises(PosekitError, match="multiple of 32 px, not 80 x 64"):
        make()(torch.rand(1, 3, 64, 80))


def test_four_resolutions_stand_side_by_side():
    """From 8 channels at a quarter of the crop, each has half the side and twice the channels of the last."""
    network, shapes = make().eval(), []
    for branch in network.body.stage4[0].branches:
        branch.register_forward_hook(lambda _, inputs, output: shapes.append(tuple(output.shape[1:])))
    network(torch.rand(1, 3, 64, 64))
    assert shapes == [(8, 16, 16), (16, 8, 8), (32, 4, 4), (64, 2, 2)]


def test_every_parameter_receives_a_gradient():
    assert without_gradient(make()) == []


def test_before_training_it_answers_almost_zero():
    """A mean square far below that of a crop's true heatmaps, 0.003: it need not unlearn anything."""
    torch.manual_seed(0)
    network = build_network(network_of(get_model("hrnet"), get_size("short")))
    (answer,) = network(torch.rand(4, 3, 128, 128))
    assert 0 < answer.square().mean() < 0.001


def test_a_low_resolution_sees_the_whole_crop_and_adds_to_the_highest():
    assert far_corner_matters(make().eval())


def test_the_network_costs_what_the_original_does():
    ours, original = (
        network_cost(network_of(get_model(name), get_size("short")), 128) for name in ("hrnet", "original")
    )
    assert 0.85 < ours["gflop"] / original["gflop"] < 1
    # 3 to 32 and 32 to 64 channels, 3 x 3, at a half and a quarter of the side; timm's have no biases.
    assert ours["stem_gflop"] == pytest.approx(2 * 9 * (3 * 32 * 64**2 + 32 * 64 * 32**2) / 1e9, rel=1e-12)


def test_settings_name_their_family():
    assert network_config(asdict(CONFIG)) == CONFIG
    assert type(build_network(HourglassConfig(channels=8))) is StackedHourglass
    with pytest.raises(PosekitError, match="no family of networks 'resnet'"):
        network_config({"family": "resnet"})


@pytest.mark.parametrize("package", ["timm", "torchvision"])
def test_without_timm_the_error_names_the_package(package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "timm.models", raising=False)
    with pytest.raises(PosekitError, match="pip install timm"):
        build_network(CONFIG)


def test_folded_it_has_no_normalization_left_and_the_same_answers():
    before, after = normalizations_when_folded(make().eval())
    assert before > 50 and after == 0


def test_a_checkpoint_and_an_onnx_file_answer_as_the_network(tmp_path):
    config = replace(run_config(get_model("hrnet"), get_size("short"), 0, "data", "0" * 16), network=CONFIG)
    assert_read_and_exported_alike(make(), config, tmp_path)

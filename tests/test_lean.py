"""The lean hourglass: what it answers, what it costs by hand, and that all else takes it."""

from dataclasses import replace

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
from posekit.models.build import build_network
from posekit.models.cost import network_cost
from posekit.models.lean import LeanConfig
from posekit.study.configurations import get_model, get_size, network_of, run_config

CONFIG = LeanConfig(channels=24, modules=1, reductions=2, growth=1.4)


def make(config: LeanConfig = CONFIG) -> nn.Module:
    torch.manual_seed(0)
    return as_if_trained(build_network(config))


@pytest.mark.parametrize("height, width", [(64, 64), (128, 32), (72, 40)])
def test_heatmaps_are_a_quarter_of_the_crop(height, width):
    (answer,) = make().eval()(torch.rand(2, 3, height, width))
    assert answer.shape == (2, 16, height // 4, width // 4) and answer.dtype == torch.float32


def conv(kernel: int, before: int, after: int) -> int:
    """Parameters of a convolution without bias and of the normalization after it."""
    return kernel**2 * before * after + 2 * after


def test_parameters_by_hand():
    """24 channels, 32 after one reduction (33.6 to a multiple of 16), 48 after two (47.04)."""
    stem = conv(3, 3, 8) + conv(3, 8, 24)
    first = conv(3, 24, 32) + 2 * conv(3, 32, 32) + conv(1, 32, 24)
    second = conv(3, 32, 48) + 2 * conv(3, 48, 48) + conv(1, 48, 32)
    head = conv(3, 24, 24) + 24 * 16 + 16
    assert network_cost(CONFIG, 64)["parameters"] == stem + first + second + head


def test_the_network_costs_a_tenth_of_the_original():
    """FLOPs by hand, 2 a multiply-add: 64 x 128 px, heatmaps of 16 x 32 cells."""
    ours, original = (
        network_cost(network_of(get_model(name), get_size("long")), 128) for name in ("lean", "original")
    )
    stem = 9 * (3 * 8 * 32 * 64 + 8 * 24 * 16 * 32)
    first = (9 * 24 * 32 + 4 * 9 * 32**2 + 32 * 24) * 8 * 16
    second = (9 * 32 * 48 + 4 * 9 * 48**2 + 48 * 32) * 4 * 8
    third = (9 * 48 * 64 + 4 * 9 * 64**2 + 64 * 48) * 2 * 4
    head = (9 * 24**2 + 24 * 16) * 16 * 32
    assert ours["gflop"] == pytest.approx(2 * (stem + first + second + third + head) / 1e9, rel=1e-12)
    assert ours["stem_gflop"] == pytest.approx(2 * stem / 1e9, rel=1e-12)
    assert original["gflop"] / ours["gflop"] > 10


def test_every_parameter_receives_a_gradient():
    assert without_gradient(make()) == []


def test_a_low_resolution_sees_far_and_adds_to_the_highest():
    """Three convolutions at the lowest of three resolutions carry a change across the whole crop."""
    assert far_corner_matters(make(replace(CONFIG, reductions=3)).eval())


def test_fewer_columns_are_the_same_network_on_a_part_of_the_crop():
    whole, part = make(), make(replace(CONFIG, columns=32))
    part.load_state_dict(whole.state_dict())
    crop = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        (answer,), (expected,) = part.eval()(crop), whole.eval()(crop[..., 16:48])
    torch.testing.assert_close(answer, expected)
    with pytest.raises(PosekitError, match="32 columns are more than the 24 px"):
        part(crop[..., :24])


def test_impossible_settings_are_refused():
    for wrong in ({"channels": 30}, {"modules": 0}, {"growth": 0.5}, {"columns": 12}):
        with pytest.raises(PosekitError):
            replace(CONFIG, **wrong)


def test_folded_it_has_no_normalization_left_and_the_same_answers():
    # 2 in the stem, 4 at each of two lower levels, 1 in the head
    assert normalizations_when_folded(make().eval()) == [11, 0]


def test_a_checkpoint_and_an_onnx_file_answer_as_the_network(tmp_path):
    config = replace(run_config(get_model("lean"), get_size("short"), 0, "data", "0" * 16), network=CONFIG)
    assert_read_and_exported_alike(make(), config, tmp_path)

"""Where the cost of a network sits: by part and by resolution, against shapes seen on the way."""

import pytest
import torch

from posekit.errors import PosekitError
from posekit.models.cost import convolutions, cost_by_part, count_parameters, modules_by_part, network_cost
from posekit.models.hourglass import HourglassConfig, StackedHourglass
from posekit.models.lean import LeanConfig

CONFIGS = {
    "original": HourglassConfig("original", channels=16, stacks=2, modules=1, reductions=3),
    "coupled": HourglassConfig("reduced", 8, 3, 2, 2, gated=True, merge="concatenate", handed_on="coupled"),
    "aggregated": HourglassConfig("early", 8, 2, 1, 2, columns=48, separable=True, handed_on="aggregated"),
    "small": HourglassConfig("early", 12, 1, 1, 3, columns=48, separable=True, unread=False),
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_every_convolution_is_in_one_part_and_works_at_its_level(config):
    network = StackedHourglass(config).eval()
    heights, flops = {}, {}

    def seen(layer, images, answer):
        heights[layer] = answer.shape[-2]
        inputs = layer.in_channels // layer.groups
        flops[layer] = 2 * answer[0].numel() * inputs * layer.kernel_size[0] * layer.kernel_size[1]

    for layer in convolutions(network):
        layer.register_forward_hook(seen)
    size = 72  # 18 cells, then 9: an odd number, halved downwards
    with torch.no_grad():
        network(torch.zeros(1, 3, size, size))
    rows = {(row["part"], row["level"]): row for row in cost_by_part(config, size, levels=True)}
    parts = modules_by_part(network, size)
    assert list(rows) == list(parts)
    held = []
    for (part, level), modules in parts.items():
        layers = [layer for module in modules for layer in convolutions(module)]
        held += layers
        assert rows[part, level]["gflop"] == pytest.approx(sum(flops[layer] for layer in layers) / 1e9, rel=1e-12)
        if part.startswith("hourglass"):
            assert {heights[layer] for layer in layers} == {level}
    assert len(held) == len(set(held)) and set(held) == set(convolutions(network))


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_levels_add_up_to_parts_and_parts_to_the_whole(config):
    levels, parts = (cost_by_part(config, 64, levels) for levels in (True, False))
    whole = network_cost(config, 64)
    for cost in ("parameters", "gflop"):
        assert sum(row[cost] for row in levels) == pytest.approx(whole[cost], rel=1e-12)
        by_part = {row["part"]: row[cost] for row in parts}
        assert sum(by_part.values()) == pytest.approx(whole[cost], rel=1e-12)
        for part, value in by_part.items():
            assert sum(row[cost] for row in levels if row["part"] == part) == pytest.approx(value, rel=1e-12)
    network = StackedHourglass(config)
    stem, hourglass, head = parts[:3]
    assert [row["parameters"] for row in (stem, hourglass, head)] == [
        count_parameters(module) for module in (network.stem, network.hourglasses[0], network.heads[0])
    ]
    assert stem["gflop"] == pytest.approx(whole["stem_gflop"], rel=1e-12)


def test_the_rows_of_the_original_network_stand_from_high_to_low():
    rows = cost_by_part(HourglassConfig("original", channels=64, modules=1), 128, levels=True)
    levels = [32, 16, 8, 4, 2]
    assert [(row["part"], row["level"]) for row in rows] == [
        ("stem", None),
        *(("hourglass 1", level) for level in levels),
        ("head 1", None),
        *(("hourglass 2", level) for level in levels),
        ("head 2", None),
    ]
    # One block at 32 cells, three at every lower height, where there are a quarter of the cells each time.
    block = rows[1]["gflop"]
    assert [row["gflop"] / block for row in rows[1:6]] == pytest.approx([1, 3 / 4, 3 / 16, 3 / 64, 3 / 256])


def test_a_network_of_another_family_is_not_counted_as_a_stacked_hourglass():
    with pytest.raises(PosekitError, match="not a network of the family lean"):
        cost_by_part(LeanConfig(channels=12), 64)

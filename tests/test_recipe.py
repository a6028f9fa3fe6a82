"""The pieces of a recipe: groups of parameters, the rate of each step, averaged weights, memory that is kept."""

import copy
import subprocess
import sys
from itertools import pairwise

import pytest
import torch
from torch import nn

from posekit.training.averaging import WeightAverage
from posekit.training.parameter_groups import adamw, parameter_groups, warmup_cosine, warmup_cosine_scheduler


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.decoder = nn.Conv2d(4, 2, 1)
        self.unused = nn.Conv2d(2, 2, 1).requires_grad_(False)

    def forward(self, x):
        return self.decoder(self.encoder(x))


def test_each_parameter_is_in_one_group_with_its_rate_and_decay():
    network = Small()
    groups = parameter_groups(network, 2e-3, 0.01, {"encoder": 5e-4})
    assert [(g["name"], g["lr"], g["weight_decay"], len(g["params"])) for g in groups] == [
        ("encoder, with weight decay", 5e-4, 0.01, 1),
        ("encoder, without weight decay", 5e-4, 0.0, 3),
        ("rest, with weight decay", 2e-3, 0.01, 1),
        ("rest, without weight decay", 2e-3, 0.0, 1),
    ]
    grouped = [id(p) for group in groups for p in group["params"]]
    assert sorted(grouped) == sorted(id(p) for p in network.parameters() if p.requires_grad)


def test_an_inner_part_has_its_own_rate_and_unknown_parts_are_refused():
    rates = {"encoder": 1e-4, "encoder.0": 1e-5}
    found = {group["lr"]: len(group["params"]) for group in parameter_groups(Small(), 1e-3, 0, rates)}
    assert found[1e-5] in (1, 2) and 1e-4 in found and 1e-3 in found
    with pytest.raises(ValueError, match="no part 'enc'"):
        parameter_groups(Small(), 1e-3, 0, {"enc": 1e-4})  # a prefix of a name is no part


def test_the_rate_rises_in_a_line_and_falls_along_a_cosine():
    factors = [warmup_cosine(step, 110, 10) for step in range(110)]
    assert factors[:10] == pytest.approx([n / 11 for n in range(1, 11)])
    assert factors[10] == 1 and factors[60] == pytest.approx(0.5)
    assert all(a > b for a, b in pairwise(factors[10:])) and 0 < factors[-1] < 1e-3
    assert warmup_cosine(110, 110, 10) == pytest.approx(0)
    assert warmup_cosine(0, 5, 0) == 1


def test_the_scheduler_keeps_the_ratio_of_the_groups_and_goes_on_from_its_state():
    def made():
        optimizer = adamw(Small(), 2e-3, 0.01, {"encoder": 5e-4})
        return optimizer, warmup_cosine_scheduler(optimizer, 20, 3)

    optimizer, scheduler = made()
    rates = []
    for step in range(20):
        rates.append([group["lr"] for group in optimizer.param_groups])
        assert rates[-1] == pytest.approx([r * warmup_cosine(step, 20, 3) for r in (5e-4, 5e-4, 2e-3, 2e-3)])
        if step == 7:
            kept = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
        optimizer.step()
        scheduler.step()
    other, resumed = made()
    other.load_state_dict(kept[0])
    resumed.load_state_dict(kept[1])
    other.step()
    resumed.step()
    assert [group["lr"] for group in other.param_groups] == pytest.approx(rates[8])


def test_averaged_weights_are_those_of_a_slow_mean_of_float64():
    torch.manual_seed(0)
    network = Small()
    average = WeightAverage(network, decay=0.95)
    slow = {name: value.double() for name, value in network.state_dict().items()}
    optimizer = adamw(network, 0.05, 0.01)
    for number in range(1, 301):
        network(torch.randn(4, 3, 5, 5)).square().mean().backward()
        optimizer.step()
        average.update(network)
        decay = min(0.95, number / (number + 9))
        for name, value in network.state_dict().items():
            slow[name] = decay * slow[name] + (1 - decay) * value.double()
    assert int(network.encoder[1].num_batches_tracked) == 300
    for name, value in average.network.state_dict().items():
        if name.endswith("num_batches_tracked"):
            assert value == 300
        else:
            torch.testing.assert_close(value.double(), slow[name], rtol=1e-5, atol=1e-6)
    assert not average.network.training and not any(p.requires_grad for p in average.network.parameters())


def test_an_average_goes_on_from_its_state():
    torch.manual_seed(0)
    network = Small()
    one = WeightAverage(network)
    one.update(Small())
    two = WeightAverage(network)
    two.load_state_dict(copy.deepcopy(one.state_dict()))
    later = Small()
    for average in (one, two):
        average.update(later)
    for name, value in one.network.state_dict().items():
        assert torch.equal(value, two.network.state_dict()[name])
    with pytest.raises(ValueError, match="decay"):
        WeightAverage(network, decay=1.0)


#: Page faults of five times 64 MiB, before and after: 16,384 pages each if they are fetched from the system.
FAULTS = """
import resource, torch
from posekit.training.memory import keep_freed_memory
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        torch.ones(64, 1024, 256)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
before = faults()
if keep_freed_memory():
    torch.ones(256, 1024, 256)  # leaves room
    print(before, faults())
"""


def test_kept_memory_is_not_requested_again():
    # In a process of its own, as it cannot be taken back.
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    if not done.stdout:
        pytest.skip("only glibc has a setting that keeps memory")
    before, after = map(int, done.stdout.split())
    assert after < before / 2

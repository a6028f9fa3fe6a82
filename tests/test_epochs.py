"""How many people an epoch is: one pass over those at hand, or so many, pass after pass."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tqdm import tqdm

import posekit.training.loop
from posekit.preprocessing.batches import batches
from posekit.training.checkpoint import read_checkpoint
from posekit.training.estimate import estimate
from posekit.training.loop import train
from posekit.training.run_config import RunConfig

CPU = torch.device("cpu")


def drawn_slowly(people: int, at_hand: int, seed: int) -> list[int]:
    """One person after the other; when nobody is left, all stand in a new order."""
    chance, waiting, drawn = np.random.default_rng(seed), [], []
    for _ in range(people):
        waiting = waiting or list(chance.permutation(at_hand))
        drawn.append(int(waiting.pop(0)))
    return drawn


@pytest.mark.parametrize("people", [1, 20, 48, 49, 96, 131])
@pytest.mark.parametrize("processes", [1, 3])
def test_people_are_drawn_pass_after_pass(tiny_study, people, processes):
    crops = tiny_study.crops[0]
    expected = drawn_slowly(people, len(crops), seed=3)
    whole = [expected[start : start + 7] for start in range(0, people, 7)]
    whole = [batch for batch in whole if len(batch) >= processes]  # smaller ones are left out
    for number in range(processes):
        order = np.random.default_rng(3)
        drawn = [batch.which.tolist() for batch in batches(crops, 7, CPU, order, (number, processes), people)]
        assert drawn == [batch[number::processes] for batch in whole]


def test_without_a_number_an_epoch_is_one_pass(tiny_study):
    crops = tiny_study.crops[0]
    which = [batch.which for batch in batches(crops, 7, CPU, np.random.default_rng(3))]
    assert np.concatenate(which).tolist() == np.random.default_rng(3).permutation(48).tolist()
    assert np.concatenate([batch.which for batch in batches(crops, 7, CPU)]).tolist() == list(range(48))


def test_as_many_people_as_are_at_hand_are_the_same_training(tiny_study, tmp_path):
    losses = []
    for people in (None, 48):
        config = replace(tiny_study.config(3), epoch_people=people)
        _, history, _ = train(config, *tiny_study.crops, tmp_path / f"{people}.pt", CPU, progress=False)
        losses.append([row.train_loss for row in history])
    assert losses[0] == losses[1]


def test_steps_and_the_bar_count_what_is_drawn(tiny_study, tmp_path, monkeypatch):
    bars = []

    class Bar(tqdm):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            bars.append(self)

    monkeypatch.setattr(posekit.training.loop, "tqdm", Bar)
    config = replace(tiny_study.config(5), epoch_people=61)  # batches of 8: 8 steps, three epochs
    train(config, *tiny_study.crops, tmp_path / "last.pt", CPU)
    assert (bars[0].n, bars[0].total) == (3 * 61, 3 * 61)
    states = read_checkpoint(tmp_path / "last.pt")["optimizer"]["state"]
    assert {float(values["step"]) for values in states.values()} == {24}


def test_other_processes_are_followed_by_what_they_draw(tiny_study):
    config = replace(tiny_study.config(5, seed=77), epoch_people=61)
    tiny_study.record(config)
    images, text = tiny_study._state([config, tiny_study.config(6, seed=78)])
    assert images == 3 * 61 and text.endswith("after epoch 3")


def test_the_estimate_is_of_what_is_drawn(tiny_study, monkeypatch):
    ticks = iter(range(1000))
    clock = SimpleNamespace(perf_counter=lambda: float(next(ticks)))  # a second per step
    monkeypatch.setattr("posekit.training.estimate.time", clock)
    crops = tiny_study.crops[0]
    for people, steps in ((None, 6), (480, 60)):
        config = replace(tiny_study.config(5), epoch_people=people)
        assert estimate(config, crops, CPU, progress=False).seconds == pytest.approx(steps * config.epochs)


def test_the_estimate_counts_the_teacher(tiny_study, monkeypatch):
    """A step takes as long as the teacher's answer; its weights are in memory, without gradients."""
    clock = [0.0]

    class Teacher(torch.nn.Linear):
        def forward(self, images):
            clock[0] += 1
            cells = images.shape[-1] // 4
            return [torch.zeros(len(images), 16, cells, cells)]

    monkeypatch.setattr("posekit.training.estimate.time", SimpleNamespace(perf_counter=lambda: clock[0]))
    config, crops = tiny_study.config(5), tiny_study.crops[0]
    teacher = Teacher(1000, 1000, bias=False)
    taught = estimate(config, crops, CPU, progress=False, teacher=teacher)
    assert taught.seconds == pytest.approx(6 * config.epochs)  # 6 steps per epoch
    clock[0] = 0
    small = estimate(config, crops, CPU, progress=False, teacher=Teacher(1, 1, bias=False))
    assert taught.gigabytes - small.gigabytes == pytest.approx((1000 * 1000 - 1) * 4 / 1e9)


def test_records_from_before_are_of_one_pass(tiny_study):
    config = tiny_study.config(5)
    before = {key: value for key, value in config.to_dict().items() if key != "epoch_people"}
    assert RunConfig.from_dict(before) == config
    longer = replace(config, epoch_people=61)
    assert RunConfig.from_dict(longer.to_dict()) == longer != config
    assert longer.fingerprint() != config.fingerprint()

"""A whole run by the recipe of the shipped networks: it resumes exactly, and does what its settings say."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tables import make_people

import posekit.training.loop
from posekit.models.encoder import EncoderConfig
from posekit.preprocessing.augmentation import Augmentation
from posekit.training.checkpoint import load_network, read_checkpoint, snapshot_path
from posekit.training.estimate import estimate
from posekit.training.loop import emphasis, train
from posekit.training.parameter_groups import warmup_cosine
from posekit.training.run_config import WARMUP, RunConfig
from posekit.training.step import Step, make_network, make_optimizer

CPU = torch.device("cpu")


@pytest.fixture
def config(tiny_study) -> RunConfig:
    """A tiny hourglass by the whole recipe, but for ImageNet."""
    return replace(
        tiny_study.config(5),
        optimizer="AdamW",
        schedule="warmup cosine",
        loss="cross-entropy",
        learning_rate=1e-3,
        weight_decay=0.01,
        averaging=0.9,
        augmentation=Augmentation(translation=0.05),
        growing=((0.0, 32), (0.5, 64)),
        emphasis=(("mpii", 2.0), ("sample", 3.0)),
    )


class Stop(Exception):
    pass


def test_a_stopped_run_goes_on_to_the_same_average(tiny_study, config, tmp_path):
    whole, history, evaluation = train(config, *tiny_study.crops, tmp_path / "whole.pt", CPU, progress=False)

    def stop(rows):
        if len(rows) == 2:
            raise Stop

    with pytest.raises(Stop):
        train(config, *tiny_study.crops, tmp_path / "stopped.pt", CPU, progress=False, on_epoch=stop)
    resumed, again, same = train(config, *tiny_study.crops, tmp_path / "stopped.pt", CPU, progress=False)
    assert [row.train_loss for row in again] == [row.train_loss for row in history]
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
    np.testing.assert_array_equal(evaluation.joints, same.joints)


def test_what_is_kept_and_judged_is_the_average(tiny_study, config, tmp_path):
    network, _, _ = train(config, *tiny_study.crops, tmp_path / "last.pt", CPU, progress=False)
    last = read_checkpoint(tmp_path / "last.pt")
    differs = [n for n, v in last["network"].items() if not torch.equal(v, last["average"]["network"][n])]
    assert differs  # the last step's weights are kept too, to go on from
    for name, value in network.state_dict().items():
        assert torch.equal(value, last["average"]["network"][name])
    images = torch.rand(2, 3, 64, 64)
    for path in (snapshot_path(tmp_path / "last.pt", config.epochs), tmp_path / "last.pt"):
        kept, _ = load_network(path, CPU)
        with torch.no_grad():
            answers = kept(images)[-1], torch.softmax(network(images)[-1].flatten(-2), -1)
        torch.testing.assert_close(answers[0].flatten(-2) / (2 * torch.pi), answers[1], atol=2e-4, rtol=2e-2)


def test_every_step_has_its_rate_and_its_side(tiny_study, config, tmp_path, monkeypatch):
    seen: list[tuple[float, int]] = []
    original = Step.__call__

    def watched(self, batch):
        seen.append((self.optimizer.param_groups[-1]["lr"], batch.images.shape[-1]))
        return original(self, batch)

    monkeypatch.setattr(posekit.training.loop.Step, "__call__", watched)
    train(config, *tiny_study.crops, tmp_path / "last.pt", CPU, progress=False)
    steps = 3 * 6  # 48 people in batches of 8, three epochs
    expected = [config.learning_rate * warmup_cosine(n, steps, round(WARMUP * steps)) for n in range(steps)]
    assert [rate for rate, _ in seen] == pytest.approx(expected)
    assert [side for _, side in seen] == 9 * [32] + 9 * [64]


def test_people_are_drawn_in_proportion_to_their_weights(tiny_study, config, monkeypatch):
    crops = tiny_study.crops[0]
    sets = replace(crops, people=make_people(3, data_set=np.array(["mpii", "sample", "other"])))
    assert emphasis(config, sets).tolist() == [2, 3, 1]
    assert emphasis(replace(config, emphasis=()), crops) is None
    weights = np.where(np.arange(len(crops)) < 12, 3.0, 1.0)
    drawn = np.concatenate(
        [
            batch.which
            for batch in posekit.training.loop.batches(
                crops, 48, CPU, np.random.default_rng(0), people=48 * 200, weights=weights
            )
        ]
    )
    # 12 people of weight 3 and 36 of weight 1: half of all draws each, within five standard deviations.
    assert abs((drawn < 12).mean() - 0.5) < 5 * 0.5 / np.sqrt(len(drawn))


def test_the_encoder_has_a_rate_of_its_own_and_starts_from_imagenet(config):
    config = replace(config, network=EncoderConfig(channels=8), start="imagenet", encoder_rate=1e-4)
    network, scratch = make_network(config, CPU), make_network(replace(config, start=""), CPU)
    rates = {group["name"].split(",")[0]: group["lr"] for group in make_optimizer(config, network).param_groups}
    assert rates == {"encoder": 1e-4, "rest": config.learning_rate}
    stem = "encoder.stem.0.weight"
    assert not torch.equal(network.state_dict()[stem], scratch.state_dict()[stem])
    again = make_network(replace(config, seed=5), CPU)
    assert torch.equal(network.state_dict()[stem], again.state_dict()[stem])  # no seed changes what is loaded


def test_frozen_parts_stay_as_they_are(tiny_study, config, tmp_path):
    config = replace(
        config, network=EncoderConfig(channels=8), frozen=("encoder.stem", "encoder.stages.0"), epochs=1
    )
    before = make_network(config, CPU).state_dict()
    network, _, _ = train(config, *tiny_study.crops, tmp_path / "last.pt", CPU, progress=False)
    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert not any(name.startswith(config.frozen) for name in changed)
    learning = {name for name, _ in network.named_parameters() if not name.startswith(config.frozen)}
    assert learning <= changed


def test_settings_come_back_from_records(config):
    assert RunConfig.from_dict(config.to_dict()) == config
    lists = config.to_dict() | {"growing": [[0.0, 32], [0.5, 64]]}  # as JSON has them
    assert RunConfig.from_dict(lists) == config


def test_the_estimate_counts_each_size_by_its_share(tiny_study, config, monkeypatch):
    clock = [0.0]
    original = Step.__call__

    def slow(self, batch):  # a second for large crops, a quarter for small ones
        clock[0] += 1.0 if batch.images.shape[-1] == 64 else 0.25
        return original(self, batch)

    monkeypatch.setattr(Step, "__call__", slow)
    monkeypatch.setattr("posekit.training.estimate.time", SimpleNamespace(perf_counter=lambda: clock[0]))
    config = replace(config, growing=((0.0, 32), (0.8, 64)))
    seconds = estimate(config, tiny_study.crops[0], CPU, progress=False).seconds
    assert seconds == pytest.approx(6 * config.epochs * (0.8 * 0.25 + 0.2 * 1.0))  # 6 steps per epoch

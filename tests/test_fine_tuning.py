"""A trained network learns on from annotated people: what is kept, what is reported, and how it resumes."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import posekit.study.fine_tuning as fine_tuning
from posekit.cli.cli import app
from posekit.datasets.coco_write import write_coco
from posekit.datasets.mpii import read_mpii
from posekit.datasets.sources import read_people
from posekit.errors import PosekitError
from posekit.evaluation.evaluate import evaluate
from posekit.inference.predictor import OWN_NETWORK, Predictor
from posekit.models.encoder import EncoderConfig
from posekit.preprocessing.batches import make_crops
from posekit.study.fine_tuning import fine_tune
from posekit.study.networks import NETWORKS
from posekit.training.checkpoint import load_network, read_checkpoint, save_weights, snapshot_path, weights_hash
from posekit.training.run_config import RunConfig
from posekit.training.step import make_network

CPU = torch.device("cpu")


@pytest.fixture
def tiny_home(tmp_path):
    """Of its own for every test, as runs of one name replace each other."""
    return tmp_path / "home"


@pytest.fixture
def start(tiny_study, tmp_path):
    """An untrained tiny hourglass, as a network to start from."""
    config = replace(tiny_study.config(5), loss="cross-entropy")
    save_weights(tmp_path / "start.pt", config, make_network(config, CPU), [])
    return tmp_path / "start.pt"


@pytest.fixture
def own(drawn, tmp_path):
    """20 drawn people in a COCO file."""
    people = read_mpii(drawn)
    write_coco(tmp_path / "own.json", people.select(np.arange(20)))
    return tmp_path / "own.json"


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(fine_tuning, "EPOCHS", 2)


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_reports_before_and_after_and_its_checkpoint_predicts(start, own, tmp_path):
    result = run("train", "--data", own, "--from", start, "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert "16 people to learn from; 4, in other photographs" in result.stdout
    assert f"started from weights {weights_hash(start)}, 2 epochs" in result.stdout
    for line in ("before", "after", "gain"):
        assert re.search(rf"^  {line} .*95 % interval", result.stdout, re.MULTILINE)
    assert "head sizes are estimated" in result.stdout
    checkpoint = re.search(r"network: (\S+)", result.stdout).group(1)
    people, _ = read_people([own])
    photograph = people.images_folder / people.image[0]
    asked = run("predict", photograph, "--checkpoint", checkpoint, "--box", 50, 20, 200, 300, "--json")
    assert asked.exit_code == 0 and len(json.loads(asked.stdout)) == 16


def test_with_a_size_its_recipe_begins_with_the_weights_of_the_checkpoint(start, own, tiny_study):
    """At a rate of almost nothing they are still there after the last epoch; its seed would draw others."""
    options = "--data", own, "--from", start, "--size", "tiny", "--learning-rate", 1e-12, "--batch-size", 4
    result = run("train", *options, "--seed", 7, "--device", "cpu")
    assert result.exit_code == 0, result.output
    (path,) = (tiny_study.records.parents[1] / "checkpoints").rglob("model-5-from-*/last.pt")
    state = read_checkpoint(path)
    config = RunConfig.from_dict(state["config"])
    assert (config.start, config.size, config.seed) == (weights_hash(start), "tiny", 7)
    assert len(state["history"]) == tiny_study.size.epochs
    for name, weight in read_checkpoint(start)["network"].items():
        if name.endswith(".weight"):
            torch.testing.assert_close(state["network"][name], weight.float(), rtol=0, atol=1e-6)


def test_scores_are_of_the_kept_people_by_the_networks_before_and_after(start, own):
    people, _ = read_people([own])
    tuned = fine_tune(people, start, device="cpu", progress=False)
    kept = people.select(people.validation)
    for path, distances in ((start, tuned.before), (tuned.checkpoint, tuned.after)):
        network, config = load_network(path, CPU)
        crops = make_crops(kept, config.crop, own.parent / "cache", progress=False)
        again = evaluate(network, crops, config.codec, CPU).distances
        np.testing.assert_allclose(distances, again, atol=1e-5)
    assert not np.array_equal(tuned.before, tuned.after)
    assert tuned.gain.low <= tuned.gain.difference <= tuned.gain.high
    assert tuned.gain.difference == pytest.approx(tuned.scores[1].estimate - tuned.scores[0].estimate)


def test_the_run_is_recorded_with_what_it_started_from_and_read_again(start, own, monkeypatch):
    people, _ = read_people([own])
    tuned = fine_tune(people, start, device="cpu", progress=False)
    made_by = RunConfig.from_dict(read_checkpoint(start)["config"])
    config = tuned.run.config
    assert config.start == weights_hash(start) and config.size == "fine-tuned" and config.data == people.name
    assert config.model == f"model-5-from-{config.start[:8]}" and config.model in str(tuned.checkpoint)
    assert (config.network, config.crop, config.codec, config.loss) == (
        made_by.network,
        made_by.crop,
        made_by.codec,
        made_by.loss,
    )

    def never(*_, **__):
        raise AssertionError("trained again")

    monkeypatch.setattr(fine_tuning, "train_and_record", never)
    again = fine_tune(people, start, device="cpu", progress=False)
    np.testing.assert_array_equal(again.before, tuned.before)
    with pytest.raises(AssertionError):
        fine_tune(people, start, device="cpu", progress=False, force=True)


def test_a_stopped_run_goes_on_to_the_same_weights(start, own, tmp_path, monkeypatch):
    people, _ = read_people([own])
    whole = read_checkpoint(fine_tune(people, start, device="cpu", progress=False).checkpoint)
    monkeypatch.setenv("POSEKIT_HOME", str(tmp_path / "stopped"))

    class Stop(Exception):
        pass

    import posekit.study.recording as recording

    def stop(*arguments):
        raise Stop

    with monkeypatch.context() as patch, pytest.raises(Stop):
        patch.setattr(recording, "write_progress", stop)  # after the first checkpoint
        fine_tune(people, start, device="cpu", progress=False)
    tuned = fine_tune(people, start, device="cpu", progress=False)
    for name, value in read_checkpoint(tuned.checkpoint)["network"].items():
        assert torch.equal(value, whole["network"][name]), name


def test_it_starts_from_the_weights_and_leaves_frozen_parts_as_they_are(
    start, own, tiny_study, tmp_path, monkeypatch
):
    config = replace(
        tiny_study.config(5), network=EncoderConfig(channels=8), loss="cross-entropy", start="", encoder_rate=None
    )
    network = make_network(replace(config, seed=3), CPU)
    save_weights(tmp_path / "encoder.pt", config, network, [])
    people, _ = read_people([own])
    monkeypatch.setattr(fine_tuning, "EPOCHS", 1)
    tuned = fine_tune(people, tmp_path / "encoder.pt", device="cpu", progress=False, learning_rate=1e-9)
    before = read_checkpoint(tmp_path / "encoder.pt")["network"]
    after = read_checkpoint(tuned.checkpoint)["network"]
    for name, value in before.items():
        if name.startswith(NETWORKS["encoder"].frozen):
            assert torch.equal(after[name], value.float() if value.is_floating_point() else value), name
        elif "running" not in name and "num_batches" not in name:  # normalizations see other photographs
            torch.testing.assert_close(after[name], value.float(), rtol=1e-3, atol=1e-5, msg=name)
    assert tuned.run.config.frozen == NETWORKS["encoder"].frozen


def test_a_handful_of_people_is_enough(start, own):
    people, _ = read_people([own])
    few = np.concatenate([np.flatnonzero(~people.validation)[:3], np.flatnonzero(people.validation)])
    tuned = fine_tune(replace(people.select(few), name="few"), start, device="cpu", progress=False)
    assert tuned.run.config.batch_size == 3 and len(tuned.after) == 4
    assert tuned.run.config.epoch_people == fine_tuning.EPOCH_PEOPLE


def test_posekits_own_network_can_be_fine_tuned(own, tiny_study, monkeypatch):
    """The settings for whatever network is shipped give a run whose network takes the shipped weights."""
    people, _ = read_people([own])
    base = RunConfig.from_dict(read_checkpoint(OWN_NETWORK)["config"])
    config = fine_tuning.fine_tuning(base, people, 16, OWN_NETWORK, seed=0)
    assert RunConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    network = make_network(config, CPU)
    network.load_state_dict(read_checkpoint(OWN_NETWORK)["network"])
    assert Predictor.from_checkpoint(OWN_NETWORK, CPU).rule == config.crop


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["--from", "own"], "--from needs --data"),
        (["--from", "own", "--data", "own.json", "--model", "5"], "leave out --model"),
        (["--from", "no.pt", "--size", "half"], "there is no checkpoint no.pt"),
        (["--from", "no.pt", "--data", "own.json"], "there is no checkpoint no.pt"),
        (["--from", "own", "--data", "own.json", "--learning-rate", "-1"], "must be positive"),
    ],
)
def test_what_cannot_be_is_one_sentence(own, monkeypatch, tiny_study, options, sentence):
    monkeypatch.chdir(own.parent)
    result = run("train", *options)
    assert result.exit_code != 0
    assert isinstance(result.exception, PosekitError) and sentence in str(result.exception)


def test_one_photograph_alone_has_no_validation_people(start, own, tiny_study):
    content = json.loads(own.read_text())
    content["images"] = content["images"][:1]
    content["annotations"] = [a for a in content["annotations"] if a["image_id"] == content["images"][0]["id"]]
    own.write_text(json.dumps(content))
    people, _ = read_people([own])
    with pytest.raises(PosekitError, match="no validation people"):
        fine_tune(people, start, device="cpu", progress=False)


def test_every_epoch_leaves_a_network_to_look_at(start, own):
    people, _ = read_people([own])
    tuned = fine_tune(people, start, device="cpu", progress=False)
    for epoch in (1, 2):
        assert Predictor.from_checkpoint(snapshot_path(tuned.checkpoint, epoch), CPU)

"""Checkpoints and snapshots: what they hold, and files that are damaged, foreign or cannot be written."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from posekit.errors import PosekitError
from posekit.inference.predictor import Predictor
from posekit.training.checkpoint import load_checkpoint, read_checkpoint, save_checkpoint
from posekit.training.loop import make_scheduler, train
from posekit.training.run_config import RunConfig
from posekit.training.step import make_network, make_optimizer

CPU = torch.device("cpu")


def test_snapshots_are_the_network_of_their_epoch(tiny_study):
    tiny_study.run(5)
    snapshots = tiny_study.snapshots(5)
    assert list(snapshots) == [1, 2, 3]
    person = np.array(tiny_study.crops[1].images[0]), tiny_study.crops[1].matrices[0]
    last = Predictor.from_checkpoint(tiny_study.network(5), CPU).predict_crop(*person)
    kept = [Predictor.from_checkpoint(path, CPU).predict_crop(*person) for path in snapshots.values()]
    # Halves of floats have 11 bits.
    assert abs(kept[-1].heatmaps - last.heatmaps).max() < 0.01 * abs(last.heatmaps).max()
    assert abs(kept[0].heatmaps - last.heatmaps).max() > 0.01 * abs(last.heatmaps).max()


def test_a_snapshot_in_the_place_of_a_checkpoint_is_explained(tiny_study, tmp_path):
    tiny_study.run(5)
    path = tmp_path / "last.pt"
    path.write_bytes(tiny_study.snapshots(5)[1].read_bytes())
    with pytest.raises(PosekitError, match=r"last\.pt holds weights to predict with"):
        load_checkpoint(path, tiny_study.config(5))


@pytest.mark.parametrize("damage", ["cut off", "foreign", "text"])
def test_bad_checkpoints_are_named_and_kept(tiny_study, tmp_path, damage):
    path = tmp_path / "last.pt"
    if damage == "cut off":
        config = tiny_study.config(5)
        network = make_network(config, CPU)
        optimizer = make_optimizer(config, network)
        save_checkpoint(path, config, network, optimizer, make_scheduler(config, optimizer, epoch_steps=1), [])
        path.write_bytes(path.read_bytes()[:-5000])
    elif damage == "foreign":
        torch.save({"weights": torch.zeros(3)}, path)
    else:
        path.write_text("not a checkpoint")
    before = path.read_bytes()
    with pytest.raises(PosekitError, match=r"last\.pt"):
        train(tiny_study.config(5), *tiny_study.crops, path, CPU, progress=False)
    assert path.read_bytes() == before


def test_a_checkpoint_of_another_configuration_is_refused(tiny_study, tmp_path):
    path = tmp_path / "last.pt"
    train(replace(tiny_study.config(5), epochs=1), *tiny_study.crops, path, CPU, progress=False)
    with pytest.raises(PosekitError, match="epochs: 1 there, 3 asked for"):
        train(tiny_study.config(5), *tiny_study.crops, path, CPU, progress=False)


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(tiny_study, tmp_path, monkeypatch):
    config = tiny_study.config(5)
    network = make_network(config, CPU)
    optimizer = make_optimizer(config, network)
    path = tmp_path / "last.pt"
    arguments = (path, config, network, optimizer, make_scheduler(config, optimizer, epoch_steps=1), [])
    save_checkpoint(*arguments)
    before = path.read_bytes()

    def full_disk(state, target):
        target.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(PosekitError, match="No space left"):
        save_checkpoint(*arguments)
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["last.pt"]
    monkeypatch.undo()
    assert RunConfig.from_dict(read_checkpoint(path)["config"]) == config

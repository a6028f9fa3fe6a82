"""The study on a GPU machine in pieces: packed crops are the data set, pieces make the runs of one piece, records
come home and replace nothing."""

import shutil
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from tables import TINY

import posekit.study.timed_training
from posekit.cli import gpu_study
from posekit.errors import PosekitError
from posekit.inference.predictor import Predictor
from posekit.preprocessing.batches import make_crops
from posekit.preprocessing.crop_archive import read_archive, write_archive
from posekit.study.configurations import REPORT_MODELS, SIZES
from posekit.study.record_bundle import bring, unpacked
from posekit.study.runs import RunStore, read_run, read_runs
from posekit.study.study import Study
from posekit.study.timed_training import RESERVE, Clock
from posekit.training.checkpoint import read_checkpoint
from posekit.training.loop import train

CPU = torch.device("cpu")


def call(*words: object) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["gpu_study", *map(str, words)])
        gpu_study.main()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("gpu")
        patch.setenv("POSEKIT_HOME", str(folder / "home"))
        yield folder


@pytest.fixture(scope="module")
def packed(home, drawn):
    call("pack", "--data", drawn, "--out", home / "study.npz", "--megabytes", 0.4)
    return home / "study.npz"


def run(packed, out, minutes, work, *more: object) -> None:
    words = ["run", "--data", packed, "--out", out, "--minutes", minutes, "--work", work, "--device", "cpu"]
    call(*words, "--tiny", *more)


def test_packed_crops_are_those_of_the_data_set_but_for_jpeg(packed, drawn):
    study, archive = Study("full", [drawn], device="cpu"), read_archive(packed)
    assert packed.stat().st_size <= 400_000 and 20 <= archive.quality < 95
    assert archive.people.fingerprint() == study.people.fingerprint() and archive.people.name == study.people.name
    for crops, originals in zip((archive.train, *archive.validation), study.crops, strict=True):
        assert crops.people.fingerprint() == originals.people.fingerprint() and crops.rule == originals.rule
        for column in ("matrices", "joints", "present"):
            np.testing.assert_array_equal(getattr(crops, column), getattr(originals, column))
        difference = np.abs(crops.images.astype(int) - originals.images)
        assert 0 < difference.mean() < 3
        beside = ~originals.images.any(axis=(1, 3))  # columns without photograph
        assert beside.any() and not crops.images.transpose(0, 2, 1, 3)[beside].any()


def test_more_room_is_better_quality_and_what_does_not_fit_is_refused(packed, home, drawn, capsys):
    call("pack", "--data", drawn, "--out", home / "large.npz")
    assert "JPEG quality 95" in capsys.readouterr().out
    for megabytes, message in ((48, "large.npz exists"), (0.05, "do not fit into 0.05 MB")):
        with pytest.raises(SystemExit, match=message):
            call("pack", "--data", drawn, "--out", home / "large.npz", "--megabytes", megabytes)
        (home / "large.npz").unlink(missing_ok=True)


def test_a_further_validation_set_is_packed_and_its_distances_come_home(home, drawn, tmp_path):
    study = Study("full", [drawn], device="cpu")
    people, half = study.people, np.flatnonzero(study.people.validation)[1::2]
    names = people.data_set.astype(object)
    names[half] = "other"
    people = replace(people, data_set=names.astype(str))
    sets = [make_crops(one, study.size.crop, tmp_path / "cache", False) for one in people.validation_sets()]
    write_archive(tmp_path / "study.npz", people, study.crops[0], sets, megabytes=5, progress=False)
    out, work = tmp_path / "out", tmp_path / "work"
    run(tmp_path / "study.npz", out, 0, work, "--models", 5)
    run(tmp_path / "study.npz", out, 0, work, "--models", 5)
    call("collect", out / "records.zip")
    (folder,) = (home / "home" / "data" / "runs").glob("*-tiny/model-5-seed-0")
    other = pd.read_csv(folder / "distances-other.csv")
    assert other["image"].tolist() == people.image[half].tolist()
    assert len(read_run(folder).distances()) == people.validation.sum() - len(half)
    shutil.rmtree(folder.parent)


def test_a_damaged_archive_is_named(packed, tmp_path):
    cut = tmp_path / "cut.npz"
    cut.write_bytes(packed.read_bytes()[:-5000])
    with pytest.raises(PosekitError, match=r"cut\.npz is not a whole archive"):
        read_archive(cut)


def test_pieces_are_the_runs_of_one_piece(packed, home, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(posekit.study.timed_training, "PART", 50_000)
    out, work = tmp_path / "out", tmp_path / "work"

    def state() -> list[tuple[str, int, bool]]:
        with unpacked(out / "records.zip") as folders:
            runs = {subfolder.name: read_run(folder) for subfolder, folder in folders.items()}
        return [(name, len(run.history), run.finished) for name, run in runs.items()]

    run(packed, out, 0, work, "--models", 5)  # no time at all: one epoch
    assert state() == [("model-5-seed-0", 1, False)]
    assert "--minutes 0" in capsys.readouterr().out.splitlines()[-1]  # the command to go on with
    run(packed, out, 0, work, "--models", 5)
    assert state() == [("model-5-seed-0", 2, True)]
    first = (work / "records" / "model-5-seed-0" / "run.json").read_bytes()

    # Another machine knows the records alone: what is finished there stays, the rest is trained.
    bare = tmp_path / "bare"
    run(packed, tmp_path / "bare-out", 10, bare, "--models", 5, "--records", out / "records.zip")
    out = tmp_path / "bare-out"
    assert state() == [(f"model-5-seed-{seed}", 2, True) for seed in range(3)]
    assert (bare / "records" / "model-5-seed-0" / "run.json").read_bytes() == first
    assert "finished: 3 of 3 runs" in capsys.readouterr().out

    call("collect", out / "records.zip")
    archive = read_archive(packed)
    data = archive.people.name
    runs = read_runs(home / "home" / "data" / "runs" / f"{data}-tiny")
    assert [run.config.seed for run in runs] == [0, 1, 2]
    stopped = runs[0]
    assert stopped.config == gpu_study.make_config(archive, True, "model-5", 0, None)
    assert stopped.environment["crops"] == f"JPEG quality {archive.quality}"
    crops, precision = (archive.train, *archive.validation), stopped.environment["precision"]
    _, history, whole = train(stopped.config, *crops, tmp_path / "whole.pt", CPU, False, precision=precision)
    assert stopped.history.train_loss.tolist() == [row.train_loss for row in history]
    np.testing.assert_allclose(stopped.distances(), whole.distances, atol=1e-6)
    # 28 people in batches of 8 are 4 steps, whatever the number of people at hand; two epochs.
    states = read_checkpoint(work / "networks" / "model-5-seed-0" / "last.pt")["optimizer"]["state"]
    assert {float(values["step"]) for values in states.values()} == {8}

    # The best of the runs of the bare machine, in parts.
    best = max(run.history.pckh_weighted14.iloc[-1] for run in runs[1:])
    parts = sorted(out.glob("*.pt.*"))
    assert len(parts) > 1 and max(part.stat().st_size for part in parts) <= 50_000
    (tmp_path / "best.pt").write_bytes(b"".join(part.read_bytes() for part in parts))
    assert read_checkpoint(tmp_path / "best.pt")["history"][-1]["pckh_weighted14"] == pytest.approx(best)
    assert Predictor.from_checkpoint(tmp_path / "best.pt", CPU)


def test_a_run_that_fails_does_not_keep_the_others_from_theirs(packed, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(gpu_study, "plan", lambda models: [("model-5", 0, 1e30), ("model-5", 0, None)])
    run(packed, tmp_path / "out", 10, tmp_path / "work")
    said = capsys.readouterr().out
    assert "finished: 1 of 2 runs" in said and "model-5-seed-0-rate-1e+30 failed: the loss" in said
    assert read_run(tmp_path / "work" / "records" / "model-5-seed-0").finished


def test_all_runs_in_their_order_in_the_places_of_a_study(tiny_study, monkeypatch):
    monkeypatch.setitem(SIZES, "tiny", replace(TINY, learning_rates=SIZES["full"].learning_rates))
    monkeypatch.setattr(tiny_study, "size", SIZES["tiny"])
    runs = gpu_study.plan(list(REPORT_MODELS))
    assert runs[:6] == [(model, 0, None) for model in REPORT_MODELS]
    assert runs[6:18] == [(model, seed, None) for seed in (1, 2) for model in REPORT_MODELS]
    grid = [*runs[:3], *runs[18:]]
    rates = {(model, rate or tiny_study.config(model).learning_rate) for model, _, rate in grid}
    assert len(rates) == len(grid) == 3 * 8 and {rate for _, rate in rates} == set(gpu_study.GRID_RATES)
    assert {rate for _, _, rate in runs[18:21]} == {2.5e-4, 1e-3}
    for model, seed, rate in runs:
        store = RunStore(Path("records"), Path("networks"))
        config, usual = (tiny_study.config(model, seed, one) for one in (rate, None))
        assert store.subfolder(config, usual) == tiny_study._subfolder(config)
    assert gpu_study.plan(["model-4"]) == [("model-4", seed, None) for seed in range(3)]


def test_a_model_that_does_not_exist_is_named(packed, tmp_path):
    for model, message in (("9", "gpu_study: there is no model 9"), ("lean", "--models names none of model-1, ")):
        with pytest.raises(SystemExit, match=message):
            run(packed, tmp_path / "out", 0, tmp_path / "work", "--models", model)


def test_an_epoch_is_begun_if_it_ends_in_time(monkeypatch):
    now = 0.0
    monkeypatch.setattr(posekit.study.timed_training, "time", SimpleNamespace(monotonic=lambda: now))
    clock = Clock(minutes=5)
    assert clock.fits(first=True)  # nothing is measured yet
    now = 100.0
    clock.end_epoch(first=True)
    now = 130.0
    clock.end_epoch(first=False)  # 30 s, against 100 s of the first of a run
    now = 300 - 30 - RESERVE - 1
    assert clock.fits(first=False) and not clock.fits(first=True)
    now += 2
    assert not clock.fits(first=False)


def test_records_that_are_there_stay(tiny_study, tmp_path):
    finished = tiny_study.records / "model-5-seed-0"
    tiny_study.run(5)
    target = tmp_path / "target"
    unfinished = tmp_path / "unfinished"
    assert bring(finished, unfinished) is None
    (unfinished / "predictions.csv").unlink()
    text = (unfinished / "run.json").read_text()
    (unfinished / "run.json").write_text(text.replace('"finished": true', '"finished": false'))
    assert bring(unfinished, target) is None and not read_run(target).finished
    assert bring(finished, target) is None and read_run(target).finished  # the same run, and further
    for other in (unfinished, tmp_path / "other"):
        if other != unfinished:
            bring(finished, other)
            (other / "run.json").write_text(text.replace('"posekit": "', '"posekit": "9.'))
        assert bring(other, target) == "is finished and has other records"
        assert read_run(target).environment == tiny_study.run(5).environment
    assert bring(unfinished, target, force=True) is None
    assert sorted(path.name for path in target.iterdir()) == ["history.csv", "run.json"]
    (other / "run.json").write_text(text.replace('"seed": 0', '"seed": 3'))
    assert bring(other, target).startswith("has other settings (seed: 0 there, 3 asked for")
    rows = (unfinished / "history.csv").read_text().splitlines(keepends=True)
    (unfinished / "history.csv").write_text("".join(rows[:-1]))
    assert bring(unfinished, target) == "is at a later epoch"


def test_a_bundle_holds_records_and_nothing_else(tmp_path):
    with zipfile.ZipFile(tmp_path / "records.zip", "w") as opened:
        for folder in ("model-1-seed-0", "other-settings/model-1-seed-0-rate-0.001"):
            opened.writestr(f"{folder}/run.json", "{}")
            opened.writestr(f"{folder}/distances-lsp.csv", "image")
            opened.writestr(f"{folder}/conftest.py", "")
    with unpacked(tmp_path / "records.zip") as folders:
        assert [subfolder.as_posix() for subfolder in folders] == [
            "model-1-seed-0",
            "other-settings/model-1-seed-0-rate-0.001",
        ]
        files = {path.name for path in folders[next(iter(folders))].iterdir()}
        assert files == {"run.json", "distances-lsp.csv"}
    with pytest.raises(PosekitError, match=r"no file .*nothing\.zip"), unpacked(tmp_path / "nothing.zip"):
        pass

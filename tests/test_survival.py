"""A run that is killed, shared or trained twice: nothing is lost, and the message says what to do."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pandas as pd
import psutil
import pytest
import torch
from processes import CPU, train_alone, write_gradients

import posekit.study.recording
import posekit.study.study
import posekit.training.estimate
import posekit.training.loop
from posekit.analysis.report_figures import loss_figure
from posekit.errors import PosekitError
from posekit.study.runs import read_run, write_progress
from posekit.training.checkpoint import owned, read_checkpoint
from posekit.training.estimate import Estimate, estimate
from posekit.training.loop import EpochRecord
from posekit.training.step import make_network

#: How often a run is killed; a kill within a write is rare, so more of them find more.
KILLS = 4

posix = pytest.mark.skipif(sys.platform == "win32", reason="forks processes")


@pytest.fixture(scope="module")
def forks():
    """Starts processes in milliseconds: they are copies of one that has imported all that a training needs."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["posekit.training.loop", "posekit.training.distributed"])
    return context


def same(a: object, b: object) -> bool:
    """Whether two states are equal to the last bit, tensors included."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a if key != "seconds")
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


@posix
def test_a_run_killed_at_random_moments_ends_as_if_it_never_was(tiny_study, tmp_path, forks):
    config = replace(tiny_study.config(4), epochs=5)
    crops = tiny_study.crops[0]

    def start(checkpoint):
        process = forks.Process(target=train_alone, args=(config, crops, checkpoint))
        process.start()
        return process

    start(tmp_path / "warm" / "last.pt").join()  # the server that forks imports first
    started = time.monotonic()
    start(tmp_path / "whole" / "last.pt").join()
    whole = read_checkpoint(tmp_path / "whole" / "last.pt")
    duration = time.monotonic() - started
    assert len(whole["history"]) == 5

    chance, kills, runs = random.Random(0), 0, 0
    while kills < KILLS:
        checkpoint, runs = tmp_path / f"killed-{runs}" / "last.pt", runs + 1
        while True:
            process = start(checkpoint)
            process.join(chance.uniform(0, duration))
            if process.exitcode is None and kills < KILLS:
                process.kill()
                kills += 1
                process.join()
            else:
                process.join()
                assert process.exitcode == 0
                break
        assert same(read_checkpoint(checkpoint), whole)


def test_of_two_processes_on_one_run_the_second_is_refused(tiny_study, tmp_path):
    tiny_study.run(6)
    record = tiny_study.records / "model-6-seed-0" / "history.csv"
    before = record.read_text()
    with owned(tiny_study._checkpoint(tiny_study.config(6))):  # as the process that is training it does
        with pytest.raises(PosekitError, match=r"another process is training this run .*model-6-seed-0"):
            tiny_study.run(6, force=True)
        with pytest.raises(PosekitError, match="another process"):
            tiny_study.run_all([6], force=True)
        assert tiny_study.run(6).finished  # reading what is there disturbs nobody
    assert record.read_text() == before
    assert tiny_study.run(6, force=True).finished


def test_force_forgets_nothing_while_one_of_the_runs_is_being_trained(tiny_study):
    tiny_study.run_all([5, 6])
    record = tiny_study.records / "model-5-seed-0" / "history.csv"
    with owned(tiny_study._checkpoint(tiny_study.config(6))), pytest.raises(PosekitError, match="another process"):
        tiny_study.run_all([5, 6], force=True)
    assert record.exists() and tiny_study.run(5).finished


def test_owning_a_run_does_not_rename_other_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match="photograph"), owned(tmp_path / "last.pt"):
        raise FileNotFoundError("photograph")
    with owned(tmp_path / "last.pt"):  # and lets go of it
        pass


def test_a_run_that_has_just_begun_is_plotted(tiny_study):
    fresh = replace(tiny_study.config(3), seed=9)
    folder = tiny_study.records / "model-3-seed-9"
    history = [EpochRecord(1, 0.02, 0.03, 5.0, 4.0, 1e-3, 1.0)]
    write_progress(folder, fresh, tiny_study.floors(fresh), {}, history)
    going = [run for run in tiny_study.runs(unfinished=True) if run.config.seed == 9]
    assert [run.label for run in going] == ["Model 3: original, Adam, seed 9 (epoch 1 of 3)"]
    assert all(run.config.seed != 9 for run in tiny_study.runs())
    axis = loss_figure(going, "one").axes[1]  # our training losses, beside the report's
    floor = tiny_study.floors(fresh)["zero_heatmap_train"]
    points = [line.get_ydata().tolist() for line in axis.lines if len(line.get_ydata()) == 1]
    assert points == [pytest.approx([100 * (1 - 0.02 / floor)])]  # percent below it, of the only epoch
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


@posix
def test_trainings_end_with_the_study_that_is_killed(few_people, tmp_path):
    program = (
        "import sys, posekit.study.study as module\n"
        "from dataclasses import replace\n"
        "module.cpu_cores = lambda: 2\n"
        "study = module.Study('quick', [module.Path(sys.argv[1])], device='cpu', progress=False)\n"
        "configs = [study.config(n, learning_rate=0.002) for n in (5, 6)]\n"
        "study.record_all([replace(config, epochs=1000) for config in configs])"
    )
    environment = {**os.environ, "POSEKIT_HOME": str(tmp_path)}
    study = psutil.Popen([sys.executable, "-c", program, str(few_people)], env=environment)
    folder = tmp_path / "data" / "checkpoints" / "mpii-24-quick" / "other-settings"
    checkpoints = [folder / f"model-{n}-seed-0-rate-0.002" / "last.pt" for n in (5, 6)]
    while not all(path.exists() for path in checkpoints):
        assert study.poll() is None
        time.sleep(0.05)
    trainings = study.children(recursive=True)
    study.kill()
    study.wait()
    _, alive = psutil.wait_procs(trainings, timeout=600)
    assert len(trainings) >= 2 and not alive, "a training outlived its study"
    for path in checkpoints:
        with owned(path):  # nobody trains it any more
            pass


def test_expected_time_and_memory(tiny_study, monkeypatch):
    monkeypatch.setattr(posekit.training.estimate, "MEASURED_SECONDS", 0)
    config, crops = tiny_study.config(2), tiny_study.crops[0]
    small, large = (
        estimate(replace(config, batch_size=size), crops, CPU, progress=False).gigabytes for size in (4, 8)
    )
    weights = 4 * sum(value.nbytes for value in make_network(config, CPU).state_dict().values()) / 1e9
    # What is kept for gradients grows with the batch, weights do not.
    assert large - weights == pytest.approx(2 * (small - weights), rel=0.05)
    assert Estimate(100.0, 0.25).describe(runs=6, jobs=2) == (
        "6 runs, 2 at a time: about 5 minutes, with 0.5 GB of memory"
    )
    assert Estimate(3600.0, 4.0).describe(runs=2, jobs=1) == "2 runs: about 2.0 hours, with 4 GB of memory"
    tiny_study.run(5)
    assert tiny_study.expected([5]) == ""
    assert tiny_study.expected([5], force=True).startswith("one run: a minute or two, with 0.00")


def test_another_rate_is_another_run_beside_the_studys_own(tiny_study):
    usual = tiny_study.run(5)
    faster = tiny_study.record(tiny_study.config(5, learning_rate=2e-3))
    larger = tiny_study.record(tiny_study.config(5, batch_size=16))
    assert [run.config.learning_rate for run in (usual, faster, larger)] == [1e-3, 2e-3, 1e-3]
    assert {run.config.batch_size for run in tiny_study.runs_with_other_settings()} == {8, 16}
    assert len({tuple(run.history.train_loss) for run in (usual, faster, larger)}) == 3
    assert {(run.config.learning_rate, run.config.batch_size) for run in tiny_study.runs()} == {(1e-3, 8)}
    with pytest.raises(PosekitError, match="the learning rate must be positive and finite, not -1"):
        tiny_study.config(5, learning_rate=-1)


@posix
def test_two_processes_take_the_step_of_one(tiny_study, tmp_path, forks):
    # 7 people for two processes: one gets 4, the other 3.
    config = replace(tiny_study.config(1), batch_size=7)
    arguments = (config, tiny_study.crops[0], tmp_path)
    for count in (1, 2):
        processes = [forks.Process(target=write_gradients, args=(n, count, *arguments)) for n in range(count)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
            assert process.exitcode == 0
    alone, first, second = (torch.load(tmp_path / f"{name}.pt") for name in ("0-of-1", "0-of-2", "1-of-2"))
    assert alone.keys() == first.keys() == second.keys() and len(alone) > 100
    assert max(float(g.abs().max()) for g in alone.values()) > 1e-4
    for name, gradient in alone.items():
        torch.testing.assert_close(first[name], gradient, atol=1e-6, rtol=0)
        assert torch.equal(first[name], second[name])


@posix
def test_torchrun_trains_one_run_whose_records_appear_once(few_people, tmp_path):
    environment = {**os.environ, "POSEKIT_HOME": str(tmp_path), "POSEKIT_MPII": str(few_people)}
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"]
    command += ["-m", "posekit", "train", "--model", "6", "--device", "cpu"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Model 6: reduced, Adam") == 1
    folder = tmp_path / "data" / "runs" / "mpii-24-quick" / "model-6-seed-0"
    assert sorted(path.name for path in folder.iterdir()) == ["history.csv", "predictions.csv", "run.json"]
    run = read_run(folder)
    assert run.finished and len(run.history) == 5 and run.environment["processes"] == "2"
    assert pd.notna(run.history.train_loss).all()
    # What stops the leader is said once, and the others do not wait for it.
    with owned(tmp_path / "data" / "checkpoints" / "mpii-24-quick" / "model-6-seed-0" / "last.pt"):
        refused = subprocess.run(
            [*command, "--force"], env=environment, capture_output=True, text=True, timeout=600
        )
    assert refused.returncode != 0 and refused.stderr.count("another process is training this run") == 1
    assert "broadcast_object_list" not in refused.stderr


def test_a_batch_larger_than_the_data_is_refused(tiny_study):
    with pytest.raises(PosekitError, match="a batch of 4000 is larger than the data, 48 people"):
        tiny_study.record(tiny_study.config(5, batch_size=4000))


def test_records_of_a_run_that_changed_machines_name_both(tiny_study, monkeypatch):
    config = replace(tiny_study.config(2), seed=5)

    def stop(*arguments):
        write_progress(*arguments)
        raise KeyboardInterrupt

    before = posekit.study.recording.environment
    with monkeypatch.context() as elsewhere, pytest.raises(KeyboardInterrupt):
        elsewhere.setattr(posekit.study.recording, "write_progress", stop)
        elsewhere.setattr(posekit.study.recording, "environment", lambda *how: before(*how) | {"device": "abacus"})
        tiny_study.record(config)
    made_by = tiny_study.record(config).environment
    assert made_by["device"] == "cpu" and made_by["earlier"] == "up to epoch 1: device abacus"
    assert "earlier" not in tiny_study.run(5).environment


def test_more_processes_than_people_in_a_batch_are_refused(tiny_study, tmp_path, monkeypatch):
    monkeypatch.setattr(posekit.training.loop, "process", lambda: (0, 9))
    with pytest.raises(PosekitError, match="a batch of 8 people cannot be shared by 9 processes"):
        posekit.training.loop.train(tiny_study.config(5), *tiny_study.crops, tmp_path / "last.pt", CPU)


#: `posekit train` that sends itself a signal once an epoch is recorded; its arguments begin with both numbers.
STOPPED = """
import os, signal, sys
import posekit.study.recording as recording
from posekit.cli.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background, processes begin without it
epoch, how = int(sys.argv.pop(1)), int(sys.argv.pop(1))
written = recording.write_progress
def write_progress(*record):
    written(*record)
    if len(record[-1]) == epoch:
        os.kill(os.getpid(), how)
recording.write_progress = write_progress
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")
def test_a_stopped_command_goes_on_where_it_was(few_people, tmp_path):
    """It is stopped in two ways, each once a further epoch is recorded, and then comes to its end."""
    environment = {**os.environ, "POSEKIT_HOME": str(tmp_path), "POSEKIT_MPII": str(few_people)}
    options = ["train", "--model", "5", "--device", "cpu"]
    history = tmp_path / "data" / "runs" / "mpii-24-quick" / "model-5-seed-0" / "history.csv"
    recorded = ""
    for epoch, how in ((1, signal.SIGINT), (2, signal.SIGTERM), (5, 0)):  # signal 0 is none
        command = [sys.executable, "-c", STOPPED, str(epoch), str(int(how)), *options]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == (130 if how else 0), done.stderr
        assert ("the same command goes on from there" in done.stderr) == bool(how)
        assert "Traceback" not in done.stderr
        assert history.read_text().startswith(recorded)  # it has stayed
        recorded = history.read_text()
        assert len(recorded.splitlines()) == 1 + epoch

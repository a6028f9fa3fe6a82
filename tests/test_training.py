"""Training: the loss by hand, determinism, resuming, what is recorded, and what is refused."""

import os
import pickle
import time
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from tables import TINY, make_people

import posekit.study.study
from posekit.errors import PosekitError
from posekit.evaluation.pckh import pckh
from posekit.inference.predictor import Predictor
from posekit.paths import checkpoint_path
from posekit.preprocessing.batches import Crops
from posekit.study.configurations import REPORT_MODELS, SIZES, get_model, get_size, run_config
from posekit.study.parallel import run_together
from posekit.study.runs import read_run
from posekit.study.study import Study
from posekit.training.checkpoint import read_checkpoint
from posekit.training.loop import make_scheduler, train
from posekit.training.losses import squared_error
from posekit.training.step import make_network, make_optimizer

CPU = torch.device("cpu")


def weights(network: torch.nn.Module) -> list[torch.Tensor]:
    return [value.clone() for value in network.state_dict().values()]


def test_loss_by_hand():
    # Two stacks, one person, 16 joints of 2 x 2 cells. Stack 1 is off by 2 in one cell, stack 2 by 1 in two.
    target = torch.zeros(1, 16, 2, 2)
    first, second = target.clone(), target.clone()
    first[0, 3, 0, 1] = 2.0
    second[0, 5, 1, 1] = second[0, 6, 0, 0] = 1.0
    assert squared_error([first, second], target).item() == pytest.approx((4 + 2) / (16 * 4))


def dots(count: int) -> Crops:
    """People who are a red dot each, on black, where their only joint is."""
    joints = np.full((count, 16, 2), np.nan)
    joints[:, 3] = np.random.default_rng(0).integers(2, 30, (count, 2))
    images = np.zeros((count, 32, 32, 3), np.uint8)
    for image, (x, y) in zip(images, joints[:, 3].astype(int), strict=True):
        image[y - 1 : y + 2, x - 1 : x + 2, 0] = 255
    size = np.full((count, 2), 32)
    people = make_people(count, joints=joints, center=size / 2, image_size=size, head_size=np.full(count, 4.0))
    matrices = np.tile(np.eye(2, 3), (count, 1, 1))
    return Crops(people, TINY.crop, images, matrices, joints.astype(np.float32), ~np.isnan(joints[..., 0]))


def test_training_teaches_a_network_to_look_at_the_image(tmp_path):
    """Dots lie anywhere, so a network that ignores the image finds few. Every machine learns it fast."""
    crops = dots(256)
    config = run_config(get_model("model-5"), TINY, 0, "dots", "0" * 16, learning_rate=4e-3)
    _, history, evaluation = train(replace(config, epochs=2), crops, crops, tmp_path / "last.pt", CPU, False)
    assert history[-1].train_loss < history[0].train_loss
    middle = np.linalg.norm(crops.joints[:, 3] - crops.joints[:, 3].mean(axis=0), axis=1) / 4
    found_in_the_middle = (middle < 1).mean()  # a head is 4 px here, one cell of the heatmaps
    assert (evaluation.distances[:, 3] < 1).mean() > 2 * found_in_the_middle > 0


def test_the_six_models_are_those_of_the_report():
    known = {n: (m.stem, m.optimizer, m.schedule) for n, m in REPORT_MODELS.items()}
    assert known == {
        "model-1": ("original", "RMSprop", "constant"),
        "model-2": ("original", "RAdam", "constant"),
        "model-3": ("original", "Adam", "constant"),
        "model-4": ("original", "Adam", "step"),
        "model-5": ("reduced", "RMSprop", "constant"),
        "model-6": ("reduced", "Adam", "constant"),
    }
    assert all(m.loss == "squared error" and m.network is None for m in REPORT_MODELS.values())


def test_the_full_size_is_the_report():
    full = SIZES["full"]
    network = full.network
    assert (network.channels, network.stacks, network.modules, network.reductions) == (256, 2, 2, 4)
    assert (full.crop.size, full.batch_size, full.epochs) == (256, 16, 5)
    assert full.learning_rates["RMSprop"] == 2.5e-4 and full.codec.kind == "report"


def test_scheduler_divides_the_rate_by_ten_after_the_third_epoch(tiny_study):
    rates = []
    for model in (3, 4):
        config = tiny_study.config(model)
        optimizer = make_optimizer(config, make_network(config, CPU))
        scheduler = make_scheduler(config, optimizer, epoch_steps=1)
        for _ in range(5):
            rates.append(scheduler.get_last_lr()[0])
            optimizer.step()
            scheduler.step()
    np.testing.assert_allclose(rates, [1e-3] * 8 + [1e-4] * 2)


def test_an_annealed_rate_falls_along_a_cosine(tiny_study):
    config = replace(tiny_study.config(3), schedule="cosine")
    optimizer = make_optimizer(config, make_network(config, CPU))
    scheduler = make_scheduler(config, optimizer, epoch_steps=1)
    rates = []
    for _ in range(3):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    np.testing.assert_allclose(rates, [1e-3, 0.75e-3, 0.25e-3])  # (1 + cos(0, 60, 120 degrees)) / 2


def test_same_seed_same_numbers_and_another_seed_others(tiny_study, tmp_path):
    outcomes = []
    for number, seed in enumerate((0, 0, 1)):
        config = tiny_study.config(5, seed)
        outcomes.append(train(config, *tiny_study.crops, tmp_path / f"{number}.pt", CPU, progress=False))
    first, second, other = ([row.train_loss for row in history] for _, history, _ in outcomes)
    assert first == second and first != other
    assert all(torch.equal(a, b) for a, b in zip(weights(outcomes[0][0]), weights(outcomes[1][0]), strict=True))


def test_models_3_and_4_are_the_same_until_the_scheduler_acts(tiny_study, tmp_path):
    losses = []
    for model in (3, 4):
        config = replace(tiny_study.config(model), epochs=5)
        _, history, _ = train(config, *tiny_study.crops, tmp_path / f"{model}.pt", CPU, progress=False)
        losses.append([row.train_loss for row in history])
    assert losses[0][:3] == losses[1][:3]
    assert losses[0][3:] != losses[1][3:]


class Stop(Exception):
    pass


@pytest.mark.parametrize(("after", "people"), [(1, None), (2, 61)])
def test_a_stopped_run_goes_on_to_the_same_end(tiny_study, tmp_path, after, people):
    config = replace(tiny_study.config(4), epoch_people=people)
    whole, history, evaluation = train(config, *tiny_study.crops, tmp_path / "whole.pt", CPU, progress=False)

    def stop(history):
        if len(history) == after:
            raise Stop

    checkpoint = tmp_path / "stopped.pt"
    with pytest.raises(Stop):
        train(config, *tiny_study.crops, checkpoint, CPU, progress=False, on_epoch=stop)
    resumed, again, same = train(config, *tiny_study.crops, checkpoint, CPU, progress=False)
    assert [row.train_loss for row in again] == [row.train_loss for row in history]
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(resumed), strict=True))
    np.testing.assert_array_equal(evaluation.joints, same.joints)


def test_records_hold_what_was_measured(tiny_study):
    run = tiny_study.run(5)
    config = tiny_study.config(5)
    assert run.finished and run.config == config and len(run.history) == config.epochs
    score = pckh(run.distances())
    assert score.weighted14 == pytest.approx(run.history.pckh_weighted14.iloc[-1], abs=1e-9)
    people = tiny_study.crops[1].people
    assert run.images().tolist() == people.image.tolist()
    # Distances from the recorded joints themselves, to the hundredths of a pixel that are recorded.
    distance = np.linalg.norm(run.joints() - people.joints, axis=2) / people.head_size[:, None]
    np.testing.assert_allclose(run.distances(), distance, atol=1e-3)


def test_finished_runs_are_not_trained_again(tiny_study):
    tiny_study.run(5)
    folder = tiny_study.records / "model-5-seed-0"
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    tiny_study.run(5)
    assert before == {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_a_missing_or_half_trained_network_is_trained_without_touching_finished_records(tiny_study):
    expected = weights(Predictor.from_checkpoint(tiny_study.network(6), CPU).network)
    record = tiny_study.records / "model-6-seed-0" / "run.json"
    before = record.stat().st_mtime_ns
    path = checkpoint_path(tiny_study.name, "model-6", 0)
    path.unlink()

    def stop(history):
        raise Stop

    with pytest.raises(Stop):
        train(tiny_study.config(6), *tiny_study.crops, path, CPU, progress=False, on_epoch=stop)
    assert len(read_checkpoint(path)["history"]) == 1
    again = weights(Predictor.from_checkpoint(tiny_study.network(6), CPU).network)
    assert all(torch.equal(a, b) for a, b in zip(expected, again, strict=True))
    assert record.stat().st_mtime_ns == before


def test_force_trains_anew_but_not_before_the_request_is_sound(tiny_study):
    tiny_study.run(5)
    record = tiny_study.records / "model-5-seed-0" / "history.csv"
    before = record.read_text(), record.stat().st_mtime_ns
    with pytest.raises(PosekitError, match="not available"):
        Study("tiny", tiny_study.data, device="abacus").run(5, force=True)
    assert (record.read_text(), record.stat().st_mtime_ns) == before
    assert tiny_study.run(5, force=True).finished and record.stat().st_mtime_ns > before[1]


def test_trainings_side_by_side_are_of_the_same_study(tiny_study, monkeypatch):
    """Other processes must train this study's data and size, not the ones of the person's environment."""
    asked = []
    monkeypatch.setattr(
        posekit.study.study, "run_together", lambda *arguments, **rest: asked.append((arguments, rest))
    )
    monkeypatch.setattr(posekit.study.study, "cpu_cores", lambda: 4)
    monkeypatch.setattr(tiny_study, "size", replace(tiny_study.size, cpu_threads=1))
    monkeypatch.setenv("POSEKIT_MPII", "/elsewhere")
    configs = [replace(tiny_study.config(model), seed=0) for model in (1, 2)]
    tiny_study._train_together(configs)
    ((tasks, jobs), rest) = asked[0]
    assert jobs == 2 and rest["images"] == 2 * 3 * 48
    trained = []
    monkeypatch.setattr(Study, "ensure_network", lambda study, config: trained.append((study, config)))
    for task in tasks:
        pickle.loads(pickle.dumps(task))()  # as another process gets it
    assert [config for _, config in trained] == configs
    assert {(study.name, study.data, study.precision) for study, _ in trained} == {
        (tiny_study.name, tiny_study.data, tiny_study.precision)
    }


@pytest.mark.parametrize(
    "task, cause",
    [
        (partial(get_model, "77"), "there is no model 77"),
        (partial(os._exit, 3), "ended from outside, most likely for want of memory"),
    ],
)
def test_a_training_that_fails_beside_others_says_why_and_ends_them(task, cause):
    endless = partial(time.sleep, 10_000)
    with pytest.raises(PosekitError, match=cause):
        run_together([endless, task], 2, lambda: (0, ""), 5, progress=False)


def test_records_of_other_settings_are_not_overwritten(tiny_study, monkeypatch):
    tiny_study.run(5)
    changed = replace(tiny_study.size, learning_rates={**tiny_study.size.learning_rates, "RMSprop": 5e-4})
    monkeypatch.setattr(tiny_study, "size", changed)
    with pytest.raises(PosekitError, match=r"learning_rate: 0.001 there, 0.0005 asked for.*--force"):
        tiny_study.run(5)


def test_nan_names_epoch_batch_and_cause(tiny_study, tmp_path):
    config = replace(tiny_study.config(5), learning_rate=1e30)
    with pytest.raises(PosekitError, match=r"epoch 1, batch \d+; most likely RMSprop's learning rate of 1e\+30"):
        train(config, *tiny_study.crops, tmp_path / "last.pt", CPU, progress=False)


def test_broken_records_are_named(tiny_study, tmp_path):
    with pytest.raises(PosekitError, match=r"no record .*run\.json"):
        read_run(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(PosekitError, match=r"run\.json cannot be read"):
        read_run(tmp_path)


@pytest.mark.parametrize("ask", [lambda: get_model(8), lambda: get_size("huge"), lambda: Study("huge")])
def test_unknown_models_and_sizes_are_refused(ask):
    with pytest.raises(PosekitError, match="there is no"):
        ask()

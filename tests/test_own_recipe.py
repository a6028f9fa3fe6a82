"""The steps of the recipe of posekit.pt, against the records of its trainings and the card's numbers."""

import re

import numpy as np
import pytest
from conftest import CHECKOUT

from posekit.analysis.own_recipe import DATA, PARTS, PRETRAINING, STARTS, pretraining, recipe_steps
from posekit.analysis.results import Results


def test_each_part_has_the_joints_and_hours_of_its_records():
    steps = recipe_steps().set_index("step")
    for name, size in PARTS.items():
        (run,) = (run for run in Results.read(f"{DATA}-{size}").runs if run.config.seed == 0)
        row = steps.loc[name]
        assert float(row["MPII, PCKh@0.5, %"]) == pytest.approx(run.history["pckh_weighted14"].iloc[-1], abs=0.05)
        distances = run.distances("lsp")
        known = distances[~np.isnan(distances)]
        assert float(row["LSP, PCK@0.2, %"]) == pytest.approx(100 * (known <= 0.2).mean(), abs=0.05)
        assert float(row["hours"]) == pytest.approx(run.history["seconds"].sum() / 3600, abs=0.05)
        assert int(row["epochs"]) == len(run.history)


def test_the_last_steps_are_the_card_s_numbers_and_gains_add_up():
    steps = recipe_steps()
    found = steps["MPII, PCKh@0.5, %"].astype(float).tolist()
    card = (CHECKOUT / "posekit" / "networks" / "README.md").read_text()
    shown = [
        re.search(rf"{title}.*?\| \**([\d.]+) %", card)[1]
        for title in ("without flip test", "weighted14, flip test")
    ]
    assert found[-2:] == [float(number) for number in shown]
    gains = [float(text.split()[0]) for text in steps["MPII, points more (95 %)"] if text]
    assert np.diff(found) == pytest.approx(gains, abs=0.11)


def test_two_starts_differ_in_the_weights_and_how_gently_they_are_changed():
    runs = {run.config.model: run for run in Results.read(PRETRAINING).runs}
    scratch, pretrained = (runs[model] for model in STARTS.values())
    assert (scratch.config.start, scratch.config.network) == ("", pretrained.config.network)
    asked = ("data_fingerprint", "crop", "codec", "loss", "epochs", "batch_size", "seed", "augmentation")
    for name in (*asked, "learning_rate", "optimizer", "schedule"):
        assert getattr(scratch.config, name) == getattr(pretrained.config, name), name
    assert (scratch.config.encoder_rate, scratch.config.frozen) == (None, ())  # all of it learns at one rate
    assert pretrained.config.encoder_rate < pretrained.config.learning_rate and pretrained.config.frozen
    table = pretraining().set_index("step")
    found = table["MPII, PCKh@0.5, %"].astype(float)
    for step, run in (("random weights", scratch), ("weights of ImageNet", pretrained)):
        assert found[step] == pytest.approx(run.history["pckh_weighted14"].iloc[-1], abs=0.05)
    gain = float(table.loc["weights of ImageNet", "MPII, points more (95 %)"].split()[0])
    assert gain == pytest.approx(found["weights of ImageNet"] - found["random weights"], abs=0.11)


def test_a_seed_that_is_not_trained_has_no_steps():
    assert recipe_steps(seed=99).empty

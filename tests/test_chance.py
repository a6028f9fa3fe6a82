"""What is said of chance and of settings, on runs with chosen accuracies."""

import shutil

import numpy as np
import pandas as pd
import pytest
from conftest import CHECKOUT
from made_runs import PEOPLE, make_run

from posekit.analysis.chance import chance_table, pair_table, same_state_table
from posekit.analysis.results import PUBLISHED, Results
from posekit.analysis.settings import setting_of, train_people
from posekit.analysis.yardsticks import yardsticks
from posekit.errors import PosekitError
from posekit.evaluation.intervals import compare, interval
from posekit.evaluation.pckh import pckh
from posekit.skeleton import INDEX
from posekit.study.runs import read_run


def results_of(runs) -> Results:
    return Results("made", runs, [], {}, "made")


def test_a_yardstick_has_its_own_people_and_its_own_distance():
    """A distance of 0.4 is within half a head size, and not within 0.2 of the torso."""
    run = make_run(1, 0.5, lsp=0.5)
    mpii, lsp = yardsticks([run])
    assert (lsp.title, lsp.metric, lsp.people(run)) == ("LSP", "PCK@0.2", PEOPLE)
    assert mpii.score(run) == pytest.approx(pckh(run.distances()).weighted14)
    assert lsp.score(run) == pytest.approx(pckh(run.distances("lsp"), 0.2).weighted14)
    assert len(yardsticks([run, make_run(2, 0.5)])) == 1, "a set counts where all runs were asked about it"


def test_chance_of_people_and_of_seeds():
    runs = [make_run(1, a, s) for s, a in enumerate((0.5, 0.6))] + [make_run(5, 0.5, s) for s in (0, 1)]
    (row,) = chance_table(results_of(runs)).to_dict("records")
    sides = [np.stack([run.distances() for run in part]) for part in (runs[:2], runs[2:])]
    found = [interval(side) for side in sides]
    assert row["other people: ± points"] == pytest.approx(np.mean([(f.high - f.low) / 2 for f in found]))
    values = [[pckh(d).weighted14 for d in side] for side in sides]
    pooled = np.sqrt(np.mean([np.var(v, ddof=1) for v in values]))
    assert row["other seeds: standard deviation, points"] == pytest.approx(pooled)
    assert row["degrees of freedom"] == 2
    one_seed = chance_table(results_of([make_run(1, 0.5)])).iloc[0]
    assert np.isnan(one_seed["other seeds: standard deviation, points"])


def test_models_of_the_same_state_are_compared_seed_by_seed():
    runs = [make_run(3, 0.6, s) for s in (0, 1, 2)] + [make_run(4, 0.5, s) for s in (1, 2)]
    table = same_state_table(results_of(runs)).set_index("")
    assert list(table.index) == ["seed 1", "seed 2", "mean"]
    for row, seed in (("seed 1", 1), ("seed 2", 2)):
        a, b = (pckh(runs[place].distances()).weighted14 for place in (2 + seed, seed))
        assert table.loc[row, "made: difference, points"] == f"{a - b:+.1f}"
    both = [np.stack([runs[i].distances() for i in part]) for part in ((3, 4), (1, 2))]
    found = compare(*both, same_seeds=True)
    assert table.loc["mean", "made: difference, points"].startswith(
        f"{found.difference:+.1f} ({found.seeds_low:+.1f}"
    )
    assert same_state_table(results_of(runs[:3])).empty
    assert same_state_table(results_of([runs[0], runs[3]])).empty, "no seed in common"


def test_a_pair_has_both_kinds_of_interval():
    runs = [make_run(m, a, s) for m, a in ((1, 0.5), (5, 0.6)) for s in (0, 1)]
    (row,) = pair_table(results_of(runs), [("model-5", "model-1"), ("model-6", "model-3")]).to_dict("records")
    assert row["difference"] == "Model 5 minus Model 1" and row["seeds"] == "2 and 2"
    sides = [np.stack([run.distances() for run in part]) for part in (runs[2:], runs[:2])]
    found = compare(*sides)
    assert row["points (over people)"] == f"{found.difference:+.1f} ({found.low:+.1f} to {found.high:+.1f})"


def test_a_setting_says_data_size_recipe_seeds_and_people():
    said = setting_of([make_run(1, 0.5, 0, 2.5e-4), make_run(1, 0.5, 1, 2.5e-4), make_run(3, 0.5)])
    assert said == (
        "Trained on made; size quick: 80 px, 48 channels, 5 epochs in batches of 8, RMSprop at 0.00025, Adam at "
        "0.001, no augmentation; 1 to 2 seeds per model; tested on 200 of made by PCKh@0.5."
    )


def test_the_published_setting_has_the_people_of_its_data_sets():
    """12,918: 2,203 people of MPII, 9,844 of LSP Extended and 2,000 of LSP, less 129 and 1,000 of validation."""
    runs = Results.read(PUBLISHED).runs
    assert train_people(runs[0]) == 12_918
    assert "12,918 people" in setting_of(runs)
    assert "tested on 129 of MPII by PCKh@0.5 and 1,000 of LSP by PCK@0.2" in setting_of(runs)


def test_distances_of_a_further_set_are_read_and_checked(tmp_path):
    source = CHECKOUT / "data" / "runs" / PUBLISHED / "model-1-seed-0"
    folder = tmp_path / "model-1-seed-0"
    shutil.copytree(source, folder)
    distances = read_run(folder).distances("lsp")
    table = pd.read_csv(source / "distances-lsp.csv")
    assert distances.shape == (1000, 16)
    np.testing.assert_array_equal(distances[:, INDEX["left wrist"]], table["left wrist"])
    assert np.isnan(distances[:, INDEX["pelvis"]]).all()
    for column, value in (("left wrist", -1.0), ("third elbow", 0.1)):
        table.assign(**{column: value}).to_csv(folder / "distances-lsp.csv", index=False)
        with pytest.raises(PosekitError, match=r"distances-lsp\.csv cannot be read"):
            read_run(folder)


def test_the_runs_of_a_home_beat_those_that_come_with_the_repository(tmp_path, monkeypatch):
    source = CHECKOUT / "data" / "runs" / PUBLISHED / "model-1-seed-0"
    shutil.copytree(source, tmp_path / "data" / "runs" / PUBLISHED / "model-1-seed-0")
    assert len(Results.read(PUBLISHED).runs) > 1
    monkeypatch.setenv("POSEKIT_HOME", str(tmp_path))
    assert [run.config.model for run in Results.read(PUBLISHED).runs] == ["model-1"]

"""The comparison of optimizers over learning rates, on runs with chosen accuracies."""

import numpy as np
import pytest
from made_runs import make_run

import posekit.analysis.optimizers
from posekit.analysis.optimizers import (
    at_best_rates,
    at_equal_rates,
    at_report_rates,
    best_rates,
    duel_table,
    grid_table,
    make_grid,
)
from posekit.cli.study import grid as grid_command
from posekit.errors import PosekitError
from posekit.evaluation.intervals import compare, seed_chance
from posekit.evaluation.pckh import pckh
from posekit.study import configurations
from posekit.study.models import Model
from posekit.study.seeds import by_configuration


def test_seeds_of_a_configuration_are_together_and_rates_apart():
    runs = [make_run(1, 0.5, seed=1), make_run(5, 0.5), make_run(1, 0.6, seed=0)]
    others = [make_run(1, 0.4, rate=2.5e-4), make_run(3, 0.4, rate=2.5e-4), make_run(1, 0.9, batch=64)]
    assert [seeds.numbers for seeds in by_configuration(runs)] == [(0, 1), (0,)]
    grid = make_grid(runs, others)
    assert {key: seeds.numbers for key, seeds in grid.items()} == {
        ("RMSprop", 2.5e-4): (0,),
        ("RMSprop", 1e-3): (0, 1),
        ("Adam", 2.5e-4): (0,),
    }
    np.testing.assert_array_equal(grid["RMSprop", 1e-3].of(0), runs[2].distances())


def test_the_table_shows_what_the_seeds_reached():
    runs = [make_run(1, 0.5, seed=0), make_run(1, 0.6, seed=1)]
    (row,) = grid_table(make_grid(runs, [])).to_dict("records")
    reached = [pckh(run.distances()).weighted14 for run in runs]
    assert (row["lowest seed"], row["highest seed"], row["seeds"]) == pytest.approx((*reached, 2))
    assert row["PCKh"] == pytest.approx(np.mean(reached))
    assert row["low"] < row["PCKh"] < row["high"]


def test_the_best_rate_of_a_seed_is_picked_by_the_others():
    """Seed 0 is lucky at 1e-3, seed 1 at 2e-3: each reports what it reached at the other one's rate."""
    grid = make_grid(
        [make_run(1, 0.8, seed=0), make_run(1, 0.5, seed=1)],
        [make_run(1, 0.6, seed=0, rate=2e-3), make_run(1, 0.7, seed=1, rate=2e-3)],
    )
    assert best_rates(grid, "RMSprop") == {0: 2e-3, 1: 1e-3}
    alone = make_grid([make_run(1, 0.8)], [make_run(1, 0.6, rate=2e-3)])
    assert best_rates(alone, "RMSprop") == {0: 1e-3}
    assert best_rates(alone, "Adam") == {}


def test_settings_compare_the_rates_they_say():
    runs = [make_run(1, 0.7, seed=s) for s in (0, 1)] + [make_run(3, 0.6, seed=s) for s in (0, 1)]
    slow = [make_run(1, 0.5, seed=s, rate=2.5e-4) for s in (0, 1)]
    others = [make_run(3, 0.3, seed=s, rate=2.5e-4) for s in (0, 1)]
    grid = make_grid(runs, slow + others)
    (faithful,) = at_report_rates(grid)
    assert (faithful.first, faithful.second, faithful.seeds) == ("RMSprop 0.00025", "Adam 0.001", (2, 2))
    slow_distances = np.stack([run.distances() for run in slow])
    adam = np.stack([run.distances() for run in runs[2:]])
    pairs = [runs[:2], runs[2:], slow, others]
    chance = seed_chance([np.stack([run.distances() for run in pair]) for pair in pairs])
    assert chance.degrees == 4
    assert faithful.comparison == compare(slow_distances, adam, chance=chance)
    assert [(duel.first, duel.second) for duel in at_equal_rates(grid)] == [
        ("RMSprop 0.00025", "Adam 0.00025"),
        ("RMSprop 0.001", "Adam 0.001"),
    ]
    (best,) = at_best_rates(grid)
    assert (best.first, best.second) == ("RMSprop 0.001", "Adam 0.001")
    fast = np.stack([run.distances() for run in runs[:2]])
    assert best.comparison == compare(fast, adam, chance=chance)


def test_holms_correction_is_over_the_comparisons_of_a_setting():
    runs = [make_run(m, a, seed=s) for m, a in ((1, 0.506), (2, 0.503), (3, 0.5)) for s in (0, 1)]
    grid = make_grid(runs, [])
    duels = at_equal_rates(grid)
    p = sorted(duel.comparison.seeds_p for duel in duels)
    assert p[0] > 0.001
    table = duel_table(duels)
    assert sorted(table["p (Holm)"]) == pytest.approx([min(2 * p[0], 1), min(max(2 * p[0], p[1]), 1)])
    assert list(table["seeds"]) == ["2 : 2", "2 : 2"]


def test_the_command_trains_the_grid_and_prints_it(tiny_study, drawn, monkeypatch, capsys):
    monkeypatch.setattr(posekit.analysis.optimizers, "GRID_RATES", (1e-3, 2e-3))
    grid_command("tiny", data=[drawn], mpii=None, lspet=None, seeds=2, device="cpu")
    assert {
        (r.config.model, r.config.seed, r.config.learning_rate) for r in tiny_study.runs_with_other_settings()
    } >= {(f"model-{number}", seed, 2e-3) for number in (1, 2, 3) for seed in (0, 1)}
    printed = capsys.readouterr().out
    assert len([line for line in printed.splitlines() if line.split()[:1] == ["RAdam"]]) == 2
    assert printed.count("equal rates") == 4 and printed.count("own best rate") == 2


def test_a_rate_that_is_named_trains_an_optimizer_for_which_the_size_has_none(tiny_study, monkeypatch):
    monkeypatch.setitem(configurations.MODELS, "mine", Model("mine", "Mine", "reduced", "AdamW", stem="reduced"))
    with pytest.raises(PosekitError, match="no learning rate for AdamW; name one by --learning-rate"):
        tiny_study.config("mine")
    run = tiny_study.record(tiny_study.config("mine", learning_rate=2e-3))
    assert run.finished and run.config.optimizer == "AdamW" and run.config.learning_rate == 2e-3
    assert "mine" in [other.config.model for other in tiny_study.runs_with_other_settings()]

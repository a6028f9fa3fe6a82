"""Losses in percent below the floor, against numbers made by hand and against the report's own."""

import numpy as np
import pandas as pd
import pytest
from made_runs import make_run

from posekit.analysis import original_report
from posekit.analysis.losses import (
    READINGS,
    REPORT,
    TRAINING,
    VALIDATION,
    curves,
    gaps_table,
    last_below,
    losses_and_joints,
    losses_table,
    rank_correlations,
    readings_table,
    steps_table,
)
from posekit.analysis.optimizers import make_grid
from posekit.analysis.report_figures import loss_figure, losses_and_joints_figure, six_losses_figure
from posekit.analysis.results import Results
from posekit.analysis.statements import statements_table
from posekit.evaluation.floors import percent_below
from posekit.study.configurations import REPORT_RATES

#: Floors of made runs are 6.0: these losses lie 50, 75 and 90 % below.
HALVING = (12.0, 3.0, 1.5, 0.6)


def test_percent_below_the_floor():
    assert percent_below(3.0, 6.0) == 50
    assert percent_below(9.0, 6.0) == -50
    np.testing.assert_allclose(percent_below(np.array([6.0, 0.0]), 6.0), [0, 100])


def test_the_reports_floor_is_what_its_factors_make():
    assert original_report.floor() == pytest.approx(2 * np.pi / 64**2 * 0.887, rel=1e-6)
    assert original_report.floor() == pytest.approx(0.00136, abs=5e-6)
    assert original_report.floor_factors()["where it comes from"].str.len().min() > 40


def test_the_reports_curves_end_at_its_printed_losses():
    table = original_report.curves()
    assert len(table) == 30 and (table.groupby("model")["epoch"].max() == 5).all()
    last = table[table["epoch"] == 5].set_index("model")["loss"]
    pd.testing.assert_series_equal(last, original_report.losses().set_index("model")["loss"])
    below = curves([]).set_index(["model", "epoch"])["below"]
    assert below["model-1", 5] == pytest.approx(100 * (1 - 0.00113494 / 0.0013606), abs=0.01)
    assert below["model-6", 5] == pytest.approx(0.15, abs=0.01), "as good as answering zero"


def test_curves_are_below_their_own_floor():
    table = curves([make_run(1, 0.5, losses=HALVING)])
    for curve in (TRAINING, VALIDATION):
        assert table.loc[table["curve"] == curve, "below"].tolist() == [-100, 50, 75, 90]
    assert set(table["curve"]) == {REPORT, TRAINING, VALIDATION}


def test_the_table_of_six_losses_has_both_in_one_unit_first():
    runs = [make_run(1, 0.5, s, losses=(9.0, loss)) for s, loss in enumerate((3.0, 1.5))]
    table = losses_table(runs)
    assert list(table.columns[2:5]) == [f"{c}: % below the floor" for c in (REPORT, TRAINING, VALIDATION)]
    first, second = table.iloc[0], table.iloc[1]
    assert first[f"{REPORT}: % below the floor"] == "16.6"
    assert first[f"{TRAINING}: % below the floor"] == "62.5 (50.0 to 75.0)"
    assert first["ours: training loss"] == "2.25000" and first["seeds"] == 2
    assert second[f"{TRAINING}: % below the floor"] == "" and second["seeds"] == 0
    assert len(table) == 7 and table.iloc[-1]["report: loss"] == "0.00136"


def test_gaps_are_differences_of_curves():
    runs = [make_run(1, 0.5, losses=(9.0, 3.0, 3.0, 3.0, 3.0)), make_run(3, 0.5, losses=(9.0, 4.5, 3.6, 3.0, 2.4))]
    table = gaps_table(runs, [("model-1", "model-3"), ("model-1", "model-2")]).set_index("curve")
    ours = table.loc[TRAINING]  # Model 2 is not trained: one row
    assert list(ours.filter(like="epoch")) == pytest.approx([0, 25, 10, 0, -10])
    report = table.loc[REPORT].iloc[0]
    floor = original_report.floor()
    assert report["epoch 5"] == pytest.approx(100 * (0.00126786 - 0.00113494) / floor)


def test_gaps_are_of_the_seeds_that_both_models_have():
    """Model 3's second seed, which nobody else has, moves no gap."""
    one, other = make_run(4, 0.5, losses=(9.0, 4.5)), make_run(3, 0.5, losses=(9.0, 3.6))
    alone = make_run(3, 0.5, seed=1, losses=(9.0, 0.9))
    for runs in ([one, other], [one, other, alone]):
        table = gaps_table(runs, [("model-4", "model-3")]).set_index("curve")
        assert list(table.loc[TRAINING, ["epoch 1", "epoch 2"]]) == pytest.approx([0, -15])  # of a floor of 6


def test_gaps_end_where_one_of_the_two_has_not_come_yet():
    """A second seed of Model 4 is still at its second epoch: from the third on, only the first seed has a gap."""
    losses = (9.0, 4.5, 3.6)
    runs = [make_run(m, 0.5, s, losses=(5 * s + losses[0], *losses[1:])) for m in (3, 4) for s in (0, 1)]
    runs[-1] = make_run(4, 0.5, 1, losses=(14.0, 4.5))
    table = gaps_table(runs, [("model-4", "model-3")]).set_index("curve")
    assert list(table.loc[TRAINING].filter(like="epoch").dropna()) == pytest.approx([0, 0, 0])


def test_another_loss_has_no_floor_of_answering_zero():
    runs = [make_run(1, 0.5, losses=HALVING), make_run("lean", 0.5, losses=HALVING)]
    assert runs[1].config.loss == "cross-entropy"
    assert set(curves(runs)["model"]) == set(original_report.models()) | {"model-1"}
    assert last_below(runs[0]) == 90 and np.isnan(last_below(runs[1]))


def test_statements_about_the_six_are_answered_without_other_models():
    runs = [make_run(1, 0.5, losses=(9.0, 3.0)), make_run(2, 0.5, losses=(9.0, 4.0))]
    others = [make_run("lean-plain", 0.5, losses=(9.0, 0.1))]
    pd.testing.assert_frame_equal(statements_table(runs), statements_table(runs + others))


def test_the_first_step_is_counted_in_the_report_and_here():
    runs = [make_run(1, 0.5, losses=(9.0, 4.0, 3.0)), make_run(2, 0.5, losses=(9.0, 8.0, 3.0))]
    report, ours = steps_table(runs).to_dict("records")
    assert report["fall most after epoch 1"] == "6 of 6 runs"
    assert ours["fall most after epoch 1"] == "1 of 2 runs"


def results_of(readings: dict[str, dict[int, float]]) -> Results:
    """Runs whose training loss ends so many percent below the floor, by reading and model."""
    made = {}
    for reading, below in readings.items():
        for number, percent in below.items():
            rate = READINGS[reading]["RMSprop" if number in (1, 5) else "RAdam" if number == 2 else "Adam"]
            loss = 6.0 * (1 - percent / 100)
            made[number, rate] = make_run(number, 0.5, rate=rate, losses=(9.0, loss))
    usual = {key: run for key, run in made.items() if key[1] == REPORT_RATES[run.config.optimizer]}
    runs, others = list(usual.values()), [run for key, run in made.items() if key not in usual]
    return Results("made", runs, others, make_grid([], []), "made")


def test_the_nearer_reading_is_found():
    """The second reading is the report's six numbers, 5 points further down: all gaps are the report's."""
    published = {1: 16.6, 2: 4.6, 3: 6.8, 4: 2.6, 5: 16.0, 6: 0.1}
    one, two = READINGS
    same = {number: value + 5 for number, value in published.items()}
    first = {1: same[1], 5: same[5]} | {2: 21.6, 3: 25.6, 4: 27.6, 6: 29.6}
    table = readings_table(results_of({one: first, two: same})).set_index("reading")
    gaps = [first[n] - first[1] - (published[n] - published[1]) for n in (2, 3, 4, 5, 6)]
    assert table.loc[one, "mean difference of gaps to Model 1, points"] == pytest.approx(
        np.mean(np.abs(gaps)), abs=0.05
    )
    assert table.loc[two, "mean difference of gaps to Model 1, points"] == pytest.approx(0, abs=0.1)
    assert table.loc[two, "rank correlation with the report"] == pytest.approx(1)
    assert list(table["nearer"]) == ["no", "yes"] and list(table["reproduces the report"]) == ["no", "yes"]


def test_a_reading_that_is_not_trained_is_named():
    one, two = READINGS
    results = results_of({one: {1: 12.0, 2: 10.0, 3: 13.0, 4: 11.0, 5: 11.5, 6: 13.4}})
    table = readings_table(results).set_index("reading")
    assert table.loc[two, "missing"] == "Model 2, Model 3, Model 4, Model 6"
    assert np.isnan(table.loc[two, "rank correlation with the report"])
    assert list(table["reproduces the report"]) == ["no", "not yet known"], "the first has another order"
    alike = results_of({one: {1: 16.0, 2: 5.0, 3: 7.0, 4: 3.0, 5: 15.0, 6: 1.0}})
    assert set(readings_table(alike)["reproduces the report"]) == {"not yet known"}


def test_losses_order_networks_as_the_joints_or_the_other_way_round():
    runs = []
    for number, (accuracy, loss) in enumerate([(0.4, 3.0), (0.5, 2.0), (0.6, 1.0)], start=1):
        run = make_run(number, accuracy, losses=(9.0, loss), lsp=1 - accuracy)
        run.history["pckh_weighted14"] = [10.0, 100 * accuracy]
        runs.append(run)
    results = Results("made", runs, [], {}, "made")
    row = rank_correlations(results).iloc[0]
    assert row["made, PCKh@0.5"] == pytest.approx(1) and row["LSP, PCK@0.2"] == pytest.approx(-1)
    table = losses_and_joints(results)
    assert len(table) == 6 and list(table.loc[table["epoch"] == 2, TRAINING]) == pytest.approx(
        [50, 200 / 3, 250 / 3]
    )
    axis = losses_and_joints_figure(table, 15.0, "made").axes[0]
    drawn = np.concatenate([line.get_ydata() for line in axis.lines if line.get_marker() not in ("None", "")])
    assert sorted(drawn) == pytest.approx([10, 10, 10, 40, 50, 60])


def test_the_first_epoch_does_not_take_the_room_of_the_others():
    """A loss of twenty times the floor is written at the edge, and the axis shows the rest."""
    runs = [make_run(n, 0.5, losses=(120.0, 5.4, 5.1, 4.8, 4.5)) for n in (1, 2)]
    figure = loss_figure(runs, "Loss")
    report, training, _ = figure.axes
    low, high = training.get_ylim()
    assert low == pytest.approx(-24) and 25 < high < 35  # -20, and room for the text below it
    assert "epoch 1: -1900 %" in [text.get_text() for text in training.texts]
    assert len([line for line in report.lines if len(line.get_xdata()) == 5]) == 2
    np.testing.assert_allclose(training.lines[0].get_ydata()[1:], [10, 15, 20, 25])


def test_the_figure_of_six_losses_has_the_reports_and_every_seed():
    runs = [make_run(1, 0.5, s, losses=(9.0, loss)) for s, loss in enumerate((3.0, 1.5))]
    others = [make_run(3, 0.5, rate=2.5e-4, losses=(9.0, 5.4)), make_run(3, 0.5, rate=0.002, losses=(9.0, 1.0))]
    axis = six_losses_figure(Results("made", runs, others, {}, "")).axes[0]
    drawn = [line for line in axis.lines if line.get_marker() != "None"]
    assert len(drawn) == 3 * 6
    report, ours, at_one_rate = ([line.get_xdata() for line in drawn[kind::3]] for kind in range(3))
    assert report[0] == pytest.approx(16.6, abs=0.05) and all(len(values) == 1 for values in report)
    assert [list(values) for values in ours] == [[50, 75], [], [], [], [], []]
    assert [list(values) for values in at_one_rate] == [[], [], [pytest.approx(10)], [], [], []]
    assert "small: here, 0.00025 for every optimizer" in axis.get_xlabel()
    alone = six_losses_figure(Results("made", runs, [], {}, "")).axes[0]
    assert "small" not in alone.get_xlabel()


def test_the_reports_four_statements_are_answered_with_numbers():
    losses = {1: 3.0, 2: 3.6, 3: 2.4, 4: 2.7, 5: 3.3, 6: 2.4}
    runs = [make_run(n, 0.5, losses=(9.0, 4.8, loss)) for n, loss in losses.items()]
    table = statements_table(runs)
    report, ours = table["the report's curves"], table["here, training losses"]
    assert report[0].endswith("+2.2, -0.7, +1.5, -0.7, -4.2") and ours[0].endswith("+0.0, +0.0, -5.0")
    assert report[1] == "6 of 6 models; after epoch 2 they lie at -11.7 to -2.9 %"
    assert ours[1] == "6 of 6 models; after epoch 2 they lie at 20.0 to 20.0 %"
    assert report[2] == "yes: Model 1 minus Model 3, the best of the others, +9.8"
    assert ours[2] == "no: Model 1 minus Model 3, the best of the others, -10.0"
    assert report[3] == "Model 5 minus Model 1 -0.6; Model 6 minus Model 3 -6.7"
    assert ours[3] == "Model 5 minus Model 1 -5.0; Model 6 minus Model 3 +0.0"
    assert statements_table(runs[:1])["here, training losses"][0] == ""

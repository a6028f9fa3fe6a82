"""Figures and tables: what they show comes from the records."""

import numpy as np
import pandas as pd
import pytest
from made_runs import make_run

from posekit.analysis.accuracy_figures import accuracy_figure
from posekit.analysis.picture_figures import crop_figure
from posekit.analysis.publish import publish_pictures, publish_records, save_figure
from posekit.analysis.report_figures import loss_figure, loss_figures
from posekit.analysis.results import Results
from posekit.analysis.tables import group_table
from posekit.analysis.yardsticks import yardsticks
from posekit.evaluation.pckh import pckh
from posekit.study.configurations import REPORT_MODELS


def test_loss_figure_draws_what_the_records_say(tiny_study):
    runs = [tiny_study.run(5), tiny_study.run(6)]
    _, left, right = loss_figure(runs, "title").axes
    for axis, side in ((left, "train"), (right, "validation")):
        curves = [line.get_ydata() for line in axis.lines[:2]]
        for run, curve in zip(runs, curves, strict=True):
            floor = run.floors[f"zero_heatmap_{side}"]
            np.testing.assert_allclose(curve, 100 * (floor - run.history[f"{side}_loss"]) / floor)
        assert set(axis.lines[2].get_ydata()) == {0}
        assert axis.get_xlabel() == "epoch"
    assert len({(line.get_linestyle(), line.get_marker()) for line in left.lines[:2]}) == 2


def test_further_seeds_do_not_repeat_the_legend(tiny_study):
    runs = [tiny_study.run(5), tiny_study.run(5, seed=1), tiny_study.run(6)]
    (yardstick,) = yardsticks(runs)
    for figure in (loss_figure(runs, "title"), accuracy_figure(runs, group_table(runs, yardstick), yardstick)):
        names = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
        assert names[:2] == ["Model 5: reduced, RMSprop", "Model 6: reduced, Adam"] and len(names) <= 3
    assert "further seeds" in loss_figure(runs, "title").get_suptitle()


def test_loss_figures_compare_the_pairs_of_the_report():
    runs = [make_run(name, 0.5) for name in REPORT_MODELS]
    shown = {name: [run.config.model for run in some] for name, (_, some) in loss_figures(runs).items()}
    assert shown == {
        "figure_2": ["model-1", "model-2", "model-3", "model-4"],
        "figure_3": ["model-1", "model-5"],
        "figure_4": ["model-3", "model-6"],
    }


def test_accuracy_figure_has_the_groups_and_the_floor(tiny_study):
    run = tiny_study.run(5)
    (yardstick,) = yardsticks([run])
    axis = accuracy_figure([run], group_table([run], yardstick), yardstick).axes[0]
    score = pckh(run.distances())
    np.testing.assert_allclose(axis.lines[0].get_ydata(), [*score.groups.values(), score.weighted14])
    assert axis.get_ylim()[0] == 0


def test_crop_figure_shows_the_image_and_the_crop(tiny_study):
    people = tiny_study.people
    image = people.photograph(0)
    left, right = crop_figure(people, 0, tiny_study.size.crop).axes
    np.testing.assert_array_equal(left.images[0].get_array(), image)
    assert right.images[0].get_array().shape[0] == 512


def test_the_same_records_give_the_same_files(tiny_study, tmp_path):
    runs = [tiny_study.run(5)]
    for folder in (tmp_path / "a", tmp_path / "b"):
        save_figure(loss_figure(runs, "title"), folder, "figure")
    for name in ("figure.png", "figure.svg"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_everything_of_the_report_is_published(tiny_study, tmp_path, monkeypatch):
    monkeypatch.setenv("POSEKIT_HOME", str(tmp_path / "home"))  # with no runs but these
    runs = [tiny_study.run(number) for number in REPORT_MODELS]
    paths = publish_records(Results.read(tiny_study.name), tmp_path, progress=False)
    paths += publish_pictures(runs, tiny_study.crops[1], tmp_path)
    made = {path.name for path in paths}
    assert {f"figure_{number}.{kind}" for number in range(1, 6) for kind in ("png", "svg")} <= made
    assert {"table_1.md", "table_2.md", "losses.md", "losses.csv", "accuracy.md"} <= made
    assert all(path.stat().st_size > 100 for path in paths)
    losses = pd.read_csv(tmp_path / "losses.csv").iloc[0]
    assert losses["report: loss"] == 0.00113494
    assert losses["ours: training loss"] == pytest.approx(runs[0].history.train_loss.iloc[-1], abs=6e-6)

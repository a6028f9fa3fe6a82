"""Tables that are made of records, and pages that hold them."""

from dataclasses import replace

import numpy as np
import pytest
from made_runs import make_run

from posekit.analysis import benchmark_records
from posekit.analysis.optimizers import equal_rates_table, make_grid, rates_table
from posekit.analysis.pages import renew
from posekit.analysis.results import PUBLISHED, Results
from posekit.analysis.tables import (
    accuracy_table,
    floors_table,
    group_table,
    joints_table,
    means_table,
    models_table,
    without_network,
)
from posekit.analysis.yardsticks import yardsticks
from posekit.errors import PosekitError
from posekit.evaluation.pckh import pckh
from posekit.skeleton import INDEX


def test_the_table_of_models_has_both_sets_of_people_and_both_units():
    runs = [make_run(5, a, s, losses=(9.0, loss), lsp=a) for s, (a, loss) in enumerate(((0.5, 3.0), (0.6, 1.5)))]
    rows = models_table(runs).set_index("")
    model = rows.loc["Model 5"]
    assert model["training loss below the floor, %"] == "62.5"
    assert model["made PCKh@0.5 of each seed, %"] == ", ".join(
        f"{pckh(r.distances()).weighted14:.1f}" for r in runs
    )
    expected = ", ".join(f"{pckh(r.distances('lsp'), 0.2).weighted14:.1f}" for r in runs)
    assert model["LSP PCK@0.2 of each seed, %"] == expected
    column = "made PCKh@0.5, mean (95 % over people)"
    assert rows.loc["mean pose", column] == "15.0" and rows.loc["ceiling", column] == "95.0"
    assert rows.loc["mean pose", "LSP PCK@0.2, mean (95 % over people)"] == ""


def test_a_network_that_learned_on_has_a_row_without_a_floor_of_its_own():
    """Its name is in no list of models, and its cross-entropy is no squared error."""
    run = make_run("encoder", 0.5, rate=1e-3)
    run = replace(run, config=replace(run.config, model="encoder-from-0123abcd"))
    table = models_table([run])
    row = table.iloc[0]
    assert row[""] == "encoder-from-0123abcd" and "encoder" in row["network, optimizer"]
    assert not [column for column in table if "floor" in column]


def test_lsp_as_the_first_data_set_is_judged_by_its_own_metric():
    run = make_run(5, 0.5)
    run = replace(run, config=replace(run.config, data="lsp-2000"))
    (yardstick,) = yardsticks([run])
    assert (yardstick.title, yardstick.metric, yardstick.threshold) == ("LSP", "PCK@0.2", 0.2)


def test_every_run_has_a_row_per_set_of_people():
    runs = [make_run(5, 0.5, s, lsp=0.4) for s in (0, 1)]
    table = accuracy_table(runs)
    assert list(zip(table["run"], table["metric"], strict=True)) == [
        (run.label, metric) for run in runs for metric in ("PCKh@0.5", "PCK@0.2")
    ]
    row = table.iloc[1]
    assert row["weighted14"] == pytest.approx(pckh(runs[0].distances("lsp"), 0.2).weighted14)
    assert row["low"] < row["weighted14"] < row["high"]
    assert row["left wrist"] == pytest.approx(pckh(runs[0].distances("lsp"), 0.2).joints[INDEX["left wrist"]])


def test_small_tables_are_means_over_seeds():
    runs = [make_run(5, a, s) for s, a in enumerate((0.5, 0.6))] + [make_run(6, 0.4)]
    table = means_table(runs)
    assert list(table.columns) == ["model", "macro14, %", "weighted14, %", "weighted16, %"]
    both = np.mean([pckh(run.distances()).macro14 for run in runs[:2]])
    assert table["macro14, %"].tolist() == pytest.approx([both, pckh(runs[2].distances()).macro14])
    joints = joints_table(group_table(runs, yardsticks(runs)[0])).set_index("joints")
    assert len(joints) == 8 and list(joints.columns) == ["Model 5, %", "Model 6, %"]
    assert joints.loc["all 14 joints", "Model 6, %"] == pytest.approx(pckh(runs[2].distances()).weighted14)
    assert joints.loc["wrist", "Model 6, %"] == pytest.approx(pckh(runs[2].distances()).groups["wrist"])


def test_floors_say_of_whom_and_in_which_crop():
    (row,) = floors_table([make_run(5, 0.5), make_run(6, 0.5)]).to_dict("records")
    assert row["mean of the poses of"] == "made" and row["tested on"] == "200 people of made"
    assert row["crop, px of a person 200 px high"] == "120 x 210" and row["pixels of the crop"] == "80 x 80"
    assert (row["mean pose, %"], row["middle of the crop, %"], row["ceiling, %"]) == (15, 5, 95)


def test_the_grid_has_a_row_per_rate():
    runs = [make_run(m, 0.5, s) for m in (1, 3) for s in (0, 1)]
    others = [make_run(m, 0.4, s, 2e-3) for m in (1, 2) for s in (0, 1)]
    grid = make_grid(runs, others)
    table = rates_table(grid).set_index("learning rate")
    assert list(table.index) == ["0.001", "0.002"] and table.loc["0.001", "RAdam, %"] == ""
    mean = np.mean([pckh(run.distances()).weighted14 for run in runs[:2]])
    assert table.loc["0.001", "RMSprop, %"].startswith(f"{mean:.1f} (")
    equal = equal_rates_table(grid).set_index("learning rate")
    assert equal.loc["0.002", "RMSprop minus Adam, points"] == ""
    assert equal.loc["0.001", "RMSprop minus Adam, points"].count(" to ") == 1


def test_a_page_is_renewed_between_its_marks(tmp_path):
    page = tmp_path / "page.md"
    begin, end = "<!-- models: posekit figures writes this table -->", "<!-- end of models -->"
    page.write_text(f"before\n{begin}\nold\n{end}\nafter\n")
    assert renew(page, {"models": "| a |\n"}) and not renew(page, {"models": "| a |\n"})
    assert page.read_text() == f"before\n{begin}\n\n| a |\n\n{end}\nafter\n"
    with pytest.raises(PosekitError, match=r"page\.md has no place for claims"):
        renew(page, {"claims": "x"})


def test_floors_of_a_further_set_are_those_of_the_published_study():
    """The record has both sets; of MPII it must have what the runs recorded with their own crops, to the digit."""
    run = Results.read(PUBLISHED).runs[0]
    recorded = benchmark_records.floors(run.config.data_fingerprint, run.config.size)
    mpii, lsp = yardsticks([run])
    assert recorded["mpii"]["mean_pose"] == run.floors["mean_pose_weighted14"]
    assert recorded["mpii"]["codec_ceiling"] == run.floors["codec_ceiling_weighted14"]
    assert without_network(run, lsp) == recorded["lsp"] and without_network(run, mpii)["center"] > 5
    assert list(floors_table([run])["tested on"]) == ["129 people of MPII", "1,000 people of LSP"]
    assert benchmark_records.floors("0" * 16, "half") == {}

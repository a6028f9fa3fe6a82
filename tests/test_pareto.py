"""Cost and accuracy of the networks: tables, figures, short and long training, and the command that makes them."""

import json
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from figure_checks import assert_readable
from made_runs import make_run
from matplotlib.backends.backend_agg import FigureCanvasAgg
from typer.testing import CliRunner

from posekit.analysis import benchmark_records
from posekit.analysis.cheaper_networks import (
    PARETO_COLUMNS,
    by_network,
    difference_text,
    differences_by_length,
    measured_on_one_thread,
    networks_table,
    no_loss_table,
    pareto_table,
    training_lengths_table,
    untrained,
)
from posekit.analysis.chosen_networks import changes_table, chosen_figure, chosen_table
from posekit.analysis.cost_figures import learning_figure, networks_figure
from posekit.cli.cli import app
from posekit.errors import PosekitError
from posekit.evaluation.intervals import compare
from posekit.evaluation.pckh import pckh
from posekit.study import configurations
from posekit.study.configurations import get_model, get_size, run_config
from posekit.study.networks import NETWORKS
from posekit.study.runs import Run

SHORT_LONG = ("short", "long")
LATENCY = {"original": 12.0, "early": 9.0, "small": 2.0}


def of_network(name: str, accuracy: float, seed: int = 0, size: str = "short", epochs: int = 0) -> Run:
    """A run with a chosen accuracy; epochs: a run that is still going and has come so far."""
    run = make_run("original", accuracy, seed, people=60)  # few people have quick intervals
    config = run_config(get_model(name), get_size(size), seed, "made", "0" * 16)
    done = np.arange(1, (epochs or config.epochs) + 1)
    pckh = 100 * accuracy * done / config.epochs
    history = pd.DataFrame({"epoch": done, "train_loss": 1.0, "validation_loss": 1.0, "pckh_weighted14": pckh})
    history = history.assign(pckh_macro14=pckh, learning_rate=1e-3, seconds=1.0)
    predictions = pd.DataFrame() if epochs else run.predictions
    return replace(run, config=config, history=history, finished=not epochs, predictions=predictions)


def test_the_table_has_the_original_first_and_paired_differences():
    runs = [of_network("small", 0.55), of_network("small", 0.55, 1), of_network("original", 0.6)]
    runs += [of_network("original", 0.6, 1), of_network("early", 0.6), of_network("early", 0.7, size="long")]
    table = pareto_table(runs, "short", LATENCY | {"early": float("nan")})
    assert (
        list(table.columns[:8])
        == PARETO_COLUMNS
        == [
            "network",
            "parameters",
            "gflop",
            "latency_ms",
            "pckh",
            "difference",
            "low",
            "high",
        ]
    )
    assert list(table["network"]) == ["original", "early", "small"]
    original, early, small = (row for _, row in table.iterrows())
    assert original[["difference", "low", "high"]].isna().all() and original.covers == ""
    assert original.pckh == pytest.approx(np.mean([pckh(r.distances()).weighted14 for r in runs[2:4]]))
    assert small.difference == pytest.approx(small.pckh - original.pckh, abs=1e-9)
    assert small.gflop < original.gflop / 5 and small.latency_ms == 2 and np.isnan(early.latency_ms)
    assert list(table["seeds"]) == [2, 1, 2] and set(table["epochs"]) == {3}
    with pytest.raises(PosekitError, match="posekit train --model original --size long"):
        pareto_table(runs, "long", {})


def test_the_original_is_first_wherever_it_stands_in_the_list_of_networks(monkeypatch):
    """As for somebody who adds a network at the top of the list."""
    monkeypatch.setattr(configurations, "MODELS", {"early": get_model("early")} | configurations.MODELS)
    runs = [of_network("original", 0.6), of_network("early", 0.6)]
    assert list(by_network(runs, "short")) == ["early", "original"]
    table = pareto_table(runs, "short", {})
    assert list(table["network"]) == ["original", "early"]
    assert networks_table({"short": table})["of the original's FLOPs"][0] == "1.00"


def test_an_interval_covers_seeds_where_both_sides_have_several_and_says_so():
    runs = [of_network("original", 0.6, s) for s in (0, 1)] + [of_network("early", 0.6)]
    runs += [of_network("small", accuracy, s) for s, accuracy in enumerate((0.5, 0.6))]
    early, small = (row for _, row in pareto_table(runs, "short", {}).iloc[1:].iterrows())
    originals, smalls = (np.stack([r.distances() for r in part]) for part in (runs[:2], runs[3:]))
    of_people = compare(runs[2].distances(), originals)
    assert early.covers == "people" and (early.low, early.high) == (of_people.low, of_people.high)
    assert small.covers == "people and seeds"
    narrow = compare(smalls, originals)
    assert small.low < narrow.low and small.high > narrow.high


def test_runs_that_are_still_going_are_not_of_the_table():
    runs = [of_network("original", 0.6), of_network("early", 0.5, epochs=2)]
    assert list(by_network(runs, "short")) == ["original"]
    missing = untrained(runs)
    assert "early" in missing["short"] and "original" not in missing["short"]
    assert missing["long"] == list(NETWORKS)


def test_the_table_for_people_leaves_out_what_was_not_measured():
    runs = [of_network("original", 0.6), of_network("early", 0.5)]
    table = pareto_table(runs, "short", {})
    text = networks_table({"short": table})
    assert not any("latency" in column or "memory" in column for column in text)
    ratio = table["gflop"][0] / table["gflop"][1]
    assert list(text["of the original's FLOPs"]) == ["1.00", f"1 / {ratio:.1f}"]
    assert list(text["intervals cover"]) == ["", "people"]
    text = networks_table({"short": pareto_table(runs, "short", LATENCY, {"original": 80.0, "early": 70.0})})
    assert list(text["of the original's latency"]) == ["1.00", "1 / 1.3"]
    assert list(text["peak memory, MB"]) == ["80", "70"]


def test_changes_stand_beside_the_network_that_learns_alike():
    runs = [of_network("original", 0.6), of_network("likelihood", 0.7), of_network("early", 0.5)]
    table = pareto_table(runs, "short", LATENCY)
    text = changes_table(table, ["early", "original"]).set_index("network")
    assert list(text.index) == ["early", "original"] and text["ms per image"].tolist() == ["9.00", "12.00"]
    found = compare(runs[2].distances(), runs[1].distances())
    assert text.loc["early", "minus likelihood, points (95 %)"] == (
        f"{found.difference:+.1f} ({found.low:+.1f} to {found.high:+.1f})"
    )
    assert text.loc["early", "PCKh@0.5, %"] == f"{pckh(runs[2].distances()).weighted14:.1f}"


def test_latency_is_shown_for_one_runtime_and_one_thread():
    rows = [("small", "torch", 1, 9.0), ("small", "onnxruntime", 1, 2.0), ("small", "onnxruntime", 2, 1.0)]
    rows.append(("small", "torch", None, 0.5))  # on a GPU
    table = pd.DataFrame(rows, columns=["network", "runtime", "threads", "ms"]).astype({"threads": "Int64"})
    assert measured_on_one_thread(table, "ms") == {"small": 2.0}


def test_training_lengths_are_compared_where_a_network_has_both():
    runs = [of_network("original", 0.3), of_network("original", 0.6, size="long"), of_network("early", 0.4)]
    short = pareto_table(runs, "short", {})
    assert differences_by_length({"short": short}).empty
    assert differences_by_length({"short": short, "long": pareto_table(runs, "long", {})}).empty
    runs += [of_network("small", 0.4), of_network("small", 0.5, size="long")]
    tables = {size: pareto_table(runs, size, {}) for size in ("short", "long")}
    table = differences_by_length(tables)
    (row,) = (row for _, row in table.iterrows())
    values = [pckh(run.distances()).weighted14 for run in (*runs[:2], *runs[3:])]
    assert row["network"] == "small"
    assert row["short difference"] == pytest.approx(values[2] - values[0])
    assert row["long difference"] == pytest.approx(values[3] - values[1])
    assert row["short low"] > 0 > row["long high"] and row["long covers"] == "people"
    assert row["long no_loss"] == "undecided", "one seed has no verdict, however large the loss"
    tables["long"] = pareto_table([*runs, of_network("likelihood", 0.6, size="long")], "long", {})
    (text,) = (row for _, row in training_lengths_table(tables).iterrows())  # likelihood has one length alone
    assert text["compared with"] == "original" and text["no loss after 20 epochs"] == "undecided"


def test_no_loss_is_judged_on_both_sets_of_people_by_one_rule():
    """`small` is as good as the original on MPII and far behind on LSP: the sets contradict each other."""
    runs = [of_network("original", 0.6, s) for s in (0, 1)] + [of_network("small", 0.7, s) for s in (0, 1)]
    runs += [of_network("early", 0.7)]
    lsp = {"original": 0.6, "small": 0.3, "early": 0.6}
    runs = [replace(r, further={"lsp": of_network(r.config.model, lsp[r.config.model]).distances()}) for r in runs]
    small, early = no_loss_table(runs, "short", ["original", "small", "early", "slim"]).to_dict("records")
    titles = [column for column in small if "points" in column]
    assert [small[title].split(": ")[-1] for title in titles] == ["holds", "does not hold"]
    assert small["no loss"] == "undecided" and small["seeds"] == "2 and 2"
    assert early["no loss"] == "undecided" and early["what would decide it"] == "a second seed"
    alone = [replace(run, further={}) for run in runs]
    (row,) = no_loss_table(alone, "short", ["small"]).to_dict("records")
    assert row["no loss"] == "holds" and row["what would decide it"] == ""


def test_networks_are_compared_with_the_original_that_learns_alike_too():
    runs = [of_network(name, accuracy) for name, accuracy in (("original", 0.3), ("likelihood", 0.6))]
    runs += [of_network("compact", 0.5), of_network("compact", 0.6, size="long")]
    runs += [of_network("original", 0.5, size="long"), of_network("likelihood", 0.8, size="long")]
    tables = {size: pareto_table(runs, size, {}) for size in ("short", "long")}
    original, likelihood, compact = (row for _, row in tables["short"].iterrows())
    assert compact.difference == pytest.approx(compact.pckh - original.pckh)
    assert compact.alike_difference == pytest.approx(compact.pckh - likelihood.pckh)
    assert compact.alike_low < compact.alike_difference < compact.alike_high < compact.low
    assert np.isnan(likelihood.alike_low) and original.alike_difference == pytest.approx(-likelihood.difference)
    beside = {(row["compared with"], row["network"]) for _, row in training_lengths_table(tables).iterrows()}
    assert beside == {
        ("original", "likelihood"),
        ("original", "compact"),
        ("likelihood", "original"),
        ("likelihood", "compact"),
    }


def test_the_figure_of_all_networks_has_a_row_each_and_true_intervals():
    names = ("original", "compact", "narrow")
    runs = [of_network(name, 0.6) for name in names] + [of_network(n, 0.7, size="long") for n in names[:2]]
    tables = {size: pareto_table(runs, size, {}) for size in ("short", "long")}
    figure = networks_figure(tables, "title")
    short, long = figure.axes
    labels = [text.get_text() for text in short.get_yticklabels()]
    assert labels == ["compact, 21 MFLOP", "narrow, 79 MFLOP", "original, 290 MFLOP"]
    row = tables["long"].set_index("network").loc["compact"]
    segments = long.containers[0][2][0].get_segments()
    (compact,) = (segment for segment in segments if segment[0, 1] == 0)
    np.testing.assert_allclose(compact[:, 0], [row.pckh_low, row.pckh_high])
    assert len(segments) == 2
    assert_readable(figure)


def test_the_figure_of_chosen_networks_stands_at_true_costs_and_names_do_not_overlap():
    accuracies = {"original": 0.55, "likelihood": 0.63, "compact": 0.51, "lean": 0.55, "lean-plain": 0.34}
    ms = {"original": 3.3, "likelihood": 3.2, "compact": 0.6, "lean": 0.62, "lean-plain": 0.55}
    runs = [
        of_network(n, a - 0.2 * (size == "short"), size=size) for n, a in accuracies.items() for size in SHORT_LONG
    ]
    tables = {size: pareto_table(runs, size, ms) for size in SHORT_LONG}
    figure = chosen_figure(tables)
    (axis,) = figure.axes
    points = {
        (round(float(bar[0].get_xdata()[0]), 2), round(float(bar[0].get_ydata()[0]), 1)) for bar in axis.containers
    }
    expected = {(ms[row.network], round(row.pckh, 1)) for table in tables.values() for row in table.itertuples()}
    assert points == expected
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    names = {text.get_text(): text.get_window_extent(renderer) for text in axis.texts}
    assert names.keys() == set(accuracies)
    assert not any(a.overlaps(b) for a, b in combinations(names.values(), 2))
    assert_readable(figure)
    table = chosen_table(tables)
    assert table["network"].tolist() == list(accuracies) and len(table.columns) == 8


def test_a_network_whose_time_is_unknown_is_not_in_the_figure_of_chosen_ones():
    runs = [of_network("original", 0.5), of_network("lean", 0.5)]
    figure = chosen_figure({"short": pareto_table(runs, "short", {"original": 3.0})})
    assert {text.get_text() for text in figure.axes[0].texts} == {"original"}


def test_learning_is_drawn_as_the_mean_of_the_finished_seeds():
    runs = [of_network("original", 0.5), of_network("original", 0.7, 1), of_network("original", 0.9, 2, epochs=2)]
    runs += [of_network("compact", 0.4, size="long", epochs=4), of_network("compact", 0.6, 1, "long", epochs=7)]
    short, long = learning_figure(runs, "title").axes
    np.testing.assert_allclose(short.lines[0].get_ydata(), [20, 40, 60])  # of 50 % and 70 %
    assert sum(line.get_linewidth() == 0.6 for line in short.lines) == 3
    np.testing.assert_allclose(long.lines[0].get_ydata(), [2.5, 5, 7.5, 10])  # as far as both have come
    assert {text.get_text() for text in short.figure.legends[0].get_texts()} == {"original", "compact"}


def write(folder, run: Run) -> None:
    """The three files of records."""
    folder = folder / f"{run.config.data}-{run.config.size}" / f"{run.config.model}-seed-{run.config.seed}"
    folder.mkdir(parents=True)
    content = {
        "config": run.config.to_dict(),
        "floors": run.floors,
        "environment": {},
        "finished": run.finished,
    }
    (folder / "run.json").write_text(json.dumps(content))
    run.history.to_csv(folder / "history.csv", index=False)
    if run.finished:
        run.predictions.to_csv(folder / "predictions.csv", index=False)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Records of three networks, one of them still going."""
    monkeypatch.setenv("POSEKIT_HOME", str(tmp_path))
    for run in (
        of_network("original", 0.6),
        of_network("original", 0.6, 1),
        of_network("small", 0.5),
        of_network("student", 0.5, epochs=2),
        of_network("original", 0.7, size="long"),
        of_network("small", 0.5, size="long"),
    ):
        write(tmp_path / "data" / "runs", run)
    return tmp_path


def run_command(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result.output


def test_the_command_writes_tables_and_figures_and_says_what_is_missing(home, monkeypatch):
    rows = [(name, "onnxruntime", 1, ms, 60.0) for name, ms in LATENCY.items()]
    table = pd.DataFrame(rows, columns=["network", "runtime", "threads", "ms", "network MB"])
    monkeypatch.setattr(benchmark_records, "network_latency", lambda: table, raising=False)
    said = run_command("networks", "made")
    folder = home / "figures" / "made-networks"
    short, long = (pd.read_csv(folder / name) for name in ("pareto.csv", "pareto-long.csv"))
    for table in (short, long):
        assert list(table.columns) == PARETO_COLUMNS
        assert list(table["network"]) == ["original", "small"] and list(table["latency_ms"]) == [12, 2]
    assert short["difference"][1] > long["difference"][1] and np.isnan(short["low"][0])
    made = {path.name for path in folder.iterdir()}
    assert {
        "all_networks.png",
        "all_networks.svg",
        "chosen.png",
        "chosen.md",
        "learning.png",
        "networks.md",
        "training_lengths.md",
    } <= made
    assert "| small |" in (folder / "training_lengths.md").read_text()
    assert "3 epochs, no finished record yet: reduced, " in said and "student" in said
    assert "posekit train --model reduced --size short --data path/to/people.json\n" in said


def test_the_command_needs_no_latency(home, monkeypatch):
    def none() -> pd.DataFrame:
        raise PosekitError("there is no record networks.json; make it")

    monkeypatch.setattr(benchmark_records, "network_latency", none, raising=False)
    assert "there is no record networks.json" in run_command("networks", "made")
    table = pd.read_csv(home / "figures" / "made-networks" / "pareto.csv")
    assert table["latency_ms"].isna().all() and len(table) == 2
    result = CliRunner().invoke(app, ["networks", "unheard-of"])
    assert isinstance(result.exception, PosekitError) and "there are no runs in" in str(result.exception)


def test_figures_of_a_study_are_not_made_of_networks_that_are_compared(home):
    said = run_command("figures")
    assert "made-short: networks that are compared by cost" in said and "posekit networks" in said
    assert not (home / "figures").exists()


def test_differences_have_their_sign_and_zero_has_no_minus():
    assert difference_text(-1.24, -3.0, 0.56) == "-1.2 (-3.0 to +0.6)"
    assert difference_text(-0.04, -2.0, 0.0) == "+0.0 (-2.0 to +0.0)"
    assert difference_text(float("nan"), 0, 0) == ""

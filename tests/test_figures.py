"""Figures of accuracy, of the grid and of the claims: they show what the records say, and nothing overlaps."""

from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from made_runs import make_run
from matplotlib.backends.backend_agg import FigureCanvasAgg

import posekit.analysis.publish
import posekit.evaluation.intervals
from posekit.analysis.accuracy_figures import accuracy_figure, grid_figure, pckh_curve_figure, seeds_figure
from posekit.analysis.optimizers import grid_table, make_grid
from posekit.analysis.publish import markdown, publish_records
from posekit.analysis.report_figures import claims_figure
from posekit.analysis.results import Results
from posekit.analysis.tables import group_table
from posekit.evaluation.intervals import interval
from posekit.evaluation.pckh import pckh


def test_accuracy_is_the_mean_of_the_seeds_with_its_interval():
    runs = [make_run(5, 0.5, seed=0), make_run(5, 0.6, seed=1), make_run(6, 0.4)]
    figure = accuracy_figure(runs, group_table(runs))
    (axis,) = figure.axes
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "Model 5: reduced, RMSprop",
        "Model 6: reduced, Adam",
    ]
    points, _, (bars,) = axis.containers[0]
    both = np.stack([run.distances() for run in runs[:2]])
    found = interval(both, "wrist")
    assert points.get_ydata()[3] == pytest.approx(found.estimate)
    np.testing.assert_allclose(bars.get_segments()[3][:, 1], [found.low, found.high])


def test_every_seed_is_a_point():
    runs = [make_run(1, 0.5, seed=s) for s in (0, 1, 2)] + [make_run("lean", 0.4)]
    axis = seeds_figure(runs, group_table(runs)).axes[0]
    drawn = np.concatenate([line.get_xdata() for line in axis.lines if line.get_marker() in "oP"])
    np.testing.assert_allclose(drawn, [pckh(run.distances()).weighted14 for run in runs])


@pytest.mark.parametrize(
    "floors", [("mean_pose_weighted14",), ("mean_pose_weighted14", "codec_ceiling_weighted14")]
)
def test_the_curve_passes_pckh_and_shows_the_references_that_are_recorded(floors):
    run = make_run(3, 0.5, floors=floors)
    axis = pckh_curve_figure([run]).axes[0]
    x, y = axis.lines[0].get_data()
    assert y[np.argmin(np.abs(x - 0.5))] == pytest.approx(pckh(run.distances()).weighted14)
    names = {text.get_text().removesuffix(" at 0.5") for text in axis.texts}
    assert names == {"mean pose", "codec's ceiling"}.intersection(
        {"mean_pose_weighted14": "mean pose", "codec_ceiling_weighted14": "codec's ceiling"}[f] for f in floors
    )


def test_the_grid_has_a_line_per_optimizer_and_a_point_per_seed():
    runs = [make_run(m, 0.5, seed=s) for m in (1, 3) for s in (0, 1)]
    variations = [make_run(m, 0.3, seed=s, rate=2.5e-4) for m in (1, 3) for s in (0, 1)]
    grid = make_grid(runs, variations)
    figure = grid_figure(grid, grid_table(grid))
    (axis,) = figure.axes
    lines = {container.get_label(): container[0].get_ydata().astype(float) for container in axis.containers}
    assert set(lines) == {"RMSprop", "Adam"}
    for values, model in ((lines["RMSprop"], 1), (lines["Adam"], 3)):
        means = [
            np.mean([pckh(run.distances()).weighted14 for run in part if run.config.model == f"model-{model}"])
            for part in (variations, runs)
        ]
        np.testing.assert_allclose(values, means)
    seeds = [line for line in axis.lines if line.get_markersize() == 3.5]
    assert sum(len(line.get_ydata()) for line in seeds) == len(runs) + len(variations)


def test_the_picture_of_claims_is_readable():
    long = "RMSprop 0.00025 minus RAdam 0.001: +6.2 points (+3.8 to +8.7, people and seeds); " * 3
    claims = pd.DataFrame(
        {
            "claim": ["The reduced network with RMSprop (Model 5) is the most accurate", "short", "third"],
            "section": ["VI", "V", "IV"],
            "evidence": [long, "few words", long],
            "verdict": ["cannot be told", "holds", "does not hold"],
        }
    )
    figure = claims_figure(claims, "a study")
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    (axis,) = figure.axes
    assert {text.get_text() for text in axis.texts} >= {"cannot be told", "holds", "does not hold"}
    boxes = [text.get_window_extent(renderer) for text in axis.texts]
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.width for box in boxes)


def test_a_study_without_a_model_of_the_report_is_published(tmp_path):
    """Old records, which know one floor only, and a model that is not of the report."""
    runs = [make_run("lean", 0.5, floors=("mean_pose_weighted14",))]
    paths = publish_records(Results("made", runs, {}, "another"), tmp_path, progress=False)
    names = {path.name for path in paths}
    assert {"accuracy.png", "curve.svg", "seeds.png", "models.md"} <= names
    assert not {"claims.png", "grid.png", "figure_2.png", "losses.md", "latency.md"} & names


def test_grid_and_claims_are_published_from_the_variations(tmp_path):
    runs = [make_run(m, 0.5) for m in (1, 3)]
    results = Results("made", runs, make_grid(runs, [make_run(1, 0.4, rate=2e-3)]), "made")
    names = {path.name for path in publish_records(results, tmp_path, progress=False)}
    assert {f"{name}.{kind}" for name in ("grid", "claims") for kind in ("png", "svg", "csv", "md")} <= names
    assert "RMSprop 0.001" in (tmp_path / "optimizers.md").read_text()
    assert (tmp_path / "claims.md").read_text().count("cannot be told") >= 6


def test_figures_compute_no_interval_and_nothing_is_computed_twice(tmp_path, monkeypatch):
    runs = [make_run(m, 0.5, seed=s) for m in (1, 3, 5) for s in (0, 1)]
    grid = make_grid(runs, [make_run(1, 0.4, seed=s, rate=2e-3) for s in (0, 1)])
    steps = []

    def bootstrap(*sample, **options):
        steps.append("bootstrap")
        return scipy.stats.bootstrap(*sample, **options)

    counting = SimpleNamespace(bootstrap=bootstrap, t=scipy.stats.t)
    monkeypatch.setattr(posekit.evaluation.intervals, "stats", counting)
    monkeypatch.setattr(posekit.analysis.publish, "save_figure", lambda *figure: steps.append("figure") or [])
    publish_records(Results("made", runs, grid, "made"), tmp_path, progress=False)
    drawing = steps.index("figure")
    assert drawing > 10 and set(steps[drawing:]) == {"figure"}
    publish_records(Results("made", runs, grid, "made"), tmp_path, progress=False)
    assert set(steps[drawing:]) == {"figure"}


def test_a_table_for_people_keeps_text_and_shows_nothing_where_there_is_nothing():
    table = pd.DataFrame({"text": ["0.00450", "none"], "number": [0.00113494217, float("nan")], "count": [3, 4]})
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in markdown(table).splitlines()]
    assert lines[0] == ["text", "number", "count"] and all(set(cell) <= set(":-") for cell in lines[1])
    assert lines[2:] == [["0.00450", "0.00113494", "3"], ["none", "", "4"]]

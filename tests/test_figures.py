"""Figures of accuracy and of the grid: they show what the records say, in colors and sizes that all can read."""

from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from figure_checks import write_no_figures
from made_runs import make_run
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.text import Text

import posekit.analysis.publish
import posekit.evaluation.intervals
from posekit.analysis.accuracy_figures import accuracy_figure, grid_figure, pckh_curve_figure, seeds_figure
from posekit.analysis.losses import losses_and_joints
from posekit.analysis.optimizers import grid_table, make_grid
from posekit.analysis.publish import markdown, publish_records
from posekit.analysis.report_figures import loss_figure, losses_and_joints_figure, six_losses_figure
from posekit.analysis.results import Results
from posekit.analysis.style import line_styles
from posekit.analysis.tables import group_table
from posekit.analysis.yardsticks import yardsticks
from posekit.evaluation.intervals import interval
from posekit.evaluation.pckh import pckh
from posekit.study.configurations import REPORT_MODELS


def test_accuracy_is_the_mean_of_the_seeds_with_its_interval():
    runs = [make_run(5, 0.5, seed=0), make_run(5, 0.6, seed=1), make_run(6, 0.4)]
    (yardstick,) = yardsticks(runs)
    figure = accuracy_figure(runs, group_table(runs, yardstick), yardstick)
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
    (yardstick,) = yardsticks(runs)
    axis = seeds_figure(runs, {yardstick: group_table(runs, yardstick)}).axes[0]
    drawn = np.concatenate([line.get_xdata() for line in axis.lines if line.get_marker() in "oP"])
    np.testing.assert_allclose(drawn, [pckh(run.distances()).weighted14 for run in runs])


def test_every_set_of_people_has_its_panel():
    runs = [make_run(1, 0.5, seed=s, lsp=0.3) for s in (0, 1)]
    figure = seeds_figure(runs, {y: group_table(runs, y) for y in yardsticks(runs)})
    mpii, lsp = (
        np.concatenate([line.get_xdata() for line in axis.lines if line.get_marker() == "o"])
        for axis in figure.axes
    )
    np.testing.assert_allclose(mpii, [pckh(run.distances()).weighted14 for run in runs])
    np.testing.assert_allclose(lsp, [pckh(run.distances("lsp"), 0.2).weighted14 for run in runs])


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
    others = [make_run(m, 0.3, seed=s, rate=2.5e-4) for m in (1, 3) for s in (0, 1)]
    grid = make_grid(runs, others)
    figure = grid_figure(grid, grid_table(grid))
    (axis,) = figure.axes
    lines = {container.get_label(): container[0].get_ydata().astype(float) for container in axis.containers}
    assert set(lines) == {"RMSprop", "Adam"}
    for values, model in ((lines["RMSprop"], 1), (lines["Adam"], 3)):
        means = [
            np.mean([pckh(run.distances()).weighted14 for run in part if run.config.model == f"model-{model}"])
            for part in (others, runs)
        ]
        np.testing.assert_allclose(values, means)
    seeds = [line for line in axis.lines if line.get_markersize() == 3.5]
    assert sum(len(line.get_ydata()) for line in seeds) == len(runs) + len(others)


def lightness_and_color(color: str, matrix: np.ndarray) -> np.ndarray:
    """CIELAB of a color as somebody sees it: Machado, Oliveira and Fernandes (2009), applied to linear RGB."""
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(matrix @ linear, 0, 1)
    to_xyz = [[0.4125, 0.3576, 0.1804], [0.2127, 0.7152, 0.0722], [0.0193, 0.1192, 0.9503]]
    ratio = (to_xyz @ seen) / [0.9505, 1, 1.0890]
    x, y, z = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


#: How rows of red, green and blue are seen by people without the cones for green, red and blue light.
BLIND = {
    "nobody": np.eye(3),
    "deuteranopia": np.array([[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]]),
    "protanopia": np.array([[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]]),
    "tritanopia": np.array([[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]]),
}


@pytest.mark.parametrize("kind", BLIND)
def test_the_six_colors_stay_apart_for_color_blind_people(kind):
    """A distance of 2.3 is just seen side by side; the palette before had 12.6 under deuteranopia."""
    colors = [style["color"] for style in line_styles(list(REPORT_MODELS)).values()] + ["black"]
    seen = [lightness_and_color(color, BLIND[kind]) for color in colors]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 20


def test_no_text_is_smaller_than_9_points_on_a_page_of_850_pixels():
    runs = [make_run(n, 0.5, lsp=0.4) for n in range(1, 7)]
    for run in runs:
        run.history["pckh_weighted14"] = 50.0
    made = Results("made", runs, [], {}, "")
    sticks, grid = yardsticks(runs), make_grid(runs, [])
    groups = {yardstick: group_table(runs, yardstick) for yardstick in sticks}
    figures = [
        loss_figure(runs, "Loss"),
        six_losses_figure(made),
        losses_and_joints_figure(losses_and_joints(made), 15, "made"),
        accuracy_figure(runs, groups[sticks[0]], sticks[0]),
        seeds_figure(runs, groups),
        pckh_curve_figure(runs),
        grid_figure(grid, grid_table(grid)),
    ]
    for figure in figures:
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw(renderer)
        shown = min(850 / (100 * figure.get_tightbbox(renderer).width), 1)  # 100 px per inch, as notebooks embed
        texts = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
        assert min(shown * text.get_fontsize() for text in texts) * 100 / 96 >= 9


def test_a_study_without_a_model_of_the_report_is_published(tmp_path):
    """Old records, which know one floor only, and a model that is not of the report."""
    runs = [make_run("lean", 0.5, floors=("mean_pose_weighted14",))]
    paths = publish_records(Results("made", runs, [], {}, "another"), tmp_path, progress=False)
    names = {path.name for path in paths}
    assert {"accuracy.png", "curve.svg", "seeds.png", "models.md"} <= names
    assert not {"claims.png", "grid.png", "figure_2.png", "losses.md", "latency.md"} & names


def test_grid_and_claims_are_published_from_the_others(tmp_path, monkeypatch):
    write_no_figures(monkeypatch)
    runs = [make_run(m, 0.5) for m in (1, 3)]
    others = [make_run(1, 0.4, rate=2e-3)]
    results = Results("made", runs, others, make_grid(runs, others), "made")
    names = {path.name for path in publish_records(results, tmp_path, progress=False)}
    assert {f"{name}.{kind}" for name in ("grid", "accuracy") for kind in ("png", "svg", "csv", "md")} <= names
    assert "RMSprop 0.001" in (tmp_path / "optimizers.md").read_text()
    claims = (tmp_path / "claims.md").read_text()
    assert (
        claims.startswith("Trained on made; size quick")
        and sum("undecided" in row for row in claims.splitlines()) == 7
    )


def test_figures_compute_no_interval_and_nothing_is_computed_twice(tmp_path, monkeypatch):
    # Accuracies that no other test has: what was asked before is not computed again.
    runs = [make_run(m, 0.437, seed=s) for m in (1, 3, 5) for s in (0, 1)]
    others = [make_run(1, 0.391, seed=s, rate=2e-3) for s in (0, 1)]
    grid = make_grid(runs, others)
    steps = []

    def bootstrap(*sample, **options):
        steps.append("bootstrap")
        return scipy.stats.bootstrap(*sample, **options)

    counting = SimpleNamespace(bootstrap=bootstrap, t=scipy.stats.t)
    monkeypatch.setattr(posekit.evaluation.intervals, "stats", counting)
    monkeypatch.setattr(posekit.analysis.publish, "save_figure", lambda *figure: steps.append("figure") or [])
    publish_records(Results("made", runs, others, grid, "made"), tmp_path, progress=False)
    drawing = steps.index("figure")
    assert drawing > 5 and set(steps[drawing:]) == {"figure"}
    publish_records(Results("made", runs, others, grid, "made"), tmp_path, progress=False)
    assert set(steps[drawing:]) == {"figure"}


def test_a_table_for_people_keeps_text_and_shows_nothing_where_there_is_nothing():
    table = pd.DataFrame({"text": ["0.00450", "none"], "number": [0.00113494217, float("nan")], "count": [3, 4]})
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in markdown(table).splitlines()]
    assert lines[0] == ["text", "number", "count"] and all(set(cell) <= set(":-") for cell in lines[1])
    assert lines[2:] == [["0.00450", "0.00113494", "3"], ["none", "", "4"]]

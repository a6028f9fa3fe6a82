"""Figures about one network's answers: what their bars and points stand for."""

import numpy as np
import pandas as pd
from figure_checks import assert_readable

from posekit.analysis.answer_figures import confidence_figure, confidence_table, exchanged_figure
from posekit.analysis.chosen_networks import learning_heatmaps_figure
from posekit.skeleton import INDEX


def test_exchanged_bars_are_percentages_of_the_misses():
    table = pd.DataFrame(
        {"misses": [40.0, 0.0], "exchanged": [10.0, 0.0], "by chance": [4.0, 0.0]}, index=["ankle", "wrist"]
    )
    figure = exchanged_figure(table)
    network, chance = figure.axes[0].containers
    assert [bar.get_height() for bar in network] == [25, 0] and [bar.get_height() for bar in chance] == [10, 0]
    assert_readable(figure)


def test_joints_are_counted_by_confidence():
    confidence, distances = np.full((2, 16), 0.5), np.full((2, 16), np.nan)
    confidence[0, :4], distances[0, :4] = [0.1, 0.2, 0.9, 1.1], [0.6, 0.5, 0.1, np.inf]  # the rest does not count
    table = confidence_table(distances, confidence)
    assert table["joints"].tolist() == [1, 1, 0, 0, 2]
    assert table["found, %"].tolist()[:2] == [0, 100] and table["found, %"].iloc[-1] == 50
    figure = confidence_figure(table)
    assert_readable(figure)
    bars = figure.axes[0].patches
    assert [bar.get_height() for bar in bars] == [0, 100, 0, 0, 50]


def test_heatmaps_while_learning_have_a_row_per_loss_and_their_peaks_above():
    heatmaps = np.zeros((2, 16, 8, 8))
    heatmaps[1, INDEX["left wrist"]] = 0.25  # of the second person; the others stay dark
    by_step = {0: heatmaps, 10: 2 * heatmaps}
    learned = {"squared error": by_step, "cross-entropy": by_step}
    figure = learning_heatmaps_figure(np.zeros((32, 32, 3), np.uint8), learned, 1, "left wrist")
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == [
        "squared error",
        "0 steps: 0.25",
        "10 steps: 0.50",
        "cross-entropy",
        *["0 steps: 0.25", "10 steps: 0.50"],
    ]
    assert_readable(figure)

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


def test_confidences_are_cut_into_equal_parts_and_uncounted_joints_left_out():
    distances = np.array([[0.1, 0.9, np.nan, 0.2, 0.6, 0.5]])
    confidence = np.array([[0.9, 0.1, 0.5, 0.8, 0.2, 0.3]])
    table = confidence_table(distances, confidence, parts=2)
    assert table["answers"].tolist() == [3, 2]
    np.testing.assert_allclose(table["found, %"], [100 / 3, 100])  # 0.1 and 0.2 miss, 0.3 is on the edge
    assert table[["from", "to"]].to_numpy().tolist() == [[0.1, 0.3], [0.8, 0.9]]
    assert_readable(confidence_figure(table))


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

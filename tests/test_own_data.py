"""What confidence is worth and what annotating gains, from numbers that can be counted by hand."""

import numpy as np

from posekit.analysis.own_data import confidence_figure, confidence_table, gain_figure, gain_table
from posekit.evaluation.intervals import compare


def test_joints_are_counted_by_confidence():
    confidence, distances = np.full((2, 16), 0.5), np.full((2, 16), np.nan)
    confidence[0, :4], distances[0, :4] = [0.1, 0.2, 0.9, 1.1], [0.6, 0.5, 0.1, np.inf]  # the rest does not count
    table = confidence_table(confidence, distances)
    assert table["joints"].tolist() == [1, 1, 0, 0, 2]
    assert table["found, %"].tolist()[:2] == [0, 100] and table["found, %"].iloc[-1] == 50
    bars = confidence_figure(table).axes[0].patches
    assert [bar.get_height() for bar in bars] == [0, 100, 0, 0, 50]


def test_gains_stand_beside_what_was_there_before():
    before = np.full((40, 16), 1.0)
    before[:, 0] = 0.1
    gains = {}
    for people, better in ((10, 10), (30, 40)):
        after = before.copy()
        after[:better, 1] = 0.1  # one more joint of each of them
        gains[people] = compare(after, before)
    table = gain_table(gains, 100 / 14)
    assert table.index.tolist() == [0, 10, 30]
    np.testing.assert_allclose(table["PCKh@0.5"], [100 / 14, 100 / 14 * 1.25, 200 / 14])
    assert (table["low"] <= table["gain"]).all() and (table["gain"] <= table["high"]).all()
    (line,) = (line for line in gain_figure(table).axes[0].lines if line.get_marker() == "o")
    np.testing.assert_allclose(line.get_ydata(orig=False), table["gain"])

"""Where a network fails and what annotating gains, from numbers that can be counted by hand."""

import numpy as np
import pytest
import torch

from posekit.analysis.own_data import (
    failures_figure,
    failures_table,
    gain_figure,
    gain_table,
    harder,
)
from posekit.evaluation.evaluate import Evaluation
from posekit.evaluation.intervals import compare
from posekit.preprocessing.batches import batches, without_context
from posekit.preprocessing.crop import CropRule, invert, transform


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
    np.testing.assert_allclose(table["PCKh@0.5, %"], [100 / 14, 100 / 14 * 1.25, 200 / 14])
    low, gain, high = (table[f"{name}, points"] for name in ("low", "gain", "high"))
    assert (low <= gain).all() and (gain <= high).all()
    (line,) = (line for line in gain_figure(table).axes[0].lines if line.get_marker() == "o")
    np.testing.assert_allclose(line.get_ydata(orig=False), gain)


def test_people_who_are_turned_keep_their_joints(tiny_study):
    """The pixel of the crop that shows a joint is the same before and after, and so is its place in the image."""
    crops = tiny_study.crops_of(CropRule(size=32, context=1.5))[1]
    turned = harder(crops)["upside down"]
    margin = crops.rule.margin
    for person in range(len(crops)):
        x, y = np.round(transform(crops.matrices[person], crops.people.center[person][None])[0]).astype(int)
        there = transform(invert(crops.matrices[person]), np.array([[x, y]], float))
        at = np.round(transform(turned.matrices[person], there)[0]).astype(int)
        np.testing.assert_array_equal(
            turned.images[person, at[1] + margin, at[0] + margin], crops.images[person, y + margin, x + margin]
        )
        assert (at == 31 - np.array([x, y])).all()


def test_what_is_covered_or_dark_has_lost_its_light(tiny_study):
    crops = tiny_study.crops[1]
    made = harder(crops)
    assert (made["lower half covered"].images[:, 16:] == 127).all()
    np.testing.assert_array_equal(made["lower half covered"].images[:, :16], crops.images[:, :16])
    assert made["in the dark"].images.max() <= 255 // 7 and made["as they are"] is crops


def test_failures_are_counted_with_the_networks_confidence():
    distances = np.full((1, 16), np.nan)
    distances[0, :4] = [0.1, 0.2, 0.9, 2.0]  # two of four joints are found
    confidence = np.full((1, 16), 0.5)
    confidence[0, :4] = 0.1
    answers = Evaluation(joints=np.zeros((1, 16, 2)), confidence=confidence, distances=distances, loss=0.0)
    (row,) = failures_table({"as they are": answers}).to_dict("records")
    assert list(row.values()) == [pytest.approx(50), pytest.approx(0.4), pytest.approx(25)]


def test_pictures_of_failures_show_what_the_network_sees(tiny_study):
    crops = tiny_study.crops_of(CropRule(size=32, context=1.5))[1]
    figure = failures_figure(harder(crops), person=3)
    assert [axis.get_title() for axis in figure.axes] == list(harder(crops))
    seen = without_context(next(batches(crops, 4, torch.device("cpu"))), crops.rule).images[3]
    np.testing.assert_array_equal(
        figure.axes[0].images[0].get_array(), (255 * seen).round().permute(1, 2, 0).numpy()
    )

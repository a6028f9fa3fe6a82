"""The codec against the Gaussian written out cell by cell, and round trips."""

import itertools
import math

import numpy as np
import pytest
import torch

from posekit.errors import PosekitError
from posekit.preprocessing.heatmaps import Codec, from_cells, to_cells


def slow_heatmap(center: tuple[float, float], sigma: float, height: int, width: int) -> np.ndarray:
    cells = np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            cells[y, x] = math.exp(-((x - center[0]) ** 2 + (y - center[1]) ** 2) / (2 * sigma**2))
    return cells


def encode_one(codec: Codec, x: float, y: float, present: bool = True) -> np.ndarray:
    joints, presence = torch.tensor([[x, y]]), torch.tensor([present])
    return codec.encode(joints, presence, (20, 24))[0].numpy()


def test_pixels_and_cells_by_hand():
    # Cell 0 is the pixels 0, 1, 2, 3; its middle is pixel 1.5.
    assert from_cells(torch.tensor(0.0)) == 1.5
    assert to_cells(torch.tensor([1.5, 5.5, -0.5])).tolist() == [0.0, 1.0, -0.5]


def test_subpixel_heatmap_cell_by_cell():
    heatmap = encode_one(Codec("subpixel", sigma=1.3), 30.0, 41.0)
    slow = slow_heatmap(((30 + 0.5) / 4 - 0.5, (41 + 0.5) / 4 - 0.5), 1.3, 20, 24)
    np.testing.assert_allclose(heatmap, slow, atol=1e-6)


@pytest.mark.parametrize("x, cell", [(28.0, 7), (31.0, 7), (31.4, 7), (32.0, 8)])
def test_report_heatmap_is_centered_on_the_cell_that_holds_the_joint(x, cell):
    np.testing.assert_allclose(
        encode_one(Codec("report"), x, 41.0), slow_heatmap((cell, 10), 1.0, 20, 24), atol=1e-6
    )


def test_absent_joints_have_empty_heatmaps():
    assert encode_one(Codec("report"), 30, 40, present=False).max() == 0
    joints = torch.full((2, 16, 2), float("nan"))
    empty = Codec("subpixel").encode(joints, torch.zeros(2, 16, dtype=torch.bool), (16, 16))
    assert empty.shape == (2, 16, 16, 16) and empty.abs().max() == 0


@pytest.mark.parametrize("kind, bound", [("report", 2.0), ("subpixel", 1e-3)])
def test_round_trip_error(kind, bound):
    """Half a cell for the report's codec, next to nothing for the sub-pixel one, right up to the border."""
    torch.manual_seed(0)
    joints = torch.rand(500, 16, 2) * 255.98 - 0.49
    codec = Codec(kind)
    back, confidence = codec.decode(codec.encode(joints, torch.ones(500, 16, dtype=torch.bool), (64, 64)))
    assert (back - joints).abs().max() <= bound + 1e-4
    assert confidence.max() <= 1 and confidence.min() > 0.7


def test_the_likeliest_region_by_a_slow_reference():
    """Every cell's disc is summed by hand; the answer is the mean place by likelihood in the best one."""
    rng = np.random.default_rng(0)
    maps = rng.random((6, 32, 32)) ** 8
    joints, confidence = Codec("region").decode(torch.from_numpy(maps))
    rows, columns = np.indices((32, 32))

    def part(y, x):  # 32 cells: a radius of 2, and the share of the cells that its border crosses
        return np.clip(2.5 - np.hypot(rows - y, columns - x), 0, 1)

    for joint, peak, heatmap in zip(joints.numpy(), confidence.numpy(), maps, strict=True):
        mass = np.array([[(heatmap * part(y, x)).sum() for x in range(32)] for y in range(32)])
        inside = heatmap * part(*np.unravel_index(mass.argmax(), mass.shape))
        place = np.array([(inside * columns).sum(), (inside * rows).sum()]) / inside.sum()
        np.testing.assert_allclose(joint, 4 * place + 1.5, atol=1e-3)
        assert peak == pytest.approx(heatmap.max())


def test_a_region_beats_a_single_cell_that_is_higher():
    heatmaps = torch.zeros(1, 1, 48, 48)
    heatmaps[0, 0, 10, 10] = 0.2
    heatmaps[0, 0, 29:32, 29:32] = 0.1
    joints, confidence = Codec("region").decode(heatmaps)
    assert joints[0, 0].tolist() == pytest.approx([30 * 4 + 1.5] * 2)
    assert confidence.item() == pytest.approx(0.2)
    assert Codec("subpixel").decode(heatmaps)[0][0, 0].round().tolist() == [round(10 * 4 + 1.5)] * 2


def test_a_region_reads_what_was_written_away_from_the_border():
    torch.manual_seed(0)
    joints = 30 + torch.rand(200, 16, 2) * 195
    codec = Codec("region")
    back, _ = codec.decode(codec.encode(joints, torch.ones(200, 16, dtype=torch.bool), (64, 64)))
    assert (back - joints).abs().max() < 0.05


def test_decoding_stays_at_the_peak_where_the_neighbors_say_nothing():
    heatmaps = torch.full((1, 1, 16, 16), -0.2)
    heatmaps[0, 0, 5, 9] = 0.4
    joints, confidence = Codec("subpixel").decode(heatmaps)
    assert joints[0, 0].tolist() == [9 * 4 + 1.5, 5 * 4 + 1.5]
    assert confidence.item() == pytest.approx(0.4)


def test_decoding_an_empty_or_negative_map_gives_numbers():
    for value, kind in itertools.product((0.0, -1.0), ("subpixel", "region")):
        joints, confidence = Codec(kind).decode(torch.full((2, 16, 8, 8), value))
        assert torch.isfinite(joints).all() and (confidence == value).all()


@pytest.mark.parametrize("arguments", [{"kind": "dark"}, {"sigma": 0.0}])
def test_impossible_codecs_are_refused(arguments):
    with pytest.raises(PosekitError):
        Codec(**arguments)

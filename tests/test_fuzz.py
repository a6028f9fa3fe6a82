"""A slice of `make fuzz`: damaged files of every kind, each answered or refused in one sentence; nothing lost."""

import fuzz
import numpy as np
import pytest
from damage import DAMAGES, DAMAGES_OF_TEXT

SLICE = {name: 3 for name in fuzz.COUNTS} | {"folder": 1, "joints.mat": 1, "image": 6}


@pytest.mark.fuzz
@pytest.mark.filterwarnings("ignore")
def test_damaged_files_cost_one_sentence_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(fuzz, "LIMIT", 600)  # a busy machine is no fault
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    found, faults = fuzz.fuzz(tmp_path, SLICE, seed=1, progress=False)
    assert faults == []
    assert {name: outcomes.total() for name, outcomes in found.items()} == SLICE
    assert sum(outcomes["refused"] for outcomes in found.values()) > 5


@pytest.mark.parametrize("way", dict.fromkeys([*DAMAGES, *DAMAGES_OF_TEXT]), ids=lambda way: way.__name__)
def test_the_same_seed_damages_in_the_same_way(way):
    data = b"".join(b'{"person": %d, "joints": [[1.5, 2], [3, 4]]}\n' % number for number in range(21))
    first, again = (way(data, np.random.default_rng(3)) for _ in range(2))
    assert first == again and first != data
    for tiny in (b"", b"x"):
        way(tiny, np.random.default_rng(3))

"""Every benchmark starts: its imports and its options fit the library as it is."""

import importlib
import sys

import pytest
from conftest import CHECKOUT

SCRIPTS = sorted(path.stem for path in (CHECKOUT / "benchmarks").glob("*.py") if "__main__" in path.read_text())


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_benchmark_explains_itself(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [f"benchmarks/{name}.py", "--help"])
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(name).main()
    assert ended.value.code == 0 and "--help" in capsys.readouterr().out


def test_there_are_benchmarks():
    assert {"crop", "data", "gpu_study", "inference", "training", "variants", "video", "visualizer"} <= set(
        SCRIPTS
    )

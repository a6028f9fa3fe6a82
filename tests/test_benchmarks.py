"""Every benchmark starts: its imports and its options fit the library as it is."""

import importlib
import re
import subprocess
import sys
from importlib.machinery import PathFinder

import pytest
from conftest import CHECKOUT
from tables import TINY
from turns import in_turns

from posekit.inference.predictor import SMALL_NETWORK

SCRIPTS = sorted(path.stem for path in (CHECKOUT / "benchmarks").glob("*.py") if "__main__" in path.read_text())


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_benchmark_explains_itself(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [f"benchmarks/{name}.py", "--help"])
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(name).main()
    assert ended.value.code == 0 and "--help" in capsys.readouterr().out


#: What makes a benchmark small: its arguments, and constants of its module. Those of people without a box are
#: started in `test_people_benchmarks`, `visualizer` in `test_browser`.
SMALL = {
    "crop": (["{drawn}"], {}),
    "data": (["{drawn}", "--json"], {"ROUNDS": 1}),
    "inference": (["--rounds", "2", "--json"], {"BATCHES": (1,), "THREADS": (1,), "SIZE": 64}),
    "training": (["--device", "cpu", "--batch", "2", "--rounds", "1"], {"get_size": lambda name: TINY}),
    "video": (["--rounds", "2", "--json"], {"FRAMES": 3, "THREADS": (1,), "OWN_NETWORK": SMALL_NETWORK}),
}


@pytest.mark.parametrize("name", SMALL)
def test_a_benchmark_measures(name, drawn, tmp_path, monkeypatch, capsys):
    arguments, constants = SMALL[name]
    module = importlib.import_module(name)
    for constant, value in constants.items():
        monkeypatch.setattr(module, constant, value)
    monkeypatch.setenv("POSEKIT_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "argv", [name, *(part.format(drawn=drawn) for part in arguments)])
    module.main()
    assert re.search(r"\d", capsys.readouterr().out)


def test_there_are_benchmarks():
    assert {
        "crop",
        "data",
        "gpu_benchmarks",
        "inference",
        "peers",
        "training",
        "networks",
        "video",
        "visualizer",
    } <= set(SCRIPTS)


def test_what_is_compared_takes_turns_and_the_warm_up_does_not_count():
    asked = []

    def way(name):
        asked.append(name)
        return float(len(asked))

    measured = in_turns({"slow": lambda: way("slow"), "fast": lambda: way("fast")}, rounds=2, title="ways")
    assert asked == ["slow", "fast", "fast", "slow", "slow", "fast"]
    assert {name: values.tolist() for name, values in measured.items()} == {"slow": [4, 5], "fast": [3, 6]}


@pytest.mark.parametrize("folder", ["benchmarks", "tests"])
def test_no_module_hides_another_one(folder):
    """They are imported by their bare names."""
    elsewhere = [
        path for path in sys.path if path not in ("", *(str(CHECKOUT / f) for f in ("benchmarks", "tests")))
    ]
    names = {path.stem for path in (CHECKOUT / folder).glob("*.py")}
    assert len(names) > 10 and not names & sys.stdlib_module_names
    found = [PathFinder.find_spec(name, elsewhere) for name in names]
    assert not [spec.origin for spec in found if spec and spec.origin]  # a folder such as data/ has none


def test_the_times_of_peers_are_measured_in_turns_beside_the_first(monkeypatch):
    """Three calls that do nothing, on a clock that says what each takes."""
    import peers

    takes, now = {"own": 0.010, "full": 0.016, "lite": 0.012}, [0.0]
    monkeypatch.setattr(peers.time, "process_time", lambda: now[0])

    def call(name):
        return lambda: now.__setitem__(0, now[0] + takes[name])

    rows = peers.measure({(name, "runtime"): call(name) for name in takes}, rounds=4)
    assert [row["network"] for row in rows] == list(takes)
    assert [row["ratio"][0] for row in rows] == pytest.approx([1, 1.6, 1.2])
    assert rows[1]["seconds"] == pytest.approx([0.016] * 3)


def test_benchmarks_of_peers_need_neither_torch_nor_posekit():
    program = (
        f"import sys; sys.path.insert(0, {str(CHECKOUT / 'benchmarks')!r}); import peers\n"
        "assert not {'torch', 'posekit'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)

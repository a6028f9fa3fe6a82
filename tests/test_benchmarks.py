"""Every benchmark starts: its imports and its options fit the library as it is."""

import importlib
import itertools
import json
import subprocess
import sys
from importlib.machinery import PathFinder
from types import SimpleNamespace

import inference
import pytest
import torch
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


def peak_here(network: str, batch: int, device: torch.device) -> float:
    """Without a process of its own, which takes seconds to start."""
    return inference.peak_of_this_process(network, batch)


#: What makes a benchmark small: its arguments, and constants of its module. Those of people without a box are
#: started in `test_people_benchmarks`, `visualizer` in `test_browser`.
SMALL = {
    "crop": (["{drawn}"], {}),
    "data": (["{drawn}"], {"ROUNDS": 1}),
    "inference": (["--rounds", "2"], {"BATCHES": (1,), "THREADS": (1,), "SIZE": 64, "peak_megabytes": peak_here}),
    "training": (["--device", "cpu", "--batch", "2", "--rounds", "1"], {"get_size": lambda name: TINY}),
    "video": (["--rounds", "2"], {"FRAMES": 3, "THREADS": (1,), "OWN_NETWORK": SMALL_NETWORK}),
}


@pytest.fixture
def measured(request, drawn, tmp_path, monkeypatch, capsys) -> dict:
    """What a benchmark prints as JSON when it is made small."""
    name = request.param
    arguments, constants = SMALL[name]
    module = importlib.import_module(name)
    for constant, value in constants.items():
        monkeypatch.setattr(module, constant, value)
    monkeypatch.setenv("POSEKIT_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "argv", [name, *(part.format(drawn=drawn) for part in arguments), "--json"])
    module.main()
    return json.loads(capsys.readouterr().out)


def benchmark(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("measured", [name], indirect=True)


def assert_ordered(*intervals: list[float]) -> None:
    """[median, low, high] of what is never zero."""
    for median, low, high in intervals:
        assert 0 < low <= median <= high


@benchmark("crop")
def test_the_crop_is_counted_for_every_person(measured):
    """In a higher box, fewer joints are lost."""
    assert measured["people"] == 64 and set(measured["saved"]) == {"ankles", "knees"}
    low, high = measured["lost"]["200"], measured["lost"]["210"]
    assert low.keys() == high.keys() and low["joints_lost"] > high["joints_lost"] > 0


@benchmark("data")
def test_ratios_of_preparing_data_are_those_of_the_times(measured):
    """There is a single round, so the medians are of the same one."""
    assert all(value > 0 for value in measured.values())
    for slow, fast in (("crop", "imread"), ("loop", "heatmaps")):
        ratio = measured[f"{slow}_ms"] / measured[f"{fast}_ms"]
        assert measured[f"{slow}_over_{fast}"] == pytest.approx(ratio)


@benchmark("inference")
def test_both_networks_of_the_report_are_measured(measured):
    (row,) = measured["measurements"]
    assert (row["device"], row["threads"], row["batch"], row["rounds"]) == ("cpu", 1, 1, 10)
    assert_ordered(row["original_seconds"], row["reduced_seconds"], row["ratio"])
    assert row["original_peak_megabytes"] > 0 and row["reduced_peak_megabytes"] > 0


@benchmark("training")
def test_a_step_and_everything_beside_it_are_measured(measured):
    for kind in ("float32", "float64"):
        assert measured[f"over_{kind}"] > 0 and measured[f"{kind}_seconds_per_image"] > 0
    parts = [value for name, value in measured.items() if name.endswith("_seconds_per_epoch")]
    assert len(parts) == 6 and min(parts) > 0 and 0 < measured["overhead_share"] < 1


@benchmark("video")
def test_every_way_to_run_a_network_on_a_video_is_measured(measured):
    rows = measured["measurements"]
    ways = itertools.product([True, False], ["torch", "onnxruntime"], [False, True])
    assert [(row["flip"], row["runtime"], row["drawing"]) for row in rows] == list(ways)
    assert {row["network"] for row in rows} == {SMALL_NETWORK.name}
    assert_ordered(*(row["frames_per_second"] for row in rows))


def test_times_are_printed_for_people_too(monkeypatch, capsys):
    seconds = {f"{network}_seconds": [0.02, 0.01, 0.04] for network in ("original", "reduced")}
    row = {"device": "cpu", "threads": 1, "batch": 16, "ratio": [1.25, 1, 1.5]} | seconds
    row |= {"original_peak_megabytes": 300, "reduced_peak_megabytes": 290}
    monkeypatch.setattr(inference, "measure", lambda rounds: {"measurements": [row]})
    monkeypatch.setattr(sys, "argv", ["inference"])
    inference.main()
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert "original_seconds 20 ms (95 %: 10 to 40)".split() in lines
    assert "ratio 1.25 (95 %: 1 to 1.5)".split() in lines


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
    monkeypatch.setattr(peers, "time", SimpleNamespace(process_time=lambda: now[0]))

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
    subprocess.run([sys.executable, "-c", program], check=True)

"""Latency and memory of networks, time by part, runtimes: what benchmarks record and what readers make of it."""

import json
import math
from dataclasses import asdict, replace

import networks
import pandas as pd
import pytest
import runtimes
import torch
from conftest import CHECKOUT
from tables import TINY

from posekit.analysis import benchmark_records
from posekit.analysis.tables import cost_and_time
from posekit.errors import PosekitError
from posekit.inference.onnx_network import OnnxNetwork
from posekit.models.cost import cost_by_part
from posekit.models.hourglass import HourglassConfig, StackedHourglass
from posekit.study.configurations import get_model, run_config
from posekit.training.checkpoint import save_weights

RECORD = {
    "size": 128,
    "measurements": [
        {"networks": ["original"], "device": "cpu", "runtime": "torch", "threads": 1, "rounds": 9}
        | {"seconds": [0.02, 0.018, 0.025], "ratio": [1.0, 1.0, 1.0]},
        {"networks": ["compact", "student"], "device": "cpu", "runtime": "torch", "threads": 1, "rounds": 9}
        | {"seconds": [0.004, 0.003, 0.005], "ratio": [5.0, 4.5, 5.5]},
        {"networks": ["original"], "device": "A GPU", "runtime": "torch", "threads": None, "rounds": 9}
        | {"seconds": [0.001, 0.001, 0.002], "ratio": [1.0, 1.0, 1.0]},
    ],
    "memory": [
        {"networks": ["compact", "student"], "device": "cpu", "runtime": "torch"}
        | {"process_megabytes": 300.0, "network_megabytes": 7.5},
        {"networks": ["original"], "device": "A GPU", "runtime": "torch"}
        | {"process_megabytes": None, "network_megabytes": 40.0},
    ],
}
PARTS = [
    {"part": "stem", "level": None, "seconds": [0.005, 0.004, 0.006], "share": [0.25, 0.2, 0.3]},
    {"part": "hourglass 1", "level": 32, "seconds": [0.01, 0.009, 0.011], "share": [0.5, 0.4, 0.6]},
]


@pytest.fixture
def records(tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark_records, "_FOLDER", tmp_path)
    return tmp_path


def write_networks(folder, part_times, full_size=RECORD) -> None:
    record = RECORD | {"full_size": full_size, "part_times": part_times}
    (folder / "networks.json").write_text(json.dumps(record))


def test_models_that_share_a_network_share_its_numbers(records):
    large = {"size": 256, "measurements": RECORD["measurements"][:1], "memory": RECORD["memory"][:1]}
    write_networks(records, [], large)
    table = benchmark_records.network_latency()
    assert list(table["network"]) == ["original", "compact", "student", "original"]
    rows = table.set_index(["network", "device"])
    student = rows.loc["student", "cpu"]
    assert list(student[["ms", "ms low", "ms high"]]) == pytest.approx([4, 3, 5])
    assert list(student[["ratio", "ratio low", "ratio high"]]) == [5, 4.5, 5.5]
    assert list(student[["threads", "process MB", "network MB"]]) == [1, 300, 7.5]
    assert pd.isna(rows.loc["original", "cpu"]["network MB"])
    gpu = rows.loc["original", "A GPU"]
    assert pd.isna(gpu["threads"]) and pd.isna(gpu["process MB"]) and gpu["network MB"] == 40
    (one,) = benchmark_records.full_size_latency().to_dict("records")
    assert one["network"] == "original" and one["ms"] == pytest.approx(20) and pd.isna(one["process MB"])


def test_parts_are_in_milliseconds_and_percent(records):
    write_networks(records, [{"size": size, "rounds": 9, "seconds": [0], "parts": PARTS} for size in (128, 256)])
    table = benchmark_records.part_times()
    assert list(table["size"]) == [128, 128, 256, 256] and list(table["part"]) == 2 * ["stem", "hourglass 1"]
    assert list(table.loc[1, ["ms", "ms low", "ms high"]]) == pytest.approx([10, 9, 11])
    assert list(table.loc[0, ["share", "share low", "share high"]]) == pytest.approx([25, 20, 30])
    assert pd.isna(table.loc[0, "level"]) and table.loc[1, "level"] == 32


def test_runtimes_are_read(records):
    row = {"runtime": "onnxruntime", "precision": "int8", "pckh": [54.0, 50.0, 58.0], "bytes": 700_000}
    row |= {"difference": [-1.0, -2.0, 0.5], "heatmaps": 0.1, "joints": 9.0}
    row |= {"seconds": [0.003, 0.002, 0.004], "ratio": [4.0, 3.0, 5.0]}
    (records / "runtimes.json").write_text(json.dumps({"measurements": [row]}))
    (read,) = benchmark_records.runtimes().to_dict("records")
    assert [read[name] for name in ("runtime", "precision", "pckh high", "difference low")] == [
        *("onnxruntime", "int8", 58.0, -2.0)
    ]
    assert (read["ms"], read["ms high"], read["ratio low"], read["MB"]) == pytest.approx((3, 4, 3, 0.7))


def test_frames_per_second_are_read(records):
    row = {"network": "a.pt", "runtime": "torch", "flip": True, "threads": 2, "drawing": False, "rounds": 5}
    (records / "video.json").write_text(json.dumps({"measurements": [row | {"frames_per_second": [30, 29, 32]}]}))
    (read,) = benchmark_records.frames_per_second().to_dict("records")
    assert (read["network"], read["flip"], read["threads"]) == ("a.pt", True, 2)
    assert [read[f"frames per second{end}"] for end in ("", " low", " high")] == [30, 29, 32]


def test_times_of_peers_are_read(records):
    rows = [
        {"network": "a", "seconds": [0.02, 0.01, 0.03], "ratio": [1.0, 1.0, 1.0]},
        {"network": "b", "seconds": [0.03, 0.02, 0.04], "ratio": [1.6, 1.5, 1.7]},
    ]
    (records / "peers.json").write_text(json.dumps({"measurements": rows}))
    assert benchmark_records.times_of_peers() == {"a": (0.02, 1.0), "b": (0.03, 1.6)}


SCRIPTS = {"runtimes": "runtimes", "frames_per_second": "video", "times_of_peers": "peers"}


@pytest.mark.parametrize(
    "name",
    ["network_latency", "full_size_latency", "part_times", "runtimes", "frames_per_second", "times_of_peers"],
)
def test_a_missing_record_says_how_it_is_made(records, name):
    script = SCRIPTS.get(name, "networks")
    with pytest.raises(PosekitError, match=rf"{script}\.json; make it by: python benchmarks/{script}\.py.* --out"):
        getattr(benchmark_records, name)()


def test_small_networks_at_full_size_are_the_report_s_with_fewer_of_everything():
    original = HourglassConfig("original", channels=256, stacks=2, modules=2)
    assert networks.at_full_size("original") == networks.Measured(original)
    assert networks.at_full_size("compact") == networks.at_full_size("student")
    for name in networks.AT_FULL_SIZE[1:]:
        trained, full = networks.as_trained(name), networks.at_full_size(name)
        assert trained.likelihoods and full.likelihoods
        small, large = trained.network, full.network
        assert (large.channels, large.columns) == (4 * small.channels, 2 * small.columns)
        changed = {"channels", "columns", "modules"}
        kept = [{k: v for k, v in asdict(config).items() if k not in changed} for config in (small, large)]
        assert kept[0] == kept[1]


def test_networks_are_measured_with_their_heatmaps(tmp_path):
    """After cross-entropy, all columns of a heatmap are there, and its cells add up to those of a Gaussian."""
    lean = networks.as_trained("lean")
    torch.manual_seed(1)
    crop = networks.one_crop(networks.SIZE, networks.CPU)
    file = networks.export(lean, networks.SIZE, tmp_path / "lean.onnx")
    with torch.inference_mode():
        for network in (networks.build(lean, networks.CPU), OnnxNetwork(file)):
            (heatmaps,) = network(crop)
            assert heatmaps.shape == (1, 16, 32, 32) and not heatmaps[..., :8].any()
            torch.testing.assert_close(heatmaps.sum(dim=(-2, -1)), torch.full((1, 16), 2 * math.pi))


def test_models_are_measured_once_if_they_were_in_the_committed_record():
    record = json.loads((CHECKOUT / "data" / "benchmarks" / "networks.json").read_text())
    groups = {tuple(row["networks"]) for row in record["measurements"]}
    measured = [{networks.as_trained(name) for name in group} for group in groups]
    assert all(len(one) == 1 for one in measured) and len(set.union(*measured)) == len(groups)


def test_what_is_recorded_of_networks_is_what_is_read(records, monkeypatch):
    large = networks.Measured(HourglassConfig("original", channels=16, stacks=1, modules=1, reductions=1))
    narrow = HourglassConfig("early", channels=8, stacks=1, modules=1, reductions=1, columns=16, unread=False)
    small = networks.Measured(narrow, likelihoods=True)
    megabytes = {large: 250.0, small: 230.0, networks.NOTHING: 200.0}  # a process each would take seconds
    monkeypatch.setattr(networks, "peak", lambda config, size, path: megabytes[config] + (path is not None))
    export = networks.export

    def export_what_is_opened(network, size, path):  # the file of NOTHING is for these processes alone
        return path if network == networks.NOTHING else export(network, size, path)

    monkeypatch.setattr(networks, "export", export_what_is_opened)
    record = networks.compare_networks({"original": large, "compact": small, "student": small}, 32, 2)
    parts = networks.part_times(large, 32, 3)
    (records / "networks.json").write_text(json.dumps(record | {"full_size": record, "part_times": [parts]}))

    table = benchmark_records.network_latency()
    assert len(table) == 9 and (table["ms"] > 0).all() and (table["ms low"] <= table["ms high"]).all()
    assert (table.loc[table["network"] == "original", "ratio"] == 1).all()
    ours = table.drop(columns="network")
    pd.testing.assert_frame_equal(
        *(ours[table["network"] == name].reset_index(drop=True) for name in ("compact", "student"))
    )
    memory = table.set_index(["network", "runtime"])["network MB"]
    assert (
        memory["original", "torch"] == memory["original", "onnxruntime"] == 50 and memory["student", "torch"] == 30
    )
    assert pd.isna(memory["original", "torch folded"])

    times = benchmark_records.part_times()
    rows = [(row["part"], row["level"]) for row in cost_by_part(large.network, 32, levels=True)]
    assert {(row["part"], row["level"]) for row in parts["parts"]} == {*rows, ("between", None)}
    assert (times["ms"] > 0).all() and 0 < times["share"].sum() < 200
    with pytest.raises(PosekitError, match="measured at 32 px, not at 64"):
        cost_and_time(large.network, 64)


@pytest.mark.parametrize(("loss", "columns"), [("squared error", None), ("cross-entropy", 16)])
def test_one_network_run_in_several_ways(drawn, tmp_path, monkeypatch, loss, columns):
    monkeypatch.setenv("POSEKIT_HOME", str(tmp_path))
    torch.manual_seed(0)
    network = replace(TINY.network, stem="reduced", columns=columns)
    model = replace(get_model("model-5"), loss=loss, network=network)
    config = run_config(model, TINY, 0, "sample", "none")
    save_weights(tmp_path / "tiny.pt", config, StackedHourglass(config.network), [])
    record = runtimes.measure(drawn, tmp_path / "tiny.pt", rounds=2)
    assert (record["people"], record["calibrated_on"], record["size"]) == (16, 48, 32)
    rows = {(row["runtime"], row["precision"]): row for row in record["measurements"]}
    assert list(rows) == [
        ("torch", "float32"),
        ("torch folded", "float32"),
        ("torch folded", "bfloat16"),
        ("onnxruntime", "float32"),
        ("onnxruntime", "int8"),
    ]
    first, folded, bfloat16, onnx, int8 = rows.values()
    assert first["heatmaps"] == first["joints"] == 0 and first["difference"] == [0, 0, 0]
    assert 0 < folded["heatmaps"] < 1e-4 and 0 < onnx["heatmaps"] < 1e-2
    assert min(bfloat16["heatmaps"], int8["heatmaps"]) > max(folded["heatmaps"], onnx["heatmaps"])
    assert bfloat16["bytes"] < folded["bytes"] <= first["bytes"]
    assert all(low <= value <= high for value, low, high in (row["pckh"] for row in rows.values()))
    assert all(row["seconds"][0] > 0 and row["ratio"][0] > 0 for row in rows.values())

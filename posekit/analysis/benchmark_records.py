"""What was measured outside of trainings: the records in data/benchmarks/, written by benchmarks/."""

import json

import pandas as pd

from posekit.errors import PosekitError
from posekit.paths import REPOSITORY

_FOLDER = REPOSITORY / "data" / "benchmarks"


def latency() -> pd.DataFrame:
    """A row per device, number of threads and batch size (`benchmarks/inference.py`): device, threads, batch;
    original, reduced (ms of one forward pass at the report's size) and ratio (original over reduced), each with
    the 95 % interval of its median as `... low` and `... high`; peak memory in MB.

    Raises `PosekitError` if there is no such record.
    """
    rows = []
    for row in _read("inference.json", "python benchmarks/inference.py --out")["measurements"]:
        values = {name: row[name] for name in ("device", "threads", "batch")}
        for name, key, scale in (
            ("original", "original_seconds", 1e3),
            ("reduced", "reduced_seconds", 1e3),
            ("ratio", "ratio", 1),
        ):
            values |= _median(name, row[key], scale)
        values |= {f"{name} peak MB": row[f"{name}_peak_megabytes"] for name in ("original", "reduced")}
        rows.append(values)
    return pd.DataFrame(rows).astype({"threads": "Int64"})


def crop_audit() -> dict:
    """What the report's crop loses of MPII with a height of 200 and of 210 px (`benchmarks/crop.py`).

    Raises `PosekitError` if there is no such record.
    """
    return _read("crop.json", "python benchmarks/crop.py path/to/mpii --out")


def floors(data_fingerprint: str, size: str) -> dict[str, dict[str, float]]:
    """What needs no network on each set of validation people of a study (`benchmarks/floors.py`), by the name of
    the set: mean_pose, center and codec_ceiling, in percent of the set's own metric. Empty for a study that the
    record is not about.

    Raises `PosekitError` if there is no such record.
    """
    record = _read("floors.json", "python benchmarks/floors.py --data path/to/mpii --out")
    same = (record["data_fingerprint"], record["size"]) == (data_fingerprint, size)
    return record["sets"] if same else {}


def network_latency() -> pd.DataFrame:
    """A row per network, device, runtime and number of threads, at the size of training
    (`benchmarks/networks.py`): network, device, runtime, threads; ms of one image and ratio (the original one's
    time over this one's), each with the 95 % interval of its median as `... low` and `... high`; process MB and
    network MB, the peak memory of a process that runs the network and the network's part of it, NaN where it was
    not measured. Models that share a network have the same numbers.

    Raises `PosekitError` if there is no such record.
    """
    return _latency_rows(_read_networks())


def full_size_latency() -> pd.DataFrame:
    """The same as `network_latency` at the report's size: the original network and the small ones."""
    return _latency_rows(_read_networks()["full_size"])


def part_times() -> pd.DataFrame:
    """A row per part of the original network, at the sizes of training and of the report
    (`benchmarks/networks.py`): size (px of the crop); part and level as `posekit.models.cost.cost_by_part` has
    them, and `between` for pooling, upsampling and sums; ms and share (percent of the forward pass), each with the
    95 % interval of its median.

    Raises `PosekitError` if there is no such record.
    """
    rows = [
        {"size": table["size"], "part": row["part"], "level": row["level"]}
        | _median("ms", row["seconds"], 1e3)
        | _median("share", row["share"], 100)
        for table in _read_networks()["part_times"]
        for row in table["parts"]
    ]
    return pd.DataFrame(rows).astype({"level": "Int64"})


def runtimes() -> pd.DataFrame:
    """A row per way to run one trained network (`benchmarks/runtimes.py`): runtime, precision; pckh (PCKh@0.5
    weighted14, percent) and difference (points, to the first row), with 95 % intervals over people; ms of one
    image on one thread and ratio (first row over this one), with those of their medians; MB of the file; heatmaps
    and joints (px of the crop), the largest differences to the first row.

    Raises `PosekitError` if there is no such record.
    """
    record = _read("runtimes.json", "python benchmarks/runtimes.py --mpii path/to/mpii --out")
    return pd.DataFrame(
        {"runtime": row["runtime"], "precision": row["precision"]}
        | _median("pckh", row["pckh"])
        | _median("difference", row["difference"])
        | _median("ms", row["seconds"], 1e3)
        | _median("ratio", row["ratio"])
        | {"MB": row["bytes"] / 1e6, "heatmaps": row["heatmaps"], "joints": row["joints"]}
        for row in record["measurements"]
    )


def frames_per_second() -> pd.DataFrame:
    """A row per network, runtime, flip test, number of threads and drawing (`benchmarks/video.py`): network,
    runtime, flip, threads, drawing; frames per second, with the 95 % interval of the median (columns
    `... low` and `... high`).

    Raises `PosekitError` if there is no such record.
    """
    return pd.DataFrame(
        {name: row[name] for name in ("network", "runtime", "flip", "threads", "drawing")}
        | _median("frames per second", row["frames_per_second"])
        for row in _read("video.json", "python benchmarks/video.py --out")["measurements"]
    )


def times_of_peers() -> dict[str, tuple[float, float]]:
    """For one crop, by the name of a network: seconds, and how many times as long as posekit.pt it takes
    (`benchmarks/peers.py`).

    Raises `PosekitError` if there is no such record.
    """
    record = _read("peers.json", "python benchmarks/peers.py posekit.onnx --out")
    return {row["network"]: (row["seconds"][0], row["ratio"][0]) for row in record["measurements"]}


def _read_networks() -> dict:
    return _read("networks.json", "python benchmarks/networks.py --out")


def _latency_rows(table: dict) -> pd.DataFrame:
    times = [
        {"network": network}
        | {name: row[name] for name in ("device", "runtime", "threads")}
        | _median("ms", row["seconds"], 1e3)
        | _median("ratio", row["ratio"])
        for row in table["measurements"]
        for network in row["networks"]
    ]
    memory = [
        {"network": network}
        | {name: row[name] for name in ("device", "runtime")}
        | {f"{name} MB": row[f"{name}_megabytes"] for name in ("process", "network")}
        for row in table["memory"]
        for network in row["networks"]
    ]
    both = pd.DataFrame(times).merge(pd.DataFrame(memory), "left", ["network", "device", "runtime"])
    return both.astype({"threads": "Int64", "process MB": float, "network MB": float})


def _median(name: str, values: list[float], scale: float = 1) -> dict[str, float]:
    """Columns of an estimate and the two ends of its interval."""
    return dict(zip((name, f"{name} low", f"{name} high"), (scale * value for value in values), strict=True))


def _read(name: str, command: str) -> dict:
    path = _FOLDER / name
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise PosekitError(f"there is no record {path}; make it by: {command} {path}") from error
    except ValueError as error:
        raise PosekitError(f"record {path} cannot be read ({error}); make it by: {command} {path}") from error

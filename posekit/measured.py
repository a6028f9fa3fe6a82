"""What was measured outside of trainings: the records in data/benchmarks/, written by benchmarks/."""

import json
from pathlib import Path

import pandas as pd

from posekit.errors import PosekitError

_FOLDER = Path(__file__).resolve().parent.parent / "data" / "benchmarks"


def latency() -> pd.DataFrame:
    """A row a device, number of threads and batch (`benchmarks/inference.py`): device, threads, batch; original,
    reduced (ms of one forward pass at the report's size) and ratio (original over reduced), each with the 95 %
    interval of its median as `... low` and `... high`; peak memory in MB.

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
            values |= zip((name, f"{name} low", f"{name} high"), (scale * v for v in row[key]), strict=True)
        values |= {f"{name} peak MB": row[f"{name}_peak_megabytes"] for name in ("original", "reduced")}
        rows.append(values)
    return pd.DataFrame(rows).astype({"threads": "Int64"})


def crop_audit() -> dict:
    """What the report's crop loses of MPII with a height of 200 and of 210 px (`benchmarks/crop.py`).

    Raises `PosekitError` if there is no such record.
    """
    return _read("crop.json", "python benchmarks/crop.py path/to/mpii --out")


def _read(name: str, command: str) -> dict:
    path = _FOLDER / name
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PosekitError(f"there is no record {path}; make it by: {command} {path}") from error
    except ValueError as error:
        raise PosekitError(f"record {path} cannot be read ({error}); make it by: {command} {path}") from error

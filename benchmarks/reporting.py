"""What the benchmarks that keep a record do with it: write it, print it; and the peak memory of a process."""

import argparse
import json
import sys
from pathlib import Path


def add_options(parser: argparse.ArgumentParser) -> None:
    """--json and --out, as `told` reads them."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--out", type=Path, help="write the record here (JSON)")


def told(record: dict, options: argparse.Namespace) -> bool:
    """Writes and prints a record as the options ask for; whether it was printed, so that nothing else is."""
    text = json.dumps(record, indent=2)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text + "\n", encoding="utf-8")
    if options.json:
        print(text)
    return options.json


def peak_megabytes_so_far() -> float:
    """The most memory that this process has had, torch included."""
    status = Path("/proc/self/status")
    if status.exists():  # on Linux, ru_maxrss is never less than that of the process that started this one
        (kilobytes,) = [line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(kilobytes) / 1e3
    import resource  # which Windows does not have

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)

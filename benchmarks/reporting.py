"""Writing and printing the record of a benchmark, and the peak memory of a process."""

import argparse
import json
import sys
from pathlib import Path


def add_options(parser: argparse.ArgumentParser) -> None:
    """--json and --out, as `write_record` reads them."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--out", type=Path, help="write the record here (JSON)")


def read_options(
    parser: argparse.ArgumentParser, rounds: int, about_rounds: str | None = None
) -> argparse.Namespace:
    """The command line of a benchmark that measures in rounds: --rounds (at least 2), --json and --out."""
    parser.add_argument("--rounds", type=int, default=rounds, help=about_rounds)
    add_options(parser)
    options = parser.parse_args()
    if options.rounds < 2:
        parser.error("--rounds must be at least 2: an interval needs them")
    return options


def write_record(record: dict, options: argparse.Namespace) -> None:
    """Writes a record to the file --out, and prints it if --json is given."""
    text = json.dumps(record, indent=2)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text + "\n", encoding="utf-8")
    if options.json:
        print(text)


def peak_megabytes_so_far() -> float:
    """The most memory that this process has used so far, in MB (10^6 bytes), torch included."""
    status = Path("/proc/self/status")
    if status.exists():  # on Linux, ru_maxrss is never less than that of the process that started this one
        (kilobytes,) = [line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(kilobytes) / 1e3
    import resource  # which Windows does not have

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)

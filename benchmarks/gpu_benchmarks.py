"""The benchmarks of inference and training on a GPU alone, within a bounded time.

    python benchmarks/gpu_benchmarks.py --out results --minutes 4

Writes inference.json, training.json and training.txt (the kernels that take most of the time) into OUT. The CPU
part of benchmarks/inference.py, which takes minutes, is left out.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import inference
import torch
from tqdm.auto import tqdm

from posekit.device import choose_device
from posekit.study.runs import environment


def latencies(device: torch.device, rounds: int = 40) -> dict:
    """What `benchmarks/inference.py` records, of one device alone."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    rows = []
    for batch in tqdm(inference.BATCHES, desc="batches"):
        row = {"device": name, "threads": None, "batch": batch, "rounds": rounds}
        row |= inference.compare_networks(device, batch, rounds)
        for network in inference.NETWORKS:
            row[f"{network}_peak_megabytes"] = round(inference.peak_megabytes(network, batch, device))
        rows.append(row)
    return {"environment": environment(device, "float32"), "size": inference.SIZE, "measurements": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", help="by default a GPU if there is one")
    parser.add_argument("--out", type=Path, required=True, help="folder for what is measured")
    parser.add_argument("--minutes", type=float, required=True, help="of the benchmark of training at most")
    options = parser.parse_args()
    device = choose_device(options.device)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "inference.json").write_text(json.dumps(latencies(device), indent=2) + "\n", encoding="utf-8")
    command = [sys.executable, str(Path(__file__).with_name("training.py")), "--json", "--device", str(device)]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=60 * options.minutes, check=True)
    except subprocess.SubprocessError as error:
        sys.exit(f"no figures of benchmarks/training.py: {error}")
    _, end = json.JSONDecoder().raw_decode(done.stdout)  # tables of kernels follow the figures
    (options.out / "training.json").write_text(done.stdout[:end] + "\n", encoding="utf-8")
    (options.out / "training.txt").write_text(done.stdout[end:].lstrip(), encoding="utf-8")


if __name__ == "__main__":
    main()

"""The benchmarks of inference and training on a GPU alone, within a bounded time."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import torch
from tqdm.auto import tqdm

from posekit.study.runs import environment


def measure(folder: Path, out: Path, device: torch.device, seconds: float) -> None:
    """Runs both, unless an earlier call did, the one of training for so many seconds at most.

    What they measured is kept in `folder` and copied to `out`: inference.json, training.json and training.txt (the
    kernels that take most of the time).
    """
    if device.type != "cuda":
        print("benchmarks are left out: they are for a GPU here, and there is none")
        return
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "inference.json").exists():
        (folder / "inference.json").write_text(json.dumps(latencies(device), indent=2) + "\n", encoding="utf-8")
    if not (folder / "training.json").exists():
        command = [sys.executable, str(Path(__file__).with_name("training.py")), "--json", "--device", str(device)]
        try:
            said = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=seconds, check=True).stdout
            figures, end = json.JSONDecoder().raw_decode(said)  # tables of kernels follow it
        except (subprocess.SubprocessError, ValueError) as error:
            print(f"no figures of benchmarks/training.py: {error}")
        else:
            (folder / "training.txt").write_text(said[end:].lstrip(), encoding="utf-8")
            (folder / "training.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    for path in folder.iterdir():
        shutil.copy(path, out)


def latencies(device: torch.device, rounds: int = 40) -> dict:
    """What `benchmarks/inference.py` records, of one device alone: its CPU part takes minutes."""
    import inference  # not above: it cannot be imported on Windows

    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    rows = []
    with tqdm(total=2 * rounds * len(inference.BATCHES), desc="forward passes") as bar:
        for batch in inference.BATCHES:
            row = {"device": name, "threads": None, "batch": batch, "rounds": rounds}
            row |= inference.in_turns(device, batch, rounds, bar)
            for network in inference.NETWORKS:
                row[f"{network}_peak_megabytes"] = round(inference.peak_megabytes(network, batch, device))
            rows.append(row)
    return {"environment": environment(device, "float32"), "size": inference.SIZE, "measurements": rows}

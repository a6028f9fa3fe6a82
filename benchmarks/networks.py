"""How long every network takes for one image, and how much memory: torch, torch folded, onnxruntime.

    python benchmarks/networks.py [--rounds 60] [--json] [--out data/benchmarks/networks.json]

The networks of posekit.study.networks as the size `short` trains them, with random weights, on which time does not
depend; models that share network and loss are measured once. A turn ends with heatmaps: after cross-entropy, that
includes a softmax over the scores. Each is run by torch as it was trained, by torch with batch normalizations
folded into convolutions (`posekit.models.folding`), and by onnxruntime from an exported file, on one thread of the
CPU and, by torch, on a GPU if there is one. A turn is two forward passes of one image, of which the second is
timed: the first brings the weights back into the processor's cache. All take turns, in the other order in every
other round, so that a machine that changes its speed changes all. Latencies are medians over rounds. ratio is the
original network's time over this one's, the median of the ratios within rounds: above 1, this one is faster. Both
have 95 % intervals by bootstrap over rounds: they say how sure the median is on this machine, and nothing about
others.

Memory is the peak of a fresh process that runs one network once, and how far that is above the peak of a process
that runs a network of almost no size: the rest is Python, torch and onnxruntime. The same follows for the original
and the small ones at the report's size (256 px, four times the channels; two residual blocks each, which lean has
already), in a tenth of the rounds on 1 thread; and the time of the original's parts by torch, not folded, on 1
thread. What lies between the parts is pooling, upsampling and sums.

It takes about five minutes on a free core. Where others compute as well, set OMP_WAIT_POLICY=PASSIVE: threads
that wait by spinning are slowed down tenfold there. The record says it, and how busy the machine was. It needs the
packages of the extra `onnx`.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from reporting import peak_megabytes_so_far, read_options, write_record
from timing import forward_seconds
from torch import nn
from tqdm.auto import tqdm
from turns import in_turns, load_now, surroundings, with_interval

from posekit.device import cpu_threads, memory_format
from posekit.inference.export import export_onnx
from posekit.inference.onnx_network import OnnxNetwork
from posekit.inference.predictor import Predictor
from posekit.models.answers import HeatmapNetwork
from posekit.models.build import build_network
from posekit.models.config import NetworkConfig
from posekit.models.cost import modules_by_part
from posekit.models.folding import folded
from posekit.models.hourglass import HourglassConfig
from posekit.preprocessing.crop import CropRule
from posekit.preprocessing.heatmaps import Codec
from posekit.study.configurations import get_size
from posekit.study.networks import NETWORKS

CPU = torch.device("cpu")
#: Measured at the report's size as well.
AT_FULL_SIZE = ("original", "slim", "compact", "lean")
SIZE = get_size("short").crop.size
FULL_SIZE = get_size("full").crop.size


@dataclass(frozen=True)
class Measured:
    """What is measured: a network, and whether its scores are those of cross-entropy."""

    network: NetworkConfig
    likelihoods: bool = False


#: Of almost no size: what a process with it takes is what Python and the runtime take.
NOTHING = Measured(HourglassConfig("early", channels=4, stacks=1, modules=1, reductions=1, unread=False))
NOTHING_SIZE = 32


def as_trained(name: str) -> Measured:
    model = NETWORKS[name]
    return Measured(model.network, model.loss == "cross-entropy")


def at_full_size(name: str) -> Measured:
    """The network for crops of twice the side: four times the channels, hourglasses with two blocks."""
    trained = as_trained(name)
    config = trained.network
    blocks = {"modules": get_size("full").network.modules} if isinstance(config, HourglassConfig) else {}
    columns = config.columns and 2 * config.columns
    return replace(trained, network=replace(config, channels=4 * config.channels, columns=columns, **blocks))


def build(measured: Measured, device: torch.device) -> HeatmapNetwork:
    """The network with random weights, answering with heatmaps."""
    torch.manual_seed(0)
    network = HeatmapNetwork(build_network(measured.network), measured.likelihoods)
    return network.eval().to(device, memory_format=memory_format(device))


def one_crop(size: int, device: torch.device) -> torch.Tensor:
    return torch.rand(1, 3, size, size).to(device, memory_format=memory_format(device))


def export(measured: Measured, size: int, path: Path) -> Path:
    export_onnx(Predictor(build(measured, CPU), CropRule(size=size), Codec()), path)
    return path


def second_pass(network: nn.Module, crop: torch.Tensor) -> float:
    """Seconds of a forward pass right after another one."""
    forward_seconds(network, crop)
    return forward_seconds(network, crop)


def networks_in_turns(networks: dict, crop: torch.Tensor, rounds: int) -> dict:
    """Seconds of one forward pass, (rounds,), of every network by its key."""
    ways = {key: partial(second_pass, network, crop) for key, network in networks.items()}
    return in_turns(ways, rounds, f"{len(networks)} networks", warm_up=0)


def latencies(
    exported: dict[Measured, Path], size: int, device: torch.device, threads: int | None, rounds: int
) -> list[dict]:
    """A row per network and runtime; ratios compare with the first network."""
    with cpu_threads(threads):  # onnxruntime takes the number when it opens the file
        networks: dict[tuple[Measured, str], nn.Module] = {}
        for measured, path in exported.items():
            network = build(measured, device)
            networks |= {(measured, "torch"): network, (measured, "torch folded"): folded(network)}
            if device.type == "cpu":
                networks[measured, "onnxruntime"] = OnnxNetwork(path)
        times = networks_in_turns(networks, one_crop(size, device), rounds)
    original = next(iter(exported))
    where = {"device": device_name(device), "threads": threads, "rounds": rounds}
    return [
        {"measured": measured, "runtime": runtime}
        | where
        | {"seconds": with_interval(taken), "ratio": with_interval(times[original, runtime] / taken)}
        for (measured, runtime), taken in times.items()
    ]


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def peak_of_this_process(measured: Measured, size: int, path: Path | None) -> float:
    """MB, in a process that runs one network once: by onnxruntime if there is a path, else by torch."""
    torch.set_num_threads(1)
    forward_seconds(OnnxNetwork(path) if path else build(measured, CPU), one_crop(size, CPU))
    return peak_megabytes_so_far()


def peak(measured: Measured, size: int, path: Path | None) -> float:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(peak_of_this_process, (measured, size, path))


def memory(exported: dict[Measured, Path], size: int, nothing: Path) -> list[dict]:
    """A row per network and runtime, on one thread of the CPU; nothing: the exported file of `NOTHING`."""
    rows = []
    empty = {"torch": peak(NOTHING, NOTHING_SIZE, None), "onnxruntime": peak(NOTHING, NOTHING_SIZE, nothing)}
    for measured, path in tqdm(exported.items(), desc="memory"):
        for runtime, file in (("torch", None), ("onnxruntime", path)):
            process = peak(measured, size, file)
            megabytes = {"process_megabytes": process, "network_megabytes": process - empty[runtime]}
            rows.append({"measured": measured, "runtime": runtime, "device": "cpu"} | megabytes)
    return rows


def gpu_memory(networks: Iterable[Measured], size: int, device: torch.device) -> list[dict]:
    """A row per network: the memory that torch allocated on the GPU, all of it for the network."""
    rows = []
    for measured in networks:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        forward_seconds(build(measured, device), one_crop(size, device))
        megabytes = torch.cuda.max_memory_allocated(device) / 1e6
        rows.append({"measured": measured, "runtime": "torch", "device": device_name(device)})
        rows[-1] |= {"process_megabytes": None, "network_megabytes": megabytes}
    return rows


def compare_networks(networks: dict[str, Measured], size: int, rounds: int) -> dict:
    """`size`, `measurements` and `memory` of the networks by name, the original one first."""
    names: dict[Measured, list[str]] = {}
    for name, measured in networks.items():
        names.setdefault(measured, []).append(name)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        exported = {
            measured: export(measured, size, folder / f"{number}.onnx")
            for number, measured in enumerate(tqdm(names, desc="exports"))
        }
        rows = latencies(exported, size, CPU, 1, rounds)
        occupied = memory(exported, size, export(NOTHING, NOTHING_SIZE, folder / "nothing.onnx"))
        if torch.cuda.is_available():
            gpu = torch.device("cuda")
            rows += latencies(exported, size, gpu, None, rounds)
            occupied += gpu_memory(exported, size, gpu)
    of_networks = [[{"networks": names[row.pop("measured")]} | row for row in table] for table in (rows, occupied)]
    return {"size": size} | dict(zip(("measurements", "memory"), of_networks, strict=True))


def part_times(measured: Measured, size: int, rounds: int) -> dict:
    """A row per part and level, as `posekit.models.cost.cost_by_part` has them, and one of what lies between them.

    share: of the time of the whole forward pass, within rounds.
    """
    network, crop = build(measured, CPU), one_crop(size, CPU)
    spent: dict[tuple[str, int | None], float] = {}

    def watch(module: nn.Module, key: tuple[str, int | None]) -> None:
        """Adds up the time inside a module: minus when it is entered, plus when it is left."""

        def enter(*_: object) -> None:
            spent[key] = spent.get(key, 0.0) - time.perf_counter()

        def leave(*_: object) -> None:
            spent[key] += time.perf_counter()

        module.register_forward_pre_hook(enter)
        module.register_forward_hook(leave)

    for key, modules in modules_by_part(network.network, size).items():
        for module in modules:
            watch(module, key)
    rows: list[dict[tuple[str, int | None], float]] = []
    wholes = []
    with cpu_threads(1):
        for _ in tqdm(range(rounds), desc="parts"):
            forward_seconds(network, crop)
            spent.clear()
            wholes.append(forward_seconds(network, crop))
            rows.append(spent | {("between", None): wholes[-1] - sum(spent.values())})
    table = [
        {"part": part, "level": level, "seconds": with_interval(taken), "share": with_interval(taken / wholes)}
        for part, level in rows[0]
        for taken in [np.array([row[part, level] for row in rows])]
    ]
    return {"size": size, "rounds": rounds, "seconds": with_interval(np.array(wholes)), "parts": table}


def measure(rounds: int) -> dict:
    """Everything: `environment`, what `compare_networks` says as trained and at `full_size`, and `part_times`."""
    load, few = load_now(), max(rounds // 10, 2)
    networks = {name: as_trained(name) for name in NETWORKS}
    large = {name: at_full_size(name) for name in AT_FULL_SIZE}
    return {
        "environment": surroundings(load),
        **compare_networks(networks, SIZE, rounds),
        "full_size": compare_networks(large, FULL_SIZE, few),
        "part_times": [
            part_times(networks["original"], SIZE, rounds),
            part_times(large["original"], FULL_SIZE, few),
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options = read_options(parser, rounds=60, about_rounds="at the report's size, a tenth of it")
    record = measure(options.rounds)
    write_record(record, options)
    if options.json:
        return
    for table in (record, record["full_size"]):
        print(f"{table['size']} px")
        for row in table["measurements"]:
            where = f"{row['device']}, {row['threads']} thread(s)" if row["threads"] else row["device"]
            median, low, high = (1e3 * value for value in row["seconds"])
            print(
                f"  {', '.join(row['networks']):18s} {row['runtime']:12s} {where:16s} {median:8.2f} ms "
                f"(95 %: {low:.2f} to {high:.2f}), {row['ratio'][0]:.2f} times as fast as original"
            )
        for row in table["memory"]:
            process = f", whole process {row['process_megabytes']:.0f}" if row["process_megabytes"] else ""
            print(
                f"  {', '.join(row['networks']):18s} {row['runtime']:12s} {row['device']:16s} "
                f"{row['network_megabytes']:8.1f} MB{process}"
            )
    for table in record["part_times"]:
        print(f"parts of original, {table['size']} px")
        for row in table["parts"]:
            name = row["part"] if row["level"] is None else f"{row['part']}, {row['level']} cells"
            print(f"  {name:22s} {1e3 * row['seconds'][0]:8.2f} ms {100 * row['share'][0]:5.1f} %")


if __name__ == "__main__":
    main()

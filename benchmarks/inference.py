"""How long an answer takes: the report's two networks at full size, in turns, and their ratio.

    python benchmarks/inference.py [--rounds 8] [--json] [--out data/benchmarks/inference.json]

Measured for batches of 1 and 16 people, on the CPU with 1 and 2 threads and on a GPU if there is one: seconds of
one forward pass in float32, crops and weights in place. Both networks are warmed up; then they take turns, the
original first in every other round, so that a machine that changes its speed changes both. Latencies are
medians over rounds. ratio is original over reduced, the median of the ratios within rounds: above 1, the reduced
network is faster. Both have 95 % intervals by bootstrap over rounds: they say how sure the median is on this
machine, and nothing about others. Peak memory on a CPU is that of a fresh process, torch included; on a GPU,
what torch allocated.

It takes about four minutes on two free cores. Where others compute as well, set OMP_WAIT_POLICY=PASSIVE: threads
that wait by spinning are slowed down tenfold there. The record says it, and how busy the machine was; the figures
and the table of claims read the record that --out writes.
"""

import argparse
import multiprocessing
from functools import partial

import torch
from reporting import peak_megabytes_so_far, read_options, write_record
from timing import forward_seconds
from turns import in_turns, load_now, surroundings, with_interval

from posekit.device import cpu_threads, memory_format
from posekit.models.hourglass import StackedHourglass
from posekit.study.configurations import get_model, get_size, network_of

#: A model with each of the two networks.
NETWORKS = {"original": "model-1", "reduced": "model-5"}
BATCHES = (1, 16)
THREADS = (1, 2)
SIZE = get_size("full").crop.size


def make(network: str, device: torch.device) -> StackedHourglass:
    torch.manual_seed(0)
    config = network_of(get_model(NETWORKS[network]), get_size("full"))
    return StackedHourglass(config).eval().to(device, memory_format=memory_format(device))


def make_crops(batch: int, device: torch.device) -> torch.Tensor:
    return torch.rand(batch, 3, SIZE, SIZE).to(device, memory_format=memory_format(device))


def compare_networks(device: torch.device, batch: int, rounds: int) -> dict[str, list[float]]:
    """Latencies of both networks (s) and their ratio, each [median, low, high]."""
    crops = make_crops(batch, device)
    ways = {name: partial(forward_seconds, make(name, device), crops) for name in NETWORKS}
    times = in_turns(ways, rounds, f"{device}, batch {batch}", warm_up=2)
    return {f"{name}_seconds": with_interval(taken) for name, taken in times.items()} | {
        "ratio": with_interval(times["original"] / times["reduced"])
    }


def peak_of_this_process(network: str, batch: int) -> float:
    """MB, in a process that does nothing else."""
    torch.set_num_threads(1)
    forward_seconds(make(network, torch.device("cpu")), make_crops(batch, torch.device("cpu")))
    return peak_megabytes_so_far()


def peak_megabytes(network: str, batch: int, device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        forward_seconds(make(network, device), make_crops(batch, device))
        return torch.cuda.max_memory_allocated(device) / 1e6
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(peak_of_this_process, (network, batch))


def measure(rounds: int) -> dict:
    """Everything: `environment`, and `measurements`, one of every device, number of threads and batch."""
    load = load_now()
    cpu = torch.device("cpu")
    settings = [(cpu, threads, batch) for threads in THREADS for batch in BATCHES]
    if torch.cuda.is_available():
        settings += [(torch.device("cuda"), None, batch) for batch in BATCHES]
    # A batch of 16 takes so much longer than one of 1 that it is measured in fewer rounds.
    times = {1: 5 * rounds, 16: rounds}
    rows = []
    for device, threads, batch in settings:
        with cpu_threads(threads):
            row = compare_networks(device, batch, times[batch])
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
        rows.append({"device": name, "threads": threads, "batch": batch, "rounds": times[batch]} | row)
    for (device, _, batch), row in zip(settings, rows, strict=True):
        for network in NETWORKS:
            row[f"{network}_peak_megabytes"] = round(peak_megabytes(network, batch, device))
    return {"environment": surroundings(load), "size": SIZE, "measurements": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options = read_options(parser, rounds=8, about_rounds="of batch 16; batch 1 has five times as many")
    record = measure(options.rounds)
    write_record(record, options)
    if options.json:
        return
    for row in record["measurements"]:
        where = f"{row['device']}, {row['threads']} thread(s)" if row["threads"] else row["device"]
        print(f"{where}, batch {row['batch']}")
        for name in ("original_seconds", "reduced_seconds", "ratio"):
            scale, unit = (1, "") if name == "ratio" else (1e3, "ms")
            median, low, high = (scale * value for value in row[name])
            print(f"  {name:18s} {median:9.4g} {unit:2s} (95 %: {low:.4g} to {high:.4g})")
        print(f"  peak memory        {row['original_peak_megabytes']} and {row['reduced_peak_megabytes']} MB")


if __name__ == "__main__":
    main()

"""How fast a training step is, as ratios measured in one run, and what an epoch spends on anything else.

    python benchmarks/training.py [--json] [--compile] [--batch 4] [--rounds 5]

The network is the report's (size full, Model 1). Figures:

over_float32     a step of plain float32 (as upstream trains), as a multiple of posekit's step (>= 2)
over_float64     the same in float64 (as the report's authors trained) (>= 7)
overhead_share   data, heatmaps, metrics, logging and checkpoints together, as a share of an epoch (<= 0.05)

Compared ways take turns, so that a machine that changes its speed changes all of them; every figure is a median.
posekit's step is bfloat16 where the hardware is made for it (a GPU, or a CPU with AMX or AVX512-BF16); elsewhere
only the layout and the optimizer differ from plain float32, and little is to be gained. On CUDA it also prints,
for batches of 16 and 64, eager and compiled: images per second, the share of the rate that one large bfloat16
matrix product reaches, peak memory, and the kernels that take most of the time.
"""

import argparse
import json
import statistics
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import torch
from timing import seconds
from torch import nn
from torch.profiler import ProfilerActivity, profile
from tqdm.auto import tqdm
from turns import in_turns

from posekit.datasets.drawn import make_sample
from posekit.datasets.mpii import read_mpii
from posekit.device import choose_device, choose_precision
from posekit.evaluation.pckh import pckh
from posekit.models.build import build_network
from posekit.models.cost import network_cost
from posekit.preprocessing.batches import Crops, batches, make_crops
from posekit.study.configurations import get_model, get_size, run_config
from posekit.training.checkpoint import save_checkpoint
from posekit.training.loop import make_scheduler
from posekit.training.run_config import RunConfig
from posekit.training.step import Step, make_network, make_optimizer

#: People of an epoch on all of MPII, train and validation: what the per-epoch work is divided by.
TRAIN_PEOPLE, VALIDATION_PEOPLE = 22_246, 2_958


def plain_step(
    config: RunConfig, device: torch.device, dtype: torch.dtype, crops: torch.Tensor, target: torch.Tensor
):
    """A training step as upstream writes it: one precision, torch's usual layout, no fused optimizer."""
    torch.manual_seed(config.seed)
    network = build_network(config.network).to(device, dtype)
    optimizer = torch.optim.RMSprop(network.parameters(), lr=config.learning_rate, foreach=False)
    crops, target = crops.to(dtype).contiguous(), target.to(dtype)

    def step() -> None:
        loss = torch.stack([nn.functional.mse_loss(maps, target) for maps in network(crops)]).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def ratios(config: RunConfig, crops: Crops, device: torch.device, compiled: bool, rounds: int) -> dict:
    """Seconds per image of the three ways, and the two ratios."""
    precision, _ = choose_precision(None, "bfloat16", device)
    network = make_network(config, device)
    ours = Step(config, network, make_optimizer(config, network), precision, compiled)
    batch = next(batches(crops, config.batch_size, device))
    side = config.crop.size // 4
    target = config.codec.encode(batch.joints, batch.present, (side, side))
    kinds = ["float32"] if device.type == "mps" else ["float32", "float64"]  # MPS has no float64
    ways = {kind: plain_step(config, device, getattr(torch, kind), batch.images, target) for kind in kinds}
    ways["posekit"] = lambda: ours(batch)
    # The round before the others warms up, and compiles.
    times = in_turns({name: partial(seconds, way, device) for name, way in ways.items()}, rounds, "training steps")
    result = {
        f"{name}_seconds_per_image": float(np.median(taken)) / config.batch_size for name, taken in times.items()
    }
    for kind in kinds:
        result[f"over_{kind}"] = float(np.median(times[kind] / times["posekit"]))
    return {"precision": precision, "compiled": compiled} | result


def overhead(config: RunConfig, crops: Crops, device: torch.device, seconds_per_step: float, rounds: int) -> dict:
    """The share of an epoch on all of MPII that is neither the network's step nor its prediction for
    validation."""
    network = make_network(config, device)
    optimizer = make_optimizer(config, network)
    Step(config, network, optimizer)(next(batches(crops, 2, device)))  # gives the optimizer its state
    whole = lambda: list(batches(crops, config.batch_size, device))  # noqa: E731
    batch = whole()[0]
    side = config.crop.size // 4
    maps = torch.rand(32, 16, side, side, device=device)
    distances = torch.rand(VALIDATION_PEOPLE, 16).numpy()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "last.pt"
        scheduler = make_scheduler(config, optimizer, epoch_steps=1)
        pieces = {
            "data": (whole, TRAIN_PEOPLE / len(crops)),
            "heatmaps": (
                lambda: config.codec.encode(batch.joints, batch.present, (side, side)),
                TRAIN_PEOPLE / config.batch_size,
            ),
            "logging": (lambda: torch.isfinite(torch.rand(20, device=device)).cpu(), TRAIN_PEOPLE / 20),
            "decoding": (lambda: config.codec.decode(maps), VALIDATION_PEOPLE / 32),
            "metrics": (lambda: pckh(distances), 1),
            "checkpoint": (lambda: save_checkpoint(path, config, network, optimizer, scheduler, []), 1),
        }
        taken = {
            name: times * statistics.median(seconds(work, device) for _ in range(rounds + 1))
            for name, (work, times) in tqdm(pieces.items(), desc="everything else", leave=False)
        }
    steps = seconds_per_step * TRAIN_PEOPLE / config.batch_size
    return {"overhead_share": sum(taken.values()) / (steps + sum(taken.values()))} | {
        f"{name}_seconds_per_epoch": value for name, value in taken.items()
    }


def matrix_rate(device: torch.device) -> float:
    """FLOP per second of a product of two 8192 x 8192 bfloat16 matrices: what the hardware gives at best."""
    a, b = (torch.randn(8192, 8192, device=device, dtype=torch.bfloat16) for _ in range(2))
    return 2 * 8192**3 * 20 / min(seconds(lambda: [a @ b for _ in range(20)], device) for _ in range(4))


def throughput(config: RunConfig, crops: Crops, device: torch.device, compiled: bool) -> tuple[dict, str]:
    """Images per second, share of the matrix rate and peak memory of training on CUDA, and the table of
    kernels."""
    network = make_network(config, device)
    step = Step(config, network, make_optimizer(config, network), "bfloat16", compiled)
    batch = next(batches(crops, config.batch_size, device))
    torch.cuda.reset_peak_memory_stats(device)
    for _ in range(8):
        step(batch)
    taken = statistics.median(seconds(lambda: [step(batch) for _ in range(20)], device) / 20 for _ in range(5))
    peak = torch.cuda.max_memory_allocated(device)
    with profile(activities=[ProfilerActivity.CUDA]) as profiled:
        for _ in range(3):
            step(batch)
        torch.cuda.synchronize()
    # Backward is twice the forward pass; FLOPs are of convolutions, which are nearly all.
    flop = 3 * network_cost(config.network, config.crop.size)["gflop"] * 1e9 * config.batch_size
    return {
        "batch": config.batch_size,
        "compiled": compiled,
        "images_per_second": config.batch_size / taken,
        "six_runs_minutes": 6 * config.epochs * TRAIN_PEOPLE * taken / config.batch_size / 60,
        "share_of_matrix_rate": flop / taken / matrix_rate(device),
        "peak_gigabytes": peak / 1e9,
    }, profiled.key_averages().table(sort_by="self_cuda_time_total", row_limit=15, max_name_column_width=60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", help="by default a GPU if there is one")
    parser.add_argument("--batch", type=int, help="people per step; by default 4 on a CPU, 16 on a GPU")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compile", action="store_true", help="posekit's step through torch.compile")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    device = choose_device(options.device)
    size = options.batch or (4 if device.type == "cpu" else 16)
    if size < 2 or options.rounds < 1:
        parser.error("--batch must be at least 2, --rounds at least 1")
    with tempfile.TemporaryDirectory() as folder:
        make_sample(Path(folder) / "people", train=64, validation=2)
        people = read_mpii(Path(folder) / "people", name="benchmark")
        full = get_size("full")
        crops = make_crops(people.split()[0], full.crop, Path(folder) / "cache")

        def config(batch: int) -> RunConfig:
            return run_config(get_model("model-1"), full, 0, people.name, people.fingerprint(), batch_size=batch)

        result = {"device": str(device), "threads": torch.get_num_threads(), "batch": size}
        result |= ratios(config(size), crops, device, options.compile, options.rounds)
        result |= overhead(config(size), crops, device, result["posekit_seconds_per_image"] * size, options.rounds)
        tables = []
        if device.type == "cuda":
            result["matrix_tflops"] = matrix_rate(device) / 1e12
            measured = [throughput(config(b), crops, device, c) for b in (16, 64) for c in (False, True)]
            result["throughput"] = [row for row, _ in measured]
            tables = [f"batch {row['batch']}, compiled: {row['compiled']}\n{table}" for row, table in measured]
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        for name, value in result.items():
            print(f"{name:32s} {value:.4g}" if isinstance(value, float) else f"{name:32s} {value}")
    for table in tables:
        print(table)


if __name__ == "__main__":
    main()

"""The state of a training run in one file, replaced in one piece, so that a killed run can always go on."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from torch import nn

from posekit.device import memory_format
from posekit.errors import PosekitError
from posekit.files import whole_file
from posekit.models.answers import HeatmapNetwork
from posekit.models.build import build_network
from posekit.models.folding import folded
from posekit.paths import PACKAGE
from posekit.training.averaging import WeightAverage
from posekit.training.run_config import RunConfig


def save_checkpoint(
    path: Path,
    config: RunConfig,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    scheduler: torch.optim.lr_scheduler.LRScheduler,
    history: list[dict],
    average: WeightAverage | None = None,
) -> None:
    """Writes beside the file and renames: what is at `path` is always a whole checkpoint.

    Raises `PosekitError` if it cannot be written; the checkpoint before it is then untouched.
    """
    device = next(network.parameters()).device
    state: dict = {
        "config": config.to_dict(),
        "fingerprint": config.fingerprint(),
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "history": history,
        "random": {
            "cpu": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
        },
        "average": average.state_dict() if average is not None else None,
    }
    write_state(state, path)


def snapshot_path(checkpoint: Path, epoch: int) -> Path:
    """Where the weights after an epoch are kept, beside the run's checkpoint."""
    return checkpoint.with_name(f"epoch-{epoch}.pt")


def save_weights(path: Path, config: RunConfig, network: nn.Module, history: list[dict]) -> None:
    """A network to predict with, not to train on: half the precision, a sixth of a checkpoint's size.
    Weights that half precision cannot hold stay in full precision.

    Raises `PosekitError` if it cannot be written.
    """
    weights = {name: halved(value) for name, value in network.state_dict().items()}
    write_state({"config": config.to_dict(), "network": weights, "history": history}, path)


def halved(value: torch.Tensor) -> torch.Tensor:
    """In half precision; as it is where it holds no fractions, or numbers too large for half precision."""
    if not value.is_floating_point():
        return value
    half = value.half()
    return half if torch.equal(half.isfinite(), value.isfinite()) else value


def write_state(state: dict, path: Path) -> None:
    """Writes a file of torch whole. Raises `PosekitError` if it cannot be written."""
    try:
        with whole_file(path) as stream:
            torch.save(state, stream)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        raise PosekitError(
            f"checkpoint {path} cannot be written ({error}); is the disk full? The one before it is kept"
        ) from error


def read_checkpoint(path: Path) -> dict:
    """What `save_checkpoint` or `save_weights` wrote, on the CPU, without running code from the file.

    Raises `PosekitError` if there is no file, or it is cut off, or of something else.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        if PACKAGE in Path(path).resolve().parents:
            raise PosekitError(
                f"posekit's own network {path} is missing; install posekit again, or restore the file from git"
            ) from error
        raise PosekitError(
            f"there is no checkpoint {path}; train the model first with posekit train (records that came with the "
            "repository have no networks)"
        ) from error
    except OSError as error:  # it may not be read, or is a folder
        raise PosekitError(
            f"checkpoint {path} cannot be read ({error.strerror}); check path and rights"
        ) from error
    except Exception as error:  # torch meets a file that is something else with almost any exception
        raise PosekitError(
            f"{path} is not a checkpoint, or not a whole one; if it is of a run of yours, posekit train --force "
            "starts that run anew"
        ) from error
    if not isinstance(state, dict) or not {"config", "network", "history"} <= state.keys():
        if isinstance(state, dict) and "finder" in state:
            raise PosekitError(f"the network in {path} finds people, not joints; name a network that finds joints")
        raise PosekitError(f"{path} is a file of torch, but not a checkpoint of posekit")
    return state


def load_weights(network: nn.Module, state: dict, path: Path) -> None:
    """Puts a checkpoint's weights into a network. Raises `PosekitError` if they are of another network."""
    try:
        network.load_state_dict(state["network"])
    except RuntimeError as error:
        raise PosekitError(f"the weights in {path} do not fit the network that its settings describe") from error


def judged_weights(state: dict) -> dict:
    """The weights of a checkpoint that its run is judged by: their mean over steps, where one is kept."""
    average = state.get("average")
    return average["network"] if average else state["network"]


def load_network(path: Path, device: torch.device) -> tuple[nn.Module, RunConfig]:
    """The network of a checkpoint, on the device and answering with heatmaps, and what its run was asked to do.

    Raises `PosekitError` as `read_checkpoint` and `load_weights` do.
    """
    state = read_checkpoint(path)
    config = RunConfig.from_dict(state["config"])
    network = build_network(config.network)
    load_weights(network, {"network": judged_weights(state)}, path)
    network = folded(network).to(device, memory_format=memory_format(device))
    return HeatmapNetwork(network, config.likelihoods), config


def weights_hash(path: Path) -> str:
    """16 hexadecimal digits of the weights in a checkpoint, whatever else is in the file.

    Raises `PosekitError` as `read_checkpoint` does.
    """
    digest = hashlib.sha256()
    for name, value in sorted(judged_weights(read_checkpoint(path)).items()):
        digest.update(name.encode() + value.contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def load_checkpoint(path: Path, config: RunConfig) -> dict:
    """A checkpoint to go on from. Raises `PosekitError` if it was made by another configuration."""
    state = read_checkpoint(path)
    made_by = RunConfig.from_dict(state["config"])
    if made_by != config:
        raise PosekitError(
            f"{path} was made with other settings ({differences(made_by, config)}); "
            "use --force to train again, which replaces it"
        )
    if "optimizer" not in state:
        raise PosekitError(
            f"{path} holds weights to predict with, not the state of a training; use --force to train again"
        )
    return state


def differences(recorded: RunConfig, asked: RunConfig) -> str:
    """What differs between two configurations, for a message."""
    old, new = recorded.to_dict(), asked.to_dict()
    return ", ".join(f"{key}: {old[key]} there, {new[key]} asked for" for key in old if old[key] != new[key])


@contextmanager
def owned(checkpoint: Path) -> Iterator[None]:
    """Keeps a run to this process. Raises `PosekitError` at once if another process is training it."""
    lock = FileLock(checkpoint.with_name(".lock"))
    try:
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise PosekitError(
            f"another process is training this run ({checkpoint.parent}): wait for it to end, or end it; a run "
            "goes on where it was stopped"
        ) from error
    except OSError as error:
        raise PosekitError(f"{checkpoint.parent} cannot be written ({error.strerror})") from error
    try:
        yield
    finally:
        lock.release()

"""Where networks run: CPU, CUDA or MPS, in which precision, and how crops get there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import numpy as np
import torch

from posekit.errors import PosekitError

Precision = Literal["float32", "bfloat16"]


def choose_device(name: str | None = None) -> torch.device:
    """CUDA, else Apple's MPS, else CPU; or the one that is named. Raises `PosekitError` if it is not there.

    Among processes that torchrun started, "cuda" is the GPU of this process's own number.
    """
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if name == "cuda" and "LOCAL_RANK" in os.environ:
        name = f"cuda:{os.environ['LOCAL_RANK']}"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        first = str(error).splitlines()[0]
        raise PosekitError(f"device {name!r} is not available ({first}); try --device cpu") from error
    if device.type not in ("cpu", "cuda", "mps"):
        raise PosekitError(f"device {name!r} is none that posekit runs on; choose cpu, cuda or mps")
    if device.type == "cuda" and device.index is not None:
        torch.cuda.set_device(device)  # or what does not name a device would use the first one
    return device


def choose_precision(wanted: str, device: torch.device) -> Precision:
    """bfloat16 if it is wanted and the hardware computes in it, else float32.

    A CPU is fast in bfloat16 if it has matrix units (AMX): without them, as on MPS, it is slower than float32.
    Raises `PosekitError` for a precision that posekit does not have.
    """
    if wanted not in ("float32", "bfloat16"):
        raise PosekitError(f"there is no precision {wanted!r}; choose float32 or bfloat16")
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = device.type == "cpu" and getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)()
    return "bfloat16" if wanted == "bfloat16" and native else "float32"


@contextmanager
def cpu_threads(threads: int | None) -> Iterator[None]:
    """Lets torch use so many threads on a CPU for a while; None: as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def memory_format(device: torch.device) -> torch.memory_format:
    """The order of numbers in memory that convolutions like best, except where it is known to go wrong.

    On MPS, the gradient of batch normalisation was wrong for channels-last tensors in several versions of torch.
    """
    return torch.contiguous_format if device.type == "mps" else torch.channels_last


def to_device(array: np.ndarray | torch.Tensor, device: torch.device) -> torch.Tensor:
    """An array of the host on the device; a GPU is not waited for, which needs memory that cannot be moved."""
    tensor = torch.from_numpy(array) if isinstance(array, np.ndarray) else array
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)


def network_input(crops: np.ndarray | torch.Tensor, device: torch.device) -> torch.Tensor:
    """Crops (B, S, S, 3) uint8 RGB as what networks take: (B, 3, S, S) float32 in 0..1, on the device."""
    pixels = to_device(crops, device) if isinstance(crops, np.ndarray) else crops.to(device)
    return (pixels.permute(0, 3, 1, 2).float() / 255).contiguous(memory_format=memory_format(device))

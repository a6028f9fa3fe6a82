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
    """CUDA, else Apple's MPS, else CPU; or the one that is named. Raises `PosekitError` if it is not available.

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


def bfloat16_hardware(device: torch.device) -> str:
    """What of the device multiplies bfloat16 faster than float32, such as "AVX512-BF16"; "" if nothing does.

    The full-size training step takes half the time in bfloat16 on a CPU with AVX512-BF16. On a CPU without it
    and without AMX, and on MPS, bfloat16 is emulated and slower than float32.
    """
    if device.type == "cuda":
        return "CUDA" if torch.cuda.is_bf16_supported(including_emulation=False) else ""
    if device.type == "cpu":
        for name, feature in (("AMX", "_is_amx_tile_supported"), ("AVX512-BF16", "_is_avx512_bf16_supported")):
            if getattr(torch.cpu, feature, lambda: False)():
                return name
    return ""


def choose_precision(named: str | None, preferred: Precision, device: torch.device) -> tuple[Precision, str]:
    """The precision of convolutions while training, and why.

    named: what a person chose, which is used as it is; None: `preferred`, but bfloat16 only where the hardware
    is faster in it (`bfloat16_hardware`). The choice depends on the hardware alone and not on a measurement, so
    that the same machine trains the same numbers again.
    Raises `PosekitError` for a precision that posekit does not have.
    """
    if named is not None:
        if named not in ("float32", "bfloat16"):
            raise PosekitError(f"there is no precision {named!r}; choose float32 or bfloat16")
        return named, "asked for"
    if preferred == "float32":
        return "float32", "this size gains nothing by bfloat16"
    hardware = bfloat16_hardware(device)
    return ("bfloat16", hardware) if hardware else ("float32", f"this {device.type} is not faster in bfloat16")


@contextmanager
def cpu_threads(threads: int | None) -> Iterator[None]:
    """Lets torch use this many threads on a CPU within the block; None: as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def memory_format(device: torch.device) -> torch.memory_format:
    """The order of numbers in memory that convolutions like best, except where it is known to go wrong.

    On MPS, the gradient of batch normalization was wrong for channels-last tensors in several versions of torch.
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

"""Where networks run: CPU, CUDA or MPS, and how crops get there."""

import numpy as np
import torch

from posekit.errors import PosekitError


def choose_device(name: str | None = None) -> torch.device:
    """CUDA, else Apple's MPS, else CPU; or the one that is named. Raises `PosekitError` if it is not there."""
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        first = str(error).splitlines()[0]
        raise PosekitError(f"device {name!r} is not available ({first}); try --device cpu") from error
    if device.type not in ("cpu", "cuda", "mps"):
        raise PosekitError(f"device {name!r} is none that posekit runs on; choose cpu, cuda or mps")
    return device


def memory_format(device: torch.device) -> torch.memory_format:
    """The order of numbers in memory that convolutions like best, except where it is known to go wrong.

    On MPS, the gradient of batch normalisation was wrong for channels-last tensors in several versions of torch.
    """
    return torch.contiguous_format if device.type == "mps" else torch.channels_last


def network_input(crops: np.ndarray, device: torch.device) -> torch.Tensor:
    """Crops (B, S, S, 3) uint8 RGB as what networks take: (B, 3, S, S) float32 in 0..1, on the device."""
    pixels = torch.from_numpy(crops).to(device, non_blocking=True)
    return (pixels.permute(0, 3, 1, 2).float() / 255).contiguous(memory_format=memory_format(device))

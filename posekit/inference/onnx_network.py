"""A network in an ONNX file, run by onnxruntime; its crop and its codec travel in the file."""

import json
from dataclasses import asdict
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from torch import Tensor, nn

from posekit.errors import PosekitError
from posekit.preprocessing.crop import CropRule
from posekit.preprocessing.heatmaps import Codec
from posekit.skeleton import JOINTS

#: The one input of the graph: (batch, 3, S, S) float32, RGB in 0..1. Its outputs: heatmaps_1, heatmaps_2, ...
INPUT = "crops"


class OnnxNetwork(nn.Module):
    """Takes and returns what `posekit.models.hourglass.StackedHourglass` does, on the CPU.

    It has no torch weights, so it works wherever a network is only run, as in
    `posekit.inference.predictor.Predictor`.
    """

    def __init__(self, path: Path) -> None:
        """Raises `PosekitError` if the file is missing or no ONNX file, or if there is no onnxruntime."""
        super().__init__()
        onnxruntime = _onnxruntime()
        options = onnxruntime.SessionOptions()
        # As many threads as torch: what holds torch to a share of the machine holds this as well.
        options.intra_op_num_threads = torch.get_num_threads()
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise PosekitError(f"network {path} cannot be read ({error.strerror}); check the path") from error
        try:
            self.session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # each kind of damage has an exception of its own, which only derives from this
            raise PosekitError(
                f"{path} is not an ONNX file, or not a whole one; posekit export writes it anew"
            ) from error

    def forward(self, images: Tensor) -> list[Tensor]:
        crops = np.ascontiguousarray(images.numpy())
        return [torch.from_numpy(heatmaps) for heatmaps in self.session.run(None, {INPUT: crops})]


def read_onnx(path: Path) -> tuple[OnnxNetwork, CropRule, Codec]:
    """A network that `posekit export` wrote, with the crop and the codec that it was trained with.

    Raises `PosekitError` as `OnnxNetwork` does, and if the file is of another program.
    """
    network = OnnxNetwork(path)
    found = network.session.get_modelmeta().custom_metadata_map
    if "posekit.finder" in found:
        raise PosekitError(f"the network in {path} finds people, not joints; name a network that finds joints")
    try:
        rule = CropRule(**json.loads(found["posekit.crop"]))
        codec = Codec(**json.loads(found["posekit.codec"]))
        joints = json.loads(found["posekit.joints"])
    except (KeyError, TypeError, ValueError) as error:
        raise PosekitError(
            f"{path} is an ONNX file, but does not say which crop and which codec its network was trained with; "
            "use one that posekit export wrote"
        ) from error
    if joints != list(JOINTS):
        raise PosekitError(f"the network in {path} finds other joints than posekit's, or in another order")
    return network, rule, codec


def metadata(rule: CropRule, codec: Codec) -> dict[str, str]:
    """What `read_onnx` needs beside the graph, as the metadata properties of an ONNX file: JSON by name."""
    return {
        "posekit.crop": json.dumps(asdict(rule)),
        "posekit.codec": json.dumps(asdict(codec)),
        "posekit.joints": json.dumps(list(JOINTS)),
    }


def _onnxruntime() -> ModuleType:
    try:
        import onnxruntime
    except ImportError as error:
        raise PosekitError("networks in ONNX files need onnxruntime: pip install onnxruntime") from error
    return onnxruntime

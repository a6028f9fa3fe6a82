"""Writes a predictor's network as an ONNX file, and compares the answers and the time of both.

The file holds the weights of convolutions as float16, which halves it, and a node behind each that turns them into
float32 again. A runtime does that once, when it opens the file, and computes in float32.
"""

import json
import logging
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from posekit.datasets.drawn.scene import draw_person
from posekit.errors import PosekitError
from posekit.files import whole_file
from posekit.inference.finder import LEAST_OF_SUREST, NEAR, Finder
from posekit.inference.onnx_network import INPUT, metadata
from posekit.inference.predictor import Predictor
from posekit.models.finder import FINDER_MULTIPLE, FINDER_STRIDE
from posekit.models.peaks import read
from posekit.preprocessing.whole_image import GRAY
from posekit.skeleton import JOINTS

if TYPE_CHECKING:
    from onnx import ModelProto


def export_onnx(predictor: Predictor, path: Path) -> None:
    """Writes the network of a predictor, for any number of crops at a time; replaces the file.

    The exporter folds a batch normalization into the convolution before it, where there is one. Raises
    `PosekitError` if a package is missing that writes or reads ONNX, or the file cannot be written.
    """
    size = predictor.rule.size
    crops = torch.zeros(2, 3, size, size, device=predictor.device)
    with torch.inference_mode():
        stacks = len(predictor.network(crops))
    outputs = [f"heatmaps_{number}" for number in range(1, stacks + 1)]
    described = (
        f"{INPUT}: (batch, 3, {size}, {size}) float32, RGB in 0..1. heatmaps_N: (batch, 16, {size // 4}, "
        f"{size // 4}) float32 of stack N, the last is the answer. The metadata name joints, crop and codec."
    )
    axes = {0: torch.export.Dim("batch")}
    _write(
        predictor.network,
        (INPUT, crops, axes),
        outputs,
        described,
        metadata(predictor.rule, predictor.codec),
        path,
    )


class _ReadMaps(nn.Module):
    """A finder's network, with its answer as maps that anybody can read."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return read(self.network(images))


def export_finder(finder: Finder, path: Path) -> None:
    """Writes the network that finds people, for one image of any size at a time; replaces the file.

    Its input is `image`, its output `people`, as the file's description says. Raises `PosekitError` as
    `export_onnx` does.
    """
    device = next(finder.network.parameters()).device
    image = torch.zeros(1, 3, 6 * FINDER_MULTIPLE, 8 * FINDER_MULTIPLE, device=device)
    sides = {2: FINDER_MULTIPLE * torch.export.Dim("rows"), 3: FINDER_MULTIPLE * torch.export.Dim("columns")}
    described = (
        f"image: (1, 3, H, W) float32, RGB in 0..1, H and W multiples of {FINDER_MULTIPLE}, the longer side of "
        f"the photograph {finder.side} px and {GRAY} / 255 beside it. people: (1, 4, H / {FINDER_STRIDE}, "
        f"W / {FINDER_STRIDE}) float32: in every cell how sure it is that somebody is there (0..1, nobody below "
        f"{finder.least_score:g}), and then x and y of the person's middle and the height of the person standing "
        "upright, px of the image."
    )
    asked = {
        "side": finder.side,
        "multiple": FINDER_MULTIPLE,
        "gray": GRAY,
        "least_score": finder.least_score,
        "least_of_surest": LEAST_OF_SUREST,
        "near": NEAR,
    }
    properties = {"posekit.finder": json.dumps(asked)}
    _write(_ReadMaps(finder.network), ("image", image, sides), ["people"], described, properties, path)


def _write(
    network: nn.Module,
    given: tuple[str, Tensor, dict],
    outputs: list[str],
    described: str,
    properties: dict[str, str],
    path: Path,
) -> None:
    """given: name, example and axes of any length of the only input; properties: the file's metadata."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise PosekitError(
            f"posekit export needs {error.name}: pip install onnx onnxscript onnxruntime"
        ) from error
    name, example, axes = given
    with _quiet():
        program = torch.onnx.export(
            network,
            (example,),
            dynamo=True,
            verbose=False,
            input_names=[name],
            output_names=outputs,
            dynamic_shapes=(axes,),
        )
    model = program.model_proto
    halve_weights(model)
    for part in (*model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output):
        del part.metadata_props[:]  # where in which file of this machine a layer was made
    model.doc_string = described
    for key, value in properties.items():
        model.metadata_props.add(key=key, value=value)
    try:
        with whole_file(path) as stream:
            stream.write(model.SerializeToString())
    except OSError as error:
        raise PosekitError(f"{path} cannot be written ({error.strerror}); check folder and free space") from error


def halve_weights(model: "ModelProto") -> None:
    """Stores the weights of a model's convolutions as float16, each with a Cast to float32 behind it. A weight
    beyond the largest float16, 65,504, keeps its tensor as it is."""
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    weights = {node.input[1] for node in graph.node if node.op_type == "Conv"}
    casts = []
    for stored in graph.initializer:
        if stored.name not in weights or stored.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(stored)
        if np.abs(values).max(initial=0.0) > np.finfo(np.float16).max:
            continue
        name = stored.name
        stored.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.float16"))
        casts.append(helper.make_node("Cast", [stored.name], [name], to=TensorProto.FLOAT))
    computed = list(graph.node)
    del graph.node[:]
    graph.node.extend(casts + computed)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's remarks on packages that nothing here needs, and on torch's own old habits."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


@dataclass(frozen=True)
class Comparison:
    """Two predictors on the same crops: the largest difference of any heatmap cell of any stack, that of any joint
    whose heatmap has its peak in the same cell for both (px of the crop), and the median seconds that each took
    for one crop. Where two cells are as high to the last digit, rounding decides which one is the peak."""

    heatmaps: float
    joints: float
    one_seconds: float
    other_seconds: float


def compare(one: Predictor, other: Predictor, crops: np.ndarray, rounds: int) -> Comparison:
    """Asks both about crops (N, S, S, 3) uint8 RGB, then takes the time of one crop, in turns, `rounds` times."""
    heatmaps, joints = 0.0, 0.0
    for crop in crops:
        pairs = zip(*(p.predict_stacks(crop, np.eye(2, 3)) for p in (one, other)), strict=True)
        for first, second in pairs:
            # np.maximum keeps what is not a number, where max would pass over it.
            heatmaps = float(np.maximum(heatmaps, np.abs(first.heatmaps - second.heatmaps).max()))
            peaks = [answer.heatmaps.reshape(len(JOINTS), -1).argmax(axis=1) for answer in (first, second)]
            apart = np.abs(first.joints - second.joints)[peaks[0] == peaks[1]]
            joints = float(np.maximum(joints, apart.max(initial=0.0)))
    times: dict[Predictor, list[float]] = {one: [], other: []}
    for number in range(rounds):
        for predictor in (one, other)[:: 1 if number % 2 == 0 else -1]:
            start = time.perf_counter()
            predictor.predict_crop(crops[0], np.eye(2, 3))
            times[predictor].append(time.perf_counter() - start)
    return Comparison(heatmaps, joints, float(np.median(times[one])), float(np.median(times[other])))


def drawn_crops(predictor: Predictor, count: int) -> np.ndarray:
    """Crops (count, S, S, 3) uint8 RGB of people that posekit draws, as the predictor's network sees them."""
    crops = []
    for number in range(count):
        image, person = draw_person(seed=0, index=number)
        crops.append(predictor.crop(image, np.array(person["center"]), person["scale"])[0])
    return np.stack(crops)

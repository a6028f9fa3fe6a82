"""Writes a predictor's network as an ONNX file, and compares the answers and the time of both."""

import logging
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from posekit.datasets.drawn.scene import draw_person
from posekit.errors import PosekitError
from posekit.files import whole_file
from posekit.inference.onnx_network import INPUT, metadata
from posekit.inference.predictor import Predictor
from posekit.skeleton import JOINTS


def export_onnx(predictor: Predictor, path: Path) -> None:
    """Writes the network of a predictor, for any number of crops at a time; replaces the file.

    The exporter folds a batch normalization into the convolution before it, where there is one. Raises
    `PosekitError` if a package is missing that writes or reads ONNX, or the file cannot be written.
    """
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise PosekitError(
            f"posekit export needs {error.name}: pip install onnx onnxscript onnxruntime"
        ) from error
    size = predictor.rule.size
    crops = torch.zeros(2, 3, size, size, device=predictor.device)
    with torch.inference_mode():
        stacks = len(predictor.network(crops))
    with _quiet():
        program = torch.onnx.export(
            predictor.network,
            (crops,),
            dynamo=True,
            verbose=False,
            input_names=[INPUT],
            output_names=[f"heatmaps_{number}" for number in range(1, stacks + 1)],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
        )
    model = program.model_proto
    for part in (*model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output):
        del part.metadata_props[:]  # where in which file of this machine a layer was made
    model.doc_string = (
        f"{INPUT}: (batch, 3, {size}, {size}) float32, RGB in 0..1. heatmaps_N: (batch, 16, {size // 4}, "
        f"{size // 4}) float32 of stack N, the last is the answer. The metadata name joints, crop and codec."
    )
    for name, value in metadata(predictor.rule, predictor.codec).items():
        model.metadata_props.add(key=name, value=value)
    try:
        with whole_file(path) as stream:
            stream.write(model.SerializeToString())
    except OSError as error:
        raise PosekitError(f"{path} cannot be written ({error.strerror})") from error


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

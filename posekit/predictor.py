"""An image and where its person is -> 16 joints in image pixels. NumPy in, NumPy out."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from posekit.checkpoint import load_weights, read_checkpoint
from posekit.configurations import RunConfig
from posekit.crop import CropRule, box_center_and_scale, crop_image, crop_matrix, invert, transform, visible_box
from posekit.device import memory_format, network_input
from posekit.errors import PosekitError
from posekit.heatmaps import Codec
from posekit.hourglass import StackedHourglass


@dataclass(frozen=True)
class Prediction:
    """One person's answer, of one stack.

    joints (16, 2) float64 image px; confidence (16,) float64, the peak of each heatmap (about 0 .. 1);
    crop (S, S, 3) uint8, what the network saw; heatmaps (16, S / 4, S / 4) float32; matrix (2, 3) float64,
    image px -> crop px.
    """

    joints: np.ndarray
    confidence: np.ndarray
    crop: np.ndarray
    heatmaps: np.ndarray
    matrix: np.ndarray


class Predictor:
    """A trained network with the crop and the codec that it was trained with."""

    def __init__(self, network: StackedHourglass, rule: CropRule, codec: Codec) -> None:
        self.network = network.eval()
        self.rule = replace(rule, context=1.0)  # a network answers for the crop alone
        self.codec = codec

    @classmethod
    def from_checkpoint(cls, path: Path, device: torch.device) -> "Predictor":
        """The network of a checkpoint that `posekit train` wrote. Raises `PosekitError` if it is not one."""
        state = read_checkpoint(path)
        config = RunConfig.from_dict(state["config"])
        network = StackedHourglass(config.network)
        load_weights(network, state, path)
        return cls(network.to(device, memory_format=memory_format(device)), config.crop, config.codec)

    @property
    def device(self) -> torch.device:
        return next(self.network.parameters()).device

    def predict(self, image: np.ndarray, center: np.ndarray, scale: float) -> Prediction:
        """Joints of the person at `center` (x, y), image px, who is `scale` times 200 px tall, as in MPII.

        image: (H, W, 3) uint8 RGB. Raises `PosekitError` for another kind of array, a center outside the image,
        or a scale that gives nothing to crop.
        """
        return self.predict_crop(*self.crop(image, center, scale))

    def predict_box(self, image: np.ndarray, box: np.ndarray) -> Prediction:
        """Joints of the person who fills `box`: left, top, right, bottom, image px, clipped to the image."""
        return self.predict_crop(*self.crop_box(image, box))

    def crop(self, image: np.ndarray, center: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
        """What the network sees in `predict`: crop (S, S, 3) uint8 and matrix (2, 3), image px -> crop px."""
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise PosekitError(f"an image must be (H, W, 3) uint8 RGB, not {image.shape} {image.dtype}")
        box = visible_box(self.rule, center, scale, (image.shape[1], image.shape[0]))
        return crop_image(image, box, self.rule), crop_matrix(box, self.rule.size)

    def crop_box(self, image: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What the network sees in `predict_box`, as of `crop`."""
        height, width = image.shape[:2]
        clipped = np.clip(np.asarray(box, float), 0, [width - 1, height - 1, width - 1, height - 1])
        left, top, right, bottom = box
        if left < right and top < bottom and (clipped[0] >= clipped[2] or clipped[1] >= clipped[3]):
            raise PosekitError(
                f"the box ({left:g}, {top:g}, {right:g}, {bottom:g}) lies outside the image of "
                f"{width} x {height} px"
            )
        return self.crop(image, *box_center_and_scale(self.rule, clipped))

    def predict_crop(self, crop: np.ndarray, matrix: np.ndarray) -> Prediction:
        """Joints of a person who is cropped already: crop (S, S, 3) uint8 RGB, matrix (2, 3) image -> crop px."""
        return self.predict_stacks(crop, matrix)[-1]

    @torch.inference_mode()
    def predict_stacks(self, crop: np.ndarray, matrix: np.ndarray) -> list[Prediction]:
        """What every stack answers, first to last, for a crop as in `predict_crop`; the last is the network's."""
        found = []
        for maps in self.network(network_input(crop[None], self.device)):
            joints, confidence = self.codec.decode(maps[0])
            found.append(
                Prediction(
                    joints=transform(invert(matrix), joints.cpu().double().numpy()),
                    confidence=confidence.cpu().double().numpy(),
                    crop=crop,
                    heatmaps=maps[0].float().cpu().numpy(),
                    matrix=matrix,
                )
            )
        return found

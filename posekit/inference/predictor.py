"""An image and where its person is -> 16 joints in image pixels. NumPy in, NumPy out."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from posekit.device import choose_device, network_input
from posekit.errors import PosekitError
from posekit.inference.finder import Finder, Found
from posekit.inference.onnx_network import read_onnx
from posekit.paths import PACKAGE
from posekit.preprocessing.crop import (
    CropRule,
    box_center_and_scale,
    crop_image,
    crop_matrix,
    invert,
    transform,
    visible_box,
)
from posekit.preprocessing.heatmaps import Codec
from posekit.skeleton import mirrored_joints
from posekit.training.checkpoint import load_network

#: The networks that are included, with their card beside them: the more accurate one, and the faster one.
OWN_NETWORK = PACKAGE / "networks" / "posekit.pt"
SMALL_NETWORK = OWN_NETWORK.with_name("posekit-small.pt")


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


@dataclass(frozen=True)
class Person:
    """A person in a picture. number: from 1, the surest first in a photograph; in a video each keeps one."""

    number: int
    answer: Prediction


class FlipTest(nn.Module):
    """Runs a network on the crop and on its mirror image, and takes the mean of both answers.

    As Newell et al. (ECCV 2016) do for their final numbers. Takes and returns what the network does.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.joints = mirrored_joints()

    def forward(self, images: Tensor) -> list[Tensor]:
        mirrored = [heatmaps.flip(-1)[:, self.joints] for heatmaps in self.network(images.flip(-1))]
        return [(one + other) / 2 for one, other in zip(self.network(images), mirrored, strict=True)]


class Predictor:
    """A trained network with its crop and its codec, and the finder that finds people for it."""

    def __init__(self, network: nn.Module, rule: CropRule, codec: Codec) -> None:
        self.network = network.eval()
        self.rule, self.codec = rule, codec

    @classmethod
    def own(cls, device: torch.device | None = None) -> "Predictor":
        """The network that is included for photographs, with `FlipTest`."""
        return cls.from_checkpoint(OWN_NETWORK, device or choose_device(), flip=True)

    @classmethod
    def from_checkpoint(cls, path: Path, device: torch.device, flip: bool = False) -> "Predictor":
        """The network of a checkpoint that `posekit train` wrote, or of an .onnx file that `posekit export` wrote;
        flip: with `FlipTest`, in twice the time. A network of an .onnx file runs on the CPU whatever the device.

        Raises `PosekitError` if the file is neither.
        """
        if Path(path).suffix == ".onnx":
            network, rule, codec = read_onnx(path)
        else:
            network, config = load_network(path, device)
            rule, codec = config.crop, config.codec
        return cls(FlipTest(network) if flip else network, rule, codec)

    @property
    def device(self) -> torch.device:
        """Where crops must lie: that of the weights; networks without torch weights run on the CPU."""
        return next((weights.device for weights in self.network.parameters()), torch.device("cpu"))

    @cached_property
    def finder(self) -> Finder:
        """Finds people: the included finder, unless another one is assigned."""
        return Finder.own(self.device)

    def find(self, image: np.ndarray) -> list[Found]:
        """Where people are in an image (H, W, 3) uint8 RGB, the surest first, as `Finder.find` does."""
        return self.finder.find(checked(image))

    def predict_people(self, image: np.ndarray, people: int | None = None) -> list[Prediction]:
        """Joints of the people that are found in an image (H, W, 3) uint8 RGB, the surest first, at most
        `people`. The list is empty if nobody is found.

        How sure: the finder's score times the mean confidence of the joints times the square root of the height,
        since the person that a photograph is about is rarely the smallest in it.
        """
        found = self.find(image)
        if not found:
            return []
        crops, matrices = zip(*(self.crop(image, person.center, person.scale) for person in found), strict=True)
        answers = self.predict_crops(np.stack(crops), np.stack(matrices))
        sure = [
            person.score * answer.confidence.mean() * np.sqrt(person.scale)
            for person, answer in zip(found, answers, strict=True)
        ]
        ranked = [answers[number] for number in np.argsort(-np.array(sure), kind="stable")]
        return distinct(ranked)[:people]

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
        box = visible_box(self.rule, center, scale, checked(image).shape[1::-1])
        # The network was shown what lies beside the box if it was trained with context.
        middle = slice(self.rule.margin, self.rule.margin + self.rule.size)
        return crop_image(image, box, self.rule)[middle, middle], crop_matrix(box, self.rule)

    def crop_box(self, image: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What the network sees in `predict_box`, as of `crop`."""
        return self.crop(image, *self.place_of_box(image, box))

    def place_of_box(self, image: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, float]:
        """Center and scale, as `predict` takes them, of a box as `predict_box` takes it.

        Raises `PosekitError` for a box that is empty, outside the image, or not of numbers.
        """
        height, width = image.shape[:2]
        given = f"the box ({', '.join(f'{edge:g}' for edge in box)})"
        if not np.isfinite(box).all():
            raise PosekitError(f"{given} holds an edge that is no number; it takes left, top, right, bottom in px")
        left, top, right, bottom = box
        if not (left < right and top < bottom):
            raise PosekitError(
                f"{given} is empty; it takes left, top, right, bottom with left < right and top < bottom"
            )
        clipped = np.clip(np.asarray(box, float), 0, [width - 1, height - 1, width - 1, height - 1])
        if clipped[0] >= clipped[2] or clipped[1] >= clipped[3]:
            raise PosekitError(f"{given} lies outside the image of {width} x {height} px")
        return box_center_and_scale(self.rule, clipped)

    def predict_crop(self, crop: np.ndarray, matrix: np.ndarray) -> Prediction:
        """Joints of a person who is cropped already: crop (S, S, 3) uint8 RGB, matrix (2, 3) image -> crop px."""
        return self.predict_stacks(crop, matrix)[-1]

    def predict_crops(self, crops: np.ndarray, matrices: np.ndarray) -> list[Prediction]:
        """Joints of N people who are cropped already, in one pass of the network.

        crops (N, S, S, 3) uint8 RGB; matrices (N, 2, 3), image px -> crop px. Raises `PosekitError` if the network
        answers with values that are not numbers.
        """
        return self._predict(crops, matrices)[-1]

    def predict_stacks(self, crop: np.ndarray, matrix: np.ndarray) -> list[Prediction]:
        """What every stack answers, first to last, for a crop as in `predict_crop`; the last is the network's."""
        return [of_stack[0] for of_stack in self._predict(crop[None], matrix[None])]

    @torch.inference_mode()
    def _predict(self, crops: np.ndarray, matrices: np.ndarray) -> list[list[Prediction]]:
        """The answers of every stack for every crop."""
        stacks = []
        for maps in self.network(network_input(crops, self.device)):
            if not maps.isfinite().all():
                raise PosekitError(
                    "the network answers with values that are not numbers; its weights are damaged, or it learned "
                    "with too high a learning rate: use another checkpoint"
                )
            joints, confidence = (part.cpu().double().numpy() for part in self.codec.decode(maps))
            found = transform(invert(matrices), joints)
            heatmaps = maps.float().cpu().numpy()
            people = zip(found, confidence, crops, heatmaps, matrices, strict=True)
            stacks.append([Prediction(*person) for person in people])
        return stacks


def checked(image: np.ndarray) -> np.ndarray:
    """The image. Raises `PosekitError` if it is not (H, W, 3) uint8 RGB."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise PosekitError(f"an image must be (H, W, 3) uint8 RGB, not {image.shape} {image.dtype}")
    return image


#: Two answers are of one person if their joints are so near on average, as a part of the side of the crop.
ONE_PERSON = 0.08


def distinct(ranked: list[Prediction]) -> list[Prediction]:
    """The answers without those that repeat a surer one, which is earlier in the list."""
    kept: list[Prediction] = []
    for answer in ranked:
        side = answer.crop.shape[0] / answer.matrix[0, 0]  # image px
        distances = [np.linalg.norm(answer.joints - other.joints, axis=1).mean() for other in kept]
        if not distances or min(distances) >= ONE_PERSON * side:
            kept.append(answer)
    return kept

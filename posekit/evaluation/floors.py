"""What a score must be compared with: floors that need no network, and the ceiling that no network can exceed.

Floors are the loss of answering zero everywhere, and the PCKh of predicting the mean pose, or the middle of the
crop, for every person. The ceiling is the truth itself, sent through crop and codec: what a perfect network would
get.
"""

import numpy as np
import torch

from posekit.datasets.people import People
from posekit.evaluation.evaluate import unit_of_distance
from posekit.evaluation.pckh import head_distances, pckh
from posekit.preprocessing.batches import Crops
from posekit.preprocessing.crop import CropRule, clip_box, crop_matrix, inside, invert, person_box, transform
from posekit.preprocessing.heatmaps import STRIDE, Codec
from posekit.skeleton import JOINTS

_PART = 256  # people whose heatmaps are in memory at once


def crops_without_images(people: People, rule: CropRule) -> Crops:
    """The crops of people whose image sizes are known, but without images: floors and ceilings need none.

    Joints are present where they lie in the report's clipped box, as in `make_crops` without context.
    """
    boxes = clip_box(person_box(rule, people.center, people.scale), people.image_size)
    matrices = crop_matrix(boxes, rule)
    return Crops(
        people,
        rule,
        images=np.zeros((len(people), 0, 0, 3), np.uint8),
        matrices=matrices,
        joints=transform(matrices, people.joints).astype(np.float32),
        present=people.labeled & inside(boxes, people.joints),
    )


def zero_heatmap_loss(joints: np.ndarray, present: np.ndarray, size: int, codec: Codec, stacks: int) -> float:
    """The report's loss of a network that answers zero everywhere: what a loss curve must get below.

    joints (N, 16, 2) crop px, present (N, 16) bool, size of the square crop in px. The loss is the sum over
    stacks of the mean over all heatmap cells, joints and people of the squared target (report, section V).
    """
    cells = (size // STRIDE, size // STRIDE)
    total = 0.0
    for start in range(0, len(joints), _PART):
        part = slice(start, start + _PART)
        target = codec.encode(torch.from_numpy(joints[part]), torch.from_numpy(present[part]), cells)
        total += float(target.square().sum(dtype=torch.float64))
    return stacks * total / (len(joints) * len(JOINTS) * cells[0] * cells[1])


def percent_below(loss: float | np.ndarray, floor: float) -> float | np.ndarray:
    """How far a loss lies below the loss of answering zero everywhere, in percent of it; negative above it.

    The unit in which losses of different sizes, data sets and heatmaps compare.
    """
    return 100 * (1 - loss / floor)


def mean_pose(joints: np.ndarray, present: np.ndarray) -> np.ndarray:
    """(16, 2) crop px: where each joint lies on average among people (N, 16, 2) of whom it is present (N, 16).

    Predicting it for every person gives the accuracy that needs no network. Joints that no person has are put in
    the middle of the others.
    """
    counted = present[..., None]
    counts = counted.sum(axis=0)
    total = np.where(counted, joints, 0).sum(axis=0, dtype=float)
    mean = total / np.maximum(counts, 1)
    return np.where(counts > 0, mean, total.sum(axis=0) / counts.sum())


def mean_pose_distances(train: Crops, validation: Crops) -> np.ndarray:
    """(N, 16) in `unit_of_distance`, as of `head_distances`: the train crops' mean pose, predicted
    for every person."""
    return _distances(validation, mean_pose(train.joints, train.present))


def center_distances(crops: Crops) -> np.ndarray:
    """(N, 16) in `unit_of_distance`, as of `head_distances`: every joint predicted in the middle of the crop."""
    return _distances(crops, np.full((len(JOINTS), 2), (crops.rule.size - 1) / 2))


def codec_distances(crops: Crops, codec: Codec) -> np.ndarray:
    """(N, 16) in `unit_of_distance`, as of `head_distances`: the truth encoded, decoded and mapped back.

    A joint outside the crop has an empty heatmap and is infinitely far away, so PCKh of these distances is the
    ceiling of crop and codec together. The codec's alone is that of the finite ones.
    """
    size = crops.rule.size
    present = crops.present & ((crops.joints >= -0.5) & (crops.joints < size - 0.5)).all(axis=2)
    decoded = []
    for start in range(0, len(crops), _PART):
        part = slice(start, start + _PART)
        joints, annotated = torch.from_numpy(crops.joints[part]), torch.from_numpy(present[part])
        heatmaps = codec.encode(joints, annotated, (size // STRIDE, size // STRIDE))
        decoded.append(codec.decode(heatmaps)[0].double().numpy())
    return _distances(crops, np.where(present[..., None], np.concatenate(decoded), np.nan))


def floors_and_ceiling(train: Crops, validation: Crops, codec: Codec, stacks: int) -> dict[str, float]:
    """What the records of a run keep: zero_heatmap_train and zero_heatmap_validation (losses), and PCKh@0.5 in
    percent, weighted14, of the mean pose, of the crop's middle and of the truth through crop and codec."""
    answers = {
        "mean_pose": mean_pose_distances(train, validation),
        "center": center_distances(validation),
        "codec_ceiling": codec_distances(validation, codec),
    }
    return {
        f"zero_heatmap_{side}": zero_heatmap_loss(crops.joints, crops.present, crops.rule.size, codec, stacks)
        for side, crops in (("train", train), ("validation", validation))
    } | {f"{name}_weighted14": pckh(distances).weighted14 for name, distances in answers.items()}


def _distances(crops: Crops, answer: np.ndarray) -> np.ndarray:
    """Distances of joints in crop px, (N, 16, 2) or (16, 2) for all people, through each person's own matrix."""
    found = transform(invert(crops.matrices), answer)
    return head_distances(found, crops.people.joints, unit_of_distance(crops.people))

"""Runs a network over crops: heatmaps to joints in image pixels, with their loss and their distances."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from posekit.datasets.people import People
from posekit.evaluation.pckh import head_distances, torso_size
from posekit.models.answers import to_heatmaps
from posekit.preprocessing.batches import Crops, batches, without_context
from posekit.preprocessing.crop import invert, transform
from posekit.preprocessing.heatmaps import Codec


@dataclass(frozen=True)
class Evaluation:
    """A network's answer for N people.

    joints (N, 16, 2) float64 image px; confidence (N, 16) float64, the peak of the heatmap; distances (N, 16)
    float64 in `unit_of_distance`, NaN where a joint does not count; loss: mean over people, NaN if none
    was computed.
    """

    joints: np.ndarray
    confidence: np.ndarray
    distances: np.ndarray
    loss: float


#: People in a batch. On a CPU so few that what a layer writes is still in the caches when the next one reads it.
CPU_BATCH, GPU_BATCH = 8, 32

#: Data sets whose standard metric is PCK@0.2 of the torso; all others are judged by PCKh@0.5.
TORSO_DATA_SETS = ("lsp",)


def metric_of(data_set: str) -> tuple[str, float]:
    """The standard metric of a data set, and the distance within which a joint counts as found by it, in
    `unit_of_distance`."""
    return ("PCK@0.2", 0.2) if data_set in TORSO_DATA_SETS else ("PCKh@0.5", 0.5)


def unit_of_distance(people: People) -> np.ndarray:
    """(N,) image px: what distances are divided by: the head size, in `TORSO_DATA_SETS` the torso."""
    torso = np.isin(people.data_set, TORSO_DATA_SETS)
    return np.where(torso, torso_size(people.joints), people.head_size)


@torch.inference_mode()
def evaluate(
    network: nn.Module,
    crops: Crops,
    codec: Codec,
    device: torch.device,
    likelihoods: bool = False,
    loss: Callable[[list[Tensor], Tensor], Tensor] | None = None,
    progress: bool = False,
) -> Evaluation:
    """The last stack's joints for all people of `crops`, mapped back through each person's own matrix.

    likelihoods: what the network's scores are, see `posekit.models.answers.to_heatmaps`; False for a network that
    answers with heatmaps. loss: if one is wanted, of the scores of all stacks and the true heatmaps (see
    `posekit.training.losses`). progress: a bar, if it takes longer than two seconds.
    """
    was_training = network.training
    network.eval()
    found, confidence, total = [], [], 0.0
    size = CPU_BATCH if device.type == "cpu" else GPU_BATCH
    bar = tqdm(
        total=len(crops), desc=f"joints of {crops.people.name}", unit=" people", delay=2, disable=not progress
    )
    for kept in batches(crops, size, device):
        batch = without_context(kept, crops.rule)
        scores = network(batch.images)
        heatmaps = to_heatmaps(scores[-1], likelihoods)
        if loss is not None:
            target = codec.encode(batch.joints, batch.present, heatmaps.shape[-2:])
            total += float(loss(scores, target)) * len(batch.which)
        joints, peaks = codec.decode(heatmaps)
        found.append(joints.cpu().double().numpy())
        confidence.append(peaks.cpu().double().numpy())
        bar.update(len(batch.which))
    bar.close()
    network.train(was_training)
    joints = transform(invert(crops.matrices), np.concatenate(found))
    return Evaluation(
        joints=joints,
        confidence=np.concatenate(confidence),
        distances=head_distances(joints, crops.people.joints, unit_of_distance(crops.people)),
        loss=total / len(crops) if loss is not None else float("nan"),
    )

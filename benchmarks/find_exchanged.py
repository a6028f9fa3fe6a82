"""Finds people of LSP Extended whose right and left are exchanged in the annotation.

    python benchmarks/find_exchanged.py path/to/lspet people.csv --checkpoint a.pt [--checkpoint b.pt ...]

writes one row per person: image, ratio of the legs, ratio of the arms, in nats; `posekit.datasets.exchanged` says
what they are. Of K checkpoints, number k judges the people whose number modulo K is k. With K of at least 2 this
is a cross-validation, if checkpoint k was trained on the others (`fold`). Answers are averaged with those to the
mirrored crop. Networks must have learned by cross-entropy.
"""

import argparse
import csv
import math
from pathlib import Path

import numpy as np
import torch

from posekit.datasets.exchanged import HALVES, log_likelihood_ratios
from posekit.datasets.lsp import read_lsp
from posekit.datasets.people import People, with_images
from posekit.inference.predictor import Predictor
from posekit.preprocessing.batches import batches, make_crops, without_context
from posekit.preprocessing.heatmaps import to_cells
from posekit.training.memory import keep_freed_memory

BATCH = 64


def fold(people: People, number: int, folds: int) -> np.ndarray:
    """(N,) bool: the people that checkpoint `number` of `folds` judges, and must not be trained on."""
    return np.arange(len(people)) % folds == number


@torch.inference_mode()
def ratios_of(predictor: Predictor, people: People) -> dict[str, np.ndarray]:
    """`log_likelihood_ratios` of the people by one network, which learned by cross-entropy."""
    crops, parts = make_crops(people, predictor.rule), []
    for kept in batches(crops, BATCH, predictor.device):
        batch = without_context(kept, predictor.rule)
        likelihoods = predictor.network(batch.images)[-1].float() / (2 * math.pi)
        logarithms = likelihoods.clamp(min=1e-12).log().cpu().numpy()
        cells = to_cells(batch.joints).cpu().numpy()
        parts.append(log_likelihood_ratios(logarithms, cells, batch.present.cpu().numpy()))
    return {half: np.concatenate([part[half] for part in parts]) for half in HALVES}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lspet", type=Path)
    parser.add_argument("people", type=Path)
    parser.add_argument("--checkpoint", type=Path, action="append", required=True)
    arguments = parser.parse_args()
    keep_freed_memory()
    people, _ = with_images(read_lsp(arguments.lspet))
    ratios = {half: np.empty(len(people)) for half in HALVES}
    for number, checkpoint in enumerate(arguments.checkpoint):
        judged = fold(people, number, len(arguments.checkpoint))
        predictor = Predictor.from_checkpoint(checkpoint, torch.device("cpu"), flip=True)
        for half, found in ratios_of(predictor, people.select(judged)).items():
            ratios[half][judged] = found
    with arguments.people.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["image", *HALVES])
        for row in zip(people.image, *(ratios[half].round(2) for half in HALVES), strict=True):
            writer.writerow(row)


if __name__ == "__main__":
    main()

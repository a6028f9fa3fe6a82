"""How well people are found in whole photographs, without boxes: on MPII, with joints and all.

    python benchmarks/finding.py path/to/mpii [--held-out] [--json] [--out data/benchmarks/finding.json]

Photographs with one annotated person: PCKh@0.5 (weighted14) of the joints with the annotated center and scale, and
of the surest person who is found; where nobody is found, every joint is missed. The difference is by paired
bootstrap over people.
Photographs with several: recall, the share of annotated people who are found, and how many finds per photograph
are of nobody who is annotated. Somebody is found if the box of the found joints and the box of the annotated ones
overlap by at least half (intersection over union), both of the joints that are annotated. People with fewer than
six annotated joints do not count, nor does who is found there. MPII leaves out some people in the background:
finding them counts as false.
Time per photograph: finding and all joints, on the threads that torch takes (OMP_NUM_THREADS=2 for two).

By default on the validation people. --held-out: on the training photographs that benchmarks/train_finder.py leaves
out of the finder's training, for choosing thresholds (--least-score, several times). Joints are better there than
on new people, because the pose network was trained on these.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from reporting import add_options, write_record
from tqdm.auto import tqdm
from train_finder import held_out_photographs

from posekit.datasets.images import read_image
from posekit.datasets.mpii import read_everybody, read_mpii
from posekit.datasets.people import People, with_images
from posekit.evaluation.intervals import compare
from posekit.evaluation.pckh import head_distances, pckh
from posekit.inference.finder import LEAST_SCORE, OWN_FINDER, Finder
from posekit.inference.following import joints_box, overlap
from posekit.inference.predictor import OWN_NETWORK, Predictor

CPU = torch.device("cpu")
LEAST_OVERLAP, LEAST_JOINTS = 0.5, 6


def single(people: People, images: dict[str, np.ndarray], predictor: Predictor) -> dict:
    """With and without the annotated box, for people who are alone in their photograph."""
    with_box, without = [], []
    for image, center, scale in zip(people.image, people.center, people.scale, strict=True):
        with_box.append(predictor.predict(images[image], center, scale).joints)
        found = predictor.predict_people(images[image], 1)
        without.append(found[0].joints if found else np.full((16, 2), np.nan))
    distances = [head_distances(np.array(found), people.joints, people.head_size) for found in (with_box, without)]
    difference = compare(distances[1], distances[0])
    return {
        "photographs": len(people),
        "with_box": pckh(distances[0]).weighted14,
        "without": pckh(distances[1]).weighted14,
        "difference": [difference.difference, difference.low, difference.high],
        "nobody_found": int(sum(np.isnan(joints).all() for joints in without)),
    }


def several(everybody: dict[str, np.ndarray], images: dict[str, np.ndarray], predictor: Predictor) -> dict:
    """Recall and false finds in photographs of several people."""
    people, found, false = 0, 0, 0
    for name, annotated in everybody.items():
        counts = np.isfinite(annotated).all(axis=2).sum(axis=1) >= LEAST_JOINTS
        free = np.full(len(annotated), True)
        people += int(counts.sum())
        for answer in predictor.predict_people(images[name]):
            overlaps = [
                _overlap(answer.joints, joints) if present else 0.0
                for joints, present in zip(annotated, free, strict=True)
            ]
            best = int(np.argmax(overlaps))
            if overlaps[best] < LEAST_OVERLAP:
                false += 1
                continue
            free[best] = False
            found += int(counts[best])
    return {
        "photographs": len(everybody),
        "people": people,
        "recall": 100 * found / people,
        "false_per_photograph": false / len(everybody),
    }


def _overlap(answer: np.ndarray, annotated: np.ndarray) -> float:
    known = np.isfinite(annotated).all(axis=1)
    return overlap(joints_box(answer[known]), joints_box(annotated[known])) if known.any() else 0.0


def seconds_per_photograph(images: dict[str, np.ndarray], predictor: Predictor) -> list[float]:
    """Median and 90 % quantile."""
    seconds = []
    for image in images.values():
        started = time.perf_counter()
        predictor.predict_people(image)
        seconds.append(time.perf_counter() - started)
    return np.quantile(seconds, [0.5, 0.9]).tolist()


def measure(folder: Path, pose: Path, finder: Path, held_out: bool, scores: list[float]) -> dict:
    people, _ = with_images(read_mpii(folder))
    aside = np.isin(people.image, held_out_photographs(people))
    people = people.select(aside if held_out else people.validation)
    listed = read_everybody(folder)
    everybody = {name: listed[name] for name in np.unique(people.image)}
    images = {name: read_image(people.images_folder / name, upright=False) for name in everybody}
    alone = people.select(np.array([len(everybody[name]) == 1 for name in people.image]))
    crowds = {name: joints for name, joints in everybody.items() if len(joints) > 1}
    rows = []
    for score in tqdm(scores, desc="finding", unit=" thresholds"):
        predictor = Predictor.from_checkpoint(pose, CPU, flip=True)
        predictor.finder = Finder.from_file(finder, CPU)
        predictor.finder.least_score = score
        rows.append(
            {
                "least_score": score,
                "one_person": single(alone, images, predictor),
                "several_people": several(crowds, images, predictor),
                "seconds": seconds_per_photograph(images, predictor),
            }
        )
    return {
        "photographs": "held-out training" if held_out else "validation",
        "pose_network": pose.name,
        "finder": finder.name,
        "threads": torch.get_num_threads(),
        "measurements": rows,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mpii", type=Path, help="folder with MPII's annotations/ and images/")
    parser.add_argument("--held-out", action="store_true", help="training photographs, to choose thresholds on")
    parser.add_argument("--checkpoint", type=Path, default=OWN_NETWORK, help="the pose network")
    parser.add_argument("--finder", type=Path, default=OWN_FINDER)
    parser.add_argument("--least-score", type=float, action="append", help=f"by default {LEAST_SCORE}")
    add_options(parser)
    options = parser.parse_args()
    scores = options.least_score or [LEAST_SCORE]
    record = measure(options.mpii, options.checkpoint, options.finder, options.held_out, scores)
    write_record(record, options)
    if options.json:
        return
    print(f"{record['photographs']} photographs, {record['pose_network']} with flip test, {record['finder']}")
    print("score | one person: with box, without, difference (95 %), nobody | several: recall, false | ms (90 %)")
    for row in record["measurements"]:
        one, more = row["one_person"], row["several_people"]
        difference, low, high = one["difference"]
        median, most = (1e3 * value for value in row["seconds"])
        print(
            f"{row['least_score']:5.2f} | {one['with_box']:.1f}, {one['without']:.1f}, {difference:+.1f} "
            f"({low:+.1f} to {high:+.1f}), {one['nobody_found']} of {one['photographs']} | "
            f"{more['recall']:.1f} % of {more['people']}, {more['false_per_photograph']:.2f} per photograph of "
            f"{more['photographs']} | {median:.0f} ({most:.0f})"
        )


if __name__ == "__main__":
    main()

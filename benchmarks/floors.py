"""What needs no network on every set of validation people: the mean pose, the middle of the crop, and the ceiling.

    python benchmarks/floors.py --data path/to/mpii --data path/to/lspet --data path/to/lsp [--size half] \
        [--json] [--out data/benchmarks/floors.json]

Runs record these numbers for the first data set, by PCKh@0.5. Here are those of the further ones as well, each
by its own metric, in the crop of a size. The photographs must be there: their sizes limit the crops, but they
are not decoded. Takes a minute.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from reporting import add_options, write_record
from tqdm.auto import tqdm

from posekit.analysis.yardsticks import MEAN
from posekit.datasets.people import People
from posekit.datasets.sources import read_people
from posekit.evaluation.evaluate import metric_of
from posekit.evaluation.floors import center_distances, codec_distances, crops_without_images, mean_pose_distances
from posekit.evaluation.pckh import pckh
from posekit.study.configurations import get_size


def with_image_sizes(people: People) -> People:
    """The people with the sizes of their photographs, read from the files where no annotation gives them."""
    sizes = people.image_size.copy()
    unknown = np.flatnonzero((sizes == 0).any(axis=1))
    for person in tqdm(unknown, desc="sizes of photographs"):
        with Image.open(people.images_folder / people.image[person]) as photograph:
            sizes[person] = photograph.size
    return replace(people, image_size=sizes)


def measure(people: People, size_name: str) -> dict:
    """Percent of joints found, weighted14, by set of people."""
    size = get_size(size_name)
    fingerprint, people = people.fingerprint(), with_image_sizes(people)
    train = crops_without_images(people.select(~people.validation), size.crop)
    found = {}
    for others in people.validation_sets():
        crops = crops_without_images(others, size.crop)
        metric, threshold = metric_of(others.name)
        answers = {
            "mean_pose": mean_pose_distances(train, crops),
            "center": center_distances(crops),
            "codec_ceiling": codec_distances(crops, size.codec),
        }
        scores = {name: pckh(distances, threshold).mean(MEAN) for name, distances in answers.items()}
        found[others.name] = {"people": len(others), "metric": metric} | scores
    return {"data": people.name, "data_fingerprint": fingerprint, "size": size_name, "sets": found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, action="append", default=[], help="a data set's folder; may be repeated"
    )
    parser.add_argument("--size", default="half", help="whose crop and codec")
    add_options(parser)
    options = parser.parse_args()
    people, _ = read_people(options.data)
    record = measure(people, options.size)
    write_record(record, options)
    if options.json:
        return
    for name, scores in record["sets"].items():
        values = ", ".join(f"{key} {scores[key]:.1f} %" for key in ("mean_pose", "center", "codec_ceiling"))
        print(f"{name}, {scores['people']} people, {scores['metric']}: {values}")


if __name__ == "__main__":
    main()

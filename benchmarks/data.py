"""How fast people become batches: three ratios, measured on one core in one run.

    python benchmarks/data.py path/to/mpii [--json]

crop_over_imread     JPEG to 256-pixel crop, as a multiple of the time that cv2.imread alone takes
jpeg_over_cache      JPEG to crop, as a multiple of reading the crop from the cache (>= 50)
loop_over_heatmaps   the heatmaps of 16 people by a loop over people and joints, as a multiple of ours (>= 8)

Every figure is the median over rounds in which the compared ways take turns, so that a machine that changes its
speed changes both.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from timing import seconds
from turns import in_turns

from posekit.datasets.images import read_image
from posekit.datasets.mpii import read_mpii
from posekit.datasets.people import with_images
from posekit.preprocessing.cache import cached_crops
from posekit.preprocessing.crop import CropRule, crop_image, visible_box
from posekit.preprocessing.heatmaps import Codec

ROUNDS = 7


def compare(name: str, slow: Callable[[], object], fast: Callable[[], object]) -> tuple[float, float, float]:
    """Median ratio slow / fast over rounds that take turns, and the median seconds of both."""
    times = in_turns({"slow": partial(seconds, slow), "fast": partial(seconds, fast)}, ROUNDS, name)
    return tuple(float(np.median(v)) for v in (times["slow"] / times["fast"], times["slow"], times["fast"]))


def looped_heatmaps(joints: np.ndarray, side: int) -> np.ndarray:
    """The obvious way, a joint at a time."""
    maps = np.zeros((*joints.shape[:2], side, side), np.float32)
    xs, ys = np.meshgrid(np.arange(side), np.arange(side))
    for person in range(joints.shape[0]):
        for joint in range(joints.shape[1]):
            x, y = (joints[person, joint] + 0.5) / 4 - 0.5
            maps[person, joint] = np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / 2)
    return maps


def measure(folder: Path, people_count: int = 60) -> dict[str, float]:
    people, _ = with_images(read_mpii(folder))
    people = people.select(np.random.default_rng(0).permutation(len(people))[:people_count])
    rule = CropRule(size=256)
    paths = [people.images_folder / name for name in people.image]

    def imread() -> None:
        for path in paths:
            cv2.imread(str(path))

    def crop() -> None:
        for person, path in enumerate(paths):
            size = (int(people.image_size[person, 0]), int(people.image_size[person, 1]))
            box = visible_box(rule, people.center[person], people.scale[person], size)
            crop_image(read_image(path, upright=False), box, rule)

    ratio, crop_seconds, imread_seconds = compare("JPEG to crop", crop, imread)
    figures = {
        "crop_over_imread": ratio,
        "crop_ms": 1e3 * crop_seconds / len(paths),
        "imread_ms": 1e3 * imread_seconds / len(paths),
    }
    with tempfile.TemporaryDirectory() as cache:
        kept, _ = cached_crops(people, rule, Path(cache), progress=False)
        ratio, _, cache_seconds = compare("crop from the cache", crop, lambda: [np.array(one) for one in kept])
        figures |= {"jpeg_over_cache": ratio, "cache_ms": 1e3 * cache_seconds / len(paths)}

    joints = torch.rand(16, 16, 2, generator=torch.Generator().manual_seed(0)) * 256
    present = torch.ones(16, 16, dtype=torch.bool)
    codec = Codec("subpixel")
    ours, theirs = codec.encode(joints, present, (64, 64)).numpy(), looped_heatmaps(joints.numpy(), 64)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    ratio, loop_seconds, our_seconds = compare(
        "heatmaps",
        lambda: [looped_heatmaps(joints.numpy(), 64) for _ in range(5)],
        lambda: [codec.encode(joints, present, (64, 64)) for _ in range(5)],
    )
    return figures | {
        "loop_over_heatmaps": ratio,
        "loop_ms": 1e3 * loop_seconds / 5,
        "heatmaps_ms": 1e3 * our_seconds / 5,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("mpii", type=Path, help="folder with MPII's annotations/ and images/")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    figures = measure(arguments.mpii)
    if arguments.json:
        print(json.dumps(figures, indent=2))
    else:
        for name, value in figures.items():
            print(f"{name:20s} {value:9.3f}")


if __name__ == "__main__":
    main()

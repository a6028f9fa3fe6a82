"""Trains posekit/networks/finder.pt, the network that finds people in photographs.

    python benchmarks/train_finder.py path/to/mpii path/to/lspet path/to/lsp --out finder.pt

Training people of the data sets alone, without 100 photographs of MPII that are drawn with seed 0: on these the
command prints the average precision at the end, and with them thresholds were chosen (benchmarks/finding.py). A
training that is stopped goes on when called again; its checkpoint lies in data/checkpoints/finder/.
"""

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from posekit.datasets.people import People
from posekit.datasets.sources import read_people
from posekit.device import choose_device
from posekit.paths import checkpoints_folder
from posekit.preprocessing.scenes import group_by_photograph
from posekit.training.finder import FinderRecipe, average_precision, save_finder, train_finder
from posekit.training.memory import keep_freed_memory

#: The longer side to which photographs are resized for the finder, px.
SIDE = 320


def held_out_photographs(people: People, count: int = 100) -> np.ndarray:
    """File names of `count` of MPII's training photographs, drawn with seed 0."""
    names = np.unique(people.image[(people.data_set == "mpii") & ~people.validation])
    return np.random.default_rng(0).permutation(names)[:count]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="+", help="folders of MPII, LSP Extended, LSP")
    parser.add_argument("--out", type=Path, required=True, help="write the network here")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="fewer or more than the recipe's")
    options = parser.parse_args()
    keep_freed_memory()
    recipe = replace(FinderRecipe(), seed=options.seed)
    recipe = recipe if options.steps is None else replace(recipe, steps=options.steps)
    people, _ = read_people(options.data)
    people = people.select(~people.validation)
    apart = np.isin(people.image, held_out_photographs(people))
    people, aside = people.select(~apart), people.select(apart)
    print(
        f"{len(people)} people in {len(np.unique(people.image))} photographs; recipe {json.dumps(asdict(recipe))}"
    )
    checkpoint = checkpoints_folder("finder") / f"seed-{recipe.seed}-steps-{recipe.steps}.pt"
    network = train_finder(recipe, people, checkpoint, choose_device("cpu"))
    save_finder(options.out, recipe, network)
    print(f"wrote {options.out} ({options.out.stat().st_size / 1e6:.1f} MB), {torch.get_num_threads()} thread(s)")
    photographs = group_by_photograph(aside)
    precision = average_precision(network, photographs, SIDE)
    print(f"average precision on {len(aside)} people of {len(photographs)} photographs: {precision:.3f}")


if __name__ == "__main__":
    main()

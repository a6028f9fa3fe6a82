"""How a trained network's heatmaps are best read: each codec on people that it was trained on.

    python benchmarks/choose_codec.py CHECKPOINT --data path/to/mpii [--people 400] [--out network.pt]

The choice must not be made on the people by whom the network is judged, so it is made on train people, drawn from
seed 0. That a network knows them does not matter here: the same heatmaps are read in two ways. With --out, the
checkpoint's weights are written to a new file that says which codec was best. With the flip test; PCKh@0.5
weighted14, differences paired, 95 % intervals over people.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from posekit.datasets.sources import read_people
from posekit.device import choose_device
from posekit.errors import PosekitError
from posekit.evaluation.evaluate import evaluate
from posekit.evaluation.intervals import compare
from posekit.inference.predictor import Predictor
from posekit.preprocessing.batches import make_crops
from posekit.preprocessing.heatmaps import Codec
from posekit.training.checkpoint import read_checkpoint, write_state

KINDS = ("subpixel", "region")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="a data set with head sizes, such as MPII")
    parser.add_argument("--people", type=int, default=400)
    parser.add_argument("--out", type=Path, help="write the network here, to be read by the best codec")
    options = parser.parse_args()
    if options.out and options.out.exists():
        raise PosekitError(f"{options.out} exists already; name another file")
    predictor = Predictor.from_checkpoint(options.checkpoint, choose_device(), flip=True)
    train, _ = read_people([options.data])[0].split()
    drawn = np.random.default_rng(0).permutation(len(train))[: options.people]
    crops = make_crops(train.select(np.sort(drawn)), predictor.rule)
    found = {}
    for kind in tqdm(KINDS, desc="codecs"):
        codec = Codec(kind, predictor.codec.sigma)
        found[kind] = evaluate(predictor.network, crops, codec, predictor.device).distances
    best = KINDS[0]
    for kind in KINDS[1:]:
        gain = compare(found[kind], found[KINDS[0]])
        print(
            f"{kind} minus {KINDS[0]}: {gain.difference:+.2f} points ({gain.low:+.2f} to {gain.high:+.2f}), "
            f"{len(crops)} train people of {options.data.name}"
        )
        best = kind if gain.low > 0 else best
    if options.out:
        state = read_checkpoint(options.checkpoint)
        codec = replace(predictor.codec, kind=best)
        write_state(state | {"config": state["config"] | {"codec": vars(codec)}}, options.out)
        print(f"{options.out}: read by {best}")


if __name__ == "__main__":
    main()

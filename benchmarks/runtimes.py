"""What a runtime or a number format costs in accuracy: one trained network, run in five ways.

    python benchmarks/runtimes.py --mpii path/to/mpii [--checkpoint posekit/networks/posekit.pt] [--rounds 100]
                                  [--json] [--out data/benchmarks/runtimes.json]

torch in float32 as trained; with batch normalizations folded into convolutions; that in bfloat16, weights and what
passes through alike; onnxruntime in float32; onnxruntime in int8. For the last, convolutions multiply 8-bit
integers, weights with a scale for each channel, and what they read and write with a scale that is the range seen
(its least and largest number) on people of the training side; sums and the normalizations that are left stay in
float32, for with these in int8 as well the network lost about two points. No flip test.

Of each: PCKh@0.5 weighted14 over MPII's validation people with its 95 % interval, the difference to the first with
its paired one, both over people; bytes of the file with its weights; the largest difference to the first of any
heatmap cell and any joint (px of the crop); seconds of one image on 1 thread of the CPU, the median over rounds in
which all take turns, and the first over it, as in benchmarks/networks.py.

It takes about two minutes on a free core. It needs the packages of the extra `onnx`.
"""

import argparse
import logging
import tempfile
from pathlib import Path

import numpy as np
import torch
from networks import networks_in_turns, one_crop
from reporting import read_options, write_record
from torch import Tensor, nn
from turns import load_now, surroundings, with_interval

from posekit.datasets.people import People
from posekit.device import cpu_threads, memory_format
from posekit.evaluation.evaluate import CPU_BATCH, evaluate
from posekit.evaluation.intervals import compare, interval
from posekit.inference.export import compare as compare_answers
from posekit.inference.export import export_onnx
from posekit.inference.onnx_network import INPUT
from posekit.inference.predictor import OWN_NETWORK, Predictor
from posekit.models.answers import HeatmapNetwork
from posekit.models.build import build_network
from posekit.preprocessing.batches import Crops, batches, make_crops, without_context
from posekit.study.study import Study
from posekit.training.checkpoint import load_weights, read_checkpoint
from posekit.training.run_config import RunConfig

CPU = torch.device("cpu")
CALIBRATED_ON = 128  # people


class Bfloat16(nn.Module):
    """A network that computes in bfloat16, and takes and returns float32 as all do.

    Heatmaps are made from its scores in float32, as with every network (see `posekit.models.answers`).
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.bfloat16()

    def forward(self, images: Tensor) -> list[Tensor]:
        return [heatmaps.float() for heatmaps in self.network(images.bfloat16())]


def calibration_people(train: People) -> People:
    """`CALIBRATED_ON` of the training side, drawn from seed 0; all if there are fewer."""
    drawn = np.random.default_rng(0).permutation(len(train))[:CALIBRATED_ON]
    return train.select(np.sort(drawn))


def quantize(source: Path, crops: Crops, out: Path) -> None:
    """Writes a network of an ONNX file in int8; the ranges are those that it has on the crops."""
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.batches = batches(crops, CPU_BATCH, CPU)

        def get_next(self) -> dict[str, np.ndarray] | None:
            batch = next(self.batches, None)
            return batch and {INPUT: np.ascontiguousarray(without_context(batch, crops.rule).images.numpy())}

    whole = out.with_suffix(".float32.onnx")
    quant_pre_process(source, whole, skip_symbolic_shape=True)  # weights of float16 become float32 again
    logging.disable(logging.WARNING)  # of an optimization before: it has changed no answer
    try:
        quantize_static(
            whole,
            out,
            Reader(),
            op_types_to_quantize=["Conv"],
            per_channel=True,
            activation_type=QuantType.QUInt8,  # with weights of int8, what processors multiply fastest
            weight_type=QuantType.QInt8,
        )
    finally:
        logging.disable(logging.NOTSET)


def ways(checkpoint: Path, calibration: People, folder: Path) -> dict[tuple[str, str], tuple[Predictor, int]]:
    """By (runtime, number format): a predictor, and the bytes of a file with its weights, made in the folder."""
    state = read_checkpoint(checkpoint)
    config = RunConfig.from_dict(state["config"])
    network = build_network(config.network)
    load_weights(network, state, checkpoint)
    trained = HeatmapNetwork(network.to(memory_format=memory_format(CPU)), config.likelihoods)
    folded = Predictor.from_checkpoint(checkpoint, CPU)
    networks = {
        ("torch", "float32"): trained,
        ("torch folded", "float32"): folded.network,
        ("torch folded", "bfloat16"): Bfloat16(Predictor.from_checkpoint(checkpoint, CPU).network),
    }
    found = {}
    for key, network in networks.items():
        file = folder / "weights.pt"
        torch.save(network.state_dict(), file)
        found[key] = (Predictor(network, config.crop, config.codec), file.stat().st_size)
    crops = make_crops(calibration, config.crop)
    files = {kind: folder / f"{kind}.onnx" for kind in ("float32", "int8")}
    export_onnx(folded, files["float32"])
    quantize(files["float32"], crops, files["int8"])
    return found | {
        ("onnxruntime", kind): (Predictor.from_checkpoint(file, CPU), file.stat().st_size)
        for kind, file in files.items()
    }


def measure(mpii: Path, checkpoint: Path, rounds: int) -> dict:
    """Everything: `environment`, numbers of people, and `measurements`, a row per way to run the network."""
    load = load_now()
    train, validation = Study(data=[mpii]).people.split()
    calibration = calibration_people(train)
    with tempfile.TemporaryDirectory() as folder, cpu_threads(1):
        asked = ways(checkpoint, calibration, Path(folder))
        predictors = {key: predictor for key, (predictor, _) in asked.items()}
        first = next(iter(predictors))
        rule, codec = predictors[first].rule, predictors[first].codec
        crops = make_crops(validation, rule)
        middle = slice(rule.margin, rule.margin + rule.size)
        pictures = np.array(crops.images[:, middle, middle])
        distances = {
            key: evaluate(predictor.network, crops, codec, CPU).distances for key, predictor in predictors.items()
        }
        answers = {
            key: compare_answers(predictors[first], other, pictures, 1) for key, other in predictors.items()
        }
        networks = {key: predictor.network for key, predictor in predictors.items()}
        times = networks_in_turns(networks, one_crop(rule.size, CPU), rounds)
    rows = []
    for key, (_, size) in asked.items():
        found, against = interval(distances[key]), compare(distances[key], distances[first])
        rows.append(
            dict(zip(("runtime", "precision"), key, strict=True))
            | {
                "pckh": [found.estimate, found.low, found.high],
                "difference": [against.difference, against.low, against.high],
                "heatmaps": answers[key].heatmaps,
                "joints": answers[key].joints,
                "bytes": size,
                "seconds": with_interval(times[key]),
                "ratio": with_interval(times[first] / times[key]),
            }
        )
    return {
        "environment": surroundings(load),
        "size": rule.size,
        "people": len(validation),
        "calibrated_on": len(calibration),
        "rounds": rounds,
        "measurements": rows,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mpii", type=Path, required=True, help="folder with annotations/ and images/")
    parser.add_argument("--checkpoint", type=Path, default=OWN_NETWORK, help="of posekit train")
    options = read_options(parser, rounds=100)
    record = measure(options.mpii, options.checkpoint, options.rounds)
    write_record(record, options)
    if options.json:
        return
    print(f"{record['people']} people, one image of {record['size']} px on 1 thread")
    for row in record["measurements"]:
        gain, low, high = row["difference"]
        print(f"  {row['runtime']}, {row['precision']}")
        print(f"    PCKh {row['pckh'][0]:.2f} %, difference {gain:+.2f} ({low:+.2f} to {high:+.2f})")
        print(
            f"    {1e3 * row['seconds'][0]:.2f} ms, {row['ratio'][0]:.2f} x as fast, {row['bytes'] / 1e6:.2f} MB"
        )
        print(f"    largest difference: heatmaps {row['heatmaps']:.1e}, joints {row['joints']:.1e} px")


if __name__ == "__main__":
    main()

"""How long public networks take beside posekit's own: one call for one crop on one thread of the CPU, in turns.

    python benchmarks/peers.py posekit.onnx [posekit-small.onnx] [--tflite pose_landmark_lite.tflite]
                               [--rounds 200] [--json] [--out data/benchmarks/peers.json]

`posekit showcase` puts the ratios into its table. BlazePose comes with the package mediapipe, which needs another
numpy than posekit, so this runs in an environment of its own, without posekit and torch (Python 3.11 or 3.12):

    posekit export --out posekit.onnx
    posekit export --checkpoint posekit/networks/posekit-small.pt --out posekit-small.onnx
    python3.11 -m venv peers
    peers/bin/pip install mediapipe==0.10.21 ai-edge-litert onnxruntime tqdm
    peers/bin/python benchmarks/peers.py posekit.onnx posekit-small.onnx

The package holds the full BlazePose alone; the lite one is a file of the npm package @mediapipe/pose (npm pack
@mediapipe/pose), to be named by --tflite. Only the networks are run, each on random pixels of its own input size:
no crop is made, nobody is found. Times are those of the processor, so waiting for other programs does not count.
Medians over rounds have 95 % intervals by bootstrap, and so have ratios: a network's time over that of the first.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from reporting import read_options, write_record
from turns import in_turns, load_now, surroundings, with_interval

PACKAGES = ("mediapipe", "ai-edge-litert", "onnxruntime", "numpy")

#: Files of BlazePose and what data/peers/networks.csv calls the networks in them.
BLAZEPOSE = {"pose_landmark_full.tflite": "BlazePose-full", "pose_landmark_lite.tflite": "BlazePose-lite"}


def of_the_package() -> list[Path]:
    """BlazePose's networks in the package mediapipe."""
    import mediapipe

    folder = Path(mediapipe.__file__).parent / "modules" / "pose_landmark"
    return [path for path in sorted(folder.glob("*.tflite")) if path.name in BLAZEPOSE]


def ask_onnx(path: Path) -> Callable[[], object]:
    """One call of a network that `posekit export` wrote."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    crop = pixels(1, *given.shape[1:])
    return lambda: session.run(None, {given.name: crop})


def ask_tflite(path: Path) -> Callable[[], object]:
    """One call of a network for TensorFlow Lite, its input set and its answers read."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    (given,) = interpreter.get_input_details()
    crop, answers = pixels(*given["shape"]), [answer["index"] for answer in interpreter.get_output_details()]

    def ask() -> object:
        interpreter.set_tensor(given["index"], crop)
        interpreter.invoke()
        return [interpreter.get_tensor(answer) for answer in answers]

    return ask


def pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).random(shape, dtype=np.float32)


def seconds(ask: Callable[[], object]) -> float:
    """Of the processor, which is what a call on one thread takes while nothing else runs on the core."""
    start = time.process_time()
    ask()
    return time.process_time() - start


def measure(ways: dict[tuple[str, str], Callable[[], object]], rounds: int) -> list[dict]:
    """A row per (network, runtime): seconds of one call, and ratio, that time over the first one's."""
    times = in_turns({key: partial(seconds, ask) for key, ask in ways.items()}, rounds, "networks", warm_up=5)
    first = times[next(iter(ways))]
    return [
        {"network": network, "runtime": runtime, "seconds": with_interval(taken)}
        | {"ratio": with_interval(taken / first)}
        for (network, runtime), taken in times.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("onnx", type=Path, nargs="+", help="files of posekit export, the first is the baseline")
    parser.add_argument("--tflite", type=Path, nargs="*", default=[], help="BlazePose networks of other packages")
    options = read_options(parser, rounds=200)
    for path in options.tflite:
        if path.name not in BLAZEPOSE:
            parser.error(f"{path} is none of {', '.join(BLAZEPOSE)}")
    load = load_now()
    ways = {(path.stem, "onnxruntime"): ask_onnx(path) for path in options.onnx}
    for path in of_the_package() + options.tflite:
        ways[BLAZEPOSE[path.name], "tflite"] = ask_tflite(path)
    record = {
        "environment": surroundings(load, PACKAGES),
        "rounds": options.rounds,
        "measurements": measure(ways, options.rounds),
    }
    write_record(record, options)
    if options.json:
        return
    print("one call for one crop on 1 thread; ratio: times the time of the first")
    for row in record["measurements"]:
        ratio, low, high = row["ratio"]
        milliseconds = 1e3 * row["seconds"][0]
        print(f"  {row['network']:16s} {milliseconds:7.2f} ms, ratio {ratio:.2f} (95 %: {low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()

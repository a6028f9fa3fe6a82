"""Is it real time? Frames per second of the included networks, on a video of one drawn person.

    python benchmarks/video.py [--rounds 5] [--json] [--out data/benchmarks/video.json]

The video, 100 frames of 640 x 480 px, is made first: a drawn person who sways, as before a camera of a computer.
Every frame is read, cropped around the person, who is followed, and predicted; with drawing, the skeleton is drawn
into it too and written to an MP4 file. Each network is run by torch and by onnxruntime (exported),
with and without the flip test, on 1 and 2 threads of the CPU. All take turns, in the other order in every other
round, so that a machine that changes its speed changes all; before, each sees the video once. Numbers are medians
over rounds with 95 % intervals by bootstrap, which say how sure the median is on this machine, and nothing about
others.

It takes about six minutes on two free cores. Where others compute as well, set OMP_WAIT_POLICY=PASSIVE: threads
that wait by spinning are slowed down tenfold there. The record says it, and how busy the machine was. It needs the
packages of the extra `onnx`.
"""

import argparse
import itertools
import tempfile
import time
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from reporting import read_options, write_record
from turns import in_turns, load_now, surroundings, with_interval

from posekit.datasets.drawn.scene import draw_person
from posekit.device import cpu_threads
from posekit.inference.export import export_onnx
from posekit.inference.many import Selection, predict_frames
from posekit.inference.predictor import OWN_NETWORK, SMALL_NETWORK, Predictor
from posekit.inference.video import open_video, video_file

CPU = torch.device("cpu")
FRAMES, SIZE, FPS = 100, (640, 480), 25.0
THREADS = (1, 2)
REAL_TIME = 25  # frames per second


def make_video(path: Path) -> tuple[float, float, float, float]:
    """Writes the video and returns the person's box in its first frame."""
    image, person = draw_person(seed=0, index=3)
    zoom = max(SIZE[0] / image.shape[1], SIZE[1] / image.shape[0])
    with video_file(path, FPS) as write:
        for number in range(FRAMES):
            sway = 40 * np.sin(number / 12)
            matrix = np.array([[zoom, 0, sway], [0, zoom, 0]])
            write(cv2.warpAffine(image, matrix, SIZE, borderMode=cv2.BORDER_REFLECT), number / FPS)
    joints = zoom * np.array(person["joints"])[np.array(person["joints_vis"], bool)]
    margin = 0.1 * (joints.max(axis=0) - joints.min(axis=0)).max()
    return (*(joints.min(axis=0) - margin), *(joints.max(axis=0) + margin))


def frames_per_second(predictor: Predictor, video: Path, box: tuple, drawn: Path | None) -> float:
    with open_video(video) as frames:
        started = time.perf_counter()
        outcome = predict_frames(
            predictor, frames, Selection(box), drawn, None, None, lambda: False, progress=False
        )
    assert outcome.done == FRAMES
    return outcome.done / (time.perf_counter() - started)


def measure(rounds: int, folder: Path) -> dict:
    """Everything: `environment`, and `measurements`, one of every network, flip test, threads and drawing."""
    load = load_now()
    video, drawn = folder / "video.mp4", folder / "drawn.mp4"
    box = make_video(video)
    exported = {path: folder / f"{path.stem}.onnx" for path in (OWN_NETWORK, SMALL_NETWORK)}
    for path, file in exported.items():
        export_onnx(Predictor.from_checkpoint(path, CPU), file)
    settings = []
    for threads in THREADS:
        with cpu_threads(threads):  # onnxruntime takes the number when it opens the file
            for network, flip, runtime in itertools.product(exported, (True, False), ("torch", "onnxruntime")):
                file = network if runtime == "torch" else exported[network]
                predictor = Predictor.from_checkpoint(file, CPU, flip)
                asked = {"network": network.name, "runtime": runtime, "flip": flip, "threads": threads}
                settings += [(asked | {"drawing": draw}, predictor) for draw in (False, True)]

    def speed(asked: dict, predictor: Predictor) -> float:
        with cpu_threads(asked["threads"]):
            return frames_per_second(predictor, video, box, drawn if asked["drawing"] else None)

    ways = {number: partial(speed, *setting) for number, setting in enumerate(settings)}
    speeds = in_turns(ways, rounds, "videos")
    rows = [
        asked | {"rounds": rounds, "frames_per_second": with_interval(speeds[number])}
        for number, (asked, _) in enumerate(settings)
    ]
    return {"environment": surroundings(load), "size": SIZE, "frames": FRAMES, "measurements": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options = read_options(parser, rounds=5)
    with tempfile.TemporaryDirectory() as folder:
        record = measure(options.rounds, Path(folder))
    write_record(record, options)
    if options.json:
        return
    print(f"frames per second, {SIZE[0]} x {SIZE[1]} px, one person; real time is {REAL_TIME}")
    for row in record["measurements"]:
        median, low, high = row["frames_per_second"]
        what = f"{row['network']}, {row['runtime']}, {'flip test' if row['flip'] else 'no flip test'}"
        what += f", {row['threads']} thread(s)"
        what += ", drawn" if row["drawing"] else ""
        print(f"  {what:60s} {median:6.1f} (95 %: {low:.1f} to {high:.1f})")


if __name__ == "__main__":
    main()

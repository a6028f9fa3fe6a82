"""Feeds damaged files to the commands, in this process: whatever comes, the answer is a result or one sentence.

    python benchmarks/fuzz.py                  # or make fuzz: 1,000 files
    python benchmarks/fuzz.py --share 0.03 --seed 7

Counted as a fault: any exception but `PosekitError`, more than 30 seconds, an input or an earlier output that is
changed or gone, an output or a remainder that is not whole. The seed decides every damage.
"""

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

import cv2
import h5py
import numpy as np
import scipy.io
import torch
from damage import damage
from PIL import Image
from tqdm.auto import tqdm
from typer.testing import CliRunner

from posekit.cli.cli import app
from posekit.datasets.drawn import make_sample
from posekit.datasets.mpii import read_mpii
from posekit.errors import PosekitError
from posekit.evaluation.prediction_files import write_predictions
from posekit.inference.export import export_onnx
from posekit.inference.predictor import SMALL_NETWORK, Predictor
from posekit.inference.video import video_file
from posekit.paths import REPOSITORY

LIMIT = 30  # seconds
KEPT = "kept from before\n"

#: Where the person is in the pictures, which are 120 x 160 px.
BOX = (5, 5, 115, 155)

#: How many files of every kind are damaged.
COUNTS = {
    "image": 380,
    "folder": 30,
    "video": 120,
    "predictions": 150,
    "predictions.csv": 80,
    "annotations": 80,
    "joints.mat": 30,
    "checkpoint": 40,
    "onnx": 20,
    "cache": 30,
    "record": 40,
}


class Hang(BaseException):
    """A command took longer than `LIMIT`."""


@dataclass(frozen=True)
class Kind:
    """Files that are damaged: one of `victims` at a time, of the folder `template`, which is copied each time.

    arguments: of the command, for the copy, the damaged file in it and the folder for outputs. text: how it is
    damaged. rebuilt: folder of the copy that the command may make anew.
    """

    template: Path
    victims: tuple[str, ...]
    arguments: Callable[[Path, Path, Path], list[object]]
    text: bool = False
    rebuilt: str = "out"


def pictures(folder: Path, image: np.ndarray) -> None:
    """The same picture (H, W, 3) uint8 RGB in every format that is read."""
    folder.mkdir(parents=True)
    bgr = image[..., ::-1]
    for ending in ("jpg", "png", "webp", "bmp", "tif", "gif", "jp2"):
        cv2.imwrite(str(folder / f"photo.{ending}"), bgr)
    cv2.imwrite(str(folder / "deep.png"), bgr.astype(np.uint16) * 16)
    picture = Image.fromarray(image)
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(folder / "turned.jpg", exif=exif)
    picture.save(folder / "moves.gif", save_all=True, append_images=[picture.rotate(90), picture.rotate(180)])
    picture.save(folder / "moves.webp", save_all=True, append_images=[picture.rotate(90)])


def videos(folder: Path, image: np.ndarray) -> None:
    folder.mkdir()
    for name in ("film.mp4", "film.avi"):
        with video_file(folder / name, 10.0) as write:
            for number in range(12):
                write(np.roll(image, 5 * number, axis=1), number / 10)
    shutil.copy(folder / "film.mp4", folder / "film.mkv")  # a name that promises something else


def predictions(folder: Path, joints: np.ndarray, images: np.ndarray) -> None:
    folder.mkdir()
    write_predictions(folder / "theirs.csv", joints, images, np.ones(joints.shape[:2]))
    write_predictions(folder / "theirs.mat", joints, images, np.ones(joints.shape[:2]))
    np.savez(folder / "theirs.npz", preds=joints)
    with h5py.File(folder / "theirs.h5", "w") as stream:
        stream["preds"] = joints


def lsp(folder: Path, image: np.ndarray) -> None:
    """LSP's folder, with the photographs of three of its test people."""
    (folder / "images").mkdir(parents=True)
    joints = np.random.default_rng(0).uniform(20, 90, (3, 14, 1003))
    joints[2] = 0
    scipy.io.savemat(folder / "joints.mat", {"joints": joints})
    for number in (1001, 1002, 1003):
        cv2.imwrite(str(folder / "images" / f"im{number}.jpg"), image)


def kinds(work: Path) -> dict[str, Kind]:
    """All kinds, with their undamaged files below `work`."""
    sample, home = work / "sample", work / "home"
    make_sample(sample, train=3, validation=3, progress=False)
    people = read_mpii(sample, name="sample").split()[1]
    image = cv2.imread(str(people.images_folder / people.image[0]))[..., ::-1]
    image = cv2.resize(np.ascontiguousarray(image), (120, 160), interpolation=cv2.INTER_AREA)
    pictures(work / "image", image)
    shutil.copytree(work / "image", work / "folder" / "photographs")
    videos(work / "video", image)
    predictions(work / "predictions", people.joints, people.image)
    lsp(work / "lsp", image)
    (work / "networks").mkdir()
    shutil.copy(SMALL_NETWORK, work / "networks" / "network.pt")
    export_onnx(Predictor.from_checkpoint(SMALL_NETWORK, torch.device("cpu")), work / "networks" / "network.onnx")
    cv2.imwrite(str(work / "networks" / "photo.png"), image)
    record = work / "record" / "data" / "runs" / "sample-quick" / "model-1-seed-0"
    shutil.copytree(REPOSITORY / "data" / "runs" / "mpii-1992-quick" / "model-1-seed-0", record)
    evaluate = ["evaluate", "--checkpoint", SMALL_NETWORK]
    os.environ["POSEKIT_HOME"] = str(work / "cache")
    CliRunner().invoke(app, [str(part) for part in [*evaluate, "--mpii", sample]])
    os.environ["POSEKIT_HOME"] = str(home)
    ask = ["predict", "--checkpoint", SMALL_NETWORK]

    def predict(copy: Path, victim: Path, out: Path) -> list[object]:
        drawn = out / ("drawn.avi" if victim.name.startswith("film") else "drawn.png")
        return [*ask, victim, "--joints", out / "joints.csv", "--out", drawn, "--box", *BOX]

    def predict_folder(copy: Path, victim: Path, out: Path) -> list[object]:
        return [*ask, victim.parent, "--joints", out / "joints.csv", "--out", out / "drawn"]

    def ask_network(copy: Path, victim: Path, out: Path) -> list[object]:
        photograph = copy / "photo.png"
        return ["predict", photograph, "--checkpoint", victim, "--joints", out / "joints.json", "--box", *BOX]

    annotated = tuple(f"annotations/{name}.json" for name in ("train", "valid"))
    every = {name: tuple(path.name for path in sorted((work / name).iterdir())) for name in ("image", "video")}
    cached = tuple(
        str(path.relative_to(work / "cache")) for path in sorted((work / "cache").rglob("*.np*")) if path.is_file()
    )
    return {
        "image": Kind(work / "image", every["image"], predict),
        "folder": Kind(work / "folder", tuple(f"photographs/{name}" for name in every["image"]), predict_folder),
        "video": Kind(work / "video", every["video"], predict),
        "predictions": Kind(
            work / "predictions",
            ("theirs.mat", "theirs.h5", "theirs.npz"),
            lambda copy, victim, out: ["evaluate", "--predictions", victim, "--mpii", sample, "--json"],
        ),
        "predictions.csv": Kind(
            work / "predictions",
            ("theirs.csv",),
            lambda copy, victim, out: ["evaluate", "--predictions", victim, "--mpii", sample],
            text=True,
        ),
        "annotations": Kind(
            sample,
            annotated,
            lambda copy, victim, out: ["evaluate", "--checkpoint", SMALL_NETWORK, "--mpii", copy],
            text=True,
        ),
        "joints.mat": Kind(work / "lsp", ("joints.mat",), lambda copy, victim, out: [*evaluate, "--data", copy]),
        "checkpoint": Kind(work / "networks", ("network.pt",), ask_network),
        "onnx": Kind(work / "networks", ("network.onnx",), ask_network),
        "cache": Kind(
            work / "cache", cached, lambda copy, victim, out: [*evaluate, "--mpii", sample], rebuilt="data/cache"
        ),
        "record": Kind(
            work / "record",
            tuple(
                str((record / name).relative_to(work / "record"))
                for name in ("run.json", "history.csv", "predictions.csv")
            ),
            lambda copy, victim, out: ["evaluate", "--size", "quick"],
            text=True,
        ),
    }


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raises `Hang` in what is still running then."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Hang(f"still running after {seconds:g} seconds: " + "".join(traceback.format_stack(frame)[-3:]))

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def contents(folder: Path) -> dict[str, str]:
    """A hash of every file below a folder, by its name."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def broken_output(path: Path) -> str:
    """Why a file that a command wrote is not whole; empty if it is."""
    if path.name.endswith(".unfinished") or ".unfinished." in path.name:
        return f"{path.name} is a remainder"
    if path.suffix == ".csv":
        text = path.read_text()
        head, *rows = text.splitlines()
        complete = head.endswith("joint,x,y,confidence") and all(row.count(",") == head.count(",") for row in rows)
        whole = text == KEPT or (complete and text.endswith("\n"))
        return "" if whole else f"{path.name} is not whole"
    if path.suffix == ".json":
        return "" if path.read_text() == KEPT or json.loads(path.read_text()) else f"{path.name} is empty"
    readable = path.read_bytes() == KEPT.encode() or cv2.VideoCapture(str(path)).read()[0]
    return "" if readable else f"{path.name} cannot be read"


def attempt(kind: Kind, case: Path, rng: np.random.Generator, damaged: bool = True) -> tuple[str, str]:
    """("answered", "") or ("refused", sentence), or ("fault", what happened) of one file of a kind."""
    copy, out = case / "copy", case / "out"
    shutil.copytree(kind.template, copy)
    out.mkdir()
    victim = copy / kind.victims[rng.integers(len(kind.victims))]
    if damaged:
        victim.write_bytes(damage(victim.read_bytes(), rng, kind.text))
    arguments = [str(part) for part in kind.arguments(copy, victim, out)]
    outputs = [Path(arguments[place + 1]) for place, part in enumerate(arguments) if part in ("--joints", "--out")]
    if damaged and rng.random() < 0.5:
        for path in (path for path in outputs if path.suffix):
            path.write_text(KEPT)
        arguments += ["--overwrite"] if rng.random() < 0.9 and outputs else []
    before, replaced, home = contents(copy), "--overwrite" in arguments, os.environ["POSEKIT_HOME"]
    if kind.rebuilt != "out" or kind.template.name == "record":
        os.environ["POSEKIT_HOME"] = str(copy)
    try:
        with limited(LIMIT):
            result = CliRunner().invoke(app, arguments)
    except Hang as hang:
        return "fault", str(hang)
    finally:
        os.environ["POSEKIT_HOME"] = home
    error = result.exception
    if error is not None and not isinstance(error, PosekitError | SystemExit):
        return "fault", "".join(traceback.format_exception(error)[-4:])
    if isinstance(error, PosekitError) and "\n" in str(error):
        return "fault", f"more than one sentence: {error}"
    after = contents(copy)
    changed = {name for name in before if before[name] != after.get(name)} | (after.keys() - before.keys())
    if changed := {name for name in changed if not name.startswith(kind.rebuilt)}:
        return "fault", f"changed: {', '.join(sorted(changed))}"
    for path in (path for path in out.rglob("*") if path.is_file()):
        if problem := broken_output(path):
            return "fault", problem
    if any(path.suffix and not path.exists() for path in outputs) and (replaced or error is None):
        return "fault", "an output is not there" if error is None else "an earlier output is gone"
    return ("answered", "") if error is None else ("refused", str(error) or f"status {result.exit_code}")


def fuzz(work: Path, counts: Mapping[str, int], seed: int, progress: bool = True) -> tuple[dict, list[str]]:
    """How many files of each kind were answered, refused and at fault, and what the faults were.

    Raises `RuntimeError` if an undamaged file is not answered: then nothing would be learned from damaged ones.
    """
    settings = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("POSEKIT_")}
    found, faults = {}, []
    try:
        for name, kind in ((name, kind) for name, kind in kinds(work).items() if name in counts):
            whole = attempt(kind, work / f"whole-{name}", np.random.default_rng(0), damaged=False)
            if whole[0] != "answered":
                raise RuntimeError(f"{name}: an undamaged file is not answered: {whole[1]}")
            found[name] = Counter()
            for number in tqdm(range(counts[name]), desc=name, unit=" files", disable=not progress):
                rng = np.random.default_rng([seed, list(COUNTS).index(name), number])
                case = work / "case"
                outcome, what = attempt(kind, case, rng)
                found[name][outcome] += 1
                if outcome == "fault":
                    faults.append(f"{name} {number} (seed {seed}): {what}")
                    tqdm.write(faults[-1], file=sys.stderr)
                shutil.rmtree(case)
    finally:
        os.environ.pop("POSEKIT_HOME", None)
        os.environ |= settings
    return found, faults


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--share", type=float, default=1.0, help="Of the 1,000 files, at least one of each kind.")
    parser.add_argument("--kind", choices=COUNTS, help="Only this one.")
    options = parser.parse_args()
    counts = {name: max(1, round(options.share * count)) for name, count in COUNTS.items()}
    counts = {name: count for name, count in counts.items() if options.kind in (None, name)}
    started = time.perf_counter()
    torch.set_num_threads(1)
    memory = Path("/dev/shm")  # every output is synced, which takes long on a disk that others use
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        found, faults = fuzz(Path(folder), counts, options.seed)
    print(f"{'kind':16s} {'files':>6s} {'answered':>9s} {'refused':>8s} {'faults':>7s}")
    for name, outcomes in [*found.items(), ("together", sum(found.values(), Counter()))]:
        numbers = outcomes.total(), outcomes["answered"], outcomes["refused"], outcomes["fault"]
        print(f"{name:16s} {numbers[0]:6d} {numbers[1]:9d} {numbers[2]:8d} {numbers[3]:7d}")
    print(f"seed {options.seed}, {time.perf_counter() - started:.0f} s")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()

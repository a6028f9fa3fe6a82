"""The command `posekit predict`: joints in a photograph, a folder, a video, or before a camera."""

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from posekit.cli.common import as_json_text
from posekit.errors import PosekitError

if TYPE_CHECKING:
    from posekit.inference.many import Outcome, Selection
    from posekit.inference.predictor import Predictor

# What takes long to import is imported inside the command, so that --help answers at once.


def predict(
    source: Annotated[
        Path | None,
        typer.Argument(metavar="INPUT", help="A photograph (JPEG, PNG, WebP ...), a folder of them, or a video."),
    ] = None,
    camera: Annotated[
        int | None,
        typer.Option(min=0, help="Instead: number of a camera, from 0. Without --out and --joints, in a window."),
    ] = None,
    center: Annotated[
        tuple[float, float] | None, typer.Option(help="Middle of the person in a photograph: x y, px.")
    ] = None,
    scale: Annotated[float | None, typer.Option(help="Height of the person / 200 px, as in MPII.")] = None,
    box: Annotated[
        tuple[float, float, float, float] | None,
        typer.Option(
            help="Instead: left top right bottom, px; of a video's first frame, from where it follows the person."
        ),
    ] = None,
    people: Annotated[
        str | None,
        typer.Option(
            help="Without --box and --center: how many people to find at most, the surest first, or all. By "
            "default all in photographs, and one in videos, who is followed."
        ),
    ] = None,
    study: Annotated[
        str | None,
        typer.Option(help="Use a network of this study, a folder of data/checkpoints, instead of posekit's own."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="With --study: number or name of one of its models; by default 5.")
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Use the network of this checkpoint or .onnx file instead.")
    ] = None,
    flip: Annotated[
        bool | None,
        typer.Option(
            "--flip/--no-flip",
            help="Run the network on the mirror image as well and take the mean, in twice the time. By default "
            "only posekit's own network is run twice.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Draw skeletons into this photograph, folder, or video (.mp4, .avi), as INPUT is."),
    ] = None,
    joints: Annotated[
        Path | None,
        typer.Option(help="Write all joints to this .csv or .json file, one row per picture and joint."),
    ] = None,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help="Of --joints: rows, or coco for a file of photographs that annotation tools and --data read.",
        ),
    ] = "rows",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace --out and --joints if they exist.")
    ] = False,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, cuda:1 or mps; by default a GPU if there is one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the joints of a photograph as JSON.")] = False,
) -> None:
    """Joints of the people in a photograph, a folder of photographs, a video, or before a camera.

    People are found, unless center and scale or a box say where one person is.
    """
    if (source is None) == (camera is None):
        raise PosekitError("name a photograph, a folder or a video; or say --camera 0 for the first camera")
    if (center is None) != (scale is None) or (center is not None and box is not None):
        raise PosekitError("say where the person is by --center and --scale together, or by --box")
    if people is not None and (center is not None or box is not None):
        raise PosekitError("--people finds people; leave it out where --box or --center says where one is")
    if model is not None and study is None:
        raise PosekitError("--model needs --study, the folder of data/checkpoints that it was trained in")
    if study is not None and checkpoint is not None:
        raise PosekitError("say which network by --study and --model, or by --checkpoint")
    if checkpoint is not None and checkpoint.suffix == ".onnx" and device not in (None, "cpu"):
        raise PosekitError(f"{checkpoint} runs on the CPU; leave out --device {device}")
    if source is not None and re.match(r"[a-z]+:/", str(source), re.IGNORECASE) and not source.exists():
        raise PosekitError(f"{source} is an address, not a file: save the picture on this machine first")
    if form not in ("rows", "coco"):
        raise PosekitError(f"--format is rows or coco, not {form}")
    if form == "coco" and joints is None:
        raise PosekitError("--format coco needs --joints FILE.json, the file to write")
    _keep_what_exists(source, out, joints, overwrite)

    from posekit.inference.many import Selection
    from posekit.inference.video import VIDEO_ENDINGS

    def predictor() -> "Predictor":
        return _predictor(study, model, checkpoint, flip, device)

    moving = source is None or source.suffix.lower() in VIDEO_ENDINGS
    selection = Selection(box, center, scale, _most(people, 1 if moving else None))
    if (moving or source.is_dir()) and as_json:
        raise PosekitError("--json prints the joints of one photograph; say --joints FILE.json")
    if moving:
        if form == "coco":
            raise PosekitError("--format coco is for photographs; the joints of a video are written as rows")
        if center is not None:
            raise PosekitError("in a video, say where the person is in its first frame by --box")
        _predict_frames(camera if source is None else source, predictor, selection, out, joints)
    elif source.is_dir():
        _predict_folder(source, predictor, selection, out, joints, overwrite, form == "coco")
    else:
        _predict_photograph(source, predictor, selection, out, joints, as_json, form == "coco")


def _most(people: str | None, usual: int | None) -> int | None:
    """How many people count, None: all. Raises `PosekitError` for what is neither a number nor all."""
    if people is None or people == "all":
        return usual if people is None else None
    if not people.isdecimal() or int(people) < 1:
        raise PosekitError(f"--people is a number from 1, or all, not {people}")
    return int(people)


def _keep_what_exists(source: Path | None, out: Path | None, joints: Path | None, overwrite: bool) -> None:
    """Raises `PosekitError` where something would be replaced; what is read is never replaced."""
    for path in (out, joints):
        if path is None:
            continue
        if source is not None and os.path.realpath(path) == os.path.realpath(source):
            raise PosekitError(f"{path} is what is read; choose another name to write to")
        into_folder = path is out and source is not None and source.is_dir()
        if path.is_dir() and not into_folder:
            raise PosekitError(f"{path} is a folder; for one photograph or video, and for joints, name a file")
        if path.exists() and not overwrite and not into_folder:
            raise PosekitError(f"{path} exists already; choose another name or say --overwrite")
    if out is not None and joints is not None and os.path.realpath(out) == os.path.realpath(joints):
        raise PosekitError(f"{out} cannot be both --out and --joints; choose two names")


def _predict_photograph(
    path: Path,
    predictor: Callable[[], "Predictor"],
    selection: "Selection",
    out: Path | None,
    joints: Path | None,
    as_json: bool,
    coco: bool,
) -> None:
    from posekit.datasets.images import read_image, several_pictures, write_image
    from posekit.inference.joint_file import people_rows, photograph_file
    from posekit.inference.many import drawn

    picture = read_image(path, upright=True)
    if remark := several_pictures(path):
        _say(remark)
    if sys.stderr.isatty():
        _say("loading the network")
    people = selection.predict(predictor(), picture)
    rows = people_rows(people)
    if as_json:
        print(as_json_text(rows if people else []))
    else:
        for row in rows if people else []:
            where = f"{row['x']:8.1f} {row['y']:8.1f}   confidence {row['confidence']:.2f}"
            print(f"person {row['person']:<3d} {row['joint']:15s} {where}")
    if joints is not None:
        with photograph_file(joints, coco) as note:
            note(path, people, picture)
        _say(f"wrote {joints}")
    if out is not None:
        write_image(out, drawn(picture, people))
        _say(f"wrote {out}")
    if not people:
        raise PosekitError(f"nobody is found in {path}; if somebody is there, say where by --box")


def _predict_folder(
    folder: Path,
    predictor: Callable[[], "Predictor"],
    selection: "Selection",
    out: Path | None,
    joints: Path | None,
    overwrite: bool,
    coco: bool,
) -> None:
    from posekit.inference.many import photographs, predict_photographs

    if out is None and joints is None:
        raise PosekitError("say --out FOLDER for the photographs with skeletons, or --joints FILE.csv")
    paths = photographs(folder)
    taken = [out / path.name for path in paths if (out / path.name).exists()] if out else []
    if out is not None and out.exists() and not out.is_dir():
        raise PosekitError(f"{out} is a file; for a folder of photographs --out is a folder")
    if taken and not overwrite:
        raise PosekitError(f"{taken[0]} exists already; choose another folder or say --overwrite")
    network = predictor()
    with _until_stopped() as stopped:
        outcome = predict_photographs(network, paths, selection, out, joints, stopped, coco)
    _report(outcome, "photographs")
    if outcome.stopped:
        raise typer.Exit(130)


def _predict_frames(
    source: Path | int,
    predictor: Callable[[], "Predictor"],
    selection: "Selection",
    out: Path | None,
    joints: Path | None,
) -> None:
    from posekit.inference.many import predict_frames
    from posekit.inference.video import Window, open_video

    watched = out is None and joints is None
    if watched and not isinstance(source, int):
        raise PosekitError("say --out FILE.mp4 for the video with skeletons, or --joints FILE.csv")
    with open_video(source) as frames:
        window = Window(f"posekit: {frames.name}") if watched else None
        network = predictor()
        if frames.live:
            _say("q in the window ends it" if window else "Ctrl-C ends it, and keeps what is found until then")
        with _until_stopped() as stopped:
            outcome = predict_frames(network, frames, selection, out, joints, window, stopped)
    _report(outcome, "frames")
    if outcome.stopped and not frames.live:
        raise typer.Exit(130)


@contextmanager
def _until_stopped() -> Iterator[Callable[[], bool]]:
    """A function that tells whether Ctrl-C was pressed, or the process was sent SIGTERM.

    The current picture is finished first, so that files are complete. The second Ctrl-C ends the process at once.
    """
    pressed: list[int] = []

    def note(number: int, _: object) -> None:
        pressed.append(number)
        signal.signal(number, before[number])

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(pressed)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _report(outcome: "Outcome", unit: str) -> None:
    """Says what was done. Raises `PosekitError` if something went wrong."""
    if outcome.stopped and outcome.written:
        _say("stopped; what is found so far is kept")
    rate = outcome.done / outcome.seconds
    _say(f"{outcome.done} {unit} in {outcome.seconds:.1f} s: {rate:.1f} {unit} per second")
    for path in outcome.written:
        _say(f"wrote {path}")
    for problem in outcome.problems[:-1]:
        _say(problem)
    if outcome.problems:
        raise PosekitError(outcome.problems[-1])


def _say(sentence: str) -> None:
    print(f"posekit: {sentence}", file=sys.stderr)


def _predictor(
    study: str | None, model: str | None, checkpoint: Path | None, flip: bool | None, device: str | None
) -> "Predictor":
    from posekit.device import choose_device
    from posekit.inference.predictor import OWN_NETWORK, Predictor
    from posekit.paths import checkpoint_path
    from posekit.study.configurations import get_model

    if study is not None:
        checkpoint = checkpoint_path(study, get_model(model or "5").name, seed=0)
    own = checkpoint is None
    return Predictor.from_checkpoint(
        checkpoint or OWN_NETWORK, choose_device(device), own if flip is None else flip
    )

"""The joints of one person in many pictures: the photographs of a folder, the frames of a video or camera."""

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from posekit.datasets.images import read_image, write_image
from posekit.errors import PosekitError
from posekit.inference.drawing import draw_skeleton
from posekit.inference.joint_file import joint_file
from posekit.inference.predictor import Prediction, Predictor
from posekit.inference.video import Frames, Window, next_box, video_file
from posekit.skeleton import JOINTS

#: Files of a folder with these endings are taken for photographs.
PHOTOGRAPH_ENDINGS = {".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}

#: Pictures that are not read; a folder's are named.
UNREAD_ENDINGS = {".avif", ".gif", ".heic", ".heif", ".jp2", ".jxl"}


@dataclass(frozen=True)
class Place:
    """Where the person is: in a box (4,), or at center (2,) with a scale, image px; or filling the picture."""

    box: tuple[float, float, float, float] | None = None
    center: tuple[float, float] | None = None
    scale: float | None = None

    def ask(self, predictor: Predictor, image: np.ndarray) -> Prediction:
        """Joints of the person in RGB uint8 (H, W, 3). Raises `PosekitError` as `Predictor` does."""
        if self.center is not None and self.scale is not None:
            return predictor.predict(image, np.array(self.center), self.scale)
        return predictor.predict_box(image, np.array(self.box or whole(image)))


@dataclass(frozen=True)
class Outcome:
    """How many pictures were predicted, in how many seconds (reading, drawing and writing included), whether the
    person stopped it before the end, and a sentence for everything that went wrong."""

    done: int
    seconds: float
    stopped: bool
    problems: tuple[str, ...]


def whole(image: np.ndarray) -> tuple[int, int, int, int]:
    """The box of a whole picture (H, W, 3)."""
    return 0, 0, image.shape[1], image.shape[0]


def drawn(image: np.ndarray, answer: Prediction) -> np.ndarray:
    """The picture with all joints."""
    return draw_skeleton(image, answer.joints, np.full(len(JOINTS), True))


def photographs(folder: Path) -> list[Path]:
    """The photographs of a folder, not of its subfolders, by name. Raises `PosekitError` if there are none."""
    there = sorted(path for path in folder.iterdir() if not path.name.startswith("._"))  # macOS's own notes
    found = [path for path in there if path.suffix.lower() in PHOTOGRAPH_ENDINGS]
    if others := [path.name for path in there if path.suffix.lower() in UNREAD_ENDINGS]:
        _say(
            f"left out, since posekit does not read this kind in folders: {', '.join(others[:5])}"
            + (f" and {len(others) - 5} more" if len(others) > 5 else "")
        )
    if not found:
        raise PosekitError(f"there is no photograph in {folder} ({' '.join(sorted(PHOTOGRAPH_ENDINGS))})")
    return found


def predict_photographs(
    predictor: Predictor,
    paths: list[Path],
    place: Place,
    out: Path | None,
    joints: Path | None,
    stopped: Callable[[], bool],
) -> Outcome:
    """Asks about every photograph; one that cannot be read is told and passed over.

    out: a folder for the photographs with skeletons, under their names; joints: see `joint_file`; both are
    replaced. stopped is asked before every photograph. Raises `PosekitError` if none could be used or something
    cannot be written.
    """
    started, done, problems = time.perf_counter(), 0, []
    with ExitStack() as files:
        note = files.enter_context(joint_file(joints, "file")) if joints else None
        for path in tqdm(paths, desc="predicting", unit=" photographs"):
            if stopped():
                break
            try:
                image = read_image(path, upright=True)
                answer = place.ask(predictor, image)
            except PosekitError as error:
                problems.append(str(error))
                _say(f"{path.name} is left out: {error}")
                continue
            if note:
                note(path.name, answer.joints, answer.confidence)
            try:
                if out:
                    write_image(out / path.name, drawn(image, answer))
            except PosekitError as error:  # the joints of this one are noted, and the others are still to come
                problems.append(str(error))
                _say(str(error))
                continue
            done += 1
        if problems and not done:
            raise PosekitError(f"none of the {len(problems)} photographs could be used; the first: {problems[0]}")
    return Outcome(done, time.perf_counter() - started, done + len(problems) < len(paths), tuple(problems))


def predict_frames(
    predictor: Predictor,
    frames: Frames,
    box: tuple[float, float, float, float] | None,
    out: Path | None,
    joints: Path | None,
    window: Window | None,
    stopped: Callable[[], bool],
    progress: bool = True,
) -> Outcome:
    """Asks about every frame, numbered from 0.

    box: of the person in the first frame, image px; from then on it follows, in the same size (`next_box`), and
    stays where it is while the person is lost. None: the person is taken to fill every frame. out: a video with
    skeletons; joints: see `joint_file`; both are replaced. Stops when `stopped` says so, or the window is closed.
    Raises `PosekitError` if there is no frame at all, or something cannot be written.
    """
    started, lost, ended = time.perf_counter(), 0, False
    with ExitStack() as files:
        note = files.enter_context(joint_file(joints, "frame")) if joints else None
        shown = [files.enter_context(video_file(out, frames.fps, frames.live))] if out else []
        shown += [window] if window else []
        at = None if box is None else np.array(box, float)
        bar = tqdm(frames, desc="predicting", unit=" frames", total=frames.announced, disable=not progress)
        if not frames.fps_known and not frames.live:
            _say(f"{frames.name} does not say its frame rate; {frames.fps:g} frames per second are assumed")
        for image in bar:
            number = frames.number
            answer = predictor.predict_box(image, np.array(whole(image)) if at is None else at)
            if note:
                note(number, answer.joints, answer.confidence, seconds=round(number / frames.fps, 4))
            for screen in shown:
                screen.write(drawn(image, answer))
            if at is not None:
                following = next_box(at, answer.joints, answer.confidence, (image.shape[1], image.shape[0]))
                if following is None and not lost:
                    _say(f"the person is lost in frame {number}; the box stays until joints are found in it again")
                lost += following is None
                at = at if following is None else following
            ended = stopped() or (window is not None and window.closed)
            if ended:
                break
        shortage = None if ended else frames.shortage()
        if frames.read == 0:
            raise PosekitError(shortage or f"{frames.name} gave no frame")
    if lost:
        _say(f"the person was lost in {lost} of {frames.read} frames")
    seconds = time.perf_counter() - started
    return Outcome(frames.read, seconds, ended, (shortage,) if shortage else ())


def _say(sentence: str) -> None:
    tqdm.write(f"posekit: {sentence}", file=sys.stderr)

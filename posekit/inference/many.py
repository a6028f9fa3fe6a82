"""The joints of one person in many pictures: the photographs of a folder, the frames of a video or camera."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from posekit.datasets.images import read_image, several_pictures, write_image
from posekit.errors import PosekitError
from posekit.inference.drawing import draw_skeleton
from posekit.inference.joint_file import joint_file
from posekit.inference.outputs import Output
from posekit.inference.predictor import Prediction, Predictor
from posekit.inference.video import Frames, Window, next_box, video_file
from posekit.skeleton import JOINTS

#: Files of a folder with these endings are taken for photographs.
PHOTOGRAPH_ENDINGS = {".avif", ".bmp", ".gif", ".jp2", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}

#: Pictures that are not read; a folder's are named.
UNREAD_ENDINGS = {".arw", ".cr2", ".cr3", ".dng", ".heic", ".heif", ".jxl", ".nef", ".orf", ".raf", ".rw2"}


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
    person stopped it before the end, a sentence for everything that went wrong, and what was written."""

    done: int
    seconds: float
    stopped: bool
    problems: tuple[str, ...]
    written: tuple[Path, ...]


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
            f"left out, since posekit does not read this kind of picture: {', '.join(others[:5])}"
            + (f" and {len(others) - 5} more" if len(others) > 5 else "")
            + "; save them as JPEG"
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
    """Asks about every photograph; one that cannot be read or written is reported and passed over.

    out: a folder for the photographs with skeletons, under their names; joints: see `joint_file`; both are
    replaced. stopped is asked before every photograph. Raises `PosekitError` if none could be used or `joints`
    cannot be begun.
    """
    started, done, problems = time.perf_counter(), 0, []
    with ExitStack() as files:
        note = files.enter_context(Output(joint_file(joints, "file"))) if joints else None
        for path in tqdm(paths, desc="predicting", unit=" photographs"):
            if stopped():
                break
            try:
                image = read_image(path, upright=True)
                if remark := several_pictures(path):
                    _say(remark)
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
    seconds, ended = time.perf_counter() - started, done + len(problems) < len(paths)
    written = [out] if out and done else []
    if note and note.problem:
        problems.append(note.problem)
        _say(note.problem)
    elif joints:
        written.append(joints)
    return Outcome(done, seconds, ended, tuple(problems), tuple(written))


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
    skeletons; joints: see `joint_file`; both are replaced, and each is kept where the other fails. Stops when
    `stopped` says so, or the window is closed. Raises `PosekitError` if there is no frame at all, or
    nothing can be written.
    """
    started, lost, ended, problems = time.perf_counter(), 0, False, []
    with ExitStack() as files:
        note = files.enter_context(Output(joint_file(joints, "frame"))) if joints else None
        film = files.enter_context(Output(_writing(out, frames.fps))) if out else None
        outputs = {path: output for path, output in ((joints, note), (out, film)) if path and output}
        at = None if box is None else np.array(box, float)
        bar = tqdm(frames, desc="predicting", unit=" frames", total=frames.announced, disable=not progress)
        if remark := frames.remark():
            _say(remark)
        for image in bar:
            number = frames.number
            try:
                answer = predictor.predict_box(image, np.array(whole(image)) if at is None else at)
            except PosekitError as error:
                if frames.read == 1:
                    raise
                problems.append(f"frame {number}: {error}; what was found before it is kept")
                break
            if note:
                note(number, answer.joints, answer.confidence, seconds=round(frames.seconds, 4))
            picture = drawn(image, answer) if film or window else image
            if film:
                film(picture, frames.seconds)
            if window:
                window.write(picture)
            if outputs and all(output.problem for output in outputs.values()):
                break
            if at is not None:
                following = next_box(at, answer.joints, answer.confidence, (image.shape[1], image.shape[0]))
                if following is None and not lost:
                    _say(f"the person is lost in frame {number}; the box stays until joints are found in it again")
                lost += following is None
                at = at if following is None else following
            ended = stopped() or (window is not None and window.closed)
            if ended:
                break
        shortage = None if ended or problems else frames.shortage()
        if frames.read == 0:
            raise PosekitError(shortage or f"{frames.name} gave no frame")
    failed = [output.problem for output in outputs.values() if output.problem]
    if outputs and len(failed) == len(outputs):
        raise PosekitError(failed[0])
    written = tuple(path for path, output in outputs.items() if not output.problem)
    if lost:
        _say(f"the person was lost in {lost} of {frames.read} frames")
    seconds = time.perf_counter() - started
    problems += [*failed, *([shortage] if shortage else [])]
    return Outcome(frames.read, seconds, ended, tuple(problems), written)


@contextmanager
def _writing(path: Path, fps: float) -> Iterator[Callable[[np.ndarray, float], None]]:
    with video_file(path, fps) as file:
        yield file.write


def _say(sentence: str) -> None:
    tqdm.write(f"posekit: {sentence}", file=sys.stderr)

"""Joints of people in many pictures: the photographs of a folder, the frames of a video or camera."""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from posekit.datasets.images import read_image, several_pictures, write_image
from posekit.errors import PosekitError
from posekit.inference.drawing import draw_skeleton
from posekit.inference.following import FollowAll, FollowOne
from posekit.inference.joint_file import joint_file, photograph_file
from posekit.inference.outputs import Output
from posekit.inference.predictor import Person, Predictor
from posekit.inference.video import Frames, Window, video_file
from posekit.skeleton import JOINTS

#: Files of a folder with these endings are taken for photographs.
PHOTOGRAPH_ENDINGS = {".avif", ".bmp", ".gif", ".jp2", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}

#: Pictures that are not read; a folder's are named.
UNREAD_ENDINGS = {".arw", ".cr2", ".cr3", ".dng", ".heic", ".heif", ".jxl", ".nef", ".orf", ".raf", ".rw2"}


@dataclass(frozen=True)
class Selection:
    """Which people of a picture are predicted.

    One person in a box (left, top, right, bottom), or at a center (x, y) with a scale (height / 200 px), all in
    image px. Without them, people are found: at most `people`, or all of them if that is None.
    """

    box: tuple[float, float, float, float] | None = None
    center: tuple[float, float] | None = None
    scale: float | None = None
    people: int | None = None

    def predict(self, predictor: Predictor, image: np.ndarray) -> list[Person]:
        """The people in RGB uint8 (H, W, 3), the surest first. Raises `PosekitError` as `Predictor` does."""
        if self.center is not None and self.scale is not None:
            answers = [predictor.predict(image, np.array(self.center), self.scale)]
        elif self.box is not None:
            answers = [predictor.predict_box(image, np.array(self.box))]
        else:
            answers = predictor.predict_people(image, self.people)
        return [Person(number, answer) for number, answer in enumerate(answers, start=1)]

    def tracker(self, predictor: Predictor) -> FollowOne | FollowAll:
        """A function to call with every frame of a video; a box is that of the first frame."""
        if self.box is not None or self.people == 1:
            return FollowOne(predictor, None if self.box is None else np.array(self.box, float))
        return FollowAll(predictor, self.people)


@dataclass(frozen=True)
class Outcome:
    """How many pictures were predicted, in how many seconds (reading, drawing and writing included), whether the
    person stopped it before the end, sentences on what went wrong, and what was written."""

    done: int
    seconds: float
    stopped: bool
    problems: tuple[str, ...]
    written: tuple[Path, ...]


def drawn(image: np.ndarray, people: Sequence[Person]) -> np.ndarray:
    """The picture with the joints of all people; lines are thinner for people who are small in it."""
    for person in people:
        crop = person.answer.crop.shape[0] / person.answer.matrix[0, 0]  # image px
        size = min(crop / 30, max(image.shape[:2]) / 100)
        image = draw_skeleton(image, person.answer.joints, np.full(len(JOINTS), True), size=size)
    return image


def photographs(folder: Path) -> list[Path]:
    """The photographs of a folder, not of its subfolders, by name. Raises `PosekitError` if there are none."""
    files = sorted(path for path in folder.iterdir() if not path.name.startswith("._"))  # macOS's own notes
    found = [path for path in files if path.suffix.lower() in PHOTOGRAPH_ENDINGS]
    if others := [path.name for path in files if path.suffix.lower() in UNREAD_ENDINGS]:
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
    selection: Selection,
    out: Path | None,
    joints: Path | None,
    stopped: Callable[[], bool],
    coco: bool = False,
) -> Outcome:
    """Predicts joints in every photograph; one that cannot be read or drawn is named at once and skipped.

    out: a folder for the photographs with skeletons, under their names; joints, coco: see `photograph_file`; both
    are replaced. stopped is called before every photograph. Raises `PosekitError` if none could be predicted, or
    `out` or `joints` cannot be begun.
    """
    started, done, left_out, undrawn = time.perf_counter(), 0, [], 0
    with ExitStack() as files:
        if out:
            files.enter_context(_folder_to_write_to(out))
        note = files.enter_context(Output(photograph_file(joints, coco))) if joints else None
        for path in tqdm(paths, desc="predicting", unit=" photographs"):
            if stopped():
                break
            try:
                image = read_image(path, upright=True)
                if remark := several_pictures(path):
                    _say(remark)
                people = selection.predict(predictor, image)
            except PosekitError as error:
                left_out.append(str(error))
                _say(f"{path.name} is left out: {error}")
                continue
            done += 1
            if not people:
                _say(f"nobody is found in {path.name}")
            if note:
                note(path, people, image)
            try:
                if out:
                    write_image(out / path.name, drawn(image, people))
            except PosekitError as error:  # the joints of this one are noted, and the others are still to come
                undrawn += 1
                _say(str(error))
        if left_out and not done:
            raise PosekitError(f"none of the {len(left_out)} photographs could be used; the first: {left_out[0]}")
    seconds, ended, problems = time.perf_counter() - started, done + len(left_out) < len(paths), []
    if left_out:
        problems.append(f"{len(left_out)} of {len(paths)} photographs are left out, as said above")
    if undrawn:
        problems.append(f"{undrawn} of {len(paths)} photographs could not be drawn, as said above")
    if note and note.problem:
        problems.append(note.problem)
    written = [out] if out and done > undrawn else []
    written += [joints] if note and not note.problem else []
    return Outcome(done, seconds, ended, tuple(problems), tuple(written))


@contextmanager
def _folder_to_write_to(folder: Path) -> Iterator[None]:
    """Makes a folder, and takes it away again where an error leaves it empty. Raises `PosekitError` if no file can
    be made in it."""
    new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise PosekitError(
            f"folder {folder} cannot be written to ({error.strerror}); choose another one by --out"
        ) from error
    try:
        yield
    except BaseException:
        if new and not any(folder.iterdir()):
            folder.rmdir()
        raise


def predict_frames(
    predictor: Predictor,
    frames: Frames,
    selection: Selection,
    out: Path | None,
    joints: Path | None,
    window: Window | None,
    stopped: Callable[[], bool],
    progress: bool = True,
) -> Outcome:
    """Predicts joints in every frame, numbered from 0.

    selection: who is followed from frame to frame (`posekit.inference.following`). out: a video with
    skeletons; joints: see `joint_file`; both are replaced, and each is kept where the other fails. Stops when
    `stopped` says so, or the window is closed. Raises `PosekitError` if there is no frame at all, or
    nothing can be written.
    """
    started, nobody, ended, problems = time.perf_counter(), 0, False, []
    with ExitStack() as files:
        note = files.enter_context(Output(joint_file(joints, "frame"))) if joints else None
        film = files.enter_context(Output(video_file(out, frames.fps))) if out else None
        outputs = {path: output for path, output in ((joints, note), (out, film)) if path and output}
        follow = selection.tracker(predictor)
        bar = tqdm(frames, desc="predicting", unit=" frames", total=frames.announced, disable=not progress)
        if remark := frames.remark():
            _say(remark)
        for image in bar:
            number = frames.number
            try:
                people = follow(image)
            except PosekitError as error:
                if frames.read == 1:
                    raise
                problems.append(f"frame {number}: {error}; what was found before it is kept")
                break
            if note:
                note(number, people, seconds=round(frames.seconds, 4))
            picture = drawn(image, people) if film or window else image
            if film:
                film(picture, frames.seconds)
            if window:
                window.write(picture)
            if outputs and all(output.problem for output in outputs.values()):
                break
            if not people and not nobody:
                _say(f"nobody is found in frame {number}; the search goes on in every frame until somebody is")
            nobody += not people
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
    if nobody:
        _say(f"nobody was found in {nobody} of {frames.read} frames")
    seconds = time.perf_counter() - started
    problems += [*failed, *([shortage] if shortage else [])]
    return Outcome(frames.read, seconds, ended, tuple(problems), written)


def _say(sentence: str) -> None:
    tqdm.write(f"posekit: {sentence}", file=sys.stderr)

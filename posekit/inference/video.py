"""Videos and cameras, read and written frame by frame through OpenCV."""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from posekit.errors import PosekitError
from posekit.files import check_file
from posekit.inference.frame_times import name_for_opencv, packet_times, read_frame_times

#: Files with these endings are read as videos.
VIDEO_ENDINGS = {
    *(".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogv"),
    *(".ts", ".vob", ".webm", ".wmv"),
}

#: What can be written, with codecs that OpenCV includes on every system.
CODECS = {".mp4": "mp4v", ".avi": "MJPG"}

#: Where a video or camera does not say.
USUAL_FPS = 25.0


@contextmanager
def quiet() -> Iterator[None]:
    """Without what OpenCV and FFmpeg print about a file or camera: it is said here in one sentence."""
    level, named = cv2.utils.logging.getLogLevel(), os.environ.get("OPENCV_FFMPEG_LOGLEVEL")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)
        if named is None:
            os.environ.pop("OPENCV_FFMPEG_LOGLEVEL", None)


class Frames:
    """The frames of a video file or a camera, each RGB uint8 (H, W, 3), turned upright as the file says.

    `number` is that of the frame read last, from 0, and `seconds` when it is shown, from the first frame: a frame
    that cannot be decoded keeps its number and its time. `read` is how many were read so far, `announced` how many
    there should be, None for a camera. `fps` is frames per second.
    """

    def __init__(self, capture: cv2.VideoCapture, name: str, path: Path | None) -> None:
        """path: of the file; None for a camera."""
        self.name, self.live = name, path is None
        self.read, self.number, self.seconds = 0, -1, 0.0
        self._capture, self._began = capture, 0.0
        fps, count = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
        known = fps if 0 < fps <= 1000 else None
        announced = int(count) if path is not None and 1 <= count < 1e9 else None
        self.times = read_frame_times(path, known, announced) if path is not None else None
        self.fps = self.times.fps if self.times else known or USUAL_FPS
        self.announced = self.times.count if self.times else announced

    def __iter__(self) -> Iterator[np.ndarray]:
        failed = 0
        while True:
            decoded, frame = self._capture.read()
            if decoded:
                self._place(failed)
                failed, self.read = 0, self.read + 1
                yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
            elif self.announced is not None and self.number + 1 + failed < self.announced:
                failed += 1  # this one is damaged or missing; the next may be whole
            else:
                return

    def _place(self, failed: int) -> None:
        """Number and time of the frame that was just read, after so many that could not be."""
        if self.live:
            now = time.perf_counter()
            self._began = now if self.read == 0 else self._began
            self.number, self.seconds = self.number + 1, now - self._began
            return
        seconds = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        number = self.times.number(seconds) if self.times else None
        if number is None:
            self.number += 1 + failed
            self.seconds = self.number / self.fps
        else:
            self.number, self.seconds = number, seconds

    def remark(self) -> str | None:
        """Before the first frame: a sentence if the frames come at no fixed rate, or at an unknown rate."""
        if self.live or (self.announced or 0) < 2 or (self.times and self.times.even):
            return None
        if self.times is None:
            return f"{self.name} does not say when its frames are shown; {self.fps:g} per second are assumed"
        steps = 1000 * np.diff(self.times.seconds)
        return (
            f"{self.name} has no fixed frame rate: a frame is shown for {steps.min():.0f} to {steps.max():.0f} "
            f"ms. A video with skeletons keeps these times, at {self.fps:.4g} frames per second"
        )

    def shortage(self) -> str | None:
        """After the last frame: a sentence if frames are missing."""
        if self.live:
            return f"{self.name} gives no more pictures; is it still connected?"
        if self.read == 0:
            return f"{self.name} has no frame that can be decoded; convert it to MP4 (H.264) and try again"
        if self.announced and self.read < self.announced and not self._trimmed():
            return (
                f"{self.name}: {self.announced - self.read} of {self.announced} frames are missing or damaged; "
                "what could be read is kept, under its own frame numbers"
            )
        return None

    def _trimmed(self) -> bool:
        """Whether all frames were read that the file shows: a video that was trimmed without being encoded again
        keeps some packets before its first frame, for the decoder alone."""
        return self.times is not None and self.times.complete and self.read == self.number + 1


@contextmanager
def open_video(source: Path | int) -> Iterator[Frames]:
    """A video file, or the camera of this number. Raises `PosekitError` if it cannot be opened."""
    live = isinstance(source, int)
    name = f"camera {source}" if live else str(source)
    if not live:
        check_file(source, "name a video")
    with quiet():
        capture = cv2.VideoCapture(source if live else name_for_opencv(source))
        try:
            if not capture.isOpened():
                raise PosekitError(
                    f"{name} cannot be opened; is it connected, and used by no other program? Numbers begin at 0"
                    if live
                    else f"{name} cannot be opened as a video; it is damaged, cut off, or of a kind that OpenCV "
                    "does not read: convert it to MP4 (H.264)"
                )
            yield Frames(capture, name, None if live else source)
        finally:
            capture.release()


class VideoFile:
    """Takes RGB uint8 frames (H, W, 3), shown in the size of the first, without a last odd row or column."""

    def __init__(self, path: Path, fps: float) -> None:
        self.path, self.fps, self.written = path, fps, 0
        self.unfinished = path.with_name(f".{path.stem[:40]}.{uuid.uuid4().hex[:12]}.unfinished{path.suffix}")
        self._writer: cv2.VideoWriter | None = None
        self._size, self._last = (0, 0), None

    def write(self, frame: np.ndarray, seconds: float) -> None:
        """Adds a frame that is shown so many seconds after the first; the one before it is shown until then."""
        if self._writer is None:
            self._size = frame.shape[1], frame.shape[0]
            code = cv2.VideoWriter_fourcc(*CODECS[self.path.suffix.lower()])
            self._writer = cv2.VideoWriter(name_for_opencv(self.unfinished), code, self.fps, self._size)
            if not self._writer.isOpened():
                raise PosekitError(f"{self.path} cannot be written; check the folder and the free space")
        bgr = cv2.resize(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), self._size)  # a stream can change its size
        due = round(seconds * self.fps)
        while self._last is not None and self.written < due:
            self._add(self._last)
        if self.written <= due:
            self._add(bgr)
        self._last = bgr

    def _add(self, bgr: np.ndarray) -> None:
        self._writer.write(bgr)
        self.written += 1

    def close(self) -> None:
        """Puts the video in its place. Raises `PosekitError` if it does not hold what was written to it."""
        if self._writer is None:
            return
        self._writer.release()
        self._writer = None
        held = len(packet_times(self.unfinished, None))  # not what the header says, which is written all the same
        if held < self.written:  # OpenCV does not report a full disk
            raise PosekitError(
                f"{self.path} cannot be written whole ({held} of {self.written} frames); disk full?"
            )
        try:
            self.unfinished.replace(self.path)
        except OSError as error:
            raise PosekitError(
                f"{self.path} cannot be replaced ({error.strerror}); is it open somewhere?"
            ) from error

    def discard(self) -> None:
        if self._writer is not None:
            self._writer.release()
        self.unfinished.unlink(missing_ok=True)


@contextmanager
def video_file(path: Path, fps: float) -> Iterator[Callable[[np.ndarray, float], None]]:
    """The `write` of a `VideoFile`, MP4 or AVI by its name; the video takes the place of `path` when it is whole.

    Folders that are missing are made; without a frame nothing is written. Raises `PosekitError` for another ending
    and if it cannot be written.
    """
    if path.suffix.lower() not in CODECS:
        raise PosekitError(f"{path}: unknown kind of video; end the name in {' or '.join(CODECS)}")
    file = VideoFile(path, fps)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file.unfinished.touch()
    except OSError as error:
        raise PosekitError(f"{path} cannot be written ({error.strerror}); check folder and free space") from error
    try:
        yield file.write
        file.close()
    finally:
        file.discard()


class Window:
    """Shows frames on the screen until a person presses q or Esc, or closes the window."""

    def __init__(self, title: str) -> None:
        """Raises `PosekitError` if this OpenCV, or this machine, has no windows."""
        self.title, self.closed = title, False
        try:
            cv2.namedWindow(title, cv2.WINDOW_NORMAL)
        except cv2.error as error:
            raise PosekitError(
                "this OpenCV opens no windows: say --out FILE.mp4 or --joints FILE.csv, or, on a machine with a "
                "screen, exchange it: pip uninstall opencv-python-headless, then pip install opencv-python"
            ) from error

    def write(self, frame: np.ndarray) -> None:
        cv2.imshow(self.title, cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        pressed = cv2.waitKey(1) & 0xFF
        gone = cv2.getWindowProperty(self.title, cv2.WND_PROP_VISIBLE) < 1
        self.closed = pressed in (ord("q"), 27) or gone

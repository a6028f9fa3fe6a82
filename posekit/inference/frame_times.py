"""When a video shows its frames, and which numbers they have: from its packets, without decoding them.

A decoder passes over what it cannot decode, so counting what it gives would shift every number after it. A packet
carries the time of its frame, whatever is in it.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from tqdm.auto import tqdm

#: Steps from frame to frame that differ by no more than this part of the usual step count as even: containers
#: round times to a millisecond.
TOLERANCE = 0.25

#: A video with fewer even steps than this part is recorded at no fixed rate.
MOSTLY = 0.9

#: Containers that do not count their frames tell how long they last, sound included; less than this is not missing
#: at the end, seconds.
SOUND = 1.0


@dataclass(frozen=True)
class FrameTimes:
    """seconds (N,) float64, rising, from the first frame; numbers (N,) int64 of the N frames that have a packet,
    from 0; count: frames that the video should have, with those whose packets are missing; fps: frames per second,
    of a video without a fixed rate that of its quickest parts; even: whether it has a fixed rate."""

    seconds: np.ndarray
    numbers: np.ndarray
    count: int
    fps: float
    even: bool

    def number(self, seconds: float) -> int | None:
        """The number of the frame that is shown then; None if no frame is within half a step."""
        after = min(int(np.searchsorted(self.seconds, seconds)), len(self.seconds) - 1)
        nearest = min((max(after - 1, 0), after), key=lambda index: abs(self.seconds[index] - seconds))
        near = abs(self.seconds[nearest] - seconds) < 0.5 / self.fps
        return int(self.numbers[nearest]) if near else None

    @property
    def complete(self) -> bool:
        """Whether every frame has its packet."""
        return len(self.numbers) == self.count


def read_frame_times(path: Path, fps: float | None, announced: int | None) -> FrameTimes | None:
    """Of a video file; None if its packets have no times.

    fps and announced: the rate and the number of frames that the container claims, None if it claims none.
    """
    found = packet_times(path, announced)
    with path.open("rb") as stream:
        head = stream.read(12)
    counts_frames = head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip") or head[:4] == b"RIFF"
    return frame_times(np.unique(found), fps, announced, counts_frames)


def name_for_opencv(path: Path) -> bytes:
    """A video's whole path, as bytes: OpenCV cannot take a name that is not UTF-8 otherwise, and FFmpeg would
    take what stands before a colon in "Talk: 1.mp4" for a protocol, such as http."""
    return os.fsencode(os.path.abspath(path))


def packet_times(path: Path, announced: int | None) -> list[float]:
    """Seconds of every packet that is really in a video file, in the file's order; announced as above."""
    capture = cv2.VideoCapture(name_for_opencv(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1])
    found: list[float] = []
    try:
        with tqdm(desc="reading frame times", unit=" frames", total=announced, delay=2) as bar:
            failed = 0
            while failed <= (announced or 0):  # one that cannot be read may be followed by others
                if capture.grab():
                    found.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
                    bar.update()
                else:
                    failed += 1
    finally:
        capture.release()
    return found


def frame_times(
    seconds: np.ndarray, fps: float | None, announced: int | None, counts_frames: bool
) -> FrameTimes | None:
    """From the times (N,) float64 of packets, rising; None if they tell nothing.

    fps, announced as in `read_frame_times`; counts_frames: whether the container counts frames, and does not only
    tell how long it lasts.
    """
    if len(seconds) < 2:
        return None
    seconds = seconds - seconds[0]
    steps = np.diff(seconds)
    usual = float(np.median(steps))
    steady = np.abs(steps - usual) <= TOLERANCE * usual
    if steady.mean() < MOSTLY:
        numbers = np.arange(len(seconds))
        lasts = announced / fps if announced and fps else 0.0
        cut = announced is not None and len(seconds) < announced and seconds[-1] + steps.max() + SOUND < lasts
        count = announced if cut else len(seconds)
        return FrameTimes(seconds, numbers, count, 1 / float(np.quantile(steps, 0.05)), even=False)
    rate = fps if fps and abs(fps * usual - 1) <= TOLERANCE else 1 / usual
    if announced is None or len(seconds) >= announced:
        return FrameTimes(seconds, np.arange(len(seconds)), len(seconds), rate, even=bool(steady.all()))
    frames = steps / steps[steady].mean()  # 2 where one packet is missing
    numbers = np.concatenate([[0], np.cumsum(np.maximum(np.rint(frames), 1))]).astype(np.int64)
    found = int(numbers[-1]) + 1
    missing_at_end = announced > found and (counts_frames or announced - found > SOUND * rate)
    even = bool((np.abs(frames - np.rint(frames)) <= TOLERANCE).all())
    return FrameTimes(seconds, numbers, announced if missing_at_end else found, rate, even)

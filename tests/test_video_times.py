"""Frames of videos keep their numbers and their times, whatever is damaged, missing or uneven; and
what is found is kept where one of two outputs fails."""

import csv
import os
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from moving_dot import COUNT, DOTS, FPS, frames_of, make_video, refused, run, table_of

import posekit.inference.video
from posekit.inference.frame_times import frame_times
from posekit.skeleton import JOINTS

pytestmark = pytest.mark.usefixtures("dot_network")


def box(data: bytes, *names: bytes) -> tuple[list[int], int, int]:
    """Of an MP4 file: where the boxes of this path begin, and where the content of the last begins and ends."""
    starts, begin, end = [], 0, len(data)
    for name in names:
        while data[begin + 4 : begin + 8] != name:
            begin += int.from_bytes(data[begin : begin + 4])
        starts.append(begin)
        begin, end = begin + 8, begin + int.from_bytes(data[begin : begin + 4])
    return starts, begin, end


def with_durations(path: Path, durations: list[int]) -> Path:
    """Rewrites how long an MP4 file of OpenCV shows each frame, in its time scale (ISO/IEC 14496-12: stts).

    The boxes of the index lie behind the pictures, so nothing else moves when they grow. The edit list, which ends
    the video at its old length, is taken out.
    """
    data = bytearray(path.read_bytes().replace(b"edts", b"free"))
    starts, begin, end = box(data, b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts")
    entries = b"".join(struct.pack(">II", 1, duration) for duration in durations)
    content = bytes(4) + struct.pack(">I", len(durations)) + entries
    data[begin:end] = content
    for start in starts:
        size = int.from_bytes(data[start : start + 4]) + len(content) - (end - begin)
        data[start : start + 4] = size.to_bytes(4)
    path.write_bytes(data)
    return path


def damaged(film: Path, *frames: int) -> Path:
    """An AVI file of MJPEG in which these frames are zeros."""
    data, found = bytearray(film.read_bytes()), []
    position = data.find(b"movi")
    while (position := data.find(b"00dc", position)) >= 0 and len(found) < COUNT:
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        found.append((position + 8, size))
        position += 8 + size
    assert len(found) == COUNT
    for number in frames:
        start, size = found[number]
        data[start : start + size] = bytes(size)
    film.write_bytes(data)
    return film


def seconds_of(path: Path) -> np.ndarray:
    """(N,) the column of seconds, a value per frame."""
    with path.open() as stream:
        return np.array([float(row["seconds"]) for row in csv.DictReader(stream)])[:: len(JOINTS)]


@pytest.mark.parametrize("lost", [[11], [0], [5, 6, 7, 20]])
def test_frames_that_cannot_be_decoded_shift_nothing(tmp_path, lost):
    film = damaged(make_video(tmp_path / "film.avi", list(DOTS)), *lost)
    result = run(film, "--joints", tmp_path / "joints.csv", "--out", tmp_path / "drawn.avi")
    assert refused(result, f"{len(lost)} of {COUNT} frames are missing or damaged") and result.exit_code == 1
    numbers, joints = table_of(tmp_path / "joints.csv", "frame")
    kept = [number for number in range(COUNT) if number not in lost]
    assert numbers == [str(number) for number in kept]
    assert np.abs(joints - DOTS[kept][:, None]).max() < 8
    np.testing.assert_allclose(seconds_of(tmp_path / "joints.csv"), np.array(kept) / FPS, atol=1e-3)
    assert len(frames_of(tmp_path / "drawn.avi")) == COUNT


def test_unevenly_timed_frames_keep_their_seconds(tmp_path):
    """The last ten frames are shown twice as long as the others, one five times as long."""
    film = make_video(tmp_path / "film.mp4", list(DOTS), "mp4v")
    _, begin, _ = box(film.read_bytes(), b"moov", b"trak", b"mdia", b"mdhd")
    scale = int.from_bytes(film.read_bytes()[begin + 12 : begin + 16])
    times = np.array([5 if number == 3 else 2 if number >= 20 else 1 for number in range(COUNT)])
    with_durations(film, [int(time * scale / FPS) for time in times])
    result = run(film, "--joints", tmp_path / "joints.csv", "--out", tmp_path / "drawn.mp4")
    assert result.exit_code == 0, result.output
    assert "has no fixed frame rate: a frame is shown for 50 to 250 ms" in result.stderr
    begins = np.concatenate([[0], np.cumsum(times)[:-1]])
    np.testing.assert_allclose(seconds_of(tmp_path / "joints.csv"), begins / FPS, atol=2e-3)
    assert table_of(tmp_path / "joints.csv", "frame")[0] == [str(number) for number in range(COUNT)]
    drawn = frames_of(tmp_path / "drawn.mp4")
    assert cv2.VideoCapture(str(tmp_path / "drawn.mp4")).get(cv2.CAP_PROP_FPS) == pytest.approx(FPS)
    assert len(drawn) == begins[-1] + 1
    for number, begin in enumerate(begins):  # the dot is painted over, so its surroundings tell where it is
        x, y = DOTS[number].astype(int)
        assert np.abs(drawn[begin][y, x].astype(int) - 90).max() > 40, number


def test_slow_videos_stay_slow(tmp_path, monkeypatch):
    monkeypatch.setattr("moving_dot.FPS", 0.5)
    film = make_video(tmp_path / "film.mp4", list(DOTS[:6]), "mp4v")
    result = run(film, "--joints", tmp_path / "joints.csv", "--out", tmp_path / "drawn.mp4")
    assert result.exit_code == 0 and "frame rate" not in result.stderr
    np.testing.assert_allclose(seconds_of(tmp_path / "joints.csv"), np.arange(6) * 2.0)
    assert cv2.VideoCapture(str(tmp_path / "drawn.mp4")).get(cv2.CAP_PROP_FPS) == pytest.approx(0.5)


GRID = np.arange(100) / 25


@pytest.mark.parametrize(
    "seconds, fps, announced, counts_frames, numbers, count, even",
    [
        (GRID, 25, 100, True, range(100), 100, True),
        (GRID + 7, 25, 100, False, range(100), 100, True),  # a broadcast that begins later
        (GRID, None, None, False, range(100), 100, True),  # a recording without header
        (np.delete(GRID, 40), 25, 100, True, [n for n in range(100) if n != 40], 100, True),  # a packet is missing
        (GRID[:60], 25, 100, True, range(60), 100, True),  # cut off
        (GRID[:60], 25, 100, False, range(60), 100, True),
        (GRID[:90], 25, 100, False, range(90), 90, True),  # the sound lasts longer
        (np.delete(GRID, [30, 31]), 25, 98, True, range(98), 98, False),  # the camera left two out
        (np.cumsum(np.tile([0.033, 0.05], 50)), 25, 103, False, range(100), 100, False),
        (np.round(np.arange(300) * 1001 / 30000, 3), 30000 / 1001, 300, False, range(300), 300, True),
    ],
)
def test_numbers_of_frames_from_times_of_packets(seconds, fps, announced, counts_frames, numbers, count, even):
    found = frame_times(seconds, fps, announced, counts_frames)
    assert found.numbers.tolist() == list(numbers) and found.count == count and found.even == even
    assert [found.number(at) for at in found.seconds] == found.numbers.tolist()


def test_a_rate_that_is_only_a_unit_of_time_is_not_believed():
    """Recordings of browsers claim 1,000 frames per second, the unit of their times."""
    assert frame_times(GRID, 1000, None, False).fps == pytest.approx(25)
    assert frame_times(np.zeros(1), 25, 100, True) is None  # all packets have the same time, or there is one


def test_a_drawing_that_fails_leaves_the_joints(tmp_path, monkeypatch):
    film = make_video(tmp_path / "film.avi", list(DOTS))

    class Full(posekit.inference.video.VideoFile):
        def close(self) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(posekit.inference.video, "VideoFile", Full)
    result = run(film, "--out", tmp_path / "drawn.mp4", "--joints", tmp_path / "joints.csv")
    assert refused(result, "No space left on device") and result.exit_code == 1
    assert len(table_of(tmp_path / "joints.csv", "frame")[0]) == COUNT
    assert f"wrote {tmp_path / 'joints.csv'}" in result.stderr and "drawn.mp4" not in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.avi", "joints.csv"]
    monkeypatch.undo()


@pytest.mark.parametrize("ending", ["avi", "mp4"])
def test_a_video_that_a_full_disk_cut_off_is_not_taken_for_whole(tmp_path, monkeypatch, ending):
    """Its header counts all frames: OpenCV writes that at the end, over bytes that are there already."""
    writer = cv2.VideoWriter

    class Cut:
        def __init__(self, path: bytes, *arguments: object) -> None:
            self.path, self.writer = Path(os.fsdecode(path)), writer(path, *arguments)

        def __getattr__(self, name: str) -> object:
            return getattr(self.writer, name)

        def release(self) -> None:
            self.writer.release()
            self.path.write_bytes(self.path.read_bytes()[: self.path.stat().st_size // 2])

    film = make_video(tmp_path / "film.avi", list(DOTS))
    monkeypatch.setattr(cv2, "VideoWriter", Cut)
    result = run(film, "--out", tmp_path / f"drawn.{ending}", "--joints", tmp_path / "joints.csv")
    assert refused(result, f"drawn.{ending} cannot be written whole") and "disk full?" in str(result.exception)
    assert len(table_of(tmp_path / "joints.csv", "frame")[0]) == COUNT
    assert not (tmp_path / f"drawn.{ending}").exists()


def test_joints_that_cannot_be_written_leave_the_drawing(tmp_path, monkeypatch):
    film, written = make_video(tmp_path / "film.avi", list(DOTS)), []
    rows = posekit.inference.joint_file.joint_rows

    def full(*values: np.ndarray) -> list[dict]:
        written.append(1)
        if len(written) == 7:
            raise OSError(28, "No space left on device")
        return rows(*values)

    monkeypatch.setattr(posekit.inference.joint_file, "joint_rows", full)
    result = run(film, "--out", tmp_path / "drawn.avi", "--joints", tmp_path / "joints.csv")
    assert refused(result, "joints.csv cannot be written (No space left on device)")
    assert len(frames_of(tmp_path / "drawn.avi")) == COUNT and not (tmp_path / "joints.csv").exists()


def test_an_answer_that_fails_keeps_what_was_found_before(tmp_path, dot_network, monkeypatch):
    film, ask, asked = make_video(tmp_path / "film.avi", list(DOTS)), dot_network.forward, []

    def forward(images: torch.Tensor) -> list[torch.Tensor]:
        asked.append(1)
        return [maps * (float("nan") if len(asked) > 12 else 1) for maps in ask(images)]

    monkeypatch.setattr(dot_network, "forward", forward)
    result = run(film, "--joints", tmp_path / "joints.csv")
    assert refused(result, "frame 12: the network answers with values that are not numbers")
    assert table_of(tmp_path / "joints.csv", "frame")[0] == [str(number) for number in range(12)]


def test_folders_of_outputs_are_made(tmp_path):
    film = make_video(tmp_path / "film.avi", list(DOTS))
    result = run(film, "--out", tmp_path / "new" / "a" / "drawn.mp4", "--joints", tmp_path / "new" / "b" / "j.csv")
    assert result.exit_code == 0, result.output
    assert len(frames_of(tmp_path / "new" / "a" / "drawn.mp4")) == COUNT
    assert (tmp_path / "new" / "b" / "j.csv").exists()

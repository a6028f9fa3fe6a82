"""`posekit predict` before a camera: until it ends, in a window, and into a video."""

import cv2
import numpy as np
import pytest
from moving_dot import (
    DOTS,
    FPS,
    WIDTH,
    frames_of,
    picture,
    refused,
    run,
    table_of,
)

from posekit.inference.video import video_file

pytestmark = pytest.mark.usefixtures("dot_network")


class Camera:
    """Stands in for a camera that is unplugged after eight pictures."""

    def __init__(self, opened: bool) -> None:
        self.left, self.opened = (8 if opened else 0), opened

    def isOpened(self) -> bool:
        return self.opened

    def get(self, _: int) -> float:
        return 0.0

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.left -= 1
        return self.left >= 0, picture(DOTS[self.left])[..., ::-1]

    def release(self) -> None:
        self.opened = False


@pytest.fixture
def camera(monkeypatch) -> None:
    """Number 0 is there, other numbers are not; files are opened as ever."""
    capture = cv2.VideoCapture
    monkeypatch.setattr(cv2, "VideoCapture", lambda s: Camera(s == 0) if isinstance(s, int) else capture(s))


def test_a_camera_is_predicted_until_it_ends(camera, tmp_path):
    result = run("--camera", 0, "--joints", tmp_path / "joints.csv")
    assert refused(result, "camera 0 gives no more pictures")
    numbers, joints = table_of(tmp_path / "joints.csv", "frame")
    assert len(numbers) == 8 and np.abs(joints - DOTS[7::-1][:, None]).max() <= WIDTH / 128 * 2 + 2
    assert refused(run("--camera", 3, "--joints", tmp_path / "other.csv"), "camera 3 cannot be opened")
    assert not (tmp_path / "other.csv").exists()


def test_a_camera_without_windows_says_what_to_do(camera, monkeypatch):
    def none(*_: object) -> None:
        raise cv2.error("The function is not implemented")

    monkeypatch.setattr(cv2, "namedWindow", none)
    assert refused(run("--camera", 0), "this OpenCV opens no windows: say --out FILE.mp4")


def test_q_ends_the_window(camera, monkeypatch):
    shown = []
    monkeypatch.setattr(cv2, "namedWindow", lambda *_: None)
    monkeypatch.setattr(cv2, "imshow", lambda _, frame: shown.append(frame))
    monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: 1.0)
    monkeypatch.setattr(cv2, "waitKey", lambda _: ord("q") if len(shown) == 3 else -1)
    result = run("--camera", 0)
    assert result.exit_code == 0 and len(shown) == 3 and "3 frames" in result.stderr
    x, y = DOTS[7].astype(int)
    assert np.abs(shown[0][y, x].astype(int) - (0, 0, 255)).max() > 60  # BGR, the dot is painted over


def test_what_a_camera_sees_lasts_as_long_in_its_video(tmp_path):
    """Pictures that come twice as slowly as the video runs are shown twice, up to the last one."""
    with video_file(tmp_path / "seen.mp4", FPS) as write:
        for number in range(10):
            write(picture(None), 2 * number / FPS)
    assert len(frames_of(tmp_path / "seen.mp4")) == 19

"""Videos, cameras and folders, with a stand-in for a network whose answer is known: the place of a red dot."""

import csv
import json
import os
import signal
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from test_finder import RedPeople
from test_predictor import FindsRed
from typer.testing import CliRunner

from posekit.cli import predict as cli_predict
from posekit.cli.cli import app
from posekit.datasets.images import write_image
from posekit.errors import PosekitError
from posekit.inference.finder import Finder
from posekit.inference.predictor import Predictor
from posekit.inference.video import video_file
from posekit.preprocessing.crop import CropRule
from posekit.preprocessing.heatmaps import Codec
from posekit.skeleton import JOINTS

WIDTH, HEIGHT, COUNT, FPS, RADIUS = 320, 240, 30, 20.0, 8

#: Where the dot is in each frame: it walks through the picture.
DOTS = np.stack([np.linspace(30, 290, COUNT), 120 + 60 * np.sin(np.arange(COUNT) / 5)], axis=1).round()


def picture(dot: np.ndarray | None) -> np.ndarray:
    image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    return image if dot is None else cv2.circle(image, dot.astype(int).tolist(), RADIUS, (255, 0, 0), -1)


def make_video(path: Path, dots: list, code: str = "MJPG") -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*code), FPS, (WIDTH, HEIGHT))
    for dot in dots:
        writer.write(picture(dot)[..., ::-1])
    writer.release()
    return path


def frames_of(path: Path) -> list[np.ndarray]:
    capture, found = cv2.VideoCapture(str(path)), []
    while True:
        decoded, frame = capture.read()
        if not decoded:
            return found
        found.append(frame[..., ::-1])


def table_of(path: Path, key: str) -> tuple[list[str], np.ndarray]:
    """Names or numbers (N) and joints (N, 16, 2) of a CSV file."""
    with path.open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["joint"] for row in rows] == list(JOINTS) * (len(rows) // len(JOINTS))
    joints = np.array([[float(row["x"]), float(row["y"])] for row in rows]).reshape(-1, len(JOINTS), 2)
    return [row[key] for row in rows[:: len(JOINTS)]], joints


@pytest.fixture(autouse=True)
def network(monkeypatch) -> FindsRed:
    """Takes the place of every network that posekit predict may ask."""
    network = FindsRed()
    predictor = Predictor(network, CropRule(width=230, height=230, size=128), Codec("report"))
    predictor.finder = Finder(RedPeople())
    monkeypatch.setattr(cli_predict, "_predictor", lambda *_: predictor)
    return network


@pytest.fixture
def film(tmp_path) -> Path:
    return make_video(tmp_path / "film.avi", list(DOTS))


def run(*arguments: object):
    return CliRunner().invoke(app, ["predict", *(str(argument) for argument in arguments)])


def refused(result, message: str) -> bool:
    assert isinstance(result.exception, PosekitError), result.output
    return message in str(result.exception) and "\n" not in str(result.exception)


@pytest.mark.parametrize("ending", [".mp4", ".avi"])
def test_every_frame_has_its_joints_and_the_drawn_video_all_frames(film, tmp_path, ending):
    out, joints = tmp_path / f"drawn{ending}", tmp_path / "joints.csv"
    result = run(film, "--out", out, "--joints", joints)
    assert result.exit_code == 0, result.output
    assert "nobody" not in result.stderr and "30 frames in" in result.stderr
    numbers, found = table_of(joints, "frame")
    assert numbers == [str(number) for number in range(COUNT)]
    cell = WIDTH / 128 * 4  # image px
    assert np.abs(found - DOTS[:, None]).max() <= cell / 2 + 2
    drawn, before = frames_of(out), frames_of(film)
    assert len(drawn) == COUNT and drawn[0].shape == (HEIGHT, WIDTH, 3)
    assert cv2.VideoCapture(str(out)).get(cv2.CAP_PROP_FPS) == pytest.approx(FPS)
    for one, other, (x, y) in zip(drawn, before, DOTS.astype(int), strict=True):  # the dot is painted over
        assert np.abs(one[y, x].astype(int) - other[y, x]).max() > 60
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([film.name, out.name, joints.name])


def test_a_box_follows_the_person_and_says_where_it_is_lost(tmp_path):
    """The dot leaves the first box within ten frames; at the end it is gone."""
    film = make_video(tmp_path / "film.avi", list(DOTS) + [None] * 5)
    box = DOTS[0].repeat(2).reshape(2, 2).T.ravel() + (-30, -30, 30, 30)
    result = run(film, "--box", *box, "--joints", tmp_path / "joints.json")
    assert result.exit_code == 0, result.output
    rows = json.loads((tmp_path / "joints.json").read_text())
    rows, lost = rows[: COUNT * len(JOINTS)], rows[COUNT * len(JOINTS) :]
    assert rows[16]["frame"] == 1 and rows[16]["joint"] == JOINTS[0] and {row["person"] for row in rows} == {1}
    assert [(row["frame"], row["person"], row["x"]) for row in lost] == [(COUNT + n, None, None) for n in range(5)]
    found = np.array([[row["x"], row["y"]] for row in rows]).reshape(-1, len(JOINTS), 2)
    assert np.linalg.norm(found - DOTS[:, None], axis=-1).max() <= RADIUS
    assert abs(DOTS[10, 0] - DOTS[0, 0]) > 30
    assert f"nobody is found in frame {COUNT};" in result.stderr
    assert f"nobody was found in 5 of {COUNT + 5} frames" in result.stderr


def test_everybody_in_a_video_keeps_a_number(tmp_path, network, monkeypatch):
    """Two dots pass each other, 120 px apart; every joint is found at another place of the dot."""
    ask, shifts = network.forward, [(row, column) for row in (-6, -2, 2, 6) for column in (-6, -2, 2, 6)]

    def spread(images: torch.Tensor) -> list[torch.Tensor]:
        (maps,) = ask(images)
        joints = [maps[:, joint].roll(shift, (1, 2)) for joint, shift in enumerate(shifts)]
        return [torch.stack(joints, dim=1)]

    monkeypatch.setattr(network, "forward", spread)
    writer = cv2.VideoWriter(str(tmp_path / "film.avi"), cv2.VideoWriter_fourcc(*"MJPG"), FPS, (WIDTH, HEIGHT))
    places = {1: lambda t: (40 + 8 * t, 60), 2: lambda t: (280 - 8 * t, 180)}
    for frame in range(COUNT):
        image = picture(np.array(places[1](frame)))
        cv2.circle(image, places[2](frame), RADIUS - 1, (255, 0, 0), -1)
        writer.write(image[..., ::-1])
    writer.release()
    result = run(tmp_path / "film.avi", "--people", "all", "--joints", tmp_path / "joints.csv")
    assert result.exit_code == 0, result.output
    table = pd.read_csv(tmp_path / "joints.csv")
    assert len(table) == 2 * COUNT * len(JOINTS) and set(table.person) == {1, 2}
    walks = {number: rows.groupby("frame").x.mean().to_numpy() for number, rows in table.groupby("person")}
    right, left = (walks[1], walks[2]) if walks[1][0] < 160 else (walks[2], walks[1])
    steps = np.arange(COUNT)
    assert np.abs(right - (40 + 8 * steps)).max() < 12 and np.abs(left - (280 - 8 * steps)).max() < 12


@pytest.mark.parametrize("joints", ["joints.csv", "joints.json"])
def test_ctrl_c_keeps_what_is_done_in_whole_files(film, network, tmp_path, monkeypatch, joints):
    asked, ask = [], network.forward

    def forward(images: torch.Tensor) -> list[torch.Tensor]:
        asked.append(1)
        if len(asked) == 5:
            os.kill(os.getpid(), signal.SIGINT)
        return ask(images)

    monkeypatch.setattr(network, "forward", forward)
    before = signal.getsignal(signal.SIGINT)
    out, table = tmp_path / "drawn.mp4", tmp_path / joints
    result = run(film, "--out", out, "--joints", table)
    assert result.exit_code == 130 and "kept" in result.stderr and "5 frames" in result.stderr
    assert len(frames_of(out)) == 5
    rows = json.loads(table.read_text()) if table.suffix == ".json" else table_of(table, "frame")[0] * len(JOINTS)
    assert len(rows) == 5 * len(JOINTS)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_video_that_ends_early_is_told_and_what_was_written_is_whole(film, tmp_path):
    cut = tmp_path / "cut.avi"
    cut.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    result = run(cut, "--out", tmp_path / "drawn.mp4", "--joints", tmp_path / "joints.csv")
    numbers, _ = table_of(tmp_path / "joints.csv", "frame")
    assert 0 < len(numbers) < COUNT and len(frames_of(tmp_path / "drawn.mp4")) == len(numbers)
    assert refused(result, f"cut.avi: {COUNT - len(numbers)} of {COUNT} frames are missing or damaged")


def test_what_is_no_video_leaves_nothing_behind(tmp_path):
    whole = make_video(tmp_path / "whole.mp4", list(DOTS), "mp4v").read_bytes()
    for content in (b"", b"no video", whole[: len(whole) // 2]):
        (tmp_path / "broken.mp4").write_bytes(content)
        result = run(tmp_path / "broken.mp4", "--joints", tmp_path / "j.csv", "--out", tmp_path / "d.mp4")
        assert refused(result, "broken.mp4 cannot be opened as a video")
    assert refused(run(tmp_path / "none.mp4", "--joints", tmp_path / "j.csv"), "there is no file")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.mp4", "whole.mp4"]


def test_a_full_disk_is_not_taken_for_a_written_video(tmp_path, monkeypatch):
    class Forgets:
        """As OpenCV on a full disk: it tells nothing, and half is missing."""

        def __init__(self, *arguments: object) -> None:
            self.writer, self.calls = writer(*arguments), 0

        def __getattr__(self, name: str) -> object:
            return getattr(self.writer, name)

        def write(self, frame: np.ndarray) -> None:
            self.calls += 1
            if self.calls % 2:
                self.writer.write(frame)

    writer = cv2.VideoWriter
    monkeypatch.setattr(cv2, "VideoWriter", Forgets)
    (tmp_path / "drawn.mp4").write_bytes(b"mine")
    with pytest.raises(PosekitError, match=r"5 of 10 frames"), video_file(tmp_path / "drawn.mp4", FPS) as file:
        for number in range(10):
            file.write(picture(None), number / FPS)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"mine"]


@pytest.fixture
def folder(tmp_path) -> Path:
    """Three photographs, one of them broken, and a file that is none."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for name, dot in (("a.png", DOTS[3]), ("c.JPG", DOTS[20])):
        write_image(folder / name, picture(dot))
    (folder / "b.jpg").write_bytes((folder / "c.JPG").read_bytes()[:500])
    (folder / "notes.txt").write_text("not a photograph")
    return folder


def test_a_broken_photograph_of_a_folder_is_named_and_the_rest_goes_on(folder, tmp_path):
    out, table = tmp_path / "drawn", tmp_path / "joints.csv"
    result = run(folder, "--out", out, "--joints", table)
    assert refused(result, "1 of 3 photographs are left out") and result.exit_code == 1
    assert "b.jpg is left out" in result.stderr
    names, joints = table_of(table, "file")
    assert names == ["a.png", "c.JPG"]
    assert np.abs(joints - DOTS[[3, 20]][:, None]).max() <= WIDTH / 128 * 2 + 2
    assert sorted(path.name for path in out.iterdir()) == ["a.png", "c.JPG"]
    assert cv2.imread(str(out / "a.png")).shape == (HEIGHT, WIDTH, 3)


def test_a_folder_without_any_good_photograph_leaves_nothing_behind(folder, tmp_path):
    for name in ("a.png", "c.JPG"):
        (folder / name).write_bytes(b"broken")
    result = run(folder, "--out", tmp_path / "drawn", "--joints", tmp_path / "joints.csv")
    assert refused(result, "none of the 3 photographs could be used")
    assert [path.name for path in tmp_path.iterdir()] == ["photographs"]
    (tmp_path / "empty").mkdir()
    assert refused(run(tmp_path / "empty", "--joints", tmp_path / "joints.csv"), "there is no photograph in")


def test_nothing_is_replaced_unasked_and_what_is_read_never(film, folder, tmp_path):
    existing = {name: tmp_path / name for name in ("drawn.mp4", "joints.csv", "drawn/c.JPG")}
    (tmp_path / "drawn").mkdir()
    for path in existing.values():
        path.write_bytes(b"mine")
    for arguments in (
        (film, "--out", existing["drawn.mp4"]),
        (film, "--joints", existing["joints.csv"]),
        (folder, "--out", tmp_path / "drawn"),
        (folder / "a.png", "--joints", existing["joints.csv"]),
    ):
        assert refused(run(*arguments), "exists already")
    before = film.read_bytes(), (folder / "a.png").read_bytes()
    for arguments in (
        (film, "--out", film),
        (folder, "--out", folder),
        (folder / "a.png", "--out", folder / "a.png"),
    ):
        assert refused(run(*arguments, "--overwrite"), "is what is read")
    assert before == (film.read_bytes(), (folder / "a.png").read_bytes())
    assert all(path.read_bytes() == b"mine" for path in existing.values())
    assert run(film, "--out", existing["drawn.mp4"], "--overwrite").exit_code == 0
    assert len(frames_of(existing["drawn.mp4"])) == COUNT


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "name a photograph, a folder or a video"),
        (["film.avi", "--camera", 0], "name a photograph, a folder or a video"),
        (["film.avi"], "say --out FILE.mp4"),
        (["film.avi", "--json", "--joints", "j.csv"], "--json prints the joints of one photograph"),
        (["film.avi", "--center", 1, 2, "--scale", 1, "--joints", "j.csv"], "by --box"),
        (["film.avi", "--joints", "j.txt"], "end the name in .csv or .json"),
        (["film.avi", "--out", "film.gif"], "end the name in .mp4 or .avi"),
        (["film.avi", "--out", "photographs/a.png/drawn.mp4"], "cannot be written"),
        (["film.avi", "--out", "x.json", "--joints", "x.json"], "both --out and --joints"),
        (["film.avi", "--joints", "j.csv", "--box", 900, 900, 950, 950], "lies outside the image"),
        (["photographs"], "say --out FOLDER"),
        (["film.avi", "--joints", "j.csv", "--people", "two"], "--people is a number from 1, or all, not two"),
        (["film.avi", "--joints", "j.csv", "--people", "0"], "--people is a number from 1, or all, not 0"),
        (["photographs", "--joints", "j.csv", "--people", "1", "--box", 1, 2, 3, 4], "leave it out where --box"),
        (["photographs", "--out", "film.avi", "--overwrite"], "film.avi is a file"),
    ],
)
def test_bad_requests_end_in_one_sentence_and_no_file(film, folder, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert refused(run(*arguments), message)
    assert sorted(tmp_path.rglob("*")) == before


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
    with video_file(tmp_path / "seen.mp4", FPS) as file:
        for number in range(10):
            file.write(picture(None), 2 * number / FPS)
    assert len(frames_of(tmp_path / "seen.mp4")) == 19


def test_a_photograph_can_write_its_joints_too(folder, tmp_path):
    result = run(folder / "a.png", "--joints", tmp_path / "joints.json", "--json")
    assert result.exit_code == 0, result.output
    rows = json.loads((tmp_path / "joints.json").read_text())
    assert {row["person"] for row in rows} == {1}
    assert rows == [{"file": "a.png"} | row for row in json.loads(result.stdout)]


def two_people() -> np.ndarray:
    """Dots at (60, 60) and, darker and so less sure, at (240, 160)."""
    image = picture(np.array([60, 60]))
    return cv2.circle(image, (240, 160), RADIUS, (200, 0, 0), -1)


def test_all_people_of_a_photograph_are_found_or_as_many_as_wanted(tmp_path):
    write_image(tmp_path / "two.png", two_people())
    found = {}
    for wanted in ("all", "2", "1"):
        result = run(tmp_path / "two.png", "--people", wanted, "--json", "--out", tmp_path / f"{wanted}.png")
        assert result.exit_code == 0, result.output
        found[wanted] = pd.DataFrame(json.loads(result.stdout))
    pd.testing.assert_frame_equal(found["all"], found["2"])
    pd.testing.assert_frame_equal(found["all"][:16], found["1"])
    middles = found["all"].groupby("person")[["x", "y"]].mean().to_numpy()
    assert np.abs(middles - [[60, 60], [240, 160]]).max() < RADIUS
    one, both = (cv2.imread(str(tmp_path / f"{wanted}.png"))[160, 240].astype(int) for wanted in ("1", "all"))
    assert np.abs(one - (0, 0, 200)).max() < 30 < np.abs(both - (0, 0, 200)).max()  # BGR, painted over or not


def test_a_photograph_without_people_says_so(tmp_path):
    write_image(tmp_path / "empty.png", picture(None))
    for kind in ("csv", "json"):
        result = run(tmp_path / "empty.png", "--joints", tmp_path / f"joints.{kind}")
        assert refused(
            result, "nobody is found in"
        ) and "empty.png; if somebody is there, say where by --box" in str(result.exception)
    values = ("empty.png", None, None, None, None, None)
    rows = json.loads((tmp_path / "joints.json").read_text())
    assert [tuple(row.values()) for row in rows] == [values]
    assert (tmp_path / "joints.csv").read_text() == "file,person,joint,x,y,confidence\nempty.png,,,,,\n"


def test_photographs_without_people_stay_in_the_list_of_a_folder(tmp_path):
    folder = tmp_path / "photographs"
    folder.mkdir()
    for name, image in (("a.png", picture(DOTS[3])), ("b.png", picture(None)), ("c.png", two_people())):
        write_image(folder / name, image)
    result = run(folder, "--joints", tmp_path / "joints.csv", "--out", tmp_path / "drawn")
    assert result.exit_code == 0 and result.stderr.count("nobody is found in b.png") == 1
    table = pd.read_csv(tmp_path / "joints.csv")
    assert table.groupby("file").size().to_dict() == {"a.png": 16, "b.png": 1, "c.png": 32}
    assert table[table.file == "b.png"].iloc[0, 1:].isna().all()
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "drawn" / "b.png")), picture(None)[..., ::-1])

"""`posekit predict` for videos and folders, with a stand-in for a network whose answer is known."""

import json
import os
import signal
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from moving_dot import (
    COUNT,
    DOTS,
    FPS,
    HEIGHT,
    RADIUS,
    WIDTH,
    frames_of,
    make_video,
    picture,
    refused,
    run,
    table_of,
)

from posekit.datasets.images import write_image
from posekit.errors import PosekitError
from posekit.inference.video import video_file
from posekit.skeleton import JOINTS

pytestmark = pytest.mark.usefixtures("dot_network")


@pytest.fixture
def film(tmp_path) -> Path:
    return make_video(tmp_path / "film.avi", list(DOTS))


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


def test_all_people_in_a_video_keep_their_numbers(tmp_path, dot_network, monkeypatch):
    """Two dots pass each other, 120 px apart; every joint is found at another place of the dot."""
    ask, shifts = dot_network.forward, [(row, column) for row in (-6, -2, 2, 6) for column in (-6, -2, 2, 6)]

    def spread(images: torch.Tensor) -> list[torch.Tensor]:
        (maps,) = ask(images)
        joints = [maps[:, joint].roll(shift, (1, 2)) for joint, shift in enumerate(shifts)]
        return [torch.stack(joints, dim=1)]

    monkeypatch.setattr(dot_network, "forward", spread)
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
def test_ctrl_c_keeps_what_is_done_in_whole_files(film, dot_network, tmp_path, monkeypatch, joints):
    asked, ask = [], dot_network.forward

    def forward(images: torch.Tensor) -> list[torch.Tensor]:
        asked.append(1)
        if len(asked) == 5:
            os.kill(os.getpid(), signal.SIGINT)
        return ask(images)

    monkeypatch.setattr(dot_network, "forward", forward)
    before = signal.getsignal(signal.SIGINT)
    out, table = tmp_path / "drawn.mp4", tmp_path / joints
    result = run(film, "--out", out, "--joints", table)
    assert result.exit_code == 130 and "kept" in result.stderr and "5 frames" in result.stderr
    assert len(frames_of(out)) == 5
    rows = json.loads(table.read_text()) if table.suffix == ".json" else table_of(table, "frame")[0] * len(JOINTS)
    assert len(rows) == 5 * len(JOINTS)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_video_that_ends_early_is_reported_and_what_was_written_is_whole(film, tmp_path):
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
    with pytest.raises(PosekitError, match=r"5 of 10 frames"), video_file(tmp_path / "drawn.mp4", FPS) as write:
        for number in range(10):
            write(picture(None), number / FPS)
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_folder_keeps_the_photograph_at_work_and_begins_no_other(
    folder, dot_network, tmp_path, monkeypatch, number
):
    ask = dot_network.forward

    def forward(images: torch.Tensor) -> list[torch.Tensor]:
        os.kill(os.getpid(), number)
        return ask(images)

    monkeypatch.setattr(dot_network, "forward", forward)
    before = signal.getsignal(number)
    out, table = tmp_path / "drawn", tmp_path / "joints.csv"
    result = run(folder, "--out", out, "--joints", table)
    assert result.exit_code == 130 and "kept" in result.stderr
    assert table_of(table, "file")[0] == ["a.png"] and [path.name for path in out.iterdir()] == ["a.png"]
    assert signal.getsignal(number) is before


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


def test_a_photograph_can_write_its_joints_too(folder, tmp_path):
    result = run(folder / "a.png", "--joints", tmp_path / "joints.json", "--json")
    assert result.exit_code == 0, result.output
    rows = json.loads((tmp_path / "joints.json").read_text())
    assert {row["person"] for row in rows} == {1}
    assert rows == [{"file": "a.png"} | row for row in json.loads(result.stdout)]


def test_photographs_that_cannot_be_drawn_keep_their_joints(folder, tmp_path, monkeypatch):
    (folder / "b.jpg").unlink()

    def refuses(path, image):
        raise PosekitError(f"{path.name}: no room")

    monkeypatch.setattr("posekit.inference.many.write_image", refuses)
    result = run(folder, "--out", tmp_path / "drawn", "--joints", tmp_path / "joints.csv")
    assert refused(result, "2 of 2 photographs could not be drawn, as said above")
    assert "a.png: no room" in result.stderr and "2 photographs in" in result.stderr
    assert table_of(tmp_path / "joints.csv", "file")[0] == ["a.png", "c.JPG"]


@pytest.mark.parametrize(
    "arguments", [["--out", "notes/drawn"], ["--out", "notes/drawn", "--joints", "joints.csv"]]
)
def test_a_folder_that_cannot_be_made_is_refused_before_the_network_runs(
    folder, tmp_path, monkeypatch, dot_network, arguments
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes").write_text("mine")
    monkeypatch.setattr(dot_network, "forward", lambda images: pytest.fail("the network ran"))
    assert refused(run(folder, *arguments), "folder notes/drawn cannot be written to")
    assert not (tmp_path / "joints.csv").exists()


def test_joints_that_cannot_be_written_are_no_photograph_that_is_left_out(folder, tmp_path, monkeypatch):
    (folder / "b.jpg").unlink()
    (tmp_path / "joints.csv").mkdir()
    out = tmp_path / "drawn"
    assert refused(run(folder, "--out", out, "--joints", tmp_path / "joints.csv", "--overwrite"), "is a folder")

    def full(path, content):
        raise PosekitError(f"{path} cannot be written")

    monkeypatch.setattr("posekit.inference.joint_file.write_whole", full)
    result = run(folder, "--out", out, "--joints", tmp_path / "joints.json", "--format", "coco")
    assert refused(result, "joints.json cannot be written") and "left out" not in result.stderr
    assert sorted(path.name for path in out.iterdir()) == ["a.png", "c.JPG"]


def test_a_folder_is_no_name_for_one_photograph(folder, tmp_path):
    (tmp_path / "drawn").mkdir()
    for overwrite in ([], ["--overwrite"]):
        assert refused(
            run(folder / "a.png", "--out", tmp_path / "drawn", *overwrite), "drawn is a folder; for one"
        )


@pytest.mark.skipif(os.name == "nt", reason="names on Windows are not bytes, and have no colon")
@pytest.mark.parametrize("name", [b"Talk: 1.avi", b"M\xfcller.avi"])
def test_every_name_of_a_video_can_be_read_and_written(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    make_video(tmp_path / "film.avi", list(DOTS)).rename(os.fsdecode(name))
    result = run(os.fsdecode(name), "--out", os.fsdecode(b"out " + name), "--joints", "joints.csv")
    assert result.exit_code == 0, result.output
    Path(os.fsdecode(b"out " + name)).rename("drawn.avi")
    assert len(frames_of(tmp_path / "drawn.avi")) == COUNT == len(table_of(tmp_path / "joints.csv", "frame")[0])

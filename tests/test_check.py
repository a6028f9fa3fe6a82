"""The check of the photographs: a thousand damaged files, and each kind of damage by name."""

import json

import cv2
import numpy as np
from tables import make_people
from typer.testing import CliRunner

from posekit.cli.mpii import mpii_app
from posekit.datasets.check import REASONS, check_images
from posekit.datasets.drawn import make_sample
from posekit.datasets.images import read_image
from posekit.datasets.people import People

SIZE = (64, 48)  # width, height


def photograph(rng: np.random.Generator, size: tuple[int, int] = SIZE) -> bytes:
    small = rng.integers(0, 255, (6, 8, 3), dtype=np.uint8)
    return cv2.imencode(".jpg", cv2.resize(small, size, interpolation=cv2.INTER_CUBIC))[1].tobytes()


def damage(data: bytes, rng: np.random.Generator) -> bytes:
    """One of five kinds, at a random place."""
    kind, changed = rng.integers(5), bytearray(data)
    start = int(rng.integers(len(data)))
    if kind == 0:
        return data[:start]
    if kind == 1:
        for where in rng.integers(0, len(data), rng.integers(1, 20)):
            changed[where] ^= int(rng.integers(1, 256))
    elif kind == 2:
        length = min(int(rng.integers(1, 200)), len(data) - start)
        changed[start : start + length] = bytes(length)
    elif kind == 3:
        return rng.bytes(int(rng.integers(1, 2000)))
    else:
        return b""
    return bytes(changed)


def people_of(folder, files: dict[str, bytes], **columns) -> People:
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    columns = {"image": np.array(list(files)), "image_size": np.full((len(files), 2), SIZE)} | columns
    return make_people(len(columns["image"]), images_folder=folder, **columns)


def test_a_thousand_damaged_jpegs_are_each_decoded_or_named(tmp_path, capfd):
    rng = np.random.default_rng(0)
    files = {f"{number:04d}.jpg": damage(photograph(rng), rng) for number in range(1000)}
    people = people_of(tmp_path / "images", files)
    report = check_images(people, progress=False)
    named = {name for reason in REASONS for name in getattr(report, reason)}
    assert len(named) == sum(len(getattr(report, reason)) for reason in REASONS)
    for name in set(files) - named:
        assert read_image(tmp_path / "images" / name, upright=False).shape == (SIZE[1], SIZE[0], 3)
    # By what was done to them: nothing empty or shortened passes, and each kind of damage occurs.
    assert {name for name, data in files.items() if not data} <= set(report.unreadable)
    assert {name for name, data in files.items() if b"\xff\xd9" not in data} <= named
    assert all(files[name][:2] == b"\xff\xd8" for name in report.cut_off)
    assert len(report.cut_off) > 100 and len(report.unreadable) > 300 and len(named) < 900
    assert not report.missing and report.lost["train"]["total"] + report.lost["validation"]["total"] == len(named)
    capfd.readouterr()  # the decoder writes its own complaints


def test_each_kind_of_damage_is_named_and_the_people_are_counted_by_side(tmp_path):
    rng = np.random.default_rng(1)
    whole = photograph(rng)
    png = cv2.imencode(".png", np.zeros((SIZE[1], SIZE[0], 3), np.uint8))[1].tobytes()
    files = {
        "whole.jpg": whole,
        "png.jpg": png,
        "cut.jpg": whole[: len(whole) // 2],
        "head.jpg": whole[:30],
        "text.jpg": b"<html>404</html>",
        "large.jpg": photograph(rng, (96, 48)),
        "free.jpg": photograph(rng, (96, 48)),
    }
    image = [*files, "gone.jpg", "cut.jpg", "folder.jpg"]
    (tmp_path / "images" / "folder.jpg").mkdir(parents=True)
    sizes = np.full((len(image), 2), SIZE)
    sizes[image.index("free.jpg")] = 0  # not known, so any size will do
    side = np.array([name in ("gone.jpg", "text.jpg") for name in image])
    people = people_of(tmp_path / "images", files, image=np.array(image), image_size=sizes, validation=side)
    report = check_images(people, progress=False)
    assert report.images == 9
    assert report.missing == ("gone.jpg",)
    assert report.unreadable == ("folder.jpg", "text.jpg")
    assert report.cut_off == ("cut.jpg", "head.jpg")
    assert report.wrong_size == ("large.jpg",)
    assert report.lost["train"] == {
        "missing": 0,
        "unreadable": 1,
        "cut_off": 3,
        "wrong_size": 1,
        "total": 5,
        "people": 8,
    }
    assert report.lost["validation"] == {
        "missing": 1,
        "unreadable": 1,
        "cut_off": 0,
        "wrong_size": 0,
        "total": 2,
        "people": 2,
    }
    text = str(report)
    assert "3 of 9 photographs are there and whole" in text
    assert "gone.jpg" not in text and "head.jpg" in text


def test_the_command_fails_for_damage_but_not_for_what_is_missing(tmp_path):
    make_sample(tmp_path / "people", train=4, validation=2, progress=False)
    images = sorted((tmp_path / "people" / "images").iterdir())
    command = ["check", "--mpii", str(tmp_path / "people")]
    images[0].unlink()
    answer = CliRunner().invoke(mpii_app, command)
    assert answer.exit_code == 0 and "5 of 6 photographs" in answer.stdout

    images[1].write_bytes(images[1].read_bytes()[:-500])
    answer = CliRunner().invoke(mpii_app, [*command, "--json"])
    report = json.loads(answer.stdout)
    assert answer.exit_code == 1
    assert report["missing"] == [images[0].name]
    assert report["cut_off"] + report["unreadable"] == [images[1].name]


def test_a_folder_without_any_photograph_is_a_report_too(tmp_path):
    report = check_images(make_people(3, images_folder=tmp_path / "nowhere"), progress=False)
    assert len(report.missing) == 3 and not report.damaged


def test_the_real_photographs_at_hand_are_whole(mpii):
    exists = [(mpii.images_folder / name).is_file() for name in mpii.image]
    some = mpii.select(np.random.default_rng(0).permutation(np.flatnonzero(exists))[:100])
    assert not check_images(some, progress=False).damaged

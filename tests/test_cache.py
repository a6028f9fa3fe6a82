"""The crop cache: whole, resumable, never stale, safe between processes; and crops with context."""

import multiprocessing
import shutil
from collections import namedtuple
from pathlib import Path
from threading import Event

import cv2
import numpy as np
import pytest
from PIL import Image
from tables import make_people

import posekit.preprocessing.cache
from posekit.errors import PosekitError
from posekit.preprocessing.cache import cached_crops
from posekit.preprocessing.crop import CropRule, crop_image, crop_matrix, transform

RULE = CropRule(size=48)


def people_with_images(folder: Path, count: int = 12):
    folder.mkdir(exist_ok=True)
    people = make_people(count, images_folder=folder)
    for number, name in enumerate(people.image):
        pixels = np.random.default_rng(number).integers(0, 255, (400, 300, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / name), pixels)
    return people


def folders(cache: Path) -> list[Path]:
    return sorted(path for path in cache.iterdir() if path.is_dir())


def build(images: Path, cache: Path, asks: Event, other_asks: Event) -> tuple[int, bytes]:
    """How many images this process reads, and the crops. It reads none before the other has asked for the lock."""
    module, names = posekit.preprocessing.cache, []
    read, lock = module.read_image, module._only_one

    def asked(*arguments):
        asks.set()
        return lock(*arguments)

    def counted(path, upright):
        other_asks.wait()
        names.append(path.name)
        return read(path, upright)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_only_one", asked)
        patch.setattr(module, "read_image", counted)
        crops, _ = cached_crops(make_people(12, images_folder=images), RULE, cache, progress=False)
    return len(names), crops.tobytes()


def test_a_stopped_build_goes_on_where_it_was(tmp_path, monkeypatch):
    people = people_with_images(tmp_path / "images")
    expected, _ = cached_crops(people, RULE, tmp_path / "whole", progress=False)
    asked: list[str] = []
    read = posekit.preprocessing.cache.read_image

    def stops_after_five(path, upright):
        asked.append(path.name)
        if len(asked) > 5:
            raise KeyboardInterrupt
        return read(path, upright)

    monkeypatch.setattr(posekit.preprocessing.cache, "cpu_cores", lambda: 1)
    monkeypatch.setattr(posekit.preprocessing.cache, "FLUSH_EVERY", 1)
    monkeypatch.setattr(posekit.preprocessing.cache, "read_image", stops_after_five)
    with pytest.raises(KeyboardInterrupt):
        cached_crops(people, RULE, tmp_path / "cache", progress=False)
    (folder,) = folders(tmp_path / "cache")
    done = int(np.load(folder / "done.npy").sum())
    assert 0 < done <= 5 and not (folder / "manifest.json").exists()

    again: list[str] = []

    def listed(path, upright):
        again.append(path.name)
        return read(path, upright)

    monkeypatch.setattr(posekit.preprocessing.cache, "read_image", listed)
    crops, _ = cached_crops(people, RULE, tmp_path / "cache", progress=False)
    assert len(again) == len(people) - done
    np.testing.assert_array_equal(crops, expected)


def test_a_photograph_that_two_data_sets_name_is_turned_for_one_of_them_only(tmp_path):
    """One counts the pixels as they are stored, the other as a viewer shows them, which is upside down."""
    pixels = np.full((400, 300, 3), 200, np.uint8)
    pixels[:200] = 60
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.fromarray(pixels).save(tmp_path / "photo.png", exif=exif)
    names, upright = np.array(2 * ["photo.png"]), np.array([False, True])
    people = make_people(2, images_folder=tmp_path, image=names, upright=upright)
    stored, shown = cached_crops(people, RULE, tmp_path / "cache", progress=False)[0][:, 10, 24, 0]
    assert (stored, shown) == (60, 200)


@pytest.mark.parametrize(
    "change",
    [
        {"rule": CropRule(size=48, height=200)},
        {"rule": CropRule(size=48, context=1.5)},
        {"center": np.full((12, 2), [140.0, 200.0])},
        {"version": 99},
        {"image": True},
    ],
    ids=["crop", "context", "people", "code", "photograph"],
)
def test_a_changed_definition_never_reads_a_stale_cache(tmp_path, monkeypatch, change):
    people = people_with_images(tmp_path / "images")
    cached_crops(people, RULE, tmp_path / "cache", progress=False)
    (made,) = folders(tmp_path / "cache")
    before = (made / "images.npy").stat().st_mtime_ns
    cached_crops(people, RULE, tmp_path / "cache", progress=False)
    assert (made / "images.npy").stat().st_mtime_ns == before  # of the same, nothing is made anew
    if "version" in change:
        monkeypatch.setattr(posekit.preprocessing.cache, "CROP_VERSION", change["version"])
    if "image" in change:
        cv2.imwrite(str(tmp_path / "images" / "3.jpg"), np.zeros((400, 300, 3), np.uint8))
    if "center" in change:
        people = make_people(12, images_folder=tmp_path / "images", center=change["center"])
    cached_crops(people, change.get("rule", RULE), tmp_path / "cache", progress=False)
    assert len(folders(tmp_path / "cache")) == 2


def test_two_processes_make_the_same_crops_once(tmp_path):
    people = people_with_images(tmp_path / "images")
    expected, _ = cached_crops(people, RULE, tmp_path / "alone", progress=False)
    spawn = multiprocessing.get_context("spawn")
    with spawn.Manager() as manager, spawn.Pool(2) as pool:
        events = [manager.Event(), manager.Event()]
        folder = tmp_path / "images", tmp_path / "cache"
        answers = pool.starmap(build, [(*folder, *events), (*folder, *events[::-1])], chunksize=1)
    assert sum(count for count, _ in answers) == len(people)
    assert [crops for _, crops in answers] == [expected.tobytes()] * 2


def test_too_little_room_is_an_error_before_anything_is_written(tmp_path, monkeypatch):
    people = people_with_images(tmp_path / "images")
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10, 10, 1000))
    with pytest.raises(PosekitError, match=r"need 0\.0 GB .* are free; make room"):
        cached_crops(people, RULE, tmp_path / "cache", progress=False)
    assert folders(tmp_path / "cache") == []


def assert_nothing_is_done_and_the_next_attempt_works(people, tmp_path, monkeypatch):
    (folder,) = folders(tmp_path / "cache")
    assert not np.load(folder / "done.npy").any() and not (folder / "manifest.json").exists()
    monkeypatch.undo()
    expected, _ = cached_crops(people, RULE, tmp_path / "whole", progress=False)
    crops, _ = cached_crops(people, RULE, tmp_path / "cache", progress=False)
    np.testing.assert_array_equal(crops, expected)


def test_a_disk_that_fills_up_leaves_nothing_that_counts_as_done(tmp_path, monkeypatch):
    people = people_with_images(tmp_path / "images")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(posekit.preprocessing.cache.os, "fsync", full)
    with pytest.raises(PosekitError, match="No space left on device"):
        cached_crops(people, RULE, tmp_path / "cache", progress=False)
    assert_nothing_is_done_and_the_next_attempt_works(people, tmp_path, monkeypatch)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here that is always full")
def test_pixels_that_find_no_room_are_an_error_and_not_a_crash(tmp_path, monkeypatch):
    people = people_with_images(tmp_path / "images")
    opened = Path.open

    def onto_a_full_disk(path, *arguments, **options):
        return opened(Path("/dev/full") if path.name == "images.npy" else path, *arguments, **options)

    monkeypatch.setattr(Path, "open", onto_a_full_disk)
    with pytest.raises(PosekitError, match="No space left on device"):
        cached_crops(people, RULE, tmp_path / "cache", progress=False)
    assert_nothing_is_done_and_the_next_attempt_works(people, tmp_path, monkeypatch)


def test_a_cache_that_cannot_be_made_is_one_sentence(tmp_path):
    people = people_with_images(tmp_path / "images")
    (tmp_path / "cache").write_text("a file in the way")
    with pytest.raises(PosekitError, match="cannot be written"):
        cached_crops(people, RULE, tmp_path / "cache", progress=False)


def test_context_keeps_the_image_around_and_the_crop_in_the_middle():
    image = np.random.default_rng(0).integers(1, 255, (400, 500, 3), dtype=np.uint8)
    box = np.array([200, 150, 260, 250])  # 60 x 100 px become 50 x 50: zoom 1/2
    plain = crop_image(image, box, CropRule(size=50))
    wide_rule = CropRule(size=50, context=1.6)
    wide = crop_image(image, box, wide_rule)
    assert wide_rule.margin == 15 and wide.shape == (80, 80, 3)
    middle = wide[15:65, 15:65]
    seen = plain.any(axis=2)
    np.testing.assert_allclose(middle[seen].astype(int), plain[seen].astype(int), atol=1)
    assert wide.any(axis=2).all()  # no zeros: there is image all around
    # A slow reference: the mean of the 2 x 2 image pixels below a pixel of the wide crop.
    to_image = np.linalg.inv(np.vstack([crop_matrix(box, CropRule(size=50)), [0, 0, 1]]))[:2]
    for x, y in ((3, 4), (70, 12), (40, 77)):
        source = transform(to_image, np.array([[x - 15.0, y - 15.0]]))[0]
        low = np.floor(source).astype(int)
        block = image[low[1] : low[1] + 2, low[0] : low[0] + 2].reshape(-1, 3).mean(axis=0)
        assert np.abs(wide[y, x] - block).max() <= 1


def test_context_beyond_the_image_is_zero():
    image = np.full((100, 100, 3), 200, np.uint8)
    wide = crop_image(image, np.array([0, 0, 100, 100]), CropRule(size=50, context=2.0))
    assert (wide[25:75, 25:75] == 200).all()
    assert wide[:25].max() == 0 and wide[:, 75:].max() == 0

"""Photographs of one's own: whatever file comes, a sentence; then box, estimate and files."""

import io
import json
import struct
import zlib

import cv2
import numpy as np
import pandas as pd
import pytest
from made_networks import FindsRed, RedPeople
from PIL import Image

from posekit.datasets.images import read_image
from posekit.errors import PosekitError
from posekit.inference.finder import Finder
from posekit.inference.predictor import Predictor
from posekit.preprocessing.crop import CropRule
from posekit.preprocessing.heatmaps import Codec
from posekit.skeleton import JOINTS
from posekit.visualizer import OwnPhotograph
from posekit.visualizer.photograph import LARGEST_FILE, MOST_PIXELS, read_photograph

FORMATS = ["JPEG", "PNG", "WEBP"]


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def scene(mode: str = "RGB", width: int = 120, height: int = 80) -> Image.Image:
    """Left half orange, right half blue."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2], pixels[:, width // 2 :] = (240, 150, 10), (10, 110, 200)
    return Image.fromarray(pixels).convert(mode)


def cut(kind: str, share: float) -> bytes:
    """The first part of a photograph's file."""
    noise = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    content = encoded(Image.fromarray(noise), kind)
    return content[: int(share * len(content))]


def png_header(width: int, height: int) -> bytes:
    """A PNG that says how large it is and has no pixels: nobody may try to decode it."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 10**8) + b"IDAT"


@pytest.mark.parametrize("kind", FORMATS)
def test_photographs_come_as_they_are(kind):
    photograph = read_photograph(encoded(scene(), kind), "photo")
    assert photograph.image.shape == (80, 120, 3) and photograph.remarks == ()
    assert np.abs(photograph.image[40, 20].astype(int) - (240, 150, 10)).max() < 12
    assert np.abs(photograph.image[40, 100].astype(int) - (10, 110, 200)).max() < 12


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_respected(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = {  # of the TIFF standard: what a viewer does with the stored picture
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }[orientation]
    expected = np.array(scene() if upright is None else scene().transpose(upright))
    image = read_photograph(encoded(scene(), kind, exif=exif), "photo").image
    assert image.shape == expected.shape
    assert np.abs(image.astype(int) - expected).mean() < 5


@pytest.mark.parametrize("kind, mode", [("JPEG", "L"), ("PNG", "L"), ("PNG", "LA"), ("PNG", "1"), ("PNG", "I;16")])
def test_gray_photographs_become_rgb_with_a_remark(kind, mode):
    gray = scene("L")
    if mode == "I;16":
        gray = Image.fromarray(np.array(gray).astype(np.uint16) * 257)
    elif mode != "L":
        gray = gray.convert(mode)
    photograph = read_photograph(encoded(gray, kind), "old.png")
    assert photograph.image.shape == (80, 120, 3) and photograph.image.dtype == np.uint8
    assert np.ptp(photograph.image.astype(int), axis=2).max() == 0
    assert "old.png is gray" in photograph.remarks[0]


@pytest.mark.parametrize("mode", ["RGBA", "P", "CMYK"])
def test_other_modes_become_rgb(mode):
    photograph = read_photograph(encoded(scene(mode), "JPEG" if mode == "CMYK" else "PNG"), "photo")
    assert photograph.image.shape == (80, 120, 3) and photograph.remarks == ()
    assert np.abs(photograph.image[40, 100].astype(int) - (10, 110, 200)).max() < 30


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animation_the_first_frame_is_taken(kind):
    others = [scene().transpose(turn) for turn in (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.TRANSVERSE)]
    others = [other.resize((120, 80)) for other in others]
    photograph = read_photograph(encoded(scene(), kind, save_all=True, append_images=others), "moves")
    assert "animated" in photograph.remarks[0] and "3 pictures" in photograph.remarks[0]
    assert np.abs(photograph.image[40, 20].astype(int) - (240, 150, 10)).max() < 25


def test_a_hundred_megapixels_are_reduced_where_the_format_can():
    content = encoded(Image.new("RGB", (12000, 8400), (90, 120, 60)), "JPEG", quality=20)
    photograph = read_photograph(content, "huge.jpg")
    assert photograph.image.shape == (4200, 6000, 3) and 4200 * 6000 < MOST_PIXELS
    assert "101 megapixels" in photograph.remarks[0] and "6000 x 4200" in photograph.remarks[0]


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "no JPEG, PNG or WebP"),
        (b"%PDF-1.7 ...", "no JPEG, PNG or WebP"),
        (encoded(scene(), "GIF"), "of the kind GIF; save it as JPEG"),
        (b"\0\0\0\x18ftypheic" + bytes(40), "it is a HEIC photograph.*save it as JPEG"),
        (encoded(scene(), "BMP"), "no JPEG, PNG or WebP"),
        (encoded(scene().resize((1, 1)), "PNG"), "1 x 1 px"),
        (encoded(scene(width=400, height=4), "PNG"), "400 x 4 px"),
        (png_header(10_000, 10_000), "100 megapixels, which is too large"),
        (png_header(60_000, 60_000), "too large"),
        (png_header(100, 100), "damaged|cannot be decoded"),
        *[(cut(kind, share), "damaged|cut off|decoded") for kind in FORMATS for share in (0.2, 0.6, 0.99)],
        *[(encoded(scene(), kind)[:30], "damaged|no JPEG|decoded|cut off") for kind in FORMATS],
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_a_photograph_is_one_sentence(content, message):
    with pytest.raises(PosekitError, match=message) as raised:
        read_photograph(content, "photo.xyz")
    assert "photo.xyz" in str(raised.value) and "\n" not in str(raised.value)


# The widget


@pytest.fixture
def own(tmp_path) -> OwnPhotograph:
    """With networks that find people at red spots, and every joint of a person there too."""
    predictor = Predictor(FindsRed(), CropRule(size=64), Codec("report"))
    predictor.finder = Finder(RedPeople())
    return OwnPhotograph({"Finds red": predictor}, tmp_path / "saved")


def with_red_spot(x: int, y: int, width: int = 300, height: int = 200) -> bytes:
    image = np.full((height, width, 3), 90, np.uint8)
    cv2.circle(image, (x, y), 6, (255, 0, 0), -1)
    return encoded(Image.fromarray(image), "PNG")


def begin(own: OwnPhotograph, name: str, size: int) -> None:
    """As the browser does first: the identity of an upload, here its name, with name and size of the file."""
    own.upload._handle_custom_msg({"upload": name, "name": name, "size": size}, [])


def piece(own: OwnPhotograph, name: str, content: bytes) -> None:
    own.upload._handle_custom_msg({"upload": name}, [memoryview(content)])


def send(own: OwnPhotograph, name: str, content: bytes, length: int = 1000) -> None:
    begin(own, name, len(content))
    for start in range(0, len(content), length):
        piece(own, name, content[start : start + length])


def test_from_upload_to_saved_joints(own, tmp_path):
    assert own.estimate_button.disabled and own.picture.layout.display == "none"
    send(own, "me.png", with_red_spot(180, 120))
    assert own.picture.layout.display is None and own.pane.draggable
    assert "One person is found." in own.message.value and own.table.value.count("<tr") == 17
    assert np.abs(own.stacks[-1].joints - (180, 120)).max() < 6
    before = own.image.value
    own.pane.box = [0.4, 0.2, 0.8, 0.9]  # as dragged in the browser
    assert own.box == (120, 40, 239, 179) and own.image.value != before
    assert own.table.value.count("<tr") == 17 and "Finds red answers" in own.message.value
    assert np.abs(own.stacks[-1].joints - (180, 120)).max() < 6
    own.save_button.click()

    folder = tmp_path / "saved"
    assert sorted(path.name for path in folder.iterdir()) == ["me-pose.csv", "me-pose.json", "me-pose.png"]
    record = json.loads((folder / "me-pose.json").read_text())
    assert record["photograph"] == "me.png" and record["box"] == [120, 40, 239, 179] and record["width"] == 300
    assert [joint["joint"] for joint in record["joints"]] == list(JOINTS)
    table = pd.read_csv(folder / "me-pose.csv")
    assert list(table.columns) == ["joint", "x", "y", "confidence"]
    np.testing.assert_allclose(table[["x", "y"]], own.stacks[-1].joints, atol=0.01)
    np.testing.assert_allclose([[joint["x"], joint["y"]] for joint in record["joints"]], table[["x", "y"]])
    drawn = read_image(folder / "me-pose.png", upright=False)
    changed = np.argwhere((drawn != own.photograph.image).any(axis=2))
    assert drawn.shape == (200, 300, 3) and np.abs(changed.mean(axis=0)[::-1] - (180, 120)).max() < 6


def test_saving_never_overwrites(own, tmp_path):
    send(own, "me.png", with_red_spot(150, 100))
    own.estimate_button.click()
    folder = tmp_path / "saved"
    folder.mkdir()
    (folder / "me-pose.csv").write_text("mine")
    own.save_button.click()
    own.save_button.click()
    assert (folder / "me-pose.csv").read_text() == "mine"
    expected = {f"me-pose-{number}.{kind}" for number in (2, 3) for kind in ("png", "json", "csv")}
    assert {path.name for path in folder.iterdir()} == expected | {"me-pose.csv"}
    assert "me-pose-3.png" in own.message.value


@pytest.mark.parametrize("name", ["", "  ", "..", "a/b", "../away"])
def test_names_that_are_no_plain_names_are_refused(own, tmp_path, name):
    send(own, "me.png", with_red_spot(150, 100))
    own.estimate_button.click()
    own.name.value = name
    own.save_button.click()
    assert "is no name for a file" in own.message.value and not (tmp_path / "saved").exists()


def test_the_corner_sliders_set_the_box_too(own):
    send(own, "me.png", with_red_spot(150, 100))
    before = own.image.value
    own.across.value, own.down.value = (100, 200), (60, 140)
    assert own.box == (100, 60, 200, 140) and own.image.value != before
    assert own.stacks == [] and own.table.value == ""
    own.estimate_button.click()
    assert np.abs(own.stacks[-1].joints - (150, 100)).max() < 6
    own.across.value = (50, 250)
    assert own.stacks == [] and own.save_button.disabled and own.table.value == ""


def test_a_box_without_area_is_one_sentence(own):
    send(own, "me.png", with_red_spot(150, 100))
    own.across.value = (100, 100)
    own.estimate_button.click()
    assert "box" in own.message.value and own.stacks == []
    own.across.value = (100, 200)
    own.estimate_button.click()
    assert len(own.stacks) == 1


def test_the_crop_can_be_looked_at_but_not_dragged_on(own):
    send(own, "me.png", with_red_spot(150, 100))
    own.estimate_button.click()
    whole = own.image.value
    own.display.whole.value = False
    assert own.image.value != whole and not own.pane.draggable


@pytest.mark.parametrize(
    "content, message",
    [
        (b"text", "no JPEG"),
        (encoded(scene(), "JPEG")[:-300], "photo"),
        (encoded(scene().resize((1, 1)), "PNG"), "1 x 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_after_a_bad_file_the_widget_lives(own, content, message):
    send(own, "photo.bad", content)
    assert message in own.message.value and own.photograph is None
    send(own, "good.png", with_red_spot(150, 100))
    kept = own.photograph
    send(own, "photo.bad", content)
    assert message in own.message.value and own.photograph is kept
    own.estimate_button.click()
    assert np.abs(own.stacks[-1].joints - (150, 100)).max() < 10  # half a heatmap cell


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(own):
    begin(own, "film.jpg", LARGEST_FILE + 1)
    assert "film.jpg is larger than 100 MB" in own.message.value and own.photograph is None


def test_remarks_are_shown_and_names_cannot_carry_html(own):
    send(own, "<b>x</b>.png", encoded(scene("L"), "PNG"))
    assert "is gray" in own.message.value and "<b>x</b>.png is" not in own.message.value
    assert "&lt;b&gt;x" in own.message.value


def test_of_two_uploads_at_once_the_newer_wins_and_the_page_says_so(own):
    """The pieces of both come mixed, as two windows or a quick hand send them."""
    first, second = with_red_spot(150, 100), with_red_spot(60, 40, 400, 300)
    begin(own, "first.png", len(first))
    piece(own, "first.png", first[:100])
    assert "first.png is on its way" in own.message.value
    begin(own, "second.png", len(second))
    assert "second.png is on its way" in own.message.value
    assert "first.png had not arrived when second.png was chosen, and is given up" in own.message.value
    piece(own, "second.png", second[:100])
    piece(own, "first.png", first[100:])
    assert own.photograph is None
    piece(own, "second.png", second[100:])
    assert own.photograph.name == "second.png" and own.photograph.image.shape == (300, 400, 3)
    assert "first.png had not arrived" in own.message.value
    send(own, "third.png", first)
    assert own.photograph.name == "third.png" and "had not arrived" not in own.message.value


def two_spots() -> bytes:
    image = np.full((200, 300, 3), 90, np.uint8)
    for place in ((60, 60), (220, 140)):
        cv2.circle(image, place, 6, (255, 0, 0) if place == (60, 60) else (200, 0, 0), -1)
    return encoded(Image.fromarray(image), "PNG")


def test_a_click_chooses_one_of_the_people_who_are_found(own):
    send(own, "two.png", two_spots())
    assert "2 people are found; click the one you mean" in own.message.value
    assert np.abs(own.stacks[-1].joints - (60, 60)).max() < 6  # the surest first
    for answer, spread in zip(own.people, ((8, 8), (8, 8)), strict=True):  # joints all at one place have no box
        answer.joints[0] -= spread
    before = own.image.value
    own.pane.point = [217 / 299, 137 / 199]
    assert np.abs(own.stacks[-1].joints - (220, 140)).max() < 6 and own.image.value != before
    assert own.box[0] < 220 < own.box[2] + 5 and own.save_button.disabled is False
    own.pane.point = [0.9, 0.1]  # nobody is there
    assert np.abs(own.stacks[-1].joints - (220, 140)).max() < 6


def test_a_box_can_be_drawn_where_nobody_is_found(own):
    send(own, "empty.png", encoded(Image.new("RGB", (300, 200), (90, 90, 90)), "PNG"))
    assert "Nobody is found; drag a box" in own.message.value and own.people == [] and own.save_button.disabled
    own.pane.box = [0.2, 0.2, 0.8, 0.9]
    assert len(own.stacks) == 1 and not own.save_button.disabled


def test_an_answer_is_there_again_when_its_box_is(own):
    """As when a browser sends back the values that it was sent before."""
    send(own, "me.png", with_red_spot(150, 100))
    chosen, stacks = own.across.value, own.stacks
    own.across.value = (0, 299)
    assert own.stacks == [] and own.save_button.disabled
    own.across.value = chosen
    assert own.stacks is stacks and not own.save_button.disabled and own.table.value.count("<tr") == 17

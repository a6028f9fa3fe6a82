"""Pictures of other kinds than a telephone's JPEG: read as they are meant, or refused with the cause."""

import io

import cv2
import numpy as np
import pytest
from moving_dot import DOTS, picture, refused, run, table_of
from PIL import Image, ImageOps

from posekit.datasets.images import decode_image, read_image, write_image
from posekit.errors import PosekitError

pytestmark = pytest.mark.usefixtures("dot_network")

RAMP = np.tile(np.linspace(0, 1, 120)[None, :, None], (80, 1, 3))


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def encoded(ending: str, pixels: np.ndarray) -> bytes:
    return cv2.imencode(ending, pixels)[1].tobytes()


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("ending", [".png", ".tif", ".ppm"])
def test_sixteen_bits_may_hold_fewer(bits, ending):
    """Cameras keep 10, 12 or 14 bits in files of 16: white is then 1023, 4095 or 16383."""
    content = encoded(ending, np.rint(RAMP * (2**bits - 1)).astype(np.uint16))
    image = decode_image(content, "camera", upright=True)
    assert image.dtype == np.uint8 and np.abs(image - 255 * RAMP).max() <= 1
    one = np.rint(RAMP[..., 0] * (2**bits - 1)).astype(np.uint16)
    gray = decode_image(encoded(ending.replace("ppm", "pgm"), one), "gray", upright=True)
    np.testing.assert_array_equal(gray, image)


def test_a_black_picture_of_sixteen_bits_stays_black():
    assert decode_image(encoded(".png", np.zeros((9, 9, 3), np.uint16)), "night", upright=True).max() == 0


FTYP = b"\x00\x00\x00\x20ftyp"
SCENE = Image.fromarray((255 * RAMP).astype(np.uint8))


@pytest.mark.parametrize(
    "content, said",
    [
        (b"", "the file is empty"),
        (bytes(5000), "zeros alone"),
        (FTYP + b"heic\x00\x00\x00\x00mif1heic" + bytes(40), "is a HEIC photograph"),
        (FTYP + b"mif1\x00\x00\x00\x00mif1miafheix" + bytes(40), "is a HEIC photograph"),
        (FTYP + b"avif\x00\x00\x00\x00mif1miaf" + bytes(40), "is an AVIF picture"),
        (FTYP + b"isom\x00\x00\x02\x00isomiso2" + bytes(40), "is a video"),
        (b"\x1a\x45\xdf\xa3" + b"webm" * 9, "is a video"),
        (b"FLV\x01\x05" + bytes(40), "is a video"),
        ((b"G" + bytes(187)) * 5, "is a video"),
        (b"RIFF\x10\x00\x00\x00AVI LIST" + bytes(40), "is a video"),
        (b"\x00\x00\x00\x0cJXL \r\n\x87\n" + bytes(9), "is a JPEG XL picture"),
        (b"\xef\xbb\xbf\r\n<!DOCTYPE html><title>404</title>", "is a web page"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is an SVG drawing"),
        (b"%PDF-1.7 ...", "is a PDF document"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
        (b"PK\x03\x04....", "is a ZIP archive"),
        (saved(Image.fromarray(RAMP[..., 0].astype(np.float32)), "TIFF"), "whole, but a kind of TIFF (mode F)"),
        (encoded(".tif", RAMP.astype(np.float32)), "holds float32 numbers"),
        (b"no picture at all", "damaged or not an image"),
        (saved(SCENE, "PNG")[:60], "damaged or not an image"),
        (saved(SCENE, "JPEG")[:-2], "is cut off"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_decoded_is_named(content, said, tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(PosekitError) as raised:
        read_image(path)
    assert said in str(raised.value) and "photo.jpg" in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "TIFF", "WEBP"])
def test_of_several_pictures_the_command_says_that_it_takes_the_first(kind, tmp_path):
    first, others = (Image.fromarray(picture(DOTS[place])) for place in (3, 20)), 2
    first, other = first
    path = tmp_path / f"moves.{kind.lower()}"
    first.save(path, kind, save_all=True, append_images=[other] * others)
    assert Image.open(path).n_frames >= 2
    result = run(path, "--joints", tmp_path / "joints.csv")
    assert result.exit_code == 0, result.output
    assert f"moves.{kind.lower()} holds" in result.stderr and "only the first is taken" in result.stderr
    assert np.abs(table_of(tmp_path / "joints.csv", "file")[1][0] - DOTS[3]).max() <= 8


def test_a_folder_names_what_it_leaves_out_and_why(tmp_path):
    folder = tmp_path / "photographs"
    folder.mkdir()
    write_image(folder / "a.png", picture(DOTS[3]))
    write_image(folder / "b.jp2", picture(DOTS[5]))
    write_image(folder / "c.gif", picture(DOTS[7]))
    (folder / "d.heic").write_bytes(FTYP + b"heic" + bytes(40))
    (folder / "._a.png").write_bytes(b"notes of macOS")
    (folder / "e.jpg").write_bytes(FTYP + b"heic" + bytes(40))  # a telephone's photograph by a wrong name
    result = run(folder, "--joints", tmp_path / "joints.csv", "--out", tmp_path / "drawn")
    assert refused(result, "1 of 4 photographs are left out")
    assert "does not read this kind of picture: d.heic" in result.stderr
    assert "e.jpg is left out" in result.stderr and "is a HEIC photograph" in result.stderr
    assert "._a.png" not in result.stderr
    assert table_of(tmp_path / "joints.csv", "file")[0] == ["a.png", "b.jp2", "c.gif"]
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["a.png", "b.jp2", "c.gif"]


def test_pictures_too_large_for_their_kind_say_so(tmp_path):
    with pytest.raises(PosekitError, match="20000 x 2 px is too large for this kind of file"):
        write_image(tmp_path / "wide.webp", np.zeros((2, 20_000, 3), np.uint8))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["AVIF", "JPEG"])  # OpenCV itself turns the JPEG
def test_a_photograph_is_turned_as_it_says_and_not_for_data_sets(kind, orientation):
    quarters = np.zeros((32, 64, 3), np.uint8)
    quarters[:16, :32], quarters[:16, 32:], quarters[16:, :32] = 60, 120, 180
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(Image.fromarray(quarters), kind, exif=exif)
    given = Image.fromarray(quarters)
    given.getexif()[0x0112] = orientation
    expected = np.asarray(ImageOps.exif_transpose(given)).astype(int)
    assert np.abs(decode_image(content, "photo", upright=True) - expected)[8:-8:16, 8:-8:16].max() < 8
    assert decode_image(content, "photo", upright=False).shape == quarters.shape

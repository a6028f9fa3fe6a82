"""Reads and writes image files, with a clear error where a file is broken."""

import io
import warnings
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from posekit.datasets.file_kinds import is_avif, why_not_decoded
from posekit.errors import PosekitError
from posekit.files import write_whole


def read_image(path: str | Path, upright: bool = True) -> np.ndarray:
    """An image file as RGB, uint8, (H, W, 3); upright as in `decode_image`: False for data sets.

    Raises `PosekitError` naming the file if it is missing, not an image, or cut off.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise PosekitError(f"image {path} cannot be read ({error.strerror}); check the path") from error
    return decode_image(data, str(path), upright)


def decode_image(data: bytes, name: str, upright: bool) -> np.ndarray:
    """The bytes of an image file as RGB, uint8, (H, W, 3).

    upright: turn it as its EXIF orientation says, as every viewer does with a photograph. Annotations of data
    sets count the pixels as they are stored, so data sets are read with False. Pictures of 10, 12, 14 or 16 bits
    per channel are brought to 8: see `to_eight_bits`.
    Raises `PosekitError` naming the image and the cause if it cannot be decoded.
    """
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | (0 if upright else cv2.IMREAD_IGNORE_ORIENTATION)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    except cv2.error as error:  # of more than 2^30 pixels, in truth or by a damaged header
        raise PosekitError(
            f"image {name} is too large to decode, or its header is damaged; save it smaller, or fetch it again"
        ) from error
    if is_cut_off(data):
        raise PosekitError(f"image {name} is cut off: its end is missing; fetch it again")
    if image is None:
        raise PosekitError(f"image {name} cannot be decoded; {why_not_decoded(data)}")
    if upright and is_avif(data):
        image = turned(image, orientation_of_avif(data, name))
    return cv2.cvtColor(to_eight_bits(image, name), cv2.COLOR_BGR2RGB)


def orientation_of_avif(data: bytes, name: str) -> int:
    """The EXIF orientation (1 to 8) that an AVIF file asks for, which OpenCV does not look at.

    Raises `PosekitError` if Pillow cannot open the file.
    """
    try:
        with Image.open(io.BytesIO(data)) as file:
            return file.getexif().get(0x0112, 1)
    except Exception as error:  # Pillow meets damaged headers with almost any exception
        raise PosekitError(f"image {name}: nobody can tell which way up this AVIF is; save it as JPEG") from error


def turned(image: np.ndarray, orientation: int) -> np.ndarray:
    """An image (H, W, ...) as its EXIF orientation (1 to 8) says; from 5 on, height and width are exchanged."""
    image = np.swapaxes(image, 0, 1) if orientation >= 5 else image
    image = image[:, ::-1] if orientation in (2, 3, 6, 7) else image
    return image[::-1] if orientation in (3, 4, 7, 8) else image


def to_eight_bits(image: np.ndarray, name: str) -> np.ndarray:
    """(H, W, 3) uint8 of uint8 or uint16, where cameras keep 10 to 16 bits: as many as the largest value needs.

    Raises `PosekitError` for other types, whose range is unknown.
    """
    if image.dtype == np.uint8:
        return image
    if image.dtype != np.uint16:
        raise PosekitError(
            f"image {name} holds {image.dtype} numbers, not the 8 or 16 bits per channel of a photograph; save it "
            "as PNG or JPEG"
        )
    bits = int(image.max()).bit_length()
    return (image >> max(bits + bits % 2 - 8, 0)).astype(np.uint8)


def first_of_several(name: str, count: int) -> str:
    """A sentence about a file with several pictures; "" if it has one."""
    return f"{name} holds {count} pictures (animated, or pages); only the first is taken" if count > 1 else ""


def several_pictures(path: Path) -> str:
    """`first_of_several` of a file that can be decoded; "" if it has one picture, or if that is unknown."""
    if path.suffix.lower() in (".jpeg", ".jpg"):  # of which some have a preview behind the photograph
        return ""
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path) as file:  # Pillow warns of large pictures
            return first_of_several(path.name, getattr(file, "n_frames", 1))
    except Exception:  # of a kind that only OpenCV knows; Pillow meets it with almost any exception
        return ""


def is_cut_off(data: bytes) -> bool:
    """Whether a file is a JPEG without end mark (FF D9), which the decoder would fill up with gray.

    The mark cannot occur inside the compressed pixels, but in a thumbnail before them, so the segments before the
    first scan (FF DA) are skipped by their lengths. Whatever follows the mark is not of the picture.
    """
    if data[:2] != b"\xff\xd8":
        return False
    position = 2
    while position + 4 <= len(data):
        if data[position : position + 2] == b"\xff\xff":  # any number of bytes FF may stand before a marker
            position += 1
            continue
        if data[position + 1] == 0xDA:
            break
        position += 2 + int.from_bytes(data[position + 2 : position + 4])
    return data.find(b"\xff\xd9", position) < 0


def write_image(path: Path, image: np.ndarray) -> None:
    """Writes RGB uint8 (H, W, 3) in the format of the file name's ending. Raises `PosekitError` if it cannot."""
    try:
        written, data = cv2.imencode(Path(path).suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    except cv2.error as error:
        raise PosekitError(f"{path}: unknown kind of picture; end the name in .png or .jpg") from error
    if not written:
        raise PosekitError(
            f"{path}: a picture of {image.shape[1]} x {image.shape[0]} px is too large for this kind of file; end "
            "the name in .png"
        )
    write_whole(Path(path), data.tobytes())

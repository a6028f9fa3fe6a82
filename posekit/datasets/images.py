"""Reads and writes image files, with a sentence instead of a surprise where a file is broken."""

from pathlib import Path

import cv2
import numpy as np

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
    sets count the pixels as they are stored, so data sets are read with False.
    Raises `PosekitError` naming the image if it is not an image or cut off.
    """
    flags = cv2.IMREAD_COLOR if upright else cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
        picture = cv2.cvtColor(image, cv2.COLOR_BGR2RGB) if image is not None else None
    except cv2.error as error:  # also where a damaged header asks for more memory than there is
        raise PosekitError(f"image {name} cannot be decoded ({error.err}); fetch it again") from error
    if picture is None:
        raise PosekitError(f"image {name} cannot be decoded; it is damaged or not an image: fetch it again")
    if is_cut_off(data):
        raise PosekitError(f"image {name} is cut off: its end is missing; fetch it again")
    return picture


def is_cut_off(data: bytes) -> bool:
    """Whether a file is a JPEG without end mark (FF D9), which the decoder would fill up with grey.

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
        raise PosekitError(f"{path}: the picture cannot be written in this format")
    write_whole(Path(path), data.tobytes())

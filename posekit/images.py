"""Reads and writes image files, with a sentence instead of a surprise where a file is broken."""

from pathlib import Path

import cv2
import numpy as np

from posekit.errors import PosekitError


def read_image(path: Path, upright: bool) -> np.ndarray:
    """An image file as RGB, uint8, (H, W, 3).

    upright: turn it as its EXIF orientation says, as every viewer does with a photograph. Annotations of data
    sets count the pixels as they are stored, so data sets are read with False.
    Raises `PosekitError` naming the file if it is missing, not an image, or a JPEG that was cut off.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise PosekitError(f"image {path} cannot be read ({error.strerror}); check the path") from error
    flags = cv2.IMREAD_COLOR if upright else cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    except cv2.error as error:
        raise PosekitError(f"image {path} cannot be decoded ({error.err}); fetch it again") from error
    if image is None:
        raise PosekitError(f"image {path} cannot be decoded; it is damaged or not an image: fetch it again")
    if data[:2] == b"\xff\xd8" and data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda"):
        # The decoder fills up a cut-off JPEG with grey. In a whole one, the end mark (FF D9) comes after the
        # start of its last scan (FF DA); neither can occur inside a scan.
        raise PosekitError(f"image {path} is cut off: its end is missing; fetch it again")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def write_image(path: Path, image: np.ndarray) -> None:
    """Writes RGB uint8 (H, W, 3) in the format of the file name's ending. Raises `PosekitError` if it cannot."""
    try:
        written, data = cv2.imencode(Path(path).suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    except cv2.error as error:
        raise PosekitError(f"{path}: unknown kind of picture; end the name in .png or .jpg") from error
    if not written:
        raise PosekitError(f"{path}: the picture cannot be written in this format")
    try:
        Path(path).write_bytes(data.tobytes())
    except OSError as error:
        raise PosekitError(f"{path} cannot be written ({error.strerror})") from error

"""A person's own photograph: decoded, with a sentence about anything unusual; its joints saved beside it."""

import io
import itertools
import json
import warnings
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from posekit.datasets.file_kinds import why_not_decoded
from posekit.datasets.images import decode_image, first_of_several, write_image
from posekit.errors import PosekitError
from posekit.files import write_whole
from posekit.inference.drawing import draw_skeleton
from posekit.inference.joint_file import joint_rows
from posekit.inference.predictor import Prediction

#: Pillow's names of what can be read. MPO is a JPEG with a second picture behind it, as some phones make.
FORMATS = {"JPEG": "JPEG", "MPO": "JPEG", "PNG": "PNG", "WEBP": "WebP"}
GRAY_MODES = ("1", "L", "LA", "I", "I;16", "F")

#: Larger photographs are decoded smaller, where the format can (JPEG), up to the second number; px.
MOST_PIXELS, MOST_PIXELS_REDUCED = 40_000_000, 130_000_000
SMALLEST_SIDE = 16  # px
LARGEST_FILE = 100 * 2**20  # bytes


@dataclass(frozen=True)
class Photograph:
    """image (H, W, 3) uint8 RGB, upright; remarks are sentences on what was done to it, for the person to read."""

    name: str
    image: np.ndarray
    remarks: tuple[str, ...] = ()


def read_photograph(content: bytes, name: str) -> Photograph:
    """A JPEG, PNG or WebP file, turned upright as its EXIF orientation says.

    Gray photographs become RGB, of animated ones the first frame is taken, JPEGs above 40 megapixels are reduced;
    the remarks say so. Raises `PosekitError` for another kind of file, a damaged one, one that is less than 16 px
    high or wide, or so large that it would fill the memory.
    """
    kind, mode, frames, (width, height) = _header(content, name)
    megapixels = width * height / 1e6
    if min(width, height) < SMALLEST_SIDE:
        raise PosekitError(
            f"{name} is {width} x {height} px; a person cannot be seen in less than {SMALLEST_SIDE} px, "
            "so choose a larger photograph"
        )
    remarks, reduce = [], 1
    if width * height > MOST_PIXELS:
        if kind != "JPEG" or width * height > MOST_PIXELS_REDUCED:
            raise PosekitError(_too_large(name, f"{megapixels:.0f} megapixels"))
        reduce = next(by for by in (2, 4, 8) if width * height <= MOST_PIXELS * by**2)
    image = decode_image(content, name, upright=True)
    if reduce > 1:
        image = cv2.resize(image, None, fx=1 / reduce, fy=1 / reduce, interpolation=cv2.INTER_AREA)
        remarks.append(
            f"{name} has {megapixels:.0f} megapixels and was reduced to {image.shape[1]} x {image.shape[0]} px; "
            "joints are in pixels of that."
        )
    if frames > 1 and kind != "JPEG":
        remarks.append(f"{first_of_several(name, frames)}.")
    if mode in GRAY_MODES:
        remarks.append(f"{name} is gray; networks that were trained on colors may find less in it.")
    return Photograph(name, image, tuple(remarks))


def _header(content: bytes, name: str) -> tuple[str, str, int, tuple[int, int]]:
    """Format, mode, frames and (width, height), without decoding."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # sizes are judged by ourselves
            with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as file:
                return FORMATS[file.format], file.mode, getattr(file, "n_frames", 1), file.size
    except Image.DecompressionBombError as error:
        raise PosekitError(_too_large(name, "more than 170 megapixels")) from error
    except Image.UnidentifiedImageError as error:
        raise PosekitError(f"{name} is no JPEG, PNG or WebP photograph: {_what_it_is(content)}") from error
    except Exception as error:  # Pillow meets damaged headers with almost any exception
        raise PosekitError(f"{name} is damaged and cannot be opened; fetch or export it again") from error


def _what_it_is(content: bytes) -> str:
    """The end of a sentence: what a file is instead, and the next step."""
    try:
        with Image.open(io.BytesIO(content)) as file:
            return f"it is a picture of the kind {file.format}; save it as JPEG"
    except Exception:  # Pillow meets what is no picture with almost any exception
        return why_not_decoded(content)


def _too_large(name: str, size: str) -> str:
    return (
        f"{name} has {size}, which is too large to open here; save it smaller, at most "
        f"{MOST_PIXELS // 10**6} megapixels ({MOST_PIXELS_REDUCED // 10**6} as JPEG)"
    )


def save_estimate(
    folder: Path,
    stem: str,
    photograph: Photograph,
    answer: Prediction,
    box: tuple[int, int, int, int],
    model: str,
    threshold: float,
) -> list[Path]:
    """Writes stem.png (the photograph with the joints that are not below `threshold`), stem.json and stem.csv (all
    joints, px of the photograph, with confidence), and returns their paths.

    Where one of the names is taken, all three get a number: nothing is overwritten. Raises `PosekitError` if stem
    is no plain name or the folder cannot be written.
    """
    if not stem.strip() or Path(stem).name != stem or stem in (".", ".."):
        raise PosekitError(f"{stem!r} is no name for a file; type a name without folders and without ending")
    joints = joint_rows(answer.joints, answer.confidence)
    height, width = photograph.image.shape[:2]
    record = {
        "photograph": photograph.name,
        "width": width,
        "height": height,
        "box": list(box),
        "model": model,
        "joints": joints,
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        paths = _free_names(folder, stem)
        write_image(paths[0], draw_skeleton(photograph.image, answer.joints, answer.confidence >= threshold))
        write_whole(paths[1], json.dumps(record, indent=2) + "\n")
        write_whole(paths[2], pd.DataFrame(joints).to_csv(index=False))
    except OSError as error:
        raise PosekitError(f"{folder / stem} cannot be written ({error.strerror}); check the folder") from error
    return paths


def _free_names(folder: Path, stem: str) -> list[Path]:
    stems = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    candidates = ([folder / f"{name}.{ending}" for ending in ("png", "json", "csv")] for name in stems)
    return next(paths for paths in candidates if not any(path.exists() for path in paths))

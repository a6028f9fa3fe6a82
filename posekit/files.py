"""Checks files and folders, writes files completely or not at all, and reads MATLAB files."""

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from posekit.errors import PosekitError

_ATTEMPTS = 40  # twentieths of a second


def check_folder(path: Path, belongs: str) -> None:
    """Raises `PosekitError` with the cause unless there is a folder; belongs: what to name or put there."""
    if not path.is_dir():
        cause = "is a file, not a folder" if path.exists() else "does not exist"
        raise PosekitError(f"folder {path} {cause}; {belongs}")


def check_file(path: Path, belongs: str) -> None:
    """Raises `PosekitError` with the cause unless there is a file; belongs: what to name or put there."""
    if not path.is_file():
        cause = f"{path} is a folder, not a file" if path.is_dir() else f"there is no file {path}"
        raise PosekitError(f"{cause}; {belongs}")


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A stream to write to. It replaces `path` when it is complete and on the disk; until then, `path` stays as it
    was.

    Folders that are missing are made. Where several write the same path at once, the last one to finish wins, and
    what is there is always one of them as a whole. Raises `OSError`, as for a full disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name[:40]}.{uuid.uuid4().hex[:12]}.unfinished")
    try:
        with unfinished.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        for attempt in range(_ATTEMPTS):
            try:
                unfinished.replace(path)
                break
            except PermissionError:  # on Windows as long as somebody reads the file before it
                if attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(0.05)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def load_mat(path: Path) -> dict[str, np.ndarray]:
    """The variables of a .mat file. Raises `PosekitError` naming the file if it is not one."""
    import scipy.io  # not above: only readers of data sets need it

    check_file(Path(path), "it should be a .mat file")
    try:
        return scipy.io.loadmat(path)
    except NotImplementedError as error:
        raise PosekitError(f"{path} is a .mat file of version 7.3; save it again in MATLAB with -v7") from error
    except Exception as error:  # scipy meets what is not a .mat file with almost any exception
        raise PosekitError(f"{path} cannot be read as a .mat file ({error})") from error


def write_whole(path: Path, content: str | bytes) -> None:
    """Writes a file completely or not at all; text as UTF-8. Raises `PosekitError` if it cannot be written."""
    try:
        with whole_file(path) as stream:
            stream.write(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise PosekitError(f"{path} cannot be written ({error.strerror}); check folder and free space") from error

"""Files that are whole or not there, whatever happens while they are written."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_ATTEMPTS = 40  # twentieths of a second


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """To write to; it takes the place of `path` when it is complete and on the disk, else `path` stays as it was.

    One process at a time may write the same path. Raises `OSError`, as for a full disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.unfinished")
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

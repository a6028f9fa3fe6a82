"""Unpacks downloaded archives: checked first, only inside the target folder, and never half-written."""

import gzip
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from tqdm.auto import tqdm

from posekit.errors import PosekitError

CHUNK = 1 << 18


class DamagedArchive(PosekitError):
    """The bytes of an archive are wrong, so that only another download helps."""


def in_bytes(count: float) -> str:
    """A number of bytes as readable text, in GB where it is large."""
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count:.0f} bytes"


def check_free(folder: Path, needed: float, what: object) -> None:
    """Raises `PosekitError` if the disk of a folder has fewer bytes free than `what` needs."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise PosekitError(
            f"{what} needs {in_bytes(needed)} of free disk at {folder}, which has {in_bytes(free)}; make room or "
            "choose another folder, then run the same command again"
        )


def unpack(
    archive: Path,
    folder: Path,
    place: Callable[[str], str | None] = lambda name: name,
    progress: bool = True,
) -> list[Path]:
    """Unpacks a .zip or .tar.gz and returns its files; those that exist already are left as they are.

    place: maps a file's name in the archive to its path in the folder; None leaves the file out.
    The archive is read through first: nothing is written if a checksum (CRC-32) is wrong, a file would land
    outside the folder, or there is a link. Files are written aside and renamed, so a killed run is run again.
    Raises `PosekitError` in these cases and if the disk is full.
    """
    archive, folder = Path(archive), Path(folder)
    needed = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, size, stream in _files(archive, f"checking {archive.name}", progress):
            if archive.suffix == ".zip":
                while stream.read(CHUNK):  # a checksum for each file, compared at its end
                    continue
            target = place(name)
            needed += size if target and not (folder / target).exists() else 0
        check_free(folder, needed, archive)
        targets = []
        for name, _, stream in _files(archive, f"unpacking {archive.name}", progress):
            if target := place(name):
                targets.append(folder / target)
                _write(stream, folder / target)
        return targets
    except (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError, zipfile.BadZipFile) as error:
        raise DamagedArchive(f"{archive} is damaged ({error}); move it away and download it again") from error
    except PosekitError:  # a ValueError, and says already what is wrong
        raise
    except (RuntimeError, NotImplementedError, ValueError) as error:  # encrypted; compressed in an unknown way
        raise DamagedArchive(
            f"{archive} cannot be unpacked ({error}); move it away and download it again"
        ) from error
    except OSError as error:
        raise PosekitError(
            f"{archive} cannot be unpacked into {folder} ({error.strerror or error}); make room or check the "
            "folder, then run the same command again"
        ) from error


def _files(archive: Path, title: str, progress: bool) -> Iterator[tuple[str, int, IO[bytes]]]:
    """(name, bytes, content) of each file; the whole archive is read, so that its checksums are compared."""
    bar = {"desc": title, "total": archive.stat().st_size, "disable": not progress}
    with archive.open("rb") as file, tqdm.wrapattr(file, "read", **bar) as raw:
        if archive.suffix == ".zip":
            with zipfile.ZipFile(raw) as opened:
                for info in opened.infolist():
                    _refuse(archive, info.filename, link=stat.S_ISLNK(info.external_attr >> 16))
                    if not info.is_dir():
                        with opened.open(info) as stream:
                            yield info.filename, info.file_size, stream
            return
        with gzip.GzipFile(fileobj=raw) as unzipped:
            with tarfile.open(fileobj=unzipped, mode="r|") as opened:
                for member in opened:
                    _refuse(archive, member.name, link=not (member.isfile() or member.isdir()))
                    if member.isfile():
                        yield member.name, member.size, opened.extractfile(member)
            while unzipped.read(CHUNK):  # the checksum comes behind the last file
                continue


def _refuse(archive: Path, name: str, link: bool) -> None:
    """Links are refused wherever they point: no data set needs them, and chains of them lead out of any folder."""
    path = PureWindowsPath(name)  # knows both kinds of slashes and drive letters
    if link or path.anchor or ".." in path.parts or PurePosixPath(name).is_absolute():
        why = "is a link or a device" if link else "would land outside the folder"
        raise PosekitError(
            f"{archive}: its member {name!r} {why}; delete the archive, do not trust where it came from"
        )


def _write(stream: IO[bytes], target: Path) -> None:
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(target.name + ".unfinished")
    try:
        with aside.open("wb") as out:
            shutil.copyfileobj(stream, out, CHUNK)
        os.replace(aside, target)
    finally:
        aside.unlink(missing_ok=True)

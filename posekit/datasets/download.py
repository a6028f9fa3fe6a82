"""Downloads that continue where they were interrupted, and MPII Human Pose downloaded that way."""

import http.client
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from tqdm.auto import tqdm

from posekit.datasets.unpack import DamagedArchive, check_free, in_bytes, unpack
from posekit.errors import PosekitError
from posekit.files import whole_file

#: Where the authors of MPII Human Pose offer it.
MPII_URL = "https://datasets.d2.mpi-inf.mpg.de/andriluka14cvpr/"
MPII_ANNOTATIONS = "mpii_human_pose_v1_u12_2.zip"
MPII_IMAGES = "mpii_human_pose_v1.tar.gz"

#: Seconds before the next attempts, as long as none of them brings the file further.
PAUSES = (1.0, 3.0, 10.0, 20.0, 30.0)
TIMEOUT = 60.0  # seconds without a byte after which a connection counts as cut
CHUNK = 1 << 18


class _Cut(Exception):
    """The connection failed in a way that another attempt may put right."""


def download(url: str, path: Path, progress: bool = True, room: float = 1.0) -> Path:
    """Fetches a file over HTTP or HTTPS; an interrupted download continues at its last byte.

    The bytes are collected in `path.partial`; what the server says about the file (ETag, date, size) is kept
    beside it, so that a file that has changed in the meantime is fetched again. A file at `path` is never
    replaced. The size that the server announces is checked.
    room: the free disk space that is required before the first byte, as a multiple of the file's size: 2 if it
    will be unpacked next to itself.
    Raises `PosekitError` if the server has no such file or stays unreachable, or the disk is full.
    """
    path = Path(path)
    partial = path.with_name(path.name + ".partial")
    try:
        if path.exists():
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        _fetch(url, partial, progress, room)
        os.replace(partial, path)
        _forget(partial)
    except OSError as error:
        kept = f"; {in_bytes(_length(partial))} are kept in {partial}" if partial.exists() else ""
        raise PosekitError(
            f"{path} cannot be written ({error.strerror or error}){kept}; make room or check the folder, then run "
            "the same command again"
        ) from error
    return path


def _fetch(url: str, partial: Path, progress: bool, room: float) -> None:
    """Attempts until the partial is whole; gives up after a few that bring it no further than it was."""
    failures, furthest = 0, _length(partial)
    while True:
        try:
            return _attempt(url, partial, progress, room)
        except _Cut as error:
            failures = 0 if _length(partial) > furthest else failures + 1
            furthest = max(furthest, _length(partial))
            if failures > len(PAUSES):
                raise PosekitError(
                    f"{url} cannot be fetched ({error}); {in_bytes(_length(partial))} are kept in {partial}: "
                    "check address and network, then run the same command again to go on from there"
                ) from error
            time.sleep(PAUSES[max(failures, 1) - 1])


def _attempt(url: str, partial: Path, progress: bool, room: float) -> None:
    """One request for what is missing. Raises `_Cut`, or OSError of the disk, or `PosekitError`."""
    known = _known(partial, url)
    have = _length(partial) if known else 0
    if have and have == known.get("size"):
        return  # killed between the last byte and the renaming
    with _request(url, partial, have, known) as response:
        start, total = 0, response.headers.get("Content-Length")
        if response.status == 206:
            start, total = _continued(response, partial, have, known)
        total = int(total) if total and str(total).isdigit() else None
        if total is not None:
            check_free(partial.parent, room * total - _length(partial), url)
        bar = tqdm(desc=partial.stem, total=total, initial=start, unit="B", unit_scale=True, disable=not progress)
        with bar, partial.open("ab" if start else "wb") as stream:
            if not start:  # only now, when the bytes of any other version are gone
                _remember(partial, url, response, total)
            while chunk := _read(response):
                stream.write(chunk)
                bar.update(len(chunk))
    got = _length(partial)
    if total is not None and got > total:
        _forget(partial)  # not the beginning of this file
    if total is not None and got != total:
        raise _Cut(f"the connection was cut after {got} of {total} bytes")


def _request(url: str, partial: Path, have: int, known: dict) -> http.client.HTTPResponse:
    headers = {"User-Agent": "posekit", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        # By If-Range the server sends all of a file that has changed; weak ETags do not do (RFC 9110, 13.1.5).
        etag = known.get("etag") or ""
        if validator := known.get("modified") if etag.startswith("W/") or not etag else etag:
            headers["If-Range"] = validator
    try:
        if not url.lower().startswith(("http://", "https://")):
            raise ValueError("it must begin with http:// or https://")
        return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # nothing begins at our last byte: the file is shorter now
            _forget(partial)
        if error.code in (408, 416, 425, 429) or error.code >= 500:
            raise _Cut(f"the server answers {error.code} {error.reason}") from error
        raise PosekitError(f"{url}: the server answers {error.code} {error.reason}; check the address") from error
    except (ValueError, http.client.InvalidURL) as error:
        raise PosekitError(f"{url} is not an address to download from: {error}") from error
    except (OSError, http.client.HTTPException) as error:
        raise _Cut(str(error) or type(error).__name__) from error


def _continued(
    response: http.client.HTTPResponse, partial: Path, have: int, known: dict
) -> tuple[int, str | None]:
    """(first byte, size of the whole file) of an answer to Range, if it fits the bytes that are there."""
    span, _, total = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
    etag = response.headers.get("ETag")
    same_size = known.get("size") is None or total == str(known["size"])
    if span.split("-")[0] != str(have) or not same_size or etag != known.get("etag"):
        _forget(partial)
        raise _Cut("the file on the server changed; starting over")
    return have, total


def _read(response: http.client.HTTPResponse) -> bytes:
    """What has arrived, so that a cut loses nothing; `_Cut` sets the network's OSErrors apart from the disk's."""
    try:
        return response.read1(CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise _Cut(str(error) or type(error).__name__) from error


def _note(partial: Path) -> Path:
    return partial.with_name(partial.name + ".json")


def _remember(partial: Path, url: str, response: http.client.HTTPResponse, total: int | None) -> None:
    headers = response.headers
    known = {"url": url, "etag": headers.get("ETag"), "modified": headers.get("Last-Modified"), "size": total}
    with whole_file(_note(partial)) as stream:
        stream.write(json.dumps(known).encode())


def _forget(partial: Path) -> None:
    """The next attempt starts over; the bytes themselves stay until then."""
    _note(partial).unlink(missing_ok=True)


def _known(partial: Path, url: str) -> dict:
    """What is known of the file that the partial is the beginning of; empty if that is too little to go on."""
    try:
        known = json.loads(_note(partial).read_text())
    except (OSError, ValueError):
        return {}
    good = isinstance(known, dict) and known.get("url") == url
    return known if good and any(known.get(key) for key in ("etag", "modified", "size")) else {}


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def download_mpii(
    folder: Path,
    base_url: str = MPII_URL,
    annotations: bool = True,
    images: bool = True,
    ask: Callable[[str], bool] = lambda question: True,
    progress: bool = True,
) -> dict[str, int]:
    """Fetches MPII Human Pose into folder/annotations and folder/images; returns how many files each then has.

    What is there already is not fetched again (`downloaded.json` says what is), and no existing file is replaced.
    An archive is deleted when it is unpacked. ask: gets a question before the 12.9 GB of images, False leaves
    them out. The authors publish no checksums; the size that the server announces is checked, and the CRC-32
    that the archives themselves carry for every byte.
    Raises `PosekitError` as `download` and `unpack`; a damaged archive is put aside, the next call starts over.
    """
    folder = Path(folder)
    # Photographs do not get smaller by packing, so unpacking needs their size again; the .mat file does.
    parts = [("annotations", ".mat", MPII_ANNOTATIONS, 4.0)] * annotations
    parts += [("images", ".jpg", MPII_IMAGES, 2.0)] * images
    todo = [part for part in parts if not _is_done(folder, *part[:3])]
    question = f"Download the images, about 12.9 GB, and unpack them in {folder} (26 GB while it runs)?"
    if any(part[0] == "images" for part in todo) and not ask(question):
        todo = [part for part in todo if part[0] != "images"]
    for part, ending, name, room in todo:
        archive = download(base_url.rstrip("/") + "/" + name, folder / name, progress=progress, room=room)
        try:
            files = [path for path in unpack(archive, folder, _place, progress) if path.suffix.lower() == ending]
        except DamagedArchive as error:
            kept = archive.with_name(archive.name + ".wrong")
            os.replace(archive, kept)
            raise PosekitError(
                f"{archive.name} arrived damaged ({error.__cause__}); it is kept as {kept} to look at: delete it "
                "and run the same command again to download anew"
            ) from error
        if not files:
            raise PosekitError(f"{archive} holds no {part}; check the address it came from and delete it")
        _finish(folder, archive, len(set(files)))
    return {part: _count(folder / part, ending) for part, ending in (("annotations", ".mat"), ("images", ".jpg"))}


def _place(name: str) -> str | None:
    """MPII's archives have folders of their own; here are only images/ and annotations/, with their license."""
    file = PurePosixPath(name).name
    if file.startswith(".") or "__MACOSX" in name:
        return None
    return ("images/" if file.lower().endswith(".jpg") else "annotations/") + file


def _done(folder: Path) -> dict[str, int]:
    try:
        done = json.loads((folder / "downloaded.json").read_text())
    except (OSError, ValueError):
        return {}
    return done if isinstance(done, dict) else {}


def _finish(folder: Path, archive: Path, files: int) -> None:
    """First the note, then the deletion: a run that is killed between them fetches nothing twice."""
    try:
        with whole_file(folder / "downloaded.json") as stream:
            stream.write(json.dumps(_done(folder) | {archive.name: files}, indent=2).encode())
        archive.unlink()
    except OSError as error:
        raise PosekitError(
            f"{folder} cannot be written ({error.strerror}); make room or check the folder, then run the same "
            "command again"
        ) from error


def _is_done(folder: Path, part: str, ending: str, name: str) -> bool:
    """Whether this archive was unpacked here and its files have not been taken away since."""
    count = _done(folder).get(name)
    return isinstance(count, int) and _count(folder / part, ending) >= count


def _count(folder: Path, ending: str) -> int:
    return sum(1 for path in folder.glob("*") if path.suffix.lower() == ending)

"""Archives that are damaged, or that somebody made with bad intent."""

import errno
import gzip
import shutil
import stat
import tarfile
import zipfile

import numpy as np
import pytest
from archives import disk_of, only, tar_of, zip_of

from posekit.datasets.unpack import unpack
from posekit.errors import PosekitError

DATA = np.random.default_rng(0).bytes(300_000)

PACK = pytest.mark.parametrize("pack", [tar_of, zip_of], ids=["tar", "zip"])
NAME = {tar_of: "a.tar.gz", zip_of: "a.zip"}
FILES = {"a.txt": b"1", "deep/b.txt": b"22", "./deep/c.bin": DATA}


@PACK
def test_files_are_unpacked_and_existing_ones_left(tmp_path, pack):
    archive = pack(tmp_path / NAME[pack], FILES)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.txt").write_text("mine")
    paths = unpack(archive, tmp_path / "out", progress=False)
    assert [path.relative_to(tmp_path / "out").as_posix() for path in paths] == [
        "a.txt",
        "deep/b.txt",
        "deep/c.bin",
    ]
    assert (tmp_path / "out" / "a.txt").read_text() == "mine"
    assert (tmp_path / "out" / "deep" / "c.bin").read_bytes() == DATA
    assert len([path for path in (tmp_path / "out").rglob("*") if path.is_file()]) == 3


@PACK
@pytest.mark.parametrize(
    "name", ["../evil", "good/../../evil", "/evil", "..", "C:\\evil", "a\\..\\..\\evil", "C:evil", "\\evil"]
)
def test_members_that_would_leave_the_folder_are_refused_and_nothing_is_written(tmp_path, pack, name):
    archive = pack(tmp_path / NAME[pack], {"good.txt": b"good", name: b"evil"})
    with pytest.raises(PosekitError, match="would land outside the folder"):
        unpack(archive, tmp_path / "out", progress=False)
    only(tmp_path, NAME[pack], "out")
    only(tmp_path / "out")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path, kind):
    def change(info: tarfile.TarInfo) -> None:
        if info.name == "link":
            info.type, info.linkname, info.size = kind, "/etc", 0

    archive = tar_of(tmp_path / "a.tar.gz", {"good.txt": b"good", "link": b"", "link/evil": b"evil"}, change)
    with pytest.raises(PosekitError, match="'link' is a link or a device"):
        unpack(archive, tmp_path / "out", progress=False)
    only(tmp_path / "out")


def test_links_in_a_zip_are_refused(tmp_path):
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    zip_of(tmp_path / "a.zip", {info: b"/etc"})
    with pytest.raises(PosekitError, match="'link' is a link or a device"):
        unpack(tmp_path / "a.zip", tmp_path / "out", progress=False)


@PACK
def test_damaged_archives_are_named_and_nothing_is_written(tmp_path, pack):
    whole = pack(tmp_path / NAME[pack], FILES).read_bytes()
    rng = np.random.default_rng(1)
    damaged = [whole[:cut] for cut in rng.integers(0, len(whole) - 30, 20)]
    for where in rng.integers(len(whole) // 4, len(whole) // 2, 20):  # bytes of c.bin
        damaged.append(whole[:where] + bytes([whole[where] ^ 1]) + whole[where + 1 :])
    damaged += [b"", b"<html>404</html>", rng.bytes(5000)]
    for number, data in enumerate(damaged):
        (tmp_path / NAME[pack]).write_bytes(data)
        with pytest.raises(PosekitError, match=r"is damaged|cannot be unpacked"):
            unpack(tmp_path / NAME[pack], tmp_path / str(number), progress=False)
        only(tmp_path / str(number))


def test_a_checksum_behind_the_last_file_is_compared(tmp_path):
    raw = bytearray(gzip.compress(gzip.decompress(tar_of(tmp_path / "a.tar.gz", FILES).read_bytes())))
    raw[-8] ^= 1  # the CRC-32 itself
    (tmp_path / "a.tar.gz").write_bytes(raw)
    with pytest.raises(PosekitError, match="CRC check failed"):
        unpack(tmp_path / "a.tar.gz", tmp_path / "out", progress=False)
    only(tmp_path / "out")


def test_a_disk_that_fills_up_leaves_no_half_file_and_the_next_run_goes_on(tmp_path, monkeypatch):
    archive = tar_of(tmp_path / "a.tar.gz", FILES)
    copy = shutil.copyfileobj

    def full(stream, out, length) -> None:
        if "c.bin" in out.name:
            out.write(stream.read(1000))
            raise OSError(errno.ENOSPC, "No space left on device")
        copy(stream, out, length)

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfileobj", full)
        with pytest.raises(PosekitError, match=r"No space left on device.*make room"):
            unpack(archive, tmp_path / "out", progress=False)
    only(tmp_path / "out" / "deep", "b.txt")
    (tmp_path / "out" / "deep" / "c.bin.unfinished").write_bytes(b"of a killed run")
    disk_of(monkeypatch, 299_999)
    with pytest.raises(PosekitError, match="needs 300000 bytes of free disk"):
        unpack(archive, tmp_path / "out", progress=False)
    disk_of(monkeypatch, 300_000)  # what is there already needs none
    unpack(archive, tmp_path / "out", progress=False)
    only(tmp_path / "out" / "deep", "b.txt", "c.bin")
    assert (tmp_path / "out" / "deep" / "c.bin").read_bytes() == DATA

"""Small archives, and what tests ask about folders and disks."""

import io
import shutil
import tarfile
import zipfile
from collections import namedtuple


def only(path, *names):
    assert sorted(entry.name for entry in path.iterdir()) == sorted(names)


def disk_of(monkeypatch, free: int) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 10**12 - free, free))


def tar_of(path, files: dict[str, bytes], change=None):
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            if change:
                change(info)
            archive.addfile(info, io.BytesIO(data) if info.isfile() else None)
    return path


def zip_of(path, files: dict[str, bytes]):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path

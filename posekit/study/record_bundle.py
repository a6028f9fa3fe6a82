"""The records of many runs as one file, to be carried from one machine to another, and back into folders."""

import re
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from posekit.datasets.unpack import unpack
from posekit.errors import PosekitError
from posekit.files import whole_file
from posekit.study.runs import is_record, read_run
from posekit.training.checkpoint import differences


def write_bundle(records: Path, path: Path) -> None:
    """All records below a folder as one .zip. Raises `PosekitError` if it cannot be written."""
    try:
        with whole_file(path) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as opened:
            for file in sorted(records.rglob("*.*")):
                if is_record(file):
                    opened.write(file, file.relative_to(records).as_posix())
    except OSError as error:
        raise PosekitError(f"{path} cannot be written ({error.strerror})") from error


@contextmanager
def unpacked(bundle: Path) -> Iterator[dict[Path, Path]]:
    """The runs of a bundle: their folders below that of a study, and where they are unpacked for a while."""
    run = re.compile(r"(other-settings/)?[\w-]+-seed-\d+[\w.+-]*")
    if not bundle.is_file():
        raise PosekitError(f"there is no file {bundle}; name the records.zip of a run of posekit.cli.gpu_study")

    def of_a_run(file: str) -> bool:
        folder, _, _ = file.rpartition("/")
        return run.fullmatch(folder) is not None and is_record(Path(file))

    with tempfile.TemporaryDirectory() as name:
        unpack(bundle, Path(name), lambda file: file if of_a_run(file) else None, progress=False)
        folders = sorted(path.parent for path in Path(name).rglob("run.json"))
        yield {folder.relative_to(name): folder for folder in folders}


def bring(source: Path, target: Path, force: bool = False) -> str | None:
    """Copies the records of a run, unless what is there must stay: then says why."""
    files, existing = (
        {path.name: path.read_bytes() for path in folder.glob("*.*") if is_record(path)}
        for folder in (source, target)
    )
    if files == existing:
        return None
    if "run.json" in existing and not force:
        old, new = read_run(target), read_run(source)
        if old.finished:
            return "is finished and has other records"
        if old.config != new.config:
            return f"has other settings ({differences(old.config, new.config)})"
        if len(old.history) > len(new.history):
            return "is at a later epoch"
    for name in sorted(existing.keys() | files.keys(), key=lambda name: name == "run.json"):  # run.json last
        if name in files:
            with whole_file(target / name) as stream:
                stream.write(files[name])
        else:
            (target / name).unlink()
    return None

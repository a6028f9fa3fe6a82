"""Where the photographs of a COCO file lie: annotation tools lay them out in different ways."""

import os
from pathlib import Path


def find_images(folder: Path, names: list[str]) -> tuple[Path, dict[str, str]]:
    """The folder that all photographs share, and where each lies below it, by the name that the file gives.

    folder: the one that the COCO file lies in. A name is a path relative to that folder, to images/ in it, or to
    one of the folders in images/. If the file lies in a folder called annotations, as in COCO itself and in what
    CVAT exports, the name may also be relative to the folder above or to one of its folders. The first one that
    exists counts. If there is no such photograph, its name is taken to be relative to `folder`.
    """
    folder = folder.resolve()
    folders = _folders(folder) + (_folders(folder.parent, anywhere=True) if folder.name == "annotations" else [])
    paths = {}
    for name in names:
        existing = (path / name for path in folders if (path / name).is_file())
        paths[name] = Path(os.path.normpath(next(existing, folder / name)))
    root = Path(os.path.commonpath([path.parent for path in paths.values()]))
    return root, {name: path.relative_to(root).as_posix() for name, path in paths.items()}


def _folders(folder: Path, anywhere: bool = False) -> list[Path]:
    images = folder / "images"
    inside = [path for path in (images, *([folder] if anywhere else [])) if path.is_dir()]
    return [folder, images, *(path for parent in inside for path in sorted(parent.iterdir()) if path.is_dir())]

"""Writes the drawn sample as a folder of images with annotations in MPII's form, whole or not at all."""

import json
import shutil
import tempfile
from contextlib import closing
from pathlib import Path

from tqdm.auto import tqdm

from posekit.datasets.drawn.worker import draw_all
from posekit.errors import PosekitError

#: Goes up whenever the same seed gives other pictures than before.
VERSION = 1
MARK = "sample.json"


def make_sample(
    folder: Path, train: int = 1250, validation: int = 250, seed: int = 0, progress: bool = True
) -> None:
    """Draws `train` + `validation` annotated people into `folder`.

    images/000001.jpg ..., annotations/train.json and valid.json (lists of what `draw_person` gives, with
    the file's name as "image") and last sample.json, the mark of a complete sample. The same seed gives
    the same pictures. Everything is made in a temporary sibling folder that takes its name at the end. A
    folder that holds this very sample is left as it is; any other existing folder is refused.
    """
    folder = Path(folder)
    if min(seed, train, validation) < 0 or train + validation == 0:
        raise PosekitError(
            f"{train} + {validation} people from seed {seed} cannot be drawn; give numbers that are not negative"
        )
    mark = {"seed": seed, "train": train, "validation": validation, "version": VERSION}
    if folder.exists():
        if _read_mark(folder) == mark:
            return
        raise PosekitError(
            f"{folder} exists and is not the complete sample asked for; name another folder or remove this one"
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise PosekitError(
            f"{folder} cannot be made ({error.strerror}); name a folder that can be written"
        ) from error
    try:
        _fill(unfinished, train, validation, seed, progress)
        _write_json(unfinished / MARK, mark)
        unfinished.chmod(0o755)  # mkdtemp's folders are private
        unfinished.rename(folder)
    except OSError as error:
        reason = error.strerror or "an image could not be written"
        raise PosekitError(
            f"{folder} could not be written ({reason}); free some space or name another folder, then run again"
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _read_mark(folder: Path) -> dict | None:
    try:
        return json.loads((folder / MARK).read_text())
    except (OSError, ValueError):
        return None


def _fill(folder: Path, train: int, validation: int, seed: int, progress: bool) -> None:
    (folder / "images").mkdir()
    (folder / "annotations").mkdir()
    total = train + validation
    people: list[dict] = [{}] * total
    with closing(draw_all(folder / "images", seed, total)) as drawn:  # closing ends the drawing processes
        for person in tqdm(drawn, total=total, desc="drawing people", disable=not progress):
            people[person.pop("index")] = person
    _write_json(folder / "annotations" / "train.json", people[:train])
    _write_json(folder / "annotations" / "valid.json", people[train:])


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content))

"""Opens every photograph of a table and says which are missing or damaged, and which people are lost with them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from tqdm.auto import tqdm

from posekit.datasets.images import is_cut_off, read_image
from posekit.datasets.people import People
from posekit.errors import PosekitError
from posekit.machine import cpu_cores

#: What can be wrong with a file, and how the report calls it.
REASONS = {
    "missing": "missing",
    "unreadable": "damaged or not an image",
    "cut_off": "cut off: the end is missing",
    "wrong_size": "not of the annotation's size",
}


@dataclass(frozen=True)
class ImageReport:
    """The photographs of a table: file names by reason, in alphabetical order, and the people lost with them.

    lost: for "train" and "validation", the number of people by reason, all of these as "total", and all annotated
    people as "people".
    A JPEG whose pixels were changed but whose structure is intact decodes, and passes as a good one.
    """

    name: str
    images: int
    missing: tuple[str, ...]
    unreadable: tuple[str, ...]
    cut_off: tuple[str, ...]
    wrong_size: tuple[str, ...]
    lost: dict[str, dict[str, int]]

    @property
    def damaged(self) -> tuple[str, ...]:
        """The files that are there and cannot be used."""
        return tuple(sorted(self.unreadable + self.cut_off + self.wrong_size))

    def as_dict(self) -> dict:
        """The report for JSON."""
        names = {reason: list(getattr(self, reason)) for reason in REASONS}
        return {"name": self.name, "images": self.images, **names, "lost": self.lost}

    def __str__(self) -> str:
        good = self.images - len(self.missing) - len(self.damaged)
        lines = [f"{self.name}: {good} of {self.images} photographs are there and whole"]
        for reason, words in REASONS.items():
            names = getattr(self, reason)
            lines.append(f"  {len(names):6d}  {words}")
            # Of a part of the images most are missing: the number says enough, --json has the names.
            lines += [f"          {name}" for name in names] if reason != "missing" else []
        lines.append(f"people lost  {'train':>10} {'validation':>12}")
        for reason in [*REASONS, "total", "people"]:
            counts = [side[reason] for side in self.lost.values()]
            words = {"people": "of"}.get(reason, reason.replace("_", " "))
            lines.append(f"  {words:10s} {counts[0]:10d} {counts[1]:12d}")
        return "\n".join(lines)


def check_images(people: People, progress: bool = True) -> ImageReport:
    """Opens each image of the table once, several at a time, and reports; no image makes it fail."""
    sizes = dict(zip(map(str, people.image), map(tuple, people.image_size.tolist()), strict=True))
    names = sorted(sizes)

    def reason_of(name: str) -> str | None:
        return _reason(people, name, sizes[name])

    bar = tqdm(total=len(names), desc=f"checking {people.name}", unit=" images", disable=not progress)
    found: dict[str, str] = {}
    with bar:
        for name, reason in zip(names, _in_parallel(reason_of, names), strict=True):
            bar.update()
            if reason:
                found[name] = reason
    return ImageReport(
        name=people.name,
        images=len(names),
        lost=_lost(people, found),
        **{reason: tuple(name for name in names if found.get(name) == reason) for reason in REASONS},
    )


def _in_parallel(function: Callable[[str], str | None], names: list[str]) -> Iterator[str | None]:
    with ThreadPoolExecutor(cpu_cores()) as pool:
        try:
            yield from pool.map(function, names)
        except BaseException:  # Ctrl-C must not wait for thousands of photographs
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _reason(people: People, name: str, declared: tuple[int, int]) -> str | None:
    path = people.images_folder / name
    try:
        if not path.exists():
            return "missing"
        try:
            upright = bool(people.upright[people.image == name].any())
            height, width = read_image(path, upright).shape[:2]
        except PosekitError:
            return "cut_off" if is_cut_off(path.read_bytes()) else "unreadable"
    except OSError:  # no permission, a folder of that name
        return "unreadable"
    return "wrong_size" if min(declared) > 0 and declared != (width, height) else None


def _lost(people: People, found: dict[str, str]) -> dict[str, dict[str, int]]:
    reasons = np.array([found.get(str(name), "") for name in people.image])
    lost = {}
    for side, on_side in (("train", ~people.validation), ("validation", people.validation)):
        counts = {reason: int((reasons[on_side] == reason).sum()) for reason in REASONS}
        lost[side] = counts | {"total": sum(counts.values()), "people": int(on_side.sum())}
    return lost

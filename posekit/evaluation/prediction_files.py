"""Files of predicted joints: those of other programs are read and checked, posekit's are written for them.

One file holds the joints of MPII's validation people, in the order of the annotations, or only of those among them
whose photographs are there, as a study on a part of MPII has them:

.mat  `preds`, N x 16 x 2, as MPII's evaluation in MATLAB and its Python descendants read and write it
.npz  `preds`, the same
.h5   `preds`, the same, as the Torch implementations write it, or 2 x 16 x N: MATLAB stores arrays by columns,
      so its HDF5 files (and .mat files of version 7.3, which are HDF5) hold them with axes reversed
.csv  a row per person and joint, in any order: person (0 to N - 1), image, joint (name), x, y and perhaps more,
      such as confidence; a run's own predictions.csv is one. Commas, semicolons or tabs separate the columns.

Coordinates are (x, y) in pixels of the image, in the frame of MPII's annotation, which is taken as it stands
everywhere in this project: nothing is added or subtracted, neither on reading nor on writing. MPII's evaluation is
MATLAB's, whose first pixel is 1. So a tool that takes 1 off the annotation on reading must add it again before it
writes. A shift of one pixel was 0.2 points of PCKh@0.5 for a two-stack network, but 4 points at 0.1.
"""

import io
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import scipy.io

from posekit.datasets.people import People, with_images
from posekit.errors import PosekitError
from posekit.files import check_file, load_mat, whole_file
from posekit.skeleton import INDEX, JOINTS


def read_predictions(path: Path, people: People) -> tuple[np.ndarray, People]:
    """Predicted joints (N, 16, 2) float64 image px, and the N people they belong to.

    people are the validation people; the file may be about all, or only about those with a photograph. A joint
    that is NaN, or empty in a .csv, stays NaN: `head_distances` counts it as a miss. Raises `PosekitError` naming
    the file if it cannot be read, is of another shape or number of people, or a .csv leaves out, repeats or
    misnames anything.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in _READERS:
        raise PosekitError(
            f"{path}: predictions are read from {', '.join(_READERS)} files, not {suffix or 'this'}"
        )
    check_file(path, "it should hold predictions")
    joints, images = _READERS[suffix](path)
    if joints.dtype.kind not in "fiu" or joints.ndim != 3 or joints.shape[1:] != (len(JOINTS), 2):
        raise PosekitError(
            f"'preds' of {path} is {joints.dtype} {joints.shape}, not numbers of shape "
            f"(people, {len(JOINTS)}, 2): people, joints, x and y; in HDF5 files also (2, {len(JOINTS)}, people), "
            "as MATLAB stores it"
        )
    about = _people_of(path, len(joints), people)
    if images is not None:
        wrong = np.flatnonzero(_names(images) != _names(about.image))
        if len(wrong):
            raise PosekitError(
                f"{path}: person {wrong[0]} is in image {images[wrong[0]]}, but that of the annotations "
                f"in {about.image[wrong[0]]}; number the people in the order of the annotations"
            )
    return joints.astype(float), about


def check_destination(path: Path, overwrite: bool) -> None:
    """Raises `PosekitError` if predictions cannot be written there: for an ending that is neither .mat nor .csv,
    or if the file exists without `overwrite`."""
    if path.suffix.lower() not in (".mat", ".csv"):
        raise PosekitError(f"{path}: predictions are written as .mat or .csv files, not {path.suffix or 'this'}")
    if path.exists() and not overwrite:
        raise PosekitError(f"{path} exists already; choose another name or say --overwrite")


def write_predictions(
    path: Path, joints: np.ndarray, images: Sequence[str], confidence: np.ndarray, overwrite: bool = False
) -> None:
    """Writes a .mat (`preds`, `confidence`, `images`) or a .csv file, whichever the name says.

    joints (N, 16, 2) float64 image px, images: N file names, confidence (N, 16). Missing folders are made.
    Raises `PosekitError` as `check_destination` does, or if the file cannot be written.
    """
    path = Path(path)
    check_destination(path, overwrite)
    try:
        with whole_file(path) as stream:
            if path.suffix.lower() == ".mat":
                content = {"preds": joints, "confidence": confidence, "images": np.array(images, object)[:, None]}
                scipy.io.savemat(stream, content, do_compression=True)
            else:
                _table(joints, images, confidence).to_csv(stream, index=False, lineterminator="\n")
    except OSError as error:
        raise PosekitError(f"{path} cannot be written ({error.strerror}); check folder and free space") from error


def missing_joints(joints: np.ndarray, people: People) -> str:
    """A sentence about annotated joints without a prediction, which count as misses; "" if there are none."""
    missing = people.labeled & ~np.isfinite(joints).all(axis=2)
    if not missing.any():
        return ""
    return (
        f"{missing.sum()} of {people.labeled.sum()} annotated joints have no prediction and count as misses "
        f"({missing.any(axis=1).sum()} of {len(people)} people)"
    )


def _people_of(path: Path, count: int, people: People) -> People:
    if count == len(people):
        return people
    photographed = with_images(people)[0] if people.images_folder.is_dir() else people
    if count == len(photographed):
        return photographed
    only = f" or the {len(photographed)} of them with photographs" if len(photographed) < len(people) else ""
    raise PosekitError(
        f"{path} is about {count} people, not the {len(people)} validation people of the annotations{only}; "
        "predict all of them, in their order"
    )


def _names(images: Sequence[str]) -> np.ndarray:
    """Files without their folders: data sets that are trained on together have longer names."""
    return np.array([Path(image).name for image in images])


def _read_mat(path: Path) -> tuple[np.ndarray, None]:
    return _read_hdf5(path) if h5py.is_hdf5(path) else (_preds(path, load_mat(path)), None)


def _read_npz(path: Path) -> tuple[np.ndarray, None]:
    try:
        with np.load(path) as content:
            return _preds(path, content), None
    except PosekitError:
        raise
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise PosekitError(f"{path} cannot be read as an .npz file ({error}); write it again") from error


def _read_hdf5(path: Path) -> tuple[np.ndarray, None]:
    try:
        with h5py.File(path, "r") as content:
            preds = _preds(path, content)
            joints = preds[()] if isinstance(preds, h5py.Dataset) else np.array(None)
    except PosekitError:
        raise
    except Exception as error:  # h5py meets a damaged file with almost any exception
        raise PosekitError(f"{path} cannot be read as an HDF5 file ({error}); write it again") from error
    reversed_axes = np.ndim(joints) == 3 and joints.shape[:2] == (2, len(JOINTS))
    if reversed_axes and joints.shape[2] == 2:
        raise PosekitError(
            f"'preds' of {path} has the shape {joints.shape}: two people, joints, x and y, or in MATLAB's order "
            "x and y, joints, two people. Save it as .npz (people, joints, x and y) or as .csv"
        )
    return (joints.transpose() if reversed_axes else joints), None


def _preds(path: Path, content: dict[str, np.ndarray] | np.lib.npyio.NpzFile | h5py.File) -> np.ndarray:
    if "preds" not in content:
        names = ", ".join(name for name in content if not name.startswith("__")) or "nothing"
        raise PosekitError(f"{path} has no variable 'preds', only {names}; name the joints so")
    return content["preds"]


def _read_csv(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Joints (N, 16, 2) and the name of each person's image (N,)."""
    table = _table_of(path)
    absent = [column for column in ("person", "image", "joint", "x", "y") if column not in table]
    if absent:
        raise PosekitError(
            f"{path} has no column {absent[0]!r}, only {', '.join(map(str, table.columns[:8]))}; it needs person, "
            "image, joint, x and y, separated by commas"
        )
    for column in ("person", "x", "y"):
        if table[column].dtype.kind not in "iuf":
            raise PosekitError(f"{path}: column {column!r} is not all numbers; correct it")
    unknown = table.loc[~table["joint"].isin(JOINTS), "joint"]
    if len(unknown):
        raise PosekitError(f"{path}: {unknown.iloc[0]!r} is no joint; the names are {', '.join(JOINTS)}")
    if not len(table):
        raise PosekitError(f"{path} has no rows; it needs one per person and joint")
    people = int(table["person"].nunique())
    if set(table["person"]) != set(range(people)):
        raise PosekitError(f"{path}: the {people} people are not numbered 0 to {people - 1}; rows are missing")
    cell = table["person"].to_numpy(int) * len(JOINTS) + table["joint"].map(INDEX).to_numpy(int)
    times = np.bincount(cell, minlength=people * len(JOINTS))
    for wrong, what in ((times > 1, "more than one row"), (times == 0, "no row")):
        if wrong.any():
            person, joint = divmod(int(np.flatnonzero(wrong)[0]), len(JOINTS))
            raise PosekitError(f"{path}: person {person} has {what} for {JOINTS[joint]!r}; each joint needs one")
    table = table.iloc[np.argsort(cell)]
    images = table["image"].fillna("").to_numpy(str).reshape(people, len(JOINTS))
    mixed = np.flatnonzero((images != images[:, :1]).any(axis=1))
    if len(mixed):
        raise PosekitError(f"{path}: person {mixed[0]} is in several images; each person is in one")
    return table[["x", "y"]].to_numpy(float).reshape(people, len(JOINTS), 2), images[:, 0]


def _table_of(path: Path) -> pd.DataFrame:
    """What a .csv file holds: separated by commas, or by semicolons or tabs, then perhaps with decimal commas;
    UTF-8, or UTF-16 as spreadsheets save "Unicode text"."""
    try:
        content = path.read_bytes()
        encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
        text = content.decode(encoding)
        head = text[: text.find("\n") + 1]
        separator = max(",;\t", key=head.count)
        options = {"sep": separator, "dtype": {"image": str, "joint": str}}
        table = pd.read_csv(io.StringIO(text), **options)
        if separator != "," and table.get("x", pd.Series()).dtype.kind not in "iuf":
            table = pd.read_csv(io.StringIO(text), decimal=",", **options)
        return table
    except (ValueError, OSError) as error:  # pandas' own errors and those of decoding are ValueErrors
        raise PosekitError(f"{path} cannot be read as a .csv file ({error}); write it again") from error


def _table(joints: np.ndarray, images: Sequence[str], confidence: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "person": np.repeat(np.arange(len(joints)), len(JOINTS)),
            "image": np.repeat(np.asarray(images), len(JOINTS)),
            "joint": np.tile(JOINTS, len(joints)),
            "x": joints[..., 0].ravel(),
            "y": joints[..., 1].ravel(),
            "confidence": confidence.ravel(),
        }
    )


_READERS = {".mat": _read_mat, ".npz": _read_npz, ".h5": _read_hdf5, ".csv": _read_csv}

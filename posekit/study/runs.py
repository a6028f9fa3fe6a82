"""The records of a run: one folder of small text files that figures and tables are made from.

run.json        what was asked (the configuration), floors, versions, device, time; `finished` is set at the end
history.csv     a row per epoch
predictions.csv a row per validation person and joint, after the last epoch
distances-lsp.csv   a row per validation person of another data set, here LSP: distances of the joints in its unit
"""

import json
import platform
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np
import pandas as pd
import torch

import posekit
from posekit.datasets.people import People
from posekit.device import Precision
from posekit.errors import PosekitError
from posekit.evaluation.evaluate import Evaluation
from posekit.files import write_whole
from posekit.paths import PACKAGE, run_folder_name
from posekit.skeleton import JOINTS
from posekit.study.checked_records import check_content, check_history, check_predictions
from posekit.study.configurations import MODELS, label_of
from posekit.training.checkpoint import differences, load_checkpoint, snapshot_path
from posekit.training.distributed import process
from posekit.training.loop import EpochRecord
from posekit.training.run_config import RunConfig

_RECORD_FILE = re.compile(r"run\.json|history\.csv|predictions\.csv|distances-[\w-]+\.csv")

#: Folder, beside the runs of a study, of those with another learning rate or batch size than the size's.
OTHER_SETTINGS = "other-settings"


def is_record(path: Path) -> bool:
    """Whether a file is one of the records of a run, by its name."""
    return _RECORD_FILE.fullmatch(path.name) is not None


@dataclass(frozen=True)
class Run:
    """A run as it is in its records.

    history: the columns of `EpochRecord`. predictions: person, image, joint, x, y (image px), confidence and
    distance (head sizes; NaN where the joint does not count); empty until the run is finished.
    further: distances of the validation people of further data sets, by the name of the set, each (N, 16)
    float64 in the unit of that set (`posekit.evaluation.evaluate.unit_of_distance`), NaN where a joint does not
    count. floors: zero_heatmap_train and zero_heatmap_validation (loss); mean_pose_weighted14, center_weighted14
    and, no floor but a ceiling, codec_ceiling_weighted14 (PCKh@0.5, percent): see `posekit.evaluation.floors`.
    """

    config: RunConfig
    floors: dict[str, float]
    environment: dict[str, str]
    finished: bool
    history: pd.DataFrame
    predictions: pd.DataFrame
    further: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def label(self) -> str:
        label = label_of(self.config)
        if self.config.seed:
            label += f", seed {self.config.seed}"
        return label if self.finished else f"{label} (epoch {len(self.history)} of {self.config.epochs})"

    def distances(self, data_set: str | None = None) -> np.ndarray:
        """(N, 16) float64, NaN where a joint does not count; people as in the records.

        In head sizes, those of the first data set; or in its own unit, those of a further one.
        """
        return self._column("distance") if data_set is None else self.further[data_set]

    def joints(self) -> np.ndarray:
        """(N, 16, 2) float64 image px: the predicted joints."""
        return np.stack([self._column("x"), self._column("y")], axis=-1)

    def images(self) -> np.ndarray:
        """(N,) names of the image files."""
        return self.predictions["image"].to_numpy()[:: len(JOINTS)]

    def _column(self, name: str) -> np.ndarray:
        return self.predictions[name].to_numpy(float).reshape(-1, len(JOINTS))


def environment(device: torch.device, precision: Precision, reason: str = "") -> dict[str, str]:
    """The versions, the kind of device and the precision that a run's numbers depend on; reason: of the precision
    (see `posekit.device.choose_precision`)."""
    return {
        "posekit": posekit.__version__,
        "revision": _revision(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "precision": precision,
        "precision_reason": reason,
        "threads": str(torch.get_num_threads()),
        "processes": str(process()[1]),
    }


def continued(folder: Path, now: dict[str, str]) -> dict[str, str]:
    """The environment `now` of a run that goes on, and what was otherwise before, by the records in `folder`."""
    try:
        content = json.loads((folder / "run.json").read_text(encoding="utf-8-sig"))
        epochs = len(read_history(folder)[1])
    except (OSError, ValueError):  # nothing is recorded yet
        return now
    before = content.get("environment", {})
    changes = [f"{key} {before[key]}" for key in now if key in before and before[key] != now[key]]
    notes = filter(
        None, [before.get("earlier"), f"up to epoch {epochs}: {', '.join(changes)}" if changes else None]
    )
    earlier = "; ".join(notes)
    return now | ({"earlier": earlier} if earlier else {})


def _revision() -> str:
    """The commit of the checkout that runs, "-dirty" if files of it were changed; "unknown" outside of git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        answer = subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return answer.stdout.strip()


def write_progress(
    folder: Path,
    config: RunConfig,
    floors: dict[str, float],
    environment: dict[str, str],
    history: list[EpochRecord],
) -> None:
    """The records of a run that is still going."""
    write_whole(
        folder / "history.csv",
        pd.DataFrame([vars(row) for row in history]).to_csv(index=False, lineterminator="\n"),
    )
    _write_run(folder, config, floors, environment, history, finished=False)


def write_finished(
    folder: Path,
    config: RunConfig,
    floors: dict[str, float],
    environment: dict[str, str],
    history: list[EpochRecord],
    people: People,
    evaluation: Evaluation,
    further: Mapping[str, tuple[People, Evaluation]] = MappingProxyType({}),
) -> None:
    """The records of a run that is done; `finished` is written last.

    further: of other data sets by name, the validation people and what the network answered for them.
    """
    write_progress(folder, config, floors, environment, history)
    count = len(people)
    table = pd.DataFrame(
        {
            "person": np.repeat(np.arange(count), len(JOINTS)),
            "image": np.repeat(people.image, len(JOINTS)),
            "joint": np.tile(JOINTS, count),
            "x": evaluation.joints[..., 0].ravel().round(2),
            "y": evaluation.joints[..., 1].ravel().round(2),
            "confidence": evaluation.confidence.ravel().round(4),
            # Not rounded to fewer digits: PCKh from the records must be PCKh as it was measured.
            "distance": evaluation.distances.ravel().round(6),
        }
    )
    write_whole(folder / "predictions.csv", table.to_csv(index=False, lineterminator="\n"))
    for name, (others, answers) in further.items():
        distances = pd.DataFrame(answers.distances.round(6), columns=list(JOINTS))
        distances.insert(0, "image", others.image)
        distances = distances.dropna(axis="columns", how="all")  # joints that this data set does not have
        write_whole(folder / f"distances-{name}.csv", distances.to_csv(index=False, lineterminator="\n"))
    _write_run(folder, config, floors, environment, history, finished=True)


def _write_run(
    folder: Path,
    config: RunConfig,
    floors: dict[str, float],
    environment: dict[str, str],
    history: list[EpochRecord],
    finished: bool,
) -> None:
    content = {
        "config": config.to_dict(),
        "fingerprint": config.fingerprint(),
        "floors": floors,
        "environment": environment,
        "seconds": round(sum(row.seconds for row in history), 1),
        "finished": finished,
    }
    write_whole(folder / "run.json", json.dumps(content, indent=2) + "\n")


def read_run(folder: Path) -> Run:
    """The records in a folder. Raises `PosekitError` naming the file that is missing or broken."""
    path = folder / "run.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        config = RunConfig.from_dict(content["config"])
        check_content(content)
        history = pd.read_csv(path := folder / "history.csv")
        epochs = len(history)
        if history["epoch"].tolist() != list(range(1, epochs + 1)) or (
            content["finished"] and epochs != config.epochs
        ):
            raise ValueError(f"rows for epochs 1 to {config.epochs} should be there, not {epochs} rows")
        check_history(history)
        predictions = pd.read_csv(path := folder / "predictions.csv") if content["finished"] else pd.DataFrame()
        if content["finished"]:
            check_predictions(predictions)
        further = {}
        for path in sorted(folder.glob("distances-*.csv")) if content["finished"] else ():
            further[path.stem.removeprefix("distances-")] = _read_distances(path)
        return Run(
            config,
            content["floors"],
            content["environment"],
            content["finished"],
            history,
            predictions,
            further,
        )
    except FileNotFoundError as error:
        raise PosekitError(f"there is no record {path}; train the model first") from error
    except (ValueError, KeyError, TypeError) as error:
        raise PosekitError(f"record {path} cannot be read ({error}); delete {folder} to train again") from error


def _read_distances(path: Path) -> np.ndarray:
    """(N, 16) float64 out of a table of distances. Raises `ValueError` unless all of its columns are joints."""
    table = pd.read_csv(path).drop(columns="image")
    if unknown := sorted(set(table.columns) - set(JOINTS)):
        raise ValueError(f"there is no joint {', '.join(unknown)}")
    distances = table.reindex(columns=list(JOINTS)).to_numpy(float)
    if len(distances) == 0 or (distances < 0).any():
        raise ValueError("distances are not numbers from zero up")
    return distances


def is_recorded(folder: Path, config: RunConfig, otherwise: str) -> bool:
    """Whether finished records of this configuration are in a folder.

    Raises `PosekitError` if they are of another one; otherwise: what to do then, for the message.
    """
    if not (folder / "run.json").exists():
        return False
    recorded = read_run(folder)
    if recorded.config != config:
        raise PosekitError(
            f"the records in {folder} were made with other settings ({differences(recorded.config, config)}); "
            f"{otherwise}"
        )
    return recorded.finished


def read_history(folder: Path) -> tuple[float, pd.DataFrame]:
    """When the last epoch was recorded (seconds since 1970), and the columns of `EpochRecord`; else `OSError`."""
    path = folder / "history.csv"
    return path.stat().st_mtime, pd.read_csv(path)


def read_runs(folder: Path, unfinished: bool = False) -> list[Run]:
    """All finished runs below a folder, by model and seed; `unfinished`: those that are still going as well."""
    runs = [read_run(path.parent) for path in Path(folder).glob("*/run.json")]
    numbers = {name: number for number, name in enumerate(MODELS)}

    def order(run: Run) -> tuple:
        config = run.config
        known = numbers.get(config.model, len(numbers))
        return known, config.model, config.seed, config.learning_rate, config.batch_size

    return sorted((run for run in runs if run.finished or unfinished), key=order)


@dataclass(frozen=True)
class RunStore:
    """Where the runs of a study lie, and what is there of them. A run's subfolder is below `records`."""

    records: Path
    networks: Path

    def subfolder(self, config: RunConfig, usual: RunConfig) -> Path:
        """Of a run. usual: what the same model and seed are asked at the study's size."""
        name = run_folder_name(config.model, config.seed)
        if config.learning_rate != usual.learning_rate:
            name += f"-rate-{config.learning_rate:g}"
        if config.batch_size != usual.batch_size:
            name += f"-batch-{config.batch_size}"
        return Path(name) if config == usual else Path(OTHER_SETTINGS, name)

    def folder(self, subfolder: Path) -> Path:
        return self.records / subfolder

    def checkpoint(self, subfolder: Path) -> Path:
        return self.networks / subfolder / "last.pt"

    def is_recorded(self, subfolder: Path, config: RunConfig) -> bool:
        """Whether finished records of this configuration exist; `PosekitError` if they are of another one."""
        return is_recorded(self.folder(subfolder), config, "use --force to train again, which replaces them")

    def is_trained(self, subfolder: Path, config: RunConfig) -> bool:
        """Whether the checkpoint is of the last epoch."""
        path = self.checkpoint(subfolder)
        return path.exists() and len(load_checkpoint(path, config)["history"]) == config.epochs

    def forget(self, subfolder: Path, config: RunConfig) -> None:
        """Lets a run start anew."""
        for epoch in range(1, config.epochs + 1):
            snapshot_path(self.checkpoint(subfolder), epoch).unlink(missing_ok=True)
        for path in (self.checkpoint(subfolder), *filter(is_record, self.folder(subfolder).glob("*"))):
            path.unlink(missing_ok=True)

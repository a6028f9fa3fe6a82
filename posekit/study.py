"""One study: a profile on a data set, and the one place that knows where its files are.

    data/sample/                         the drawn people
    data/cache/                          crops
    data/runs/<study>/model-5-seed-0/    records (small text)
    data/checkpoints/<study>/...         networks
    data/notebooks/<study>/              executed notebooks
    figures/<study>/                     figures and tables

<study> is data set and profile, such as sample-quick or mpii-full; a part of MPII carries the number of people
in its name (mpii-1992-quick), so that no study writes over another one's results.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock

from posekit import sample
from posekit.annotations import combine
from posekit.checkpoint import differences, load_checkpoint
from posekit.configurations import MODELS, RunConfig, get_model, get_profile, run_config
from posekit.crop import invert, transform
from posekit.dataset import Crops, make_crops
from posekit.device import choose_device
from posekit.errors import PosekitError
from posekit.hourglass import StackedHourglass
from posekit.lsp import read_lsp
from posekit.machine import cpu_cores
from posekit.metrics import head_distances, mean_pose, pckh, zero_heatmap_loss
from posekit.mpii import ALL_PEOPLE, read_mpii, with_images
from posekit.parallel import run_together
from posekit.predictor import Predictor
from posekit.records import RECORD_FILES, Run, read_run, read_runs, run_folder_name, write_finished, write_progress
from posekit.training import EpochRecord, train


def home() -> Path:
    """The folder of data/ and figures/: POSEKIT_HOME, else the checkout, else the current folder."""
    if os.environ.get("POSEKIT_HOME"):
        return Path(os.environ["POSEKIT_HOME"]).resolve()
    checkout = Path(__file__).resolve().parent.parent
    return checkout if (checkout / "pyproject.toml").exists() else Path.cwd()


@contextmanager
def _cpu_threads(threads: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def checkpoint_path(study: str, model: int, seed: int) -> Path:
    """Where the network of a run is kept."""
    return home() / "data" / "checkpoints" / study / run_folder_name(model, seed) / "last.pt"


class Study:
    """A profile on a data set: prepares the data, trains what is missing, and answers from records.

    profile is a name out of `PROFILES`; mpii is the folder with MPII's annotations/ and images/, or None for the
    drawn people; lspet is a folder of Leeds Sports Pose (Extended), whose people are trained on in addition.
    Raises `PosekitError` for an unknown profile or a folder that cannot be read.
    """

    def __init__(
        self,
        profile: str = "quick",
        mpii: Path | None = None,
        progress: bool = True,
        lspet: Path | None = None,
    ) -> None:
        self.profile = get_profile(profile)
        self.mpii, self.lspet = mpii, lspet
        self.progress = progress
        if mpii is None:
            folder = home() / "data" / "sample"
            folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(folder.with_name(".sample-lock")):  # two commands at once draw once
                sample.make_sample(folder, progress=progress)
            self.people, self.left_out = read_mpii(folder, name="sample"), ""
        else:
            people, self.left_out = with_images(read_mpii(mpii))
            complete = len(people) > 0.99 * ALL_PEOPLE
            self.people = people if complete else replace(people, name=f"mpii-{len(people)}")
        if lspet is not None:
            more, left_out = with_images(read_lsp(lspet))
            self.people = combine([self.people, more], name=f"{self.people.name}-lspet-{len(more)}")
            self.left_out = "\n".join(filter(None, [self.left_out, left_out]))
        self.name = f"{self.people.name}-{self.profile.name}"

    @classmethod
    def from_environment(cls) -> "Study":
        """The study that POSEKIT_PROFILE, POSEKIT_MPII and POSEKIT_LSPET name; unset: quick on drawn people."""
        mpii, lspet = os.environ.get("POSEKIT_MPII"), os.environ.get("POSEKIT_LSPET")
        return cls(
            os.environ.get("POSEKIT_PROFILE", "quick"),
            Path(mpii) if mpii else None,
            lspet=Path(lspet) if lspet else None,
        )

    @property
    def environment(self) -> dict[str, str]:
        """What makes another process's `from_environment` this very study."""
        return {
            "POSEKIT_HOME": str(home()),
            "POSEKIT_PROFILE": self.profile.name,
            "POSEKIT_MPII": str(self.mpii.resolve()) if self.mpii else "",
            "POSEKIT_LSPET": str(self.lspet.resolve()) if self.lspet else "",
        }

    @property
    def records(self) -> Path:
        return home() / "data" / "runs" / self.name

    @property
    def figures(self) -> Path:
        return home() / "figures" / self.name

    @property
    def executed_notebooks(self) -> Path:
        return home() / "data" / "notebooks" / self.name

    @cached_property
    def crops(self) -> tuple[Crops, Crops]:
        """(train, validation) at the profile's size, made on first use."""
        cache = home() / "data" / "cache"
        train_people, validation_people = self.people.split()
        return (
            make_crops(train_people, self.profile.crop, cache, self.progress),
            make_crops(validation_people, self.profile.crop, cache, self.progress),
        )

    @cached_property
    def floors(self) -> dict[str, float]:
        """What is reached without looking at the image: see `posekit.records.Run.floors`."""
        train_crops, validation_crops = self.crops
        size, codec, stacks = self.profile.crop.size, self.profile.codec, self.profile.stacks
        everywhere = np.repeat(mean_pose(train_crops.joints, train_crops.present)[None], len(validation_crops), 0)
        people = validation_crops.people
        distances = head_distances(
            transform(invert(validation_crops.matrices), everywhere), people.joints, people.head_size
        )
        return {
            "zero_heatmap_train": zero_heatmap_loss(train_crops.joints, train_crops.present, size, codec, stacks),
            "zero_heatmap_validation": zero_heatmap_loss(
                validation_crops.joints, validation_crops.present, size, codec, stacks
            ),
            "mean_pose_weighted14": pckh(distances).weighted14,
        }

    def config(self, model: int, seed: int = 0) -> RunConfig:
        """What a run of this study is asked to do. Raises `PosekitError` for an unknown model."""
        return run_config(get_model(model), self.profile, seed, self.people.name, self.people.fingerprint())

    def run(self, model: int, seed: int = 0, device: str | None = None, force: bool = False) -> Run:
        """The records of a run; it is trained, or trained to its end, if they are not complete.

        force: train anew even if it is complete, or was made with other settings; that replaces what was there.
        """
        config, where = self.config(model, seed), choose_device(device)
        if force:
            self._forget(config)
        if not self._is_recorded(config):
            self._train(config, where)
        return read_run(self._run_folder(config))

    def predictor(self, model: int, seed: int = 0, device: str | None = None) -> Predictor:
        """The trained network of a run, ready for images; it is trained if its checkpoint is not complete."""
        config, where = self.config(model, seed), choose_device(device)
        if self._is_recorded(config) and self._is_trained(config):
            return Predictor.from_checkpoint(self._checkpoint(config), where)
        return Predictor(self._train(config, where), config.crop, config.codec)

    def run_all(
        self, models: Sequence[int] = tuple(MODELS), device: str | None = None, force: bool = False
    ) -> list[Run]:
        """The records of several models; those that are not complete are trained, on a CPU several at once."""
        configs = [self.config(model) for model in models]
        choose_device(device)  # before anything is forgotten
        if force:
            for config in configs:
                self._forget(config)
        self._train_together([config for config in configs if not self._is_recorded(config)], device)
        return [self.run(model, device=device) for model in models]

    def predictors(self, models: Sequence[int], device: str | None = None) -> dict[str, Predictor]:
        """The trained networks of several models by name; missing ones are trained, on a CPU several at once."""
        configs = [self.config(model) for model in models]
        missing = [c for c in configs if not (self._is_recorded(c) and self._is_trained(c))]
        self._train_together(missing, device)
        return {get_model(model).label: self.predictor(model, device=device) for model in models}

    def _train_together(self, configs: list[RunConfig], device: str | None) -> None:
        """Trains runs at the same time where a CPU gains by it; else leaves them for one after the other."""
        where = choose_device(device)
        threads = self.profile.cpu_threads
        jobs = min(len(configs), cpu_cores() // threads) if threads and where.type == "cpu" else 1
        if jobs < 2:
            return
        _ = self.floors  # makes the crops too: once here instead of at the same time in every process
        run_together(
            [["train", "--model", str(config.model), "--device", "cpu"] for config in configs],
            jobs,
            environment=self.environment,
            epochs_done=lambda: sum(self._epochs_recorded(config) for config in configs),
            epochs=sum(config.epochs for config in configs),
            progress=self.progress,
        )

    def runs(self) -> list[Run]:
        """All finished runs of this study, by model and seed."""
        return read_runs(self.records)

    def _run_folder(self, config: RunConfig) -> Path:
        return self.records / run_folder_name(config.model, config.seed)

    def _checkpoint(self, config: RunConfig) -> Path:
        return checkpoint_path(self.name, config.model, config.seed)

    def _forget(self, config: RunConfig) -> None:
        """Lets a run start anew."""
        for path in (self._checkpoint(config), *(self._run_folder(config) / name for name in RECORD_FILES)):
            path.unlink(missing_ok=True)

    def _epochs_recorded(self, config: RunConfig) -> int:
        try:
            return len((self._run_folder(config) / "history.csv").read_text().splitlines()) - 1
        except OSError:  # not there yet, or being replaced at this moment
            return 0

    def _is_trained(self, config: RunConfig) -> bool:
        """Whether the checkpoint is of the last epoch."""
        path = self._checkpoint(config)
        return path.exists() and len(load_checkpoint(path, config)["history"]) == config.epochs

    def _is_recorded(self, config: RunConfig) -> bool:
        """Whether finished records of this configuration exist; `PosekitError` if they are of another one."""
        folder = self._run_folder(config)
        if not (folder / "run.json").exists():
            return False
        there = read_run(folder)
        if there.config != config:
            raise PosekitError(
                f"the records in {folder} were made with other settings "
                f"({differences(there.config, config)}); use --force to train again, which replaces them"
            )
        return there.finished

    def _train(self, config: RunConfig, device: torch.device) -> StackedHourglass:
        folder = self._run_folder(config)
        # Finished records stay as they are when only the network is missing, as in a fresh checkout.
        recorded = self._is_recorded(config)

        def on_epoch(history: list[EpochRecord]) -> None:
            if not recorded:
                write_progress(folder, config, self.floors, device, history)

        with _cpu_threads(self.profile.cpu_threads):
            network, history, evaluation = train(
                config, *self.crops, self._checkpoint(config), device, self.progress, on_epoch
            )
            if not recorded:
                people = self.crops[1].people
                write_finished(folder, config, self.floors, device, history, people, evaluation)
        return network

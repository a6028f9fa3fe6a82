"""One study: a size on a data set, and the one place that knows where its files are.

    data/sample/                              the drawn people
    data/cache/                               crops
    data/runs/<study>/model-5-seed-0/         records (small text)
    data/runs/<study>/other-settings/...      records of runs with another learning rate or batch size
    data/checkpoints/<study>/...              networks
    data/notebooks/<study>/                   executed notebooks
    figures/<study>/                          figures and tables

<study> is data set and size, such as sample-quick or mpii-full; a part of a data set carries the number of people
in its name (mpii-2203-half), so that no study writes over another one's results.
"""

import os
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

from torch import nn
from tqdm.auto import tqdm

from posekit import paths
from posekit.datasets.people import People
from posekit.datasets.sources import DATA_VARIABLE, SINGLE_VARIABLES, data_from_environment, read_people
from posekit.device import Precision, choose_device, choose_precision, cpu_threads
from posekit.evaluation.evaluate import Evaluation
from posekit.evaluation.floors import floors_and_ceiling
from posekit.machine import cpu_cores
from posekit.preprocessing.batches import Crops, make_crops
from posekit.preprocessing.crop import CropRule
from posekit.study.configurations import REPORT_MODELS, get_model, get_size, label_of, run_config
from posekit.study.models import Model
from posekit.study.parallel import run_together
from posekit.study.recording import Execution, answers_for, train_and_record
from posekit.study.runs import OTHER_SETTINGS, Run, RunStore, read_history, read_run, read_runs
from posekit.training.checkpoint import load_network, owned, snapshot_path, weights_hash
from posekit.training.distributed import from_leader
from posekit.training.estimate import estimate
from posekit.training.memory import keep_freed_memory
from posekit.training.run_config import RunConfig, original_name


class Study:
    """A size on a data set: prepares the data, trains what is missing, and answers from records.

    size is a name out of `SIZES`; data are folders of data sets (see `posekit.datasets.sources`), none for
    the drawn people. start: a checkpoint whose weights every run starts from, instead of the model's own start.
    device (by default a GPU if there is one), precision (see `posekit.device.choose_precision`)
    and compiled say how networks are trained: see `posekit.training.step.Step`. Raises `PosekitError` for an
    unknown size, device or precision, or a folder that cannot be read.
    """

    def __init__(
        self,
        size: str = "quick",
        data: Sequence[Path] = (),
        progress: bool = True,
        device: str | None = None,
        precision: str | None = None,
        compiled: bool = False,
        start: Path | None = None,
    ) -> None:
        self.size = get_size(size)
        self.device = choose_device(device)
        self.precision, self.precision_reason = choose_precision(precision, self.size.precision, self.device)
        self.compiled = compiled
        self.data = tuple(data)
        self.start = start
        self.progress = progress
        self._crops: dict[CropRule, tuple[Crops, Crops]] = {}
        self._floors: dict[tuple, dict[str, float]] = {}
        self.people, self.left_out = read_people(self.data, progress, self.size.repaired)
        self.name = f"{self.people.name}-{self.size.name}"

    @classmethod
    def from_environment(cls) -> "Study":
        """The study that POSEKIT_SIZE and the data variables name; unset: quick on drawn people."""
        return cls(os.environ.get("POSEKIT_SIZE") or "quick", data_from_environment())

    @property
    def environment(self) -> dict[str, str]:
        """What makes another process's `from_environment` this very study."""
        return {
            "POSEKIT_HOME": str(paths.home()),
            "POSEKIT_SIZE": self.size.name,
            DATA_VARIABLE: os.pathsep.join(str(folder.resolve()) for folder in self.data),
        } | dict.fromkeys(SINGLE_VARIABLES, "")

    @property
    def records(self) -> Path:
        return paths.records_folder() / self.name

    @property
    def figures(self) -> Path:
        return paths.figures_folder(self.name)

    @property
    def executed_notebooks(self) -> Path:
        return paths.notebooks_folder(self.name)

    @property
    def train_people(self) -> int:
        """How many people are trained on."""
        return int((~self.people.validation).sum())

    @property
    def crops(self) -> tuple[Crops, Crops]:
        """(train, validation) of the size's own crop, made on first use."""
        return self.crops_of(self.size.crop)

    def crops_of(self, rule: CropRule) -> tuple[Crops, Crops]:
        """(train, validation) of a crop, made on first use."""
        if rule not in self._crops:
            train_people, _ = self.people.split()
            self._crops[rule] = self._make(train_people, rule), self._make(self.validation_people[0], rule)
        return self._crops[rule]

    def further_crops(self, rule: CropRule) -> list[Crops]:
        """The validation people of all data sets but the first, cropped."""
        return [self._make(people, rule) for people in self.validation_people[1:]]

    def _make(self, people: People, rule: CropRule) -> Crops:
        return make_crops(people, rule, progress=self.progress)

    @cached_property
    def validation_people(self) -> list[People]:
        """The validation people of each data set that has some, the first data set's first.

        Training is watched on the first; the others are asked after the last epoch, each by its own metric.
        """
        return self.people.validation_sets()

    @cached_property
    def start_weights(self) -> str:
        """The hash of the weights that every run starts from; "" if each has its model's own start."""
        return weights_hash(self.start) if self.start else ""

    def floors(self, config: RunConfig) -> dict[str, float]:
        """What a run reaches without looking at the image: see `posekit.study.runs.Run.floors`."""
        key = config.crop, config.codec, config.network.stacks
        if key not in self._floors:
            self._floors[key] = floors_and_ceiling(*self.crops_of(config.crop), *key[1:])
        return self._floors[key]

    def config(
        self,
        model: str | int,
        seed: int = 0,
        learning_rate: float | None = None,
        batch_size: int | None = None,
    ) -> RunConfig:
        """What a run of this study is asked to do; model: a name, or one of the report's numbers.

        A teacher's weights belong to it, so a missing teacher is trained. Raises `PosekitError` for an unknown
        model.
        """
        asked = get_model(original_name(str(model)))
        taught_by = weights_hash(self.network(asked.teacher)) if asked.teacher else ""
        return self._config(asked, seed, learning_rate, batch_size, taught_by)

    def _config(
        self, model: Model, seed: int, learning_rate: float | None, batch_size: int | None, taught_by: str
    ) -> RunConfig:
        data = self.people.name, self.people.fingerprint()
        return run_config(model, self.size, seed, *data, learning_rate, batch_size, taught_by, self.start_weights)

    def run(self, model: str | int, seed: int = 0, force: bool = False) -> Run:
        """The records of a run: see `record`."""
        return self.record(self.config(model, seed), force)

    def record(self, config: RunConfig, force: bool = False) -> Run:
        """The records of a run; it is trained, or trained to its end, if they are not complete.

        force: train anew even if it is complete, or was made with other settings; that replaces what was there.
        Raises `PosekitError` if another process is training it.
        """
        if from_leader(lambda: force or not self._is_recorded(config)):
            self._train(config, force)
        return from_leader(lambda: read_run(self._run_folder(config)))

    def run_all(self, models: Sequence[str | int] = tuple(REPORT_MODELS), force: bool = False) -> list[Run]:
        """The records of several models; see `record_all`."""
        return self.record_all([self.config(model) for model in models], force)

    def record_all(self, configs: Sequence[RunConfig], force: bool = False) -> list[Run]:
        """The records of several runs; those that are not complete are trained, on a CPU several at once."""
        if force:
            with ExitStack() as held:  # all of them first: nothing is forgotten if one is being trained
                for config in configs:
                    held.enter_context(owned(self._checkpoint(config)))
                for config in configs:
                    self._forget(config)
        self._train_together([config for config in configs if not self._is_recorded(config)])
        return [self.record(config) for config in configs]

    def network(self, model: str | int, seed: int = 0) -> Path:
        """The trained network of a run, for `Predictor.from_checkpoint`; it is trained if it is not complete."""
        config = self.config(model, seed)
        self.ensure_network(config)
        return self._checkpoint(config)

    def ensure_network(self, config: RunConfig) -> None:
        """Trains a run if its records or its checkpoint are not complete."""
        if from_leader(lambda: not (self._is_recorded(config) and self._is_trained(config))):
            self._train(config)

    def networks(self, models: Sequence[str | int]) -> dict[str, Path]:
        """The trained networks of several models by name; missing ones are trained, on a CPU several at once."""
        configs = [self.config(model) for model in models]
        self._train_together([c for c in configs if not (self._is_recorded(c) and self._is_trained(c))])
        return {get_model(model).label: self.network(model) for model in models}

    def snapshots(self, model: str | int, seed: int = 0) -> dict[int, Path]:
        """The networks that a run had after its epochs, for `Predictor.from_checkpoint`; those that are there."""
        config = self.config(model, seed)
        paths = {e: snapshot_path(self._checkpoint(config), e) for e in range(1, config.epochs + 1)}
        return {epoch: path for epoch, path in paths.items() if path.exists()}

    def jobs(self, runs: int) -> int:
        """How many of so many runs are trained at the same time: several where a CPU gains by it."""
        threads = self.size.cpu_threads
        return max(1, min(runs, cpu_cores() // threads)) if threads and self.device.type == "cpu" else 1

    def expected(self, models: Sequence[str | int] = tuple(REPORT_MODELS), force: bool = False) -> str:
        """How long training what is missing of these models will take here, measured; "" if nothing is."""
        configs = [self.config(model) for model in models]
        missing = [config for config in configs if force or not self._is_recorded(config)]
        if not missing:
            return ""
        with cpu_threads(self.size.cpu_threads):
            crops, _ = self.crops_of(missing[0].crop)
            teacher = missing[0].teacher
            taught_by = load_network(self.network(teacher), self.device)[0] if teacher else None
            how = self.device, self.precision, self.compiled, self.progress, taught_by
            needed = estimate(missing[0], crops, *how)
        return needed.describe(len(missing), self.jobs(len(missing)))

    def _train_together(self, configs: list[RunConfig]) -> None:
        """Trains runs at the same time where a CPU gains by it; else leaves them for one after the other."""
        if (jobs := self.jobs(len(configs))) < 2:
            return
        for config in configs:  # crops and floors are made once, here, and not in every process
            self.floors(config), self.further_crops(config.crop)
        how = self.size.name, self.data, self.precision, self.compiled, self.start
        run_together(
            [partial(_train_in_another_process, *how, config) for config in configs],
            jobs,
            state=lambda: self._state(configs),
            images=sum(config.epochs * config.people_of_an_epoch(self.train_people) for config in configs),
            progress=self.progress,
        )

    def runs(self, unfinished: bool = False) -> list[Run]:
        """The finished runs with the size's own settings; unfinished: those that still go, too."""
        return read_runs(self.records, unfinished)

    def runs_with_other_settings(self) -> list[Run]:
        """All finished runs with another learning rate or batch size than the size's."""
        return read_runs(self.records / OTHER_SETTINGS)

    @property
    def _store(self) -> RunStore:
        return RunStore(self.records, paths.checkpoints_folder(self.name))

    def _subfolder(self, config: RunConfig) -> Path:
        """The folder of a run, relative to the one of the study."""
        known = config.optimizer in self.size.learning_rates
        model, rate = get_model(original_name(config.model)), None if known else config.learning_rate
        usual = self._config(model, config.seed, rate, None, config.teacher_weights)
        # Where the size has no rate for the optimizer, every rate is another than the size's.
        return self._store.subfolder(config, usual if known else replace(usual, learning_rate=0.0))

    def _run_folder(self, config: RunConfig) -> Path:
        return self._store.folder(self._subfolder(config))

    def _checkpoint(self, config: RunConfig) -> Path:
        return self._store.checkpoint(self._subfolder(config))

    def _forget(self, config: RunConfig) -> None:
        self._store.forget(self._subfolder(config), config)

    def _state(self, configs: Sequence[RunConfig]) -> tuple[int, str]:
        """How many images runs of other processes have trained on, and their latest epoch, from their records."""
        images, latest = 0, (0.0, "")
        for config in configs:
            try:
                when, rows = read_history(self._run_folder(config))
            except OSError:  # no epoch is recorded yet
                continue
            last, images = (
                rows.iloc[-1],
                images + len(rows) * config.people_of_an_epoch(self.train_people),
            )
            text = f"{label_of(config)}: loss {last.train_loss:.5f}, PCKh@0.5 {last.pckh_weighted14:.1f} %"
            latest = max(latest, (when, f"{text} after epoch {len(rows)}"))
        return images, latest[1]

    def _is_trained(self, config: RunConfig) -> bool:
        return self._store.is_trained(self._subfolder(config), config)

    def _is_recorded(self, config: RunConfig) -> bool:
        return self._store.is_recorded(self._subfolder(config), config)

    def _train(self, config: RunConfig, force: bool = False) -> None:
        teacher = load_network(self.network(config.teacher), self.device)[0] if config.teacher else None

        def further(network: nn.Module) -> dict[str, tuple[People, Evaluation]]:
            return answers_for(config, network, self.further_crops(config.crop), self.device)

        how = self.device, self.precision, self.precision_reason, self.compiled
        train_and_record(
            config,
            self._store,
            self._subfolder(config),
            self.crops_of(config.crop),
            self.floors(config),
            Execution(*how, self.size.cpu_threads, self.progress),
            force=force,
            teacher=teacher,
            start=self.start,
            further=further,
        )


def _train_in_another_process(
    size: str,
    data: Sequence[Path],
    precision: Precision,
    compiled: bool,
    start: Path | None,
    config: RunConfig,
) -> None:
    """What `run_together` calls in a process that is not the study's: a study like it, which trains one run."""
    keep_freed_memory()
    tqdm.set_lock(threading.RLock())  # the usual one is shared by processes, and Python warns if it is left over
    how = {"device": "cpu", "precision": precision, "compiled": compiled, "start": start}
    Study(size, data, progress=False, **how).ensure_network(config)

"""The study at the report's size on a GPU machine without the data set, reached for a limited time, with limited
files in and out.

    python -m posekit.cli.gpu_study pack --data path/to/mpii --data path/to/lspet --out study.npz
    python -m posekit.cli.gpu_study run --data study.npz --out results --minutes 9
    python -m posekit.cli.gpu_study collect results/records.zip

`pack` puts the crops of the size `full` as JPEGs into one file of at most --megabytes, with all that records
need. The records belong to the real data set, and state the JPEG quality of the crops.

`run` is for the GPU machine. It needs the folder posekit/, the packed file, and Python 3.11 or 3.12 with torch,
numpy, scipy, opencv, pandas, tqdm, cachetools, joblib and filelock; posekit need not be installed. In this order,
until the time is used: the six models; seeds 1 and 2 of all six; the learning rates of `posekit grid`. An epoch is
as long as one of the report's: 22,240 people in 1,390 steps, drawn pass after pass over the people at hand.
--compile costs a minute or two per run and makes every step faster. Where it does not work, calls with different
--models and --out can share a GPU at the same time.

After every epoch there are a checkpoint in --work and the records of all runs in OUT/records.zip. The same call
goes on from --work exactly where the last one was; where --work is lost, --records results/records.zip keeps the
finished runs. In OUT there are also the weights of the best run in float16, in parts of 15 MB;
`cat model-5-seed-0.pt.* > model-5-seed-0.pt` puts them together.

`collect` brings the records to data/runs/, where `posekit figures` reads them.
"""

import argparse
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import torch

from posekit.analysis.optimizers import GRID_MODELS, GRID_RATES, REPORT_RATES
from posekit.device import choose_device, choose_precision
from posekit.errors import PosekitError
from posekit.evaluation.floors import floors_and_ceiling
from posekit.paths import records_folder
from posekit.preprocessing.batches import resident
from posekit.preprocessing.crop_archive import Archive, read_archive, write_archive
from posekit.study.configurations import REPORT_MODELS, get_model, get_size, run_config
from posekit.study.record_bundle import bring, unpacked
from posekit.study.recording import Execution
from posekit.study.runs import read_run
from posekit.study.timed_training import Clock, TimeIsUp, Training, Work
from posekit.training.run_config import RunConfig

#: The report's epoch: all of MPII's training people in whole batches of 16.
REPORT_EPOCH = 1_390 * 16

#: For trying the script: the same crops, a network that learns next to nothing, an epoch of a few steps.
_FULL = get_size("full")
TINY = replace(
    _FULL,
    name="tiny",
    network=replace(_FULL.network, channels=8, modules=1, reductions=1),
    batch_size=8,
    epochs=2,
)
TINY_EPOCH = 28

WORK = Path("data/checkpoints/gpu-study")


def plan(models: list[str]) -> list[tuple[str, int, float | None]]:
    """(model, seed, learning rate or None for the usual one) of all runs of these models, in their order."""
    runs = [(model, 0, None) for model in REPORT_MODELS]
    runs += [(model, seed, None) for seed in (1, 2) for model in REPORT_MODELS]
    # First the usual rates of the other optimizers, so that all are soon compared at the same ones.
    for rate in sorted(GRID_RATES, key=lambda rate: rate not in REPORT_RATES.values()):
        runs += [(model, 0, rate) for name, model in GRID_MODELS.items() if rate != REPORT_RATES[name]]
    return [run for run in runs if run[0] in models]


def make_config(archive: Archive, tiny: bool, model: str, seed: int, rate: float | None) -> RunConfig:
    """The settings of a run on the people of the archive, with epochs as long as the report's."""
    people, size = archive.people, TINY if tiny else _FULL
    config = run_config(get_model(model), size, seed, people.name, people.fingerprint(), rate)
    return replace(config, crop=archive.train.rule, epoch_people=TINY_EPOCH if tiny else REPORT_EPOCH)


def pack(options: argparse.Namespace) -> None:
    from posekit.study.study import Study  # not above: its readers need what a GPU machine need not have

    study = Study("full", options.data, device="cpu")
    validation = [study.crops[1], *study.further_crops(study.size.crop)]
    quality = write_archive(options.out, study.people, study.crops[0], validation, options.megabytes)
    size = options.out.stat().st_size / 1e6
    print(f"{options.out}: {study.name}, {len(study.people)} people, {size:.1f} MB, JPEG quality {quality}")


def run(options: argparse.Namespace) -> None:
    clock = Clock(options.minutes)
    device = choose_device(options.device)
    precision, reason = choose_precision(options.precision, get_size("full").precision, device)
    archive = read_archive(options.data)
    options.out.mkdir(parents=True, exist_ok=True)
    work = Work(options.work, options.out)
    if options.records:
        with unpacked(options.records) as folders:
            for subfolder, folder in folders.items():
                if read_run(folder).finished:
                    bring(folder, work.store.folder(subfolder))
    configs = {}
    for model, seed, rate in plan([get_model(name).name for name in options.models]):
        config, usual = (make_config(archive, options.tiny, model, seed, one) for one in (rate, None))
        configs[work.store.subfolder(config, usual)] = config
    if not configs:
        raise PosekitError(f"--models names none of {', '.join(REPORT_MODELS)}")
    left = [subfolder for subfolder, config in configs.items() if not work.is_finished(subfolder, config)]
    train, validation = resident(archive.train, device), [resident(crops, device) for crops in archive.validation]
    config = next(iter(configs.values()))
    floors = floors_and_ceiling(train, validation[0], config.codec, config.network.stacks)
    notes = {"crops": f"JPEG quality {archive.quality}"}
    how = Execution(device, precision, reason, options.compile, notes=notes)
    training = Training(train, validation, floors, how, work, clock)
    failed = {}
    try:
        for subfolder in list(left):
            if not clock.fits(first=True):
                break
            try:
                training.run(subfolder, configs[subfolder])
                left.remove(subfolder)
            except PosekitError as error:  # as a loss that is no number at a rate that is too high
                failed[subfolder] = error
            if options.compile:
                torch.compiler.reset()  # the same code is compiled for a few networks only, then no more
    except TimeIsUp:
        pass
    finished = [subfolder for subfolder in configs if subfolder not in left]
    work.bundle()
    work.save_best(finished)
    print(f"finished: {len(finished)} of {len(configs)} runs, in {options.out / 'records.zip'}")
    for subfolder, error in failed.items():
        print(f"{subfolder.name} failed: {error}")
    if left:
        print(f"left: {', '.join(subfolder.name for subfolder in left)}")
        print(f"to go on: {shlex.join(['python', '-m', 'posekit.cli.gpu_study', *sys.argv[1:]])}")


def collect(options: argparse.Namespace) -> None:
    kept = []
    with unpacked(options.records) as folders:
        for subfolder, folder in folders.items():
            config = read_run(folder).config
            target = records_folder() / f"{config.data}-{config.size}" / subfolder
            why = bring(folder, target, options.force)
            if why:
                kept.append(f"{target} {why}")
    print(f"{len(folders) - len(kept)} of {len(folders)} runs are in {records_folder()}")
    if kept:
        raise PosekitError(f"{'; '.join(kept)}: left as it is; --force replaces it")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)

    packing = commands.add_parser("pack", help="the crops of a data set into one file")
    packing.add_argument("--data", type=Path, action="append", required=True, help="folder of a data set")
    packing.add_argument("--out", type=Path, required=True)
    packing.add_argument("--megabytes", type=float, default=48, help="size of the file at most")
    packing.set_defaults(command=pack)

    running = commands.add_parser("run", help="train until the time is used")
    running.add_argument("--data", type=Path, required=True, help="the file that `pack` made")
    running.add_argument("--out", type=Path, required=True, help="folder for the few files that are fetched")
    running.add_argument("--minutes", type=float, required=True, help="to be done within; one epoch at least")
    running.add_argument(
        "--models", type=lambda text: text.split(","), default=list(REPORT_MODELS), help="such as 1,5"
    )
    running.add_argument("--work", type=Path, default=WORK, help="folder that later calls find again")
    running.add_argument("--records", type=Path, help="records.zip of an earlier call whose --work is lost")
    running.add_argument("--device", help="by default a GPU if there is one")
    running.add_argument("--precision", help="float32 or bfloat16; by default the size's, if the hardware has it")
    running.add_argument("--compile", action="store_true", help="let torch.compile write the step")
    running.add_argument("--tiny", action="store_true", help="a network of no use, to try this script")
    running.set_defaults(command=run)

    collecting = commands.add_parser("collect", help="records into data/runs/")
    collecting.add_argument("records", type=Path, help="records.zip")
    collecting.add_argument("--force", action="store_true", help="replace what is there")
    collecting.set_defaults(command=collect)

    options = parser.parse_args()
    try:
        options.command(options)
    except PosekitError as error:
        sys.exit(f"gpu_study: {error}")


if __name__ == "__main__":
    main()

"""The command line: reads options, calls the library, prints. `posekit --help` lists the commands."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from posekit.cli.data import DataOption, LspetOption, MpiiOption, named_data
from posekit.cli.evaluate import evaluate
from posekit.cli.export import export
from posekit.cli.grid import grid
from posekit.cli.mpii import mpii_app
from posekit.cli.predict import predict
from posekit.cli.variants import variants
from posekit.errors import PosekitError

# torch takes seconds to import, so commands import what they need and --help answers at once.

app = typer.Typer(
    help="Human pose estimation with Stacked Hourglass networks: a study one can repeat.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

app.add_typer(mpii_app, name="mpii")

ProfileOption = Annotated[
    str,
    typer.Option(
        envvar="POSEKIT_PROFILE",
        help="Size: 'quick' (minutes on two cores), 'half' (hours), 'full' (the report's, needs a GPU); "
        "'photograph' is that of posekit's own network.",
    ),
]
ModelOption = Annotated[int, typer.Option(help="Number of one of the report's six models; 7: posekit's own.")]
SeedOption = Annotated[
    int, typer.Option(min=0, max=2**32 - 1, help="Seed of the weights and of the order of people.")
]
DeviceOption = Annotated[
    str | None, typer.Option(help="cpu, cuda, cuda:1 or mps; by default a GPU if there is one.")
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Train again what is already trained; replaces records and checkpoints.")
]
PrecisionOption = Annotated[
    str | None,
    typer.Option(
        help="float32 or bfloat16, of convolutions; by default the profile's, where the hardware has it."
    ),
]
CompileOption = Annotated[
    bool, typer.Option("--compile", help="Let torch.compile make a step faster; takes minutes at the beginning.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def main() -> None:
    """Runs a command; what a person can put right is one sentence and exit status 1, not a traceback."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)  # so that a study that is ended takes the trainings beside it along
    try:
        app()
    except PosekitError as error:
        if os.environ.get("RANK", "0") == "0":  # of several processes, one says it
            print(f"posekit: {error}", file=sys.stderr)
        sys.exit(1)


@contextmanager
def _interruptible() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        print(
            "\nposekit: stopped. What is finished is kept; the same command goes on from there.", file=sys.stderr
        )
        raise typer.Exit(130) from None


@app.command()
def study(
    profile: ProfileOption = "quick",
    data: DataOption = None,
    mpii: MpiiOption = None,
    lspet: LspetOption = None,
    device: DeviceOption = None,
    precision: PrecisionOption = None,
    compiled: CompileOption = False,
    force: ForceOption = False,
) -> None:
    """The whole study: data, the six models, figures and tables, notebooks. What is done already is skipped."""
    from posekit.analysis.publish import publish_pictures, publish_records
    from posekit.analysis.results import Results
    from posekit.cli.run_notebooks import execute_notebook, study_notebooks
    from posekit.study.study import Study

    if not study_notebooks():
        raise PosekitError("there are no notebooks beside the package; run the study in a clone of the repository")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise PosekitError("torchrun starts one training: use it with posekit train, then posekit study goes on")
    started = time.perf_counter()
    with _interruptible():
        print("1/4  data")
        folders = named_data(data, mpii, lspet)
        the_study = Study(profile, folders, device=device, precision=precision, compiled=compiled)
        if the_study.left_out:
            print(f"     {the_study.left_out}")
        train_crops, validation_crops = the_study.crops
        print(
            f"     {the_study.people.name}: {len(train_crops)} train and {len(validation_crops)} validation people"
        )
        print(f"2/4  training the six models, profile {profile}")
        if expected := the_study.expected(force=force):
            print(f"     {expected}")
        for run in the_study.run_all(force=force):
            last = run.history.iloc[-1]
            print(
                f"     {run.label}: loss {last.train_loss:.6f}, validation {last.validation_loss:.6f}, "
                f"PCKh@0.5 weighted14 {last.pckh_weighted14:.1f} %"
            )
        print("3/4  figures and tables")
        paths = publish_records(Results.read(the_study.name), the_study.figures)
        paths += publish_pictures(the_study.runs(), validation_crops, the_study.figures)
        print("4/4  notebooks")
        for notebook in study_notebooks():
            execute_notebook(notebook, the_study.executed_notebooks / notebook.name, the_study.environment)
    minutes = (time.perf_counter() - started) / 60
    print(
        f"\nDone in {minutes:.1f} minutes:\n"
        f"  records    {the_study.records}\n"
        f"  figures    {the_study.figures} ({len(paths)} files)\n"
        f"  notebooks  {the_study.executed_notebooks} (with outputs)\n"
        "Run again, it skips what is trained; --force (make study FORCE=1) trains anew."
    )


@app.command()
def train(
    model: ModelOption = 5,
    profile: ProfileOption = "quick",
    data: DataOption = None,
    mpii: MpiiOption = None,
    lspet: LspetOption = None,
    seed: SeedOption = 0,
    learning_rate: Annotated[float | None, typer.Option(help="Instead of the profile's.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Instead of the profile's; of all processes.")] = None,
    device: DeviceOption = None,
    precision: PrecisionOption = None,
    compiled: CompileOption = False,
    force: ForceOption = False,
) -> None:
    """Train one model, or go on with one that was stopped.

    On several GPUs or machines: torchrun --nproc-per-node=2 -m posekit train ...
    """
    from posekit.device import choose_device
    from posekit.study.parallel import end_with_parent
    from posekit.study.study import Study
    from posekit.training.distributed import is_leader, launched

    end_with_parent()
    with _interruptible(), launched(choose_device(device)):
        the_study = Study(
            profile,
            named_data(data, mpii, lspet),
            device=device,
            precision=precision,
            compiled=compiled,
            progress=is_leader(),
        )
        if the_study.left_out and is_leader():
            print(the_study.left_out)
        config = the_study.config(model, seed, learning_rate, batch_size)
        run = the_study.record(config, force)
        the_study.ensure_network(config)  # records may have come without their network
        if is_leader():
            print(f"{run.label}, in {run.environment.get('precision', 'float32')} on {run.environment['device']}")
            print(run.history.to_string(index=False))
            print(f"records in {the_study.records}")


app.command()(evaluate)
app.command()(grid)
app.command()(variants)
app.command()(predict)
app.command()(export)


@app.command()
def figures(
    studies: Annotated[
        list[str] | None, typer.Argument(help="Folders of data/runs, such as sample-quick; by default all.")
    ] = None,
    data: DataOption = None,
    mpii: MpiiOption = None,
    lspet: LspetOption = None,
) -> None:
    """All figures and tables from records, without training."""
    from posekit.analysis.publish import publish_pictures, publish_records
    from posekit.analysis.results import Results
    from posekit.study.configurations import VARIANT_PROFILES
    from posekit.study.runs import read_runs
    from posekit.study.study import Study, home

    folder = home() / "data" / "runs"
    names = studies or sorted(path.name for path in folder.glob("*") if path.is_dir())
    if not names:
        raise PosekitError(f"there are no records in {folder}; try posekit study first")
    for name in names:
        runs = read_runs(folder / name)
        if not runs and studies:
            raise PosekitError(f"there are no finished runs in {folder / name}; train them first")
        if not runs:
            print(f"{name}: no run is finished yet")
            continue
        if runs[0].config.profile in VARIANT_PROFILES:
            print(f"{name}: a variant, which tells something beside the others only: posekit variants")
            continue
        target = home() / "figures" / name
        paths = publish_records(Results.read(name), target)
        drawn, folders = runs[0].config.data == "sample", named_data(data, mpii, lspet)
        at_hand = (home() / "data" / "sample").exists() if drawn else bool(folders)
        the_study = Study(runs[0].config.profile, [] if drawn else folders) if at_hand else None
        # Skeletons must not be drawn on other people: another part of MPII can have as many.
        if the_study is not None and the_study.people.fingerprint() == runs[0].config.data_fingerprint:
            paths += publish_pictures(runs, the_study.crops[1], target)
        else:
            print(f"{name}: Figs. 1 and 5 show images that are not at hand (POSEKIT_MPII, or posekit sample)")
        print(f"{name}: {len(paths)} files in {target}")


@app.command()
def notebooks() -> None:
    """Execute the notebooks and keep their outputs in them, for readers of the repository: what its own records
    tell, whatever study the environment names. Trainings of the drawn people that they need are run if missing."""
    from posekit.cli.run_notebooks import publish_notebook, study_notebooks
    from posekit.study.study import home

    with _interruptible():  # trainings that they need go on where they were stopped
        for notebook in study_notebooks():
            publish_notebook(notebook, home() / "data" / "notebooks" / "committed" / notebook.name)


@app.command()
def sample(
    folder: Annotated[Path | None, typer.Argument(help="By default data/sample.")] = None,
    train_people: Annotated[int, typer.Option("--train", help="Train people.")] = 1250,
    validation_people: Annotated[int, typer.Option("--validation", help="Validation people.")] = 250,
    seed: Annotated[int, typer.Option(help="The same seed draws the same pixels.")] = 0,
) -> None:
    """Draw the built-in people: images and annotations in MPII's form."""
    from posekit.datasets.drawn import make_sample
    from posekit.study.study import home

    target = folder or home() / "data" / "sample"
    make_sample(target, train_people, validation_people, seed)
    print(f"{train_people} train and {validation_people} validation people in {target}")


@app.command()
def cost(profile: ProfileOption = "full", as_json: JsonOption = False) -> None:
    """Parameters and FLOPs (2 a multiply-add, convolutions, one image) of the six models."""
    from posekit.analysis.tables import cost_table
    from posekit.study.configurations import get_profile

    table = cost_table(get_profile(profile))
    print(json.dumps(table.to_dict("records"), indent=2) if as_json else table.to_string(index=False))

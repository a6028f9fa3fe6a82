"""The commands that make the study: study, train, grid, networks, figures, notebooks, sample, cost."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from posekit.cli.common import (
    CompileOption,
    DataOption,
    DeviceOption,
    ForceOption,
    JsonOption,
    LspetOption,
    ModelOption,
    MpiiOption,
    PrecisionOption,
    SeedOption,
    SizeOption,
    named_data,
)
from posekit.errors import PosekitError

# What takes long to import is imported inside the commands, so that --help answers at once.


def study(
    size: SizeOption = "quick",
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
    print("1/4  data")
    folders = named_data(data, mpii, lspet)
    the_study = Study(size, folders, device=device, precision=precision, compiled=compiled)
    if the_study.left_out:
        print(f"     {the_study.left_out}")
    train_crops, validation_crops = the_study.crops
    print(f"     {the_study.people.name}: {len(train_crops)} train and {len(validation_crops)} validation people")
    print(f"2/4  training the six models, size {size}")
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


def train(
    context: typer.Context,
    model: ModelOption = "5",
    size: SizeOption = "quick",
    data: DataOption = None,
    mpii: MpiiOption = None,
    lspet: LspetOption = None,
    seed: SeedOption = 0,
    learning_rate: Annotated[float | None, typer.Option(help="Instead of the size's.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Instead of the size's; of all processes.")] = None,
    device: DeviceOption = None,
    precision: PrecisionOption = None,
    compiled: CompileOption = False,
    force: ForceOption = False,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Fine-tune instead: learn on from this checkpoint, or from posekit's own network ('own'), with "
            "the people of --data, and report the accuracy before and after. With --size, train by the recipe of "
            "that size, starting from these weights.",
        ),
    ] = None,
) -> None:
    """Train one model, or go on with one that was stopped; with --from, fine-tune a trained one.

    On several GPUs or machines: torchrun --nproc-per-node=2 -m posekit train ...
    """
    from posekit.cli.fine_tune import fine_tune, start_of
    from posekit.device import choose_device
    from posekit.study.study import Study
    from posekit.training.distributed import is_leader, launched
    from posekit.training.memory import keep_freed_memory

    keep_freed_memory()
    with launched(choose_device(device)):
        if start is not None:
            if named(context, "model"):
                raise PosekitError("--from names the network already; leave out --model")
            model, start = start_of(start)
        if start is not None and not named(context, "size"):
            how = seed, learning_rate, batch_size, device, precision, compiled, force
            fine_tune(start, named_data(data, mpii, lspet), *how)
            return
        the_study = Study(
            size,
            named_data(data, mpii, lspet),
            device=device,
            precision=precision,
            compiled=compiled,
            progress=is_leader(),
            start=start,
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


def named(context: typer.Context, option: str) -> bool:
    """Whether an option was given on the command line."""
    return context.get_parameter_source(option).name == "COMMANDLINE"


def grid(
    size: SizeOption = "quick",
    data: DataOption = None,
    mpii: MpiiOption = None,
    lspet: LspetOption = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds of every rate; an interval needs two.")] = 2,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1 or mps.")] = None,
) -> None:
    """RMSprop, RAdam and Adam on the original network, each at eight learning rates: trains what is missing.

    That is 24 trainings per seed. `posekit figures` draws them and judges the report's claims by them.
    """
    from posekit.analysis.optimizers import (
        GRID_MODELS,
        GRID_RATES,
        at_best_rates,
        at_equal_rates,
        at_report_rates,
        duel_table,
        grid_table,
        make_grid,
    )
    from posekit.study.study import Study

    study = Study(size, named_data(data, mpii, lspet), device=device)
    # Seed by seed, so that a grid that was stopped is a whole one of fewer seeds.
    configs = [study.config(m, s, rate) for s in range(seeds) for m in GRID_MODELS.values() for rate in GRID_RATES]
    study.record_all(configs)
    made = make_grid(study.runs(), study.runs_with_other_settings())
    print("PCKh@0.5, weighted14, in percent; low and high: 95 % over people")
    print(grid_table(made).to_string(index=False, float_format="{:.4g}".format))
    print("\ndifferences in points; p is about people and seeds, after Holm's correction")
    duels = at_report_rates(made) + at_equal_rates(made) + at_best_rates(made)
    print(duel_table(duels).round(3).to_string(index=False, na_rep=""))


def networks(
    data: Annotated[
        str | None,
        typer.Argument(
            help="Data set, as the folders of data/runs begin, such as mpii-1992-lspet-6000 (default)."
        ),
    ] = None,
) -> None:
    """Tables and figures of networks compared by cost, from records: cost, PCKh and learning, for 3 and 20 epochs.

    Those of the default go to data/pareto.csv, data/pareto-long.csv and figures/networks/.
    """
    from posekit.analysis import benchmark_records
    from posekit.analysis.cheaper_networks import training_command, untrained
    from posekit.analysis.publish import publish_networks
    from posekit.analysis.results import PUBLISHED_DATA, read_networks
    from posekit.errors import PosekitError
    from posekit.paths import figures_folder, home
    from posekit.study.configurations import SIZES

    data = data or PUBLISHED_DATA
    runs = read_networks(data)
    try:
        latency = benchmark_records.network_latency()
    except PosekitError as error:
        print(f"posekit: without latency: {error}", file=sys.stderr)
        latency = None
    if data == PUBLISHED_DATA:
        figures, numbers = figures_folder("networks"), home() / "data"
    else:
        figures = numbers = figures_folder(f"{data}-networks")
    for path in publish_networks(runs, latency, figures, numbers):
        print(path)
    for size, names in untrained(runs).items():
        if names:
            print(f"{SIZES[size].epochs} epochs, no finished record yet: {', '.join(names)}")
            print(f"  {training_command(data, names[0], size)}")


def figures(
    studies: Annotated[
        list[str] | None, typer.Argument(help="Folders of data/runs, such as sample-quick; by default all.")
    ] = None,
    data: DataOption = None,
    mpii: MpiiOption = None,
    lspet: LspetOption = None,
) -> None:
    """All figures and tables from records, without training; in a checkout, the tables in docs/ as well."""
    from posekit.analysis.publish import publish_docs, publish_pictures, publish_records
    from posekit.analysis.results import PUBLISHED, SUPERSEDED, Results
    from posekit.paths import REPOSITORY, drawn_folder, figures_folder, home, records_folder
    from posekit.study.configurations import COMPARISON_SIZES
    from posekit.study.fine_tuning import SIZE as FINE_TUNED
    from posekit.study.runs import read_runs
    from posekit.study.study import Study

    folder = records_folder()
    names = studies or sorted(path.name for path in folder.glob("*") if path.is_dir() and path.name != SUPERSEDED)
    if not names:
        raise PosekitError(f"there are no records in {folder}; try posekit study first")
    for name in names:
        runs = read_runs(folder / name)
        if not runs and studies:
            raise PosekitError(f"there are no finished runs in {folder / name}; train them first")
        if not runs:
            print(f"{name}: no run is finished yet")
            continue
        if runs[0].config.size in COMPARISON_SIZES:
            print(f"{name}: networks that are compared by cost: posekit networks")
            continue
        if runs[0].config.size == FINE_TUNED:
            print(f"{name}: a fine-tuned network; posekit train --from prints what it gained")
            continue
        target = figures_folder(name)
        results = Results.read(name)
        paths = publish_records(results, target)
        drawn, folders = runs[0].config.data == "sample", named_data(data, mpii, lspet)
        at_hand = drawn_folder().exists() if drawn else bool(folders)
        the_study = Study(runs[0].config.size, [] if drawn else folders) if at_hand else None
        # Skeletons must not be drawn on other people: another part of MPII can have as many.
        if the_study is not None and the_study.people.fingerprint() == runs[0].config.data_fingerprint:
            paths += publish_pictures(runs, the_study.crops[1], target)
        else:
            print(f"{name}: Figs. 1 and 5 show images that are not at hand (POSEKIT_MPII, or posekit sample)")
        print(f"{name}: {len(paths)} files in {target}")
        docs = REPOSITORY / "docs"
        if name == PUBLISHED and home() == REPOSITORY and docs.exists():
            changed = publish_docs(results, docs)
            print(f"{docs}: {', '.join(page.name for page in changed) or 'no page'} changed")


def notebooks() -> None:
    """Execute the notebooks and keep their outputs in them, for readers of the repository: what its own records
    tell, whatever study the environment names. Trainings of the drawn people that they need are run if missing."""
    from posekit.cli.run_notebooks import publish_notebook, study_notebooks
    from posekit.paths import notebooks_folder

    for notebook in study_notebooks():
        publish_notebook(notebook, notebooks_folder("committed") / notebook.name)


def sample(
    folder: Annotated[Path | None, typer.Argument(help="By default data/sample.")] = None,
    train_people: Annotated[int, typer.Option("--train", help="Train people.")] = 1250,
    validation_people: Annotated[int, typer.Option("--validation", help="Validation people.")] = 250,
    seed: Annotated[int, typer.Option(help="The same seed draws the same pixels.")] = 0,
) -> None:
    """Draw the built-in people: images and annotations in MPII's form."""
    from posekit.datasets.drawn import make_sample
    from posekit.paths import drawn_folder

    target = folder or drawn_folder()
    make_sample(target, train_people, validation_people, seed)
    print(f"{train_people} train and {validation_people} validation people in {target}")


def cost(size: SizeOption = "full", as_json: JsonOption = False) -> None:
    """Parameters and FLOPs (two per multiply-add; convolutions; one image) of the six models."""
    from posekit.analysis.tables import cost_table
    from posekit.study.configurations import get_size

    table = cost_table(get_size(size))
    print(json.dumps(table.to_dict("records"), indent=2) if as_json else table.to_string(index=False))

"""Every figure and table of a study, written from its records into one folder."""

import io
import re
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from tqdm.auto import tqdm

from posekit.analysis.accuracy_figures import accuracy_figure, grid_figure, pckh_curve_figure, seeds_figure
from posekit.analysis.benchmark_records import crop_audit, latency
from posekit.analysis.cheaper_networks import (
    ALIKE,
    PARETO_COLUMNS,
    by_network,
    measured_on_one_thread,
    networks_table,
    no_loss_table,
    pareto_table,
    training_lengths_table,
)
from posekit.analysis.chosen_networks import chosen_figure, chosen_table
from posekit.analysis.claims import claims_table, differences_table, judge_claims, judge_studies, verdicts_by_study
from posekit.analysis.cost_figures import LEARNING, learning_figure, networks_figure
from posekit.analysis.losses import losses_table, readings_table
from posekit.analysis.optimizers import at_best_rates, at_equal_rates, at_report_rates, duel_table, grid_table
from posekit.analysis.pages import renew
from posekit.analysis.picture_figures import crop_figure, people_figure, pose_grid_figure
from posekit.analysis.report_figures import loss_figure, loss_figures, six_losses_figure
from posekit.analysis.results import PUBLISHED_DATA, Results, read_networks
from posekit.analysis.settings import setting_of
from posekit.analysis.tables import accuracy_table, group_table, models_table, table_1_beside_the_report, table_2
from posekit.datasets.people import People
from posekit.files import write_whole
from posekit.preprocessing.batches import Crops
from posekit.preprocessing.crop import CropRule, lost_joints, person_box
from posekit.study.configurations import COMPARISON_SIZES, REPORT_MODELS
from posekit.study.runs import Run

#: The report's proposed network, whose answers Fig. 5 shows.
PROPOSED = "model-5"

#: The networks that are judged against the original and against the one that learns alike.
JUDGED = ("likelihood", "lean", "lean-plain")

#: What stands above tables that are about networks at full size, whatever the study.
OF_NO_STUDY = {
    "table_1": "",
    "latency": "Milliseconds per batch at full size, as recorded (benchmarks/inference.py measures yours).",
}

#: Names of the tables of cost and accuracy. All networks are trained at the size short, a few at the size long.
PARETO_FILES = {"short": "pareto.csv", "long": "pareto-long.csv"}


def publish_records(results: Results, folder: Path, progress: bool = True) -> list[Path]:
    """Figures and tables that need records alone; returns the paths.

    Figs. 2 to 4, accuracy, curve, seeds and models of all runs; losses, Tables I and II, latency and claims where
    there are models of the report; the grid of learning rates where the study has its own. Above every table
    stands the setting of its numbers.
    """
    runs, grid = results.runs, results.grid
    groups = {yardstick: group_table(runs, yardstick) for yardstick in results.yardsticks}
    tables: dict[str, Callable[[], pd.DataFrame]] = {
        "accuracy": lambda: accuracy_table(runs),
        "models": lambda: models_table(runs),
    }
    figures: dict[str, Callable[[], Figure]] = {
        name: partial(loss_figure, chosen, title) for name, (title, chosen) in loss_figures(runs).items()
    }
    for yardstick, table in groups.items():
        name = f"accuracy_{yardstick.data_set}" if yardstick.data_set else "accuracy"
        figures[name] = partial(accuracy_figure, runs, table, yardstick)
    figures |= {"curve": lambda: pckh_curve_figure(runs), "seeds": lambda: seeds_figure(runs, groups)}
    proposed = [run for run in runs if run.config.model == PROPOSED]
    if proposed:
        tables["table_2"] = lambda: table_2(proposed[0].config)
    if results.grid_study == results.name:
        duels = at_report_rates(grid) + at_equal_rates(grid) + at_best_rates(grid)
        tables |= {"grid": lambda: grid_table(grid), "optimizers": lambda: duel_table(duels)}
        figures["grid"] = lambda: grid_figure(grid, made["grid"])
    if any(run.config.model in REPORT_MODELS for run in runs):
        judged = cache(lambda: judge_claims(results, latency(), crop_audit()))
        tables |= {
            "losses": lambda: losses_table(runs),
            "readings": lambda: readings_table(results),
            "table_1": table_1_beside_the_report,
            "latency": latency,
            "claims": lambda: claims_table(judged()),
            "differences": lambda: differences_table({results.name: judged()}),
        }
        figures["six_losses"] = lambda: six_losses_figure(results)
    paths = []
    made = {name: make() for name, make in tqdm(tables.items(), desc="tables", disable=not progress)}
    settings = {name: setting_of(results.grid_runs) for name in ("grid", "optimizers") if name in made}
    settings |= OF_NO_STUDY
    for name, table in made.items():
        paths += save_table(table, folder, name, settings.get(name, setting_of(runs)))
    for name, draw in tqdm(figures.items(), desc="figures", disable=not progress):
        paths += save_figure(draw(), folder, name)
    return paths


def publish_docs(results: Results, docs: Path) -> list[Path]:
    """Writes tables into the pages of a folder (`posekit.analysis.pages`); the pages that changed.

    results.md: the models and claims of a study. other_studies.md: the verdicts of `OLDER` studies beside its own.
    networks.md: whether cheaper networks lose joints.
    """
    studies = [results, *results.older]
    judged = judge_studies(studies, latency(), crop_audit())
    of_study = {
        "models": with_setting(models_table(results.runs), results),
        "claims": with_setting(claims_table(judged[results.name]), results),
        "differences": markdown(differences_table({results.name: judged[results.name]})),
    }
    of_all = {
        "studies": "\n".join(f"- `{study.name}`: {setting_of(study.runs)}" for study in studies)
        + "\n\n"
        + markdown(verdicts_by_study(judged))
        + "\n\n"
        + markdown(differences_table(judged)),
    }
    runs = [run for run in read_networks(PUBLISHED_DATA) if run.config.size == "long"]
    beside = [no_loss_table(runs, "long", JUDGED, other) for other in ("original", ALIKE)]
    of_networks = {"cheaper": f"{setting_of(runs)}\n\n{markdown(pd.concat(beside))}"}
    pages = {"results.md": of_study, "other_studies.md": of_all, "networks.md": of_networks}
    return [docs / name for name, blocks in pages.items() if renew(docs / name, blocks)]


def example_person(people: People, rule: CropRule) -> int:
    """Number of somebody to explain the crop with: no joint is lost, the box lies in the image where that can be
    had, and the joints fill its height best."""
    lost = lost_joints(rule, people.center, people.scale, people.joints)
    box = person_box(rule, people.center, people.scale)
    whole = (box[:, :2] >= 0).all(axis=1) & (box[:, 2:] <= people.image_size).all(axis=1)
    good = (people.labeled & ~lost).sum(axis=1) + 0.5 * whole
    best = np.flatnonzero(good == good.max())
    height = np.nanmax(people.joints[best, :, 1], axis=1) - np.nanmin(people.joints[best, :, 1], axis=1)
    return int(best[np.argmax(height / people.scale[best])])


def publish_pictures(runs: list[Run], crops: Crops, folder: Path) -> list[Path]:
    """Figs. 1 and 5 and a sheet of people, which show images; of the same validation people as the records."""
    people = crops.people
    person = example_person(people, crops.rule)
    paths = save_figure(crop_figure(people, person, crops.rule), folder, "figure_1")
    paths += save_figure(people_figure(people), folder, "people")
    proposed = [run for run in runs if run.config.model == PROPOSED]
    if proposed:
        paths += save_figure(pose_grid_figure(proposed[0], crops), folder, "figure_5")
    return paths


def publish_networks(
    runs: list[Run], latency: pd.DataFrame | None, figures: Path, numbers: Path, progress: bool = True
) -> list[Path]:
    """Figures and tables of the networks, from runs on one data set (`posekit.analysis.results.read_networks`).

    latency: of `posekit.analysis.benchmark_records.network_latency`, or None. Of every size at which the
    original network is trained, `PARETO_FILES` in the folder `numbers`; of all together, in `figures`: learning,
    all_networks, chosen (a figure and a table, where latency is known), and the tables networks and
    training_lengths. Returns the paths.
    """
    ms = measured_on_one_thread(latency, "ms") if latency is not None else {}
    peak = measured_on_one_thread(latency, "network MB") if latency is not None else {}
    sizes = [size for size in COMPARISON_SIZES if "original" in by_network(runs, size)]
    tables = {s: pareto_table(runs, s, ms, peak) for s in tqdm(sizes, "sizes", disable=not progress)}
    title = f"Networks by cost ({runs[0].config.data})"
    settings = [setting_of([run for run in runs if run.config.size == size]) for size in sizes]
    times = ["Times are as recorded (benchmarks/networks.py measures them on your machine)."] if ms else []
    setting = "\n\n".join(settings + times)
    paths = []
    if learning := [run for run in runs if run.config.model in LEARNING]:
        paths += save_figure(learning_figure(learning, title), figures, "learning")
    for size, table in tables.items():
        path = numbers / PARETO_FILES[size]
        write_whole(path, table[PARETO_COLUMNS].to_csv(index=False, float_format="%.6g", lineterminator="\n"))
        paths.append(path)
    if tables:
        paths += save_figure(networks_figure(tables, title), figures, "all_networks")
        if ms:
            paths += save_figure(chosen_figure(tables), figures, "chosen")
            paths += save_table(chosen_table(tables), figures, "chosen", setting)
        paths += save_table(networks_table(tables), figures, "networks", setting)
    if not (lengths := training_lengths_table(tables)).empty:
        paths += save_table(lengths, figures, "training_lengths", setting)
    return paths


def save_figure(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Writes `name`.png and `name`.svg; the same figure gives the same bytes. Returns the paths.

    Raises `PosekitError` if they cannot be written.
    """
    kinds = {"png": {"dpi": 150}, "svg": {"metadata": {"Date": None}}}
    paths = []
    with matplotlib.rc_context({"svg.hashsalt": name}):
        for kind, options in kinds.items():
            stream = io.BytesIO()
            figure.savefig(stream, format=kind, bbox_inches="tight", **options)
            write_whole(folder / f"{name}.{kind}", stream.getvalue())
            paths.append(folder / f"{name}.{kind}")
    return paths


def save_table(table: pd.DataFrame, folder: Path, name: str, setting: str = "") -> list[Path]:
    """Writes `name`.csv for machines and `name`.md for people, above it the setting of its numbers. Returns the
    paths.

    Raises `PosekitError` if they cannot be written.
    """
    paths = [folder / f"{name}.csv", folder / f"{name}.md"]
    write_whole(paths[0], table.to_csv(index=False))
    write_whole(paths[1], (f"{setting}\n\n" if setting else "") + markdown(table))
    return paths


def with_setting(table: pd.DataFrame, results: Results) -> str:
    """A table in Markdown below the setting of its study."""
    return f"{setting_of(results.runs)}\n\n{markdown(table)}"


def markdown(table: pd.DataFrame) -> str:
    """A table in Markdown; numbers with six significant digits, nothing where there is none."""

    def cell(value: object) -> str:
        if isinstance(value, float):
            return "" if pd.isna(value) else f"{value:.6g}"
        return str(value)

    # Text that looks like a number stays as it is: 0.00450 must not lose its last digit.
    padded = table.map(cell).to_markdown(index=False, disable_numparse=True)
    # A column as wide as its longest cell would make pages of spaces.
    return re.sub(r" {2,}|(?<=-)-{3,}", lambda found: " " * (found[0][0] == " "), padded) + "\n"

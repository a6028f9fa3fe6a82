"""Every figure and table of a study, written from its records into one folder."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from tqdm.auto import tqdm

from posekit.accuracy_figures import accuracy_figure, grid_figure, pckh_curve_figure, seeds_figure
from posekit.annotations import People
from posekit.claims import claims_table
from posekit.configurations import MODELS
from posekit.crop import CropRule, lost_joints
from posekit.dataset import Crops
from posekit.figures import LOSS_FIGURES, claims_figure, loss_figure, save_figure
from posekit.grid import at_best_rates, at_equal_rates, at_report_rates, duel_table, grid_table
from posekit.images import read_image
from posekit.measured import crop_audit, latency
from posekit.picture_figures import crop_figure, people_figure, pose_grid_figure
from posekit.records import Run
from posekit.results import Results
from posekit.seeds import described
from posekit.tables import (
    accuracy_table,
    losses_table,
    models_table,
    save_table,
    table_1_beside_the_report,
    table_2,
)

#: The report's proposed network, whose answers Fig. 5 shows.
PROPOSED = 5


def publish_records(results: Results, folder: Path, progress: bool = True) -> list[Path]:
    """Figures and tables that need records alone; returns the paths.

    Figs. 2 to 4, accuracy, curve, seeds and models of all runs; losses, Tables I and II, latency and claims where
    there are models of the report; the grid of learning rates where the study has its own.
    """
    runs, grid = results.runs, results.grid
    jobs: list[tuple[str, Callable[[], Figure | pd.DataFrame]]] = [
        (f"figure_{number}", partial(loss_figure, chosen, title))
        for number, (title, models) in LOSS_FIGURES.items()
        if (chosen := [run for run in runs if run.config.model in models])
    ]
    jobs += [
        ("accuracy", lambda: accuracy_figure(runs)),
        ("curve", lambda: pckh_curve_figure(runs)),
        ("seeds", lambda: seeds_figure(runs)),
        ("accuracy", lambda: accuracy_table(runs).rename_axis("run").reset_index()),
        ("models", lambda: models_table(runs)),
    ]
    proposed = [run for run in runs if run.config.model == PROPOSED]
    if proposed:
        jobs.append(("table_2", lambda: table_2(proposed[0].config)))
    if results.grid_study == results.name:
        jobs += [
            ("grid", lambda: grid_figure(grid)),
            ("grid", lambda: grid_table(grid)),
            ("optimizers", lambda: duel_table(at_report_rates(grid) + at_equal_rates(grid) + at_best_rates(grid))),
        ]
    if any(run.config.model in MODELS for run in runs):
        claims = cache(lambda: claims_table(runs, grid, latency(), crop_audit()))
        jobs += [
            ("losses", lambda: losses_table(runs)),
            ("table_1", table_1_beside_the_report),
            ("latency", latency),
            ("claims", claims),
            ("claims", lambda: claims_figure(claims(), described(runs))),
        ]
    paths = []
    for name, make in tqdm(jobs, desc="figures and tables", disable=not progress):
        made = make()
        paths += (save_figure if isinstance(made, Figure) else save_table)(made, folder, name)
    return paths


def example_person(people: People, rule: CropRule) -> int:
    """Number of somebody to explain the crop with: no joint is lost, and the joints fill its height best."""
    lost = lost_joints(rule, people.center, people.scale, people.joints)
    kept = (people.labelled & ~lost).sum(axis=1)
    best = np.flatnonzero(kept == kept.max())
    height = np.nanmax(people.joints[best, :, 1], axis=1) - np.nanmin(people.joints[best, :, 1], axis=1)
    return int(best[np.argmax(height / people.scale[best])])


def publish_pictures(runs: list[Run], crops: Crops, folder: Path) -> list[Path]:
    """Figs. 1 and 5 and a sheet of people, which show images; of the same validation people as the records."""
    people = crops.people
    person = example_person(people, crops.rule)
    image = read_image(people.images_folder / people.image[person], upright=False)
    figure = crop_figure(image, people.center[person], people.scale[person], people.joints[person], crops.rule)
    paths = save_figure(figure, folder, "figure_1")
    paths += save_figure(people_figure(people), folder, "people")
    proposed = [run for run in runs if run.config.model == PROPOSED]
    if proposed:
        paths += save_figure(pose_grid_figure(proposed[0], crops), folder, "figure_5")
    return paths

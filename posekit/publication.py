"""Every figure and table of a study, written from its records into one folder."""

from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from posekit.annotations import People
from posekit.crop import CropRule, lost_joints
from posekit.dataset import Crops
from posekit.figures import LOSS_FIGURES, accuracy_figure, loss_figure, save_figure
from posekit.images import read_image
from posekit.picture_figures import crop_figure, people_figure, pose_grid_figure
from posekit.records import Run
from posekit.tables import accuracy_table, losses_table, save_table, table_1_beside_the_report, table_2

#: The report's proposed network, whose answers Fig. 5 shows.
PROPOSED = 5


def publish_records(runs: list[Run], folder: Path, progress: bool = True) -> list[Path]:
    """Figs. 2 to 4, PCKh by joint, Tables I and II and the losses: what needs records alone. Returns the paths."""
    jobs = [
        lambda number=number, title=title, chosen=chosen: save_figure(
            loss_figure(chosen, title), folder, f"figure_{number}"
        )
        for number, (title, models) in LOSS_FIGURES.items()
        if (chosen := [run for run in runs if run.config.model in models])
    ]
    jobs.append(lambda: save_figure(accuracy_figure(runs), folder, "accuracy"))
    jobs.append(lambda: save_table(table_1_beside_the_report(), folder, "table_1"))
    jobs.append(lambda: save_table(losses_table(runs), folder, "losses"))
    jobs.append(lambda: save_table(accuracy_table(runs).rename_axis("run").reset_index(), folder, "accuracy"))
    proposed = [run for run in runs if run.config.model == PROPOSED]
    if proposed:
        config = proposed[0].config
        jobs.append(lambda: save_table(table_2(config), folder, "table_2"))
    return [path for job in tqdm(jobs, desc="figures and tables", disable=not progress) for path in job()]


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

"""The report's tables beside what this code makes, and tables of accuracy, sizes and cost: DataFrames out."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import nn

from posekit.analysis import benchmark_records, original_report
from posekit.analysis.benchmark_records import part_times
from posekit.analysis.losses import last_below
from posekit.analysis.settings import train_people
from posekit.analysis.yardsticks import Yardstick, yardsticks
from posekit.errors import PosekitError
from posekit.evaluation.intervals import intervals
from posekit.evaluation.pckh import pckh
from posekit.models.config import NetworkConfig
from posekit.models.cost import cost_by_part, network_cost
from posekit.models.hourglass import StackedHourglass
from posekit.skeleton import GROUPS, JOINTS
from posekit.study.configurations import (
    COMPARISON_SIZES,
    MODELS,
    REPORT_MODELS,
    REPORT_RATES,
    SIZES,
    Size,
    description_of,
    network_of,
    title_of,
)
from posekit.study.runs import Run
from posekit.study.seeds import by_configuration
from posekit.training.run_config import RunConfig


def table_1(config: NetworkConfig, size: int) -> pd.DataFrame:
    """Table I from the network itself: what its stem's layers do to a crop of size x size px.

    The columns are the report's; residual blocks of the original stem are listed convolution by convolution.
    """
    with torch.device("meta"):
        stem = StackedHourglass(config).eval().stem
        image = torch.empty(1, 3, size, size)
    rows = []

    def note(layer: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        convolution = isinstance(layer, nn.Conv2d)
        kernel, stride, padding = (
            value[0] if isinstance(value, tuple) else value
            for value in (layer.kernel_size, layer.stride, layer.padding)
        )
        rows.append(
            {
                "layer": "BatchNorm + ReLU + Conv" if convolution else "MaxPool",
                "input size": inputs[0].shape[-1],
                "output size": output.shape[-1],
                "kernel size": kernel,
                "stride": stride,
                "padding": padding,
                "input channels": inputs[0].shape[1],
                "output channels": output.shape[1],
                "parameters": sum(parameter.numel() for parameter in layer.parameters()),
            }
        )

    for layer in stem.modules():
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
            layer.register_forward_hook(note)
    stem(image)
    return pd.DataFrame(rows)


def table_1_beside_the_report() -> pd.DataFrame:
    """Table I of the reduced stem at the report's size, and which cells the report has otherwise ("" if none)."""
    full = SIZES["full"]
    ours = table_1(network_of(MODELS["model-5"], full), full.crop.size)
    published = original_report.table_1()
    differs = ours[published.columns].ne(published)
    notes = [
        "; ".join(
            f"{column}: {published.at[row, column]}" for column in published.columns if differs.at[row, column]
        )
        for row in published.index
    ]
    return ours.assign(**{"report says otherwise": notes})


def table_2(config: RunConfig) -> pd.DataFrame:
    """Table II: the report's hyperparameters of its proposed model beside those of a run."""
    ours = [config.optimizer, config.batch_size, config.epochs, f"{config.learning_rate:g}"]
    return original_report.table_2().rename(columns={"value": "report"}).assign(**{f"size {config.size}": ours})


def accuracy_table(runs: Sequence[Run]) -> pd.DataFrame:
    """Scores in percent, a row per run and set of people: the run, the people and their metric, macro14,
    weighted14 with its 95 % interval over people, weighted16, and the 16 joints."""
    rows = []
    for run in runs:
        for yardstick in yardsticks(runs):
            distances = run.distances(yardstick.data_set)
            score, seeds = pckh(distances, yardstick.threshold), by_configuration([run])[0]
            of_people = yardstick.interval(seeds)
            row = {
                "run": run.label,
                "people": yardstick.title,
                "metric": yardstick.metric,
                "macro14": score.macro14,
            }
            row |= {"weighted14": score.weighted14, "low": of_people.low, "high": of_people.high}
            row["weighted16"] = score.weighted16
            rows.append(row | dict(zip(JOINTS, score.joints, strict=True)))
    return pd.DataFrame(rows)


def means_table(runs: Sequence[Run]) -> pd.DataFrame:
    """The three means that are called PCKh, in percent, on the first set of people: a row per model, mean of
    seeds."""
    rows = []
    for seeds in by_configuration(runs):
        scores = [pckh(run.distances()) for run in seeds.runs]
        means = {
            name: np.mean([score.mean(name) for score in scores])
            for name in ("macro14", "weighted14", "weighted16")
        }
        rows.append({"model": seeds.label} | means)
    return pd.DataFrame(rows).rename(columns=lambda name: name if name == "model" else f"{name}, %")


def group_table(runs: Sequence[Run], yardstick: Yardstick) -> pd.DataFrame:
    """A row per configuration and mean, of each group of joints and of weighted14: model (the configuration's
    label), mean (its name), score (percent, mean over seeds), and low and high, its 95 % interval over people."""
    return pd.DataFrame(
        {"model": seeds.label, "mean": mean, "score": found.estimate, "low": found.low, "high": found.high}
        for seeds in by_configuration(runs)
        for mean, found in intervals(
            seeds.distances(yardstick.data_set), [*GROUPS, "weighted14"], yardstick.threshold
        ).items()
    )


def joints_table(groups: pd.DataFrame) -> pd.DataFrame:
    """`group_table` with a row per group of joints and a column per model, in percent."""
    table = groups.pivot(index="mean", columns="model", values="score")
    table = table.loc[[*GROUPS, "weighted14"], list(dict.fromkeys(groups["model"]))]
    table = table.rename(index={"weighted14": "all 14 joints"}, columns=lambda label: f"{label.split(':')[0]}, %")
    return table.rename_axis(index="joints", columns=None).reset_index()


def models_table(runs: Sequence[Run]) -> pd.DataFrame:
    """The models of a study, a row each: how far the training loss ends below the floor (mean of the seeds; not
    there for a loss other than squared error), and on each set of people the score of every seed, and their mean
    with its 95 % interval over people; then the mean pose and the ceiling of the first set. Numbers as text.
    """
    sticks, rows = yardsticks(runs), []
    for seeds in by_configuration(runs):
        below = np.mean([last_below(run) for run in seeds.runs])
        row = {
            "": title_of(seeds.config),
            "network, optimizer": description_of(seeds.config),
            "learning rate": f"{seeds.config.learning_rate:g}",
            "training loss below the floor, %": "" if np.isnan(below) else f"{below:.1f}",
        }
        for yardstick in sticks:
            name, of_people = f"{yardstick.title} {yardstick.metric}", yardstick.interval(seeds)
            row[f"{name} of each seed, %"] = ", ".join(f"{score:.1f}" for score in yardstick.scores(seeds))
            row[f"{name}, mean (95 % over people)"] = (
                f"{of_people.estimate:.1f} ({of_people.low:.1f} to {of_people.high:.1f})"
            )
        rows.append(row)
    descriptions = {
        "mean pose": ("the same pose for everybody, no network", "mean_pose"),
        "ceiling": ("the truth through crop and heatmaps", "codec_ceiling"),
    }
    for name, (description, key) in descriptions.items():
        row = {"": name, "network, optimizer": description}
        for yardstick in sticks:
            if key in (found := without_network(runs[0], yardstick)):
                row[f"{yardstick.title} {yardstick.metric}, mean (95 % over people)"] = f"{found[key]:.1f}"
        rows.append(row)
    table = pd.DataFrame(rows).fillna("")
    return table.loc[:, (table != "").any()]


def without_network(run: Run, yardstick: Yardstick) -> dict[str, float]:
    """What a run's validation people give without a network, in percent of their metric, as far as it is recorded:
    mean_pose, center (the middle of the crop), and codec_ceiling (the truth through crop and heatmaps)."""
    if yardstick.data_set is not None:
        recorded = benchmark_records.floors(run.config.data_fingerprint, run.config.size)
        return recorded.get(yardstick.data_set, {})
    suffix = "_weighted14"
    return {name.removesuffix(suffix): value for name, value in run.floors.items() if name.endswith(suffix)}


def floors_table(runs: Sequence[Run]) -> pd.DataFrame:
    """What needs no network, in percent: a row per data set, crop and set of validation people of the runs, with
    the people whose mean pose it is, those it was tested on and their metric, the crop, and what the mean pose,
    the middle of the crop and the truth through crop and heatmaps reach."""
    rows = {}
    for run in runs:
        rule, count = run.config.crop, train_people(run)
        for yardstick in yardsticks([run]):
            if (run.config.data, rule, yardstick) in rows or not (found := without_network(run, yardstick)):
                continue
            rows[run.config.data, rule, yardstick] = {
                "mean of the poses of": f"{count:,} people of {run.config.data}" if count else run.config.data,
                "tested on": f"{yardstick.people(run):,} people of {yardstick.title}",
                "metric": yardstick.metric,
                "crop, px of a person 200 px high": f"{rule.width:g} x {rule.height:g}",
                "pixels of the crop": f"{rule.columns or rule.size} x {rule.size}",
                "mean pose, %": found["mean_pose"],
                "middle of the crop, %": found.get("center", np.nan),
                "ceiling, %": found.get("codec_ceiling", np.nan),
            }
    return pd.DataFrame(list(rows.values()))


def sizes_table() -> pd.DataFrame:
    """The sizes at which the report's models are trained, a column per size."""
    return pd.DataFrame(
        {
            name: {
                "crop, px": size.crop.size,
                "channels": size.network.channels,
                "stacks (hourglasses)": size.network.stacks,
                "modules (residual blocks, one after the other)": size.network.modules,
                "reductions (halvings in an hourglass)": size.network.reductions,
                "codec": size.codec.kind,
                "batch size": size.batch_size,
                "epochs": size.epochs,
                **{f"learning rate, {optimizer}": rate for optimizer, rate in size.learning_rates.items()},
            }
            for name, size in SIZES.items()
            if name not in COMPARISON_SIZES and REPORT_RATES.keys() <= size.learning_rates.keys()
        }
    )


def cost_table(size: Size) -> pd.DataFrame:
    """Parameters and FLOPs of the six models at a size, a row per model."""
    rows = [
        {"model": model.title, "network": model.description}
        | network_cost(network_of(model, size), size.crop.size)
        for model in REPORT_MODELS.values()
    ]
    return pd.DataFrame(rows)


def cost_and_time(config: NetworkConfig, size: int) -> pd.DataFrame:
    """A row per part of the original network at crops of size px: part, gflop, ms.

    Hourglasses by resolution: "hourglass 1, 32 x 32" is what it computes there. ms on one thread, as measured
    at this size (`posekit.analysis.benchmark_records.part_times`), with a row for what lies between the parts:
    pooling, upsampling and sums. Raises `PosekitError` if there is no such record.
    """
    counted = pd.DataFrame(cost_by_part(config, size, levels=True)).astype({"level": "Int64"})
    times = part_times()
    here = times[times["size"] == size]
    if here.empty:
        measured = ", ".join(map(str, times["size"].unique()))
        raise PosekitError(f"the time of the parts was measured at {measured} px, not at {size}")
    table = here.merge(counted, how="left", on=["part", "level"])
    named = [
        part if pd.isna(level) else f"{part}, {level} x {level}"
        for part, level in zip(table["part"], table["level"], strict=True)
    ]
    table = table.assign(part=named, gflop=table["gflop"].fillna(0.0))
    return table[["part", "gflop", "ms"]]

"""The report's tables beside what this code makes: DataFrames out."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import nn

from posekit.analysis import original_report
from posekit.analysis.benchmark_records import part_times
from posekit.datasets.people import People
from posekit.errors import PosekitError
from posekit.evaluation.intervals import interval, intervals
from posekit.evaluation.pckh import pckh, split_by_visibility
from posekit.models.config import NetworkConfig
from posekit.models.cost import cost_by_part, network_cost
from posekit.models.hourglass import StackedHourglass
from posekit.skeleton import GROUPS, JOINTS, SCORED
from posekit.study.configurations import COMPARISON_SIZES, MODELS, REPORT_MODELS, SIZES, Size, network_of
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


def losses_table(runs: list[Run]) -> pd.DataFrame:
    """The six losses after the last epoch: the report's beside ours, and the floor of answering zero.

    A further model is not in it, because the report has no loss to put beside its own; `models_table` has it.
    The two columns are not of the same size of network or data set unless the size is `full` on all of MPII.
    """
    table = original_report.losses().rename(columns={"loss": "report: loss"})
    ours = pd.DataFrame(
        {
            "model": int(run.config.model.removeprefix("model-")),
            "seed": run.config.seed,
            "ours: training loss": run.history["train_loss"].iloc[-1],
            "ours: validation loss": run.history["validation_loss"].iloc[-1],
            "zero heatmaps, validation": run.floors["zero_heatmap_validation"],
        }
        for run in runs
        if run.config.model in original_report.models()
    )
    return table.merge(ours, on="model", how="left")


def accuracy_table(runs: list[Run], threshold: float = 0.5) -> pd.DataFrame:
    """PCKh in percent: a row a run, columns the three means, the 95 % interval of weighted14 over people, and the
    16 joints; the mean pose as last row."""
    rows = {}
    for run in runs:
        score, of_people = pckh(run.distances(), threshold), interval(run.distances(), "weighted14", threshold)
        means = {"macro14": score.macro14, "weighted14": score.weighted14, "weighted16": score.weighted16}
        means |= {"weighted14 low": of_people.low, "weighted14 high": of_people.high}
        rows[run.label] = means | dict(zip(JOINTS, score.joints, strict=True))
    table = pd.DataFrame.from_dict(rows, orient="index")
    if runs and threshold == 0.5:
        table.loc["mean pose (no network)", "weighted14"] = runs[0].floors["mean_pose_weighted14"]
    return table


def group_table(runs: Sequence[Run], threshold: float = 0.5) -> pd.DataFrame:
    """A row per configuration and mean, of each group of joints and of weighted14: model (the configuration's
    label), mean (its name), PCKh (percent, mean over seeds), and low and high, its 95 % interval over people."""
    return pd.DataFrame(
        {"model": seeds.label, "mean": mean, "PCKh": found.estimate, "low": found.low, "high": found.high}
        for seeds in by_configuration(runs)
        for mean, found in intervals(seeds.distances(), [*GROUPS, "weighted14"], threshold).items()
    )


def models_table(runs: Sequence[Run]) -> pd.DataFrame:
    """The models of a study, a row each: losses (means of the seeds, after the last epoch), PCKh@0.5 weighted14 of
    every seed, and their mean with its 95 % interval over people; then floors and ceiling. Numbers as text."""
    rows = []
    for seeds in by_configuration(runs):
        of_people = interval(seeds.distances())
        losses = [run.history[["train_loss", "validation_loss"]].iloc[-1].to_numpy() for run in seeds.runs]
        train_loss, validation_loss = np.mean(losses, axis=0)
        rows.append(
            {
                "": MODELS[seeds.config.model].title,
                "network, optimizer": MODELS[seeds.config.model].description,
                "learning rate": f"{seeds.config.learning_rate:g}",
                "loss, training": f"{train_loss:.5f}",
                "loss, validation": f"{validation_loss:.5f}",
                "PCKh of each seed, %": ", ".join(f"{pckh(d).weighted14:.1f}" for d in seeds.distances()),
                "their mean (interval)": f"{of_people.estimate:.1f} ({of_people.low:.1f} to {of_people.high:.1f})",
            }
        )
    floors = runs[0].floors
    rows.append(
        {
            "": "floors",
            "network, optimizer": "loss: answering zero; PCKh: the mean pose for everybody",
            "loss, training": f"{floors['zero_heatmap_train']:.5f}",
            "loss, validation": f"{floors['zero_heatmap_validation']:.5f}",
            "their mean (interval)": f"{floors['mean_pose_weighted14']:.1f}",
        }
    )
    if "codec_ceiling_weighted14" in floors:
        ceiling = f"{floors['codec_ceiling_weighted14']:.1f}"
        told = {"network, optimizer": "the truth through crop and heatmaps", "their mean (interval)": ceiling}
        rows.append({"": "ceiling"} | told)
    return pd.DataFrame(rows).fillna("")


def visibility_table(runs: list[Run], people: People) -> pd.DataFrame:
    """PCKh@0.5 weighted14 (percent) of joints that are seen in the image and of occluded ones, a row a run; the
    last row counts the joints. people: the validation people of the runs, in their order."""
    rows = {}
    for run in runs:
        parts = split_by_visibility(run.distances(), people.visible)
        rows[run.label] = {name: pckh(part).weighted14 for name, part in parts.items()}
    if runs:
        parts = split_by_visibility(runs[0].distances(), people.visible)
        rows["joints"] = {name: pckh(part).counts[list(SCORED)].sum() for name, part in parts.items()}
    return pd.DataFrame.from_dict(rows, orient="index")


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
            if name not in COMPARISON_SIZES
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
    """A row a part of the original network at crops of size px: part, gflop, ms.

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

"""Tables that take a network apart: what each part holds and costs, with the arithmetic beside the numbers."""

from collections.abc import Mapping

import pandas as pd
import torch
from torch import Tensor, nn

from posekit.models.cost import convolutions, count_parameters, flops_by_module, modules_by_part
from posekit.models.encoder import EncoderConfig, EncoderNetwork
from posekit.models.hourglass import HourglassConfig, Residual, StackedHourglass


def features_table(features: Mapping[str, Tensor]) -> pd.DataFrame:
    """Shape and count of the features of `posekit.models.features.hourglass_features`, a row per place."""
    rows = [
        {
            "place": place,
            "channels": values.shape[1],
            "height x width": f"{values.shape[2]} x {values.shape[3]}",
            "numbers": values[0].numel(),
        }
        for place, values in features.items()
    ]
    return pd.DataFrame(rows).set_index("place")


def arithmetic_table(table_1: pd.DataFrame) -> pd.DataFrame:
    """The convolutions of `posekit.analysis.tables.table_1` with the arithmetic of their parameters and FLOPs.

    k x k weights for every pair of input and output channel, and an offset per output channel; 2 FLOPs, a
    multiplication and an addition, per weight and place of the output.
    """
    rows = []
    for row in table_1[table_1["layer"] != "MaxPool"].to_dict("records"):
        kernel, size = row["kernel size"], row["output size"]
        inputs, outputs = row["input channels"], row["output channels"]
        weights = f"{kernel} x {kernel} x {inputs} x {outputs}"
        rows.append(
            {
                "convolution": f"{kernel} x {kernel}, {inputs} to {outputs} channels",
                "weights + offsets": f"{weights} + {outputs}",
                "parameters": kernel**2 * inputs * outputs + outputs,
                "2 x weights x cells": f"2 x {weights} x {size} x {size}",
                "GFLOP": 2 * kernel**2 * inputs * outputs * size**2 / 1e9,
            }
        )
    return pd.DataFrame(rows).round({"GFLOP": 3})


def normalization_table(networks: Mapping[str, HourglassConfig]) -> pd.DataFrame:
    """Where the parameters of networks are: in convolutions of the stem, BatchNorm of the stem, or after the stem.

    A column per network, and last the first one's minus the second one's.
    """
    columns = {}
    for name, config in networks.items():
        with torch.device("meta"):
            network = StackedHourglass(config)
        in_stem = sum(map(count_parameters, convolutions(network.stem)))
        columns[name] = {
            "stem, convolutions": in_stem,
            "stem, BatchNorm": count_parameters(network.stem) - in_stem,
            "after the stem": count_parameters(network) - count_parameters(network.stem),
            "together": count_parameters(network),
        }
    table = pd.DataFrame(columns)
    first, second = list(networks)[:2]
    return table.assign(difference=table[first] - table[second])


def parts_table(config: HourglassConfig, size: int) -> pd.DataFrame:
    """Parameters and GFLOP of stem, hourglasses and heads for crops of size px, with their shares (%).

    "made of" counts the residual blocks that are alike, and what is left.
    """
    with torch.device("meta"):
        network = StackedHourglass(config).eval()
        image = torch.empty(1, 3, size, size)
    counted = flops_by_module(network, image)
    parts: dict[str, list[nn.Module]] = {}
    for (part, _), modules in modules_by_part(network, size).items():
        parts.setdefault(part, []).extend(modules)
    rows = {
        part: {
            "made of": _made_of(modules),
            "parameters": sum(map(count_parameters, modules)),
            "GFLOP": sum(counted[module] for module in modules) / 1e9,
        }
        for part, modules in parts.items()
    }
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.insert(2, "parameters (%)", (100 * table["parameters"] / table["parameters"].sum()).round(1))
    table["GFLOP (%)"] = (100 * table["GFLOP"] / table["GFLOP"].sum()).round(1)
    return table.round({"GFLOP": 2})


def encoder_table(config: EncoderConfig, size: int) -> pd.DataFrame:
    """The network that starts from ImageNet, for crops of size px: its encoder up to each resolution that the
    decoder reads, and the decoder; shape of what each part gives, parameters and GFLOP."""
    with torch.device("meta"):
        network = EncoderNetwork(config).eval()
        images = torch.empty(1, 3, size, size)
        levels, scores = network.encoder(images), network.decoder(network.encoder(images))
    counted = flops_by_module(network, images)
    encoder, rows, first = network.encoder, [], 0
    for last, features in zip(config.read, levels, strict=True):
        modules = [*([encoder.stem] if first == 0 else []), *encoder.stages[first : last + 1]]
        rows.append((f"encoder, down to {features.shape[-2]} x {features.shape[-1]}", features, modules))
        first = last + 1
    rows.append(("decoder, up again", scores, [network.decoder]))
    return pd.DataFrame.from_records(
        [
            {
                "part": part,
                "gives": " x ".join(map(str, features.shape[1:])),
                "parameters": sum(map(count_parameters, modules)),
                "GFLOP": round(sum(counted[module] for module in modules) / 1e9, 3),
            }
            for part, features, modules in rows
        ],
        index="part",
    )


def _made_of(modules: list[nn.Module]) -> str:
    """Such as "26 residual blocks x 214,528"; blocks of different widths are counted with the rest."""
    blocks = [layer for module in modules for layer in module.modules() if isinstance(layer, Residual)]
    sizes = {count_parameters(block) for block in blocks}
    everything = sum(map(count_parameters, modules))
    if len(sizes) != 1:
        return f"{sum(len(convolutions(module)) for module in modules)} convolutions and their BatchNorm"
    size = sizes.pop()
    rest = everything - len(blocks) * size
    return f"{len(blocks)} residual blocks x {size:,}" + (f" + {rest:,}" if rest else "")

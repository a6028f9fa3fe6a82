"""Options that several commands share."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

DataOption = Annotated[
    list[Path] | None,
    typer.Option(
        envvar="POSEKIT_DATA",
        help="Folder of a data set: MPII (annotations/ and images/; a part of the images will do), LSP or LSP "
        "Extended (joints.mat and images/). Several: repeat the option. Without: drawn people.",
    ),
]
MpiiOption = Annotated[
    Path | None, typer.Option(envvar="POSEKIT_MPII", help="The folder of MPII; short for --data.")
]
LspetOption = Annotated[
    Path | None, typer.Option(envvar="POSEKIT_LSPET", help="A folder of LSP Extended; short for --data.")
]
SizeOption = Annotated[
    str,
    typer.Option(
        envvar="POSEKIT_SIZE",
        help="'quick' (minutes on two cores), 'half' (hours), 'full' (the report's, needs a GPU); 'short' and "
        "'long' compare networks by cost.",
    ),
]
ModelOption = Annotated[
    str, typer.Option(help="Number of one of the report's six models, or the name of a network, such as lean.")
]
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
    typer.Option(help="float32 or bfloat16, of convolutions; by default what suits size and hardware."),
]
CompileOption = Annotated[
    bool, typer.Option("--compile", help="Let torch.compile make a step faster; takes minutes at the beginning.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def named_data(data: list[Path] | None, *more: Path | None) -> list[Path]:
    """The folders of all options together, in their order, each once."""
    from posekit.datasets.sources import each_once

    return each_once([*(data or []), *filter(None, more)])


@contextmanager
def interruptible() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        print(
            "\nposekit: stopped. What is finished is kept; the same command goes on from there.", file=sys.stderr
        )
        raise typer.Exit(130) from None

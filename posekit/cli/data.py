"""The options that name data sets, for every command that reads people."""

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


def named_data(data: list[Path] | None, *more: Path | None) -> list[Path]:
    """The folders of all options together, in their order, each once."""
    from posekit.datasets.sources import each_once

    return each_once([*(data or []), *filter(None, more)])

"""Options that several commands share."""

import json
import math
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated

import typer

from posekit.errors import PosekitError

DataOption = Annotated[
    list[Path] | None,
    typer.Option(
        envvar="POSEKIT_DATA",
        help="Folder of a data set: MPII (annotations/ and images/; a part of the images will do), LSP or LSP "
        "Extended (joints.mat and images/); or a .json file of COCO keypoints. Several: repeat the option. "
        "Without: drawn people.",
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


def as_json_text(value: object) -> str:
    """JSON as the standard has it: what is not a finite number becomes null."""

    def finite(part: object) -> object:
        if isinstance(part, dict):
            return {key: finite(one) for key, one in part.items()}
        if isinstance(part, list | tuple):
            return [finite(one) for one in part]
        return None if isinstance(part, float) and not math.isfinite(part) else part

    return json.dumps(finite(value), indent=2, allow_nan=False)


def guarded(command: Callable[..., None], when_stopped: str = "stopped") -> Callable[..., None]:
    """Wraps a command: every failure of the system becomes one sentence, and Ctrl-C exit status 130.

    The sentence is a `PosekitError` with the file's name and the cause. when_stopped: what Ctrl-C prints.
    """

    @wraps(command)
    def at_the_door(*arguments: object, **options: object) -> None:
        try:
            command(*arguments, **options)
        except KeyboardInterrupt:
            print(f"\nposekit: {when_stopped}", file=sys.stderr)
            raise typer.Exit(130) from None
        except BrokenPipeError:  # the program that reads the output has gone, as head does
            raise
        except OSError as error:
            names = " and ".join(str(name) for name in (error.filename, error.filename2) if name is not None)
            cause = error.strerror or str(error)
            raise PosekitError(f"{names or 'a file'}: {cause}; check path, rights and free space") from error

    return at_the_door


def resumable(command: Callable[..., None]) -> Callable[..., None]:
    """`guarded`, for a command that goes on where it was stopped."""
    return guarded(command, "stopped. What is finished is kept; the same command goes on from there.")

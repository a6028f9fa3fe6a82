"""The command `posekit export`: a network as an ONNX file, compared with what it was made from."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from posekit.errors import PosekitError

# What takes long to import is imported inside the command, so that --help answers at once.

#: The file must answer as the network does, but for weights rounded to float16: values of heatmaps, which are
#: about 1 at a sure joint, and px of the crop.
MOST_OF_HEATMAPS, MOST_OF_JOINTS = 0.05, 0.25
CROPS, ROUNDS = 8, 30


def export(
    checkpoint: Annotated[
        Path | None, typer.Option(help="A checkpoint of posekit train; by default posekit's own network.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="By default the checkpoint's name, ending in .onnx, in this folder.")
    ] = None,
    finder: Annotated[
        bool, typer.Option("--finder", help="Instead: the network that finds people in whole photographs.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace --out if it exists.")] = False,
) -> None:
    """A trained network as an ONNX file, for onnxruntime and other programs.

    Its weights are stored as float16 and computed with in float32. The file holds crop and codec too, so
    posekit predict --checkpoint F.onnx needs nothing else. Both networks are asked about drawn people, and the
    largest difference of their answers is printed with the time of each. The file of --finder takes whole
    photographs; its description says what it is given and what it answers.
    """
    import torch

    from posekit.inference.export import compare, drawn_crops, export_finder, export_onnx
    from posekit.inference.finder import OWN_FINDER, Finder
    from posekit.inference.predictor import OWN_NETWORK, Predictor

    if finder and checkpoint is not None:
        raise PosekitError("--finder exports the network that finds people; leave out --checkpoint")
    checkpoint = OWN_FINDER if finder else checkpoint or OWN_NETWORK
    out = out or Path(checkpoint.with_suffix(".onnx").name)
    if checkpoint.suffix == ".onnx":
        raise PosekitError(f"{checkpoint} is an ONNX file already; name a checkpoint of posekit train")
    if out.suffix != ".onnx":
        raise PosekitError(f"{out}: the name of an ONNX file must end in .onnx, or it is not known as one")
    if out.exists() and not overwrite:
        raise PosekitError(f"{out} exists already; choose another name or say --overwrite")
    cpu = torch.device("cpu")
    print(f"posekit: exporting {checkpoint}; this takes some seconds ...", file=sys.stderr)
    if finder:
        export_finder(Finder.own(cpu), out)
        print(f"wrote {out} ({out.stat().st_size / 1e6:.1f} MB)")
        return
    predictor = Predictor.from_checkpoint(checkpoint, cpu)
    export_onnx(predictor, out)
    found = compare(predictor, Predictor.from_checkpoint(out, cpu), drawn_crops(predictor, CROPS), ROUNDS)
    print(f"wrote {out} ({out.stat().st_size / 1e6:.1f} MB)")
    print(
        f"largest difference over {CROPS} drawn people: heatmaps {found.heatmaps:.1e}, "
        f"joints {found.joints:.1e} px of the crop"
    )
    print(
        f"one person, {torch.get_num_threads()} thread(s): torch {1e3 * found.one_seconds:.1f} ms, "
        f"onnxruntime {1e3 * found.other_seconds:.1f} ms"
    )
    if not (found.heatmaps <= MOST_OF_HEATMAPS and found.joints <= MOST_OF_JOINTS):  # also what is no number
        raise PosekitError(
            f"{out} does not answer as {checkpoint} does (at most {MOST_OF_HEATMAPS:g} and {MOST_OF_JOINTS:g} px "
            "are float16's rounding): do not use it; install the versions of requirements.lock and export again"
        )

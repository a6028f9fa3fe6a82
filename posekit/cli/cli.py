"""The command line: which commands there are, and how errors are shown. `posekit --help` lists them."""

import os
import signal
import sys

import typer

from posekit.cli.common import guarded, resumable
from posekit.cli.evaluate import evaluate
from posekit.cli.export import export
from posekit.cli.mpii import mpii_app
from posekit.cli.predict import predict
from posekit.cli.showcase import showcase
from posekit.cli.study import cost, figures, grid, networks, notebooks, sample, study, train
from posekit.errors import PosekitError

app = typer.Typer(
    help="Human pose estimation with Stacked Hourglass networks: a study one can repeat.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

app.add_typer(mpii_app, name="mpii")
for command in (
    study,
    train,
    evaluate,
    grid,
    networks,
    showcase,
    predict,
    export,
    figures,
    notebooks,
    sample,
    cost,
):
    wrapped = resumable if command in (study, train, grid, notebooks) else guarded
    app.command()(wrapped(command))


def main() -> None:
    """Runs a command; what a person can put right is one sentence and exit status 1, not a traceback."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")  # what OpenCV and FFmpeg print is one sentence of ours
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    signal.signal(signal.SIGTERM, stop)  # so that a study that is ended also ends the trainings that it started
    for stream in (sys.stdout, sys.stderr):  # names that this terminal cannot show are escaped
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except PosekitError as error:
        if os.environ.get("RANK", "0") == "0":  # of several processes, only one prints it
            print(f"posekit: {error}", file=sys.stderr)
        sys.exit(1)

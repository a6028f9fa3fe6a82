"""The commands `posekit mpii ...`: fetch MPII Human Pose, and check that all of it arrived."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from posekit.cli.common import guarded, resumable

# What takes long to import is imported inside the commands, so that --help answers at once.

mpii_app = typer.Typer(help="Download MPII Human Pose and check its photographs.", no_args_is_help=True)


@mpii_app.command()
@resumable
def download(
    mpii: Annotated[
        Path,
        typer.Option(envvar="POSEKIT_MPII", help="Folder that gets annotations/ and images/; made if missing."),
    ],
    url: Annotated[
        str | None, typer.Option(help="Web folder with the two archives; by default the authors'.")
    ] = None,
    annotations_only: Annotated[
        bool, typer.Option("--annotations-only", help="Leave out the photographs (12.9 GB).")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before the 12.9 GB.")] = False,
) -> None:
    """Fetch MPII Human Pose: annotations and 12.9 GB of photographs (26 GB of disk while it is unpacked).

    If it is stopped or cut off, the same command continues at the same byte. Existing files are never replaced.
    The photographs are for research; see the license in the annotations.
    """
    from posekit.datasets.download import MPII_URL, download_mpii

    def ask(question: str) -> bool:
        return yes or typer.confirm(question)

    counts = download_mpii(mpii, url or MPII_URL, images=not annotations_only, ask=ask)
    for part, count in counts.items():
        print(f"{count:6d} files in {mpii / part}")
    if counts["images"]:
        print(f"posekit mpii check --mpii {mpii} opens every photograph once.")


@mpii_app.command()
@guarded
def check(
    mpii: Annotated[
        Path,
        typer.Option(envvar="POSEKIT_MPII", help="Folder with MPII's annotations/ and images/."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with the names of missing files.")] = False,
) -> None:
    """Open every photograph once: which are missing, damaged, cut off or of another size, and which people are
    lost with them.

    The exit status is 1 if an existing file cannot be used. Missing files are only counted.
    """
    from posekit.datasets.check import check_images
    from posekit.datasets.mpii import read_mpii

    report = check_images(read_mpii(mpii))
    print(json.dumps(report.as_dict(), indent=2) if as_json else report)
    if report.damaged:
        print(
            f"posekit: {len(report.damaged)} files cannot be used; delete them and fetch them again",
            file=sys.stderr,
        )
        raise typer.Exit(1)

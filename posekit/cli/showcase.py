"""The command `posekit showcase`: what README, card and docs show about the included networks."""

from typing import Annotated

import typer

# What takes long to import is imported inside the command, so that --help answers at once.


def showcase(
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="Draw the README's picture as well, of drawn people.")
    ] = True,
) -> None:
    """Compare the included networks with public ones on the same people, and draw the picture of the README.

    Reads what the networks found from data/peers/ (its README says how to renew that) and writes to
    figures/showcase/; in a checkout, the tables in README.md and docs/networks.md as well.
    """
    from posekit.analysis.showcase import publish_pages, publish_picture, publish_tables
    from posekit.paths import REPOSITORY, figures_folder, home

    folder = figures_folder("showcase")
    paths = publish_tables(folder)
    if home() == REPOSITORY:
        paths += publish_pages(REPOSITORY)
    if pictures:
        paths.append(publish_picture(folder))
    for path in paths:
        print(path)

"""The command `posekit variants`: what cheaper networks cost and find, from records."""

import sys
from typing import Annotated

import typer

# What takes long to import is imported inside the command, so that --help answers at once.


def variants(
    data: Annotated[
        str | None,
        typer.Argument(
            help="Data set, as the folders of data/runs begin, such as mpii-1992-lspet-6000 (default)."
        ),
    ] = None,
) -> None:
    """Tables and figures of the variants of the original network, from records: cost, PCKh, learning, two budgets.

    Those of the default go to data/pareto.csv, data/pareto-long.csv and figures/variants/.
    """
    from posekit.analysis import benchmark_records
    from posekit.analysis.cheaper_networks import training_command, untrained
    from posekit.analysis.publish import publish_variants
    from posekit.analysis.results import PUBLISHED_DATA, read_variants
    from posekit.errors import PosekitError
    from posekit.study.configurations import BUDGETS
    from posekit.study.study import home

    data = data or PUBLISHED_DATA
    runs = read_variants(data)
    try:
        latency = benchmark_records.variant_latency()
    except PosekitError as error:
        print(f"posekit: without latency: {error}", file=sys.stderr)
        latency = None
    if data == PUBLISHED_DATA:
        figures, numbers = home() / "figures" / "variants", home() / "data"
    else:
        figures = numbers = home() / "figures" / f"{data}-variants"
    for path in publish_variants(runs, latency, figures, numbers):
        print(path)
    for budget, names in untrained(runs).items():
        if names:
            print(f"{BUDGETS[budget]} epochs, no finished record yet: {', '.join(names)}")
            print(f"  {training_command(data, f'{budget}-{names[0]}')}")

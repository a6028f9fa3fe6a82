"""The command `posekit grid`: every optimizer at every learning rate, so that their comparison is fair."""

from typing import Annotated

import typer

from posekit.cli.data import DataOption, LspetOption, MpiiOption, named_data

# What takes long to import is imported inside the command, so that --help answers at once.


def grid(
    profile: Annotated[str, typer.Option(envvar="POSEKIT_PROFILE", help="Size of the trainings.")] = "quick",
    data: DataOption = None,
    mpii: MpiiOption = None,
    lspet: LspetOption = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds of every rate; an interval needs two.")] = 2,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1 or mps.")] = None,
) -> None:
    """RMSprop, RAdam and Adam on the original network, each at eight learning rates: trains what is missing.

    That is 24 trainings a seed. `posekit figures` draws them and judges the report's claims by them.
    """
    from posekit.analysis.optimizers import (
        GRID_MODELS,
        GRID_RATES,
        at_best_rates,
        at_equal_rates,
        at_report_rates,
        duel_table,
        grid_table,
        make_grid,
    )
    from posekit.study.study import Study

    study = Study(profile, named_data(data, mpii, lspet), device=device)
    # Seed by seed, so that a grid that was stopped is a whole one of fewer seeds.
    configs = [study.config(m, s, rate) for s in range(seeds) for m in GRID_MODELS.values() for rate in GRID_RATES]
    study.record_all(configs)
    made = make_grid(study.runs(), study.variations())
    print("PCKh@0.5, weighted14, in percent; low and high: 95 % over people")
    print(grid_table(made).to_string(index=False, float_format="{:.4g}".format))
    print("\ndifferences in points; p is about people and seeds, after Holm's correction")
    duels = at_report_rates(made) + at_equal_rates(made) + at_best_rates(made)
    print(duel_table(duels).round(3).to_string(index=False, na_rep=""))

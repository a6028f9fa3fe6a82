"""Does RMSprop win, or does its learning rate? Every optimizer over the same rates, under the same budget."""

from collections.abc import Sequence

from posekit.records import Run
from posekit.study import Study

#: The original network with each of the report's optimizers.
GRID_MODELS = (1, 2, 3)

#: From well below the report's rate for RMSprop, 2.5e-4, to well above the others' usual 1e-3.
GRID_RATES = (1e-4, 2.5e-4, 5e-4, 1e-3, 2e-3, 4e-3)


def learning_rate_grid(study: Study, seeds: Sequence[int] = (0, 1), train: bool = True) -> list[Run]:
    """The runs of every optimizer at every rate from every seed; missing ones are trained unless `train` is False.

    Runs at the profile's own rate are those of the study itself. Seed by seed, so that a part is whole early.
    """
    configs = [study.config(m, seed, rate) for seed in seeds for m in GRID_MODELS for rate in GRID_RATES]
    if train:
        return study.record_all(configs)
    there = [*study.runs(), *study.variations()]
    return [run for run in there if run.config in configs]

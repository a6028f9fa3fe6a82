"""What a number is about, in one sentence: data, size, recipe, seeds and people; every table says it."""

import re
from collections.abc import Sequence

from posekit.analysis.texts import listed
from posekit.analysis.yardsticks import yardsticks
from posekit.study.runs import Run


def train_people(run: Run) -> int | None:
    """How many people a run was trained on; None where that is not known: before it is finished, and where the
    name of its data set does not say how many people it has.

    mpii-2203-lspet-9844-lsp-2000 has 14,047 people, less those it was tested on.
    """
    parts = re.findall(r"([a-z]+)(?:-(\d+))?", run.config.data.replace("-repaired", ""))
    if not run.finished or not parts or not all(count for _, count in parts):
        return None
    return sum(int(count) for _, count in parts) - sum(y.people(run) for y in yardsticks([run]))


def setting_of(runs: Sequence[Run]) -> str:
    """Data, size, recipe, seeds and people of runs of one study."""
    run = next((run for run in runs if run.finished), runs[0])
    config = run.config
    count = train_people(run)
    people = f"{count:,} people of {config.data}" if count else config.data
    epochs = f"{config.epochs} epochs" + (f" of {config.epoch_people:,} people" if config.epoch_people else "")
    tested = (
        " and ".join(f"{y.people(run):,} of {y.title} by {y.metric}" for y in yardsticks(runs)) or "nobody yet"
    )
    return (
        f"Trained on {people}; size {config.size}: {config.crop.size} px, {config.network.channels} channels, "
        f"{epochs} in batches of {config.batch_size}, {_rates(runs)}, "
        f"{'with' if config.augmentation else 'no'} augmentation; {_seeds(runs)}; tested on {tested}."
    )


def brief(runs: Sequence[Run]) -> str:
    """The setting in a few words, for tables of a notebook that states the whole one at its top."""
    run = next((run for run in runs if run.finished), runs[0])
    count = train_people(run)
    people = f"{count:,} people of {run.config.data}" if count else run.config.data
    tested = " and ".join(f"{y.people(run):,} of {y.title}" for y in yardsticks(runs)) or "nobody yet"
    return f"Size {run.config.size}, trained on {people}, {_seeds(runs)}, tested on {tested}."


def _rates(runs: Sequence[Run]) -> str:
    """Optimizers with their rates, such as "RMSprop at 0.00025, RAdam and Adam at 0.001"."""
    rates: dict[str, set[float]] = {}
    for run in runs:
        rates.setdefault(run.config.optimizer, set()).add(run.config.learning_rate)
    few = {name: sorted(values) for name, values in rates.items()}
    if any(len(values) > 2 for values in few.values()):
        low, high = (f(value for values in few.values() for value in values) for f in (min, max))
        return f"{listed(few)} at {low:g} to {high:g}"
    together: dict[str, list[str]] = {}
    for name, values in few.items():
        together.setdefault(listed(f"{rate:g}" for rate in values), []).append(name)
    return ", ".join(f"{listed(names)} at {rates}" for rates, names in together.items())


def _seeds(runs: Sequence[Run]) -> str:
    """How many seeds each model has, such as "3 seeds per model" or "1 to 3 seeds per model"."""
    found: dict[tuple, set[int]] = {}
    for run in runs:
        found.setdefault((run.config.model, run.config.learning_rate), set()).add(run.config.seed)
    few, many = min(map(len, found.values())), max(map(len, found.values()))
    if few == many:
        return f"{few} seed{'s'[: few > 1]} per model"
    return f"{few} to {many} seeds per model"

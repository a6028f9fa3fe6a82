"""Trains several runs at once on a CPU, each in a process of its own: small networks use one core at best."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, wait

from tqdm.auto import tqdm

from posekit.errors import PosekitError
from posekit.machine import process_pool

#: Seconds between two looks at what the runs have recorded.
_EVERY = 0.5


def run_together(
    tasks: Sequence[Callable[[], object]],
    jobs: int,
    state: Callable[[], tuple[int, str]],
    images: int,
    progress: bool = True,
) -> None:
    """Calls every task (which can be pickled and trains one run) in another process, at most `jobs` at a time.

    The bar follows `state`: how many images of `images` the runs have trained on, and a text. If one fails, the
    others are stopped (what they recorded is kept) and its error is raised; so are they on Ctrl-C, and when this
    process is killed. Raises `PosekitError` if one is ended from outside.
    """
    with (
        process_pool(jobs) as pool,
        tqdm(
            total=images,
            initial=state()[0],
            desc=f"training, {jobs} at a time",
            unit=" images",
            disable=not progress,
        ) as bar,
    ):
        waiting = {pool.submit(task) for task in tasks}
        while waiting:
            finished, waiting = wait(waiting, _EVERY, FIRST_COMPLETED)
            done, text = state()
            if done > bar.n:
                bar.set_postfix_str(text, refresh=False)
                bar.update(done - bar.n)
            for run in finished:
                try:
                    run.result()
                except BrokenExecutor as error:
                    raise PosekitError(
                        "a training process was ended from outside, most likely for want of memory; "
                        "the same command goes on from what it recorded"
                    ) from error

"""What the computer at hand offers: its cores, and processes that use them."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from joblib.externals.loky import ProcessPoolExecutor


def cpu_cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def process_pool(count: int) -> Iterator[ProcessPoolExecutor]:
    """An executor of `count` processes, as those of `concurrent.futures`.

    loky's processes do not import the caller's main module, so a notebook or a script without a guard may use
    them. They end with the block, whatever they are doing: by its last line, by an error, by Ctrl-C, and when
    this process is killed.
    """
    theirs, ours = multiprocessing.Pipe(duplex=False)
    pool = ProcessPoolExecutor(count, initializer=_follow, initargs=(theirs,))
    try:
        yield pool
        pool.shutdown()
    except BaseException:
        pool.shutdown(kill_workers=True)
        raise
    finally:
        ours.close()
        theirs.close()


def _follow(parent: Connection) -> None:
    """Lets a process of a pool leave Ctrl-C to its parent, and end when the parent is gone: loky's own go on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        parent.poll(None)  # nothing is ever sent: it returns when the other end is closed
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()

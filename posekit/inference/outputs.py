"""Several outputs of one command, written side by side: if one fails, the others are still completed."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Self

from posekit.errors import PosekitError


class Output:
    """Calls the function that `opened` gives until it fails; `problem` is then the sentence that says why.

    opened: a file to write to that is whole or not there, such as `joint_file`. What failed is discarded, as
    `opened` does it; nothing is raised, since another output may still be healthy.
    """

    def __init__(self, opened: AbstractContextManager[Callable[..., None]]) -> None:
        """Raises `PosekitError` if the output cannot be begun."""
        self.problem: str | None = None
        self._files = ExitStack()
        self._write = self._files.enter_context(opened)

    def __call__(self, *values: object, **named: object) -> None:
        if self.problem is None:
            try:
                self._write(*values, **named)
            except (OSError, PosekitError) as error:
                self._close(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self.problem is None:
            self._close(error)

    def _close(self, error: BaseException | None) -> None:
        """With an error, what was written is discarded."""
        try:
            self._files.__exit__(type(error) if error else None, error, None)
        except (OSError, PosekitError) as failure:
            self.problem = str(failure)
        if error is not None:
            self.problem = self.problem or str(error)

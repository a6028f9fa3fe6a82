"""The one exception that the library raises for input or settings that a person can put right."""

from collections.abc import Iterator
from contextlib import contextmanager


class PosekitError(ValueError):
    """Says in one sentence what is wrong (with the file's or person's name) and what to do next.

    The command line prints it without a traceback and exits with a status that is not zero. It is one line,
    whatever is quoted in it.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(" ".join(sentence.splitlines()))


@contextmanager
def naming(entry: str, remedy: str) -> Iterator[None]:
    """Turns what a malformed entry of somebody's file raises into a `PosekitError`: which one, what is wrong with
    it (the text of a `ValueError`, or the key that is missing), and what to do."""
    try:
        yield
    except KeyError as error:
        raise PosekitError(f"{entry} has no {error.args[0]!r}; {remedy}") from error
    except ValueError as error:
        raise PosekitError(f"{entry}: {error}; {remedy}") from error
    except (TypeError, AttributeError, OverflowError) as error:
        raise PosekitError(f"{entry} is not written as it should be; {remedy}") from error

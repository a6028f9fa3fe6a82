"""The one exception that the library raises for input or settings that a person can put right."""


class PosekitError(ValueError):
    """Says in one sentence what is wrong (with the file's or person's name) and what to do next.

    The command line prints it without a traceback and exits with a status that is not zero. It is one line,
    whatever is quoted in it.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(" ".join(sentence.splitlines()))

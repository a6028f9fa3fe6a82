"""Where the package lies, and where files are read and written: the one place that knows folders."""

from pathlib import Path

#: The folder of the package itself, and the one that it lies in: the repository, in a checkout.
PACKAGE = Path(__file__).resolve().parent
REPOSITORY = PACKAGE.parent

"""Where the package lies, and where files are read and written: the one place that knows folders."""

import os
from pathlib import Path

#: The folder of the package itself, and the one that it lies in: the repository, in a checkout.
PACKAGE = Path(__file__).resolve().parent
REPOSITORY = PACKAGE.parent


def home() -> Path:
    """The folder of data/ and figures/: POSEKIT_HOME, else the checkout, else the current folder."""
    if os.environ.get("POSEKIT_HOME"):
        return Path(os.environ["POSEKIT_HOME"]).resolve()
    return REPOSITORY if (REPOSITORY / "pyproject.toml").exists() else Path.cwd()


def run_folder_name(model: str, seed: int) -> str:
    """The name of a run's folders, such as model-5-seed-0."""
    return f"{model}-seed-{seed}"


def checkpoint_path(study: str, model: str, seed: int) -> Path:
    """Where the network of a run is kept."""
    return home() / "data" / "checkpoints" / study / run_folder_name(model, seed) / "last.pt"

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


def drawn_folder() -> Path:
    """The folder of the people that posekit draws."""
    return home() / "data" / "sample"


def cache_folder() -> Path:
    """The folder of the crops that were made."""
    return home() / "data" / "cache"


def records_folder() -> Path:
    """The folder with the records of all studies, one folder each."""
    return home() / "data" / "runs"


def checkpoints_folder(study: str) -> Path:
    """The folder of a study's trained networks."""
    return home() / "data" / "checkpoints" / study


def figures_folder(study: str) -> Path:
    """The folder of a study's figures and tables."""
    return home() / "figures" / study


def notebooks_folder(study: str) -> Path:
    """The folder of the notebooks as they were executed on a study."""
    return home() / "data" / "notebooks" / study


def run_folder_name(model: str, seed: int) -> str:
    """The name of a run's folders, such as model-5-seed-0."""
    return f"{model}-seed-{seed}"


def checkpoint_path(study: str, model: str, seed: int) -> Path:
    """Where the network of a run is kept."""
    return checkpoints_folder(study) / run_folder_name(model, seed) / "last.pt"

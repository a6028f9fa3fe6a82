"""Fixtures of the tests. They write into pytest's temporary folders; the notebooks into the checkout's data/."""

import os
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from tables import TINY

from posekit.datasets.drawn import make_sample
from posekit.study.configurations import MODELS, PROFILES
from posekit.study.study import Study

CHECKOUT = Path(__file__).resolve().parent.parent

# Networks of tests are so small that a second thread only waits for the first.
torch.set_num_threads(1)

# Only the tests that ask for real data get it; for all others the settings of the person at work do not exist.
# (The processes that tests run in inherit the second names from the one that starts them.)
REAL_MPII = os.environ.pop("POSEKIT_MPII", "") or os.environ.get("POSEKIT_REAL_MPII", "")
REAL_LSPET = os.environ.pop("POSEKIT_LSPET", "") or os.environ.get("POSEKIT_REAL_LSPET", "")
os.environ |= {"POSEKIT_REAL_MPII": REAL_MPII, "POSEKIT_REAL_LSPET": REAL_LSPET}
for variable in ("POSEKIT_PROFILE", "POSEKIT_HOME"):
    os.environ.pop(variable, None)


@pytest.fixture(scope="session")
def mpii_folder() -> Path:
    """MPII's annotations, from POSEKIT_MPII; the tests that need them are skipped without."""
    if not REAL_MPII or not (Path(REAL_MPII) / "annotations").is_dir():
        pytest.skip("POSEKIT_MPII does not name a folder with MPII's annotations/")
    return Path(REAL_MPII).resolve()


@pytest.fixture(scope="session")
def lspet_folder() -> Path:
    """LSP Extended, from POSEKIT_LSPET; the tests that need it are skipped without."""
    if not REAL_LSPET or not (Path(REAL_LSPET) / "joints.mat").is_file():
        pytest.skip("POSEKIT_LSPET does not name a folder with LSP Extended's joints.mat")
    return Path(REAL_LSPET).resolve()


@pytest.fixture(scope="session")
def drawn(tmp_path_factory) -> Path:
    """A folder in MPII's form with 48 train and 16 validation people."""
    folder = tmp_path_factory.mktemp("drawn") / "people"
    make_sample(folder, train=48, validation=16, progress=False)
    return folder


@pytest.fixture(scope="session")
def quick_study() -> Study:
    """On the drawn people, with the checkout's own records and networks: nothing is trained twice."""
    study = Study("quick", progress=False)
    with FileLock(CHECKOUT / "data" / ".sample-quick-lock"):  # tests run in several processes
        study.networks(tuple(MODELS))
    return study


@pytest.fixture(scope="session")
def tiny_home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def tiny_study(drawn, tiny_home, monkeypatch) -> Study:
    """A study of the profile `tiny`; its records stay for the whole session."""
    monkeypatch.setenv("POSEKIT_HOME", str(tiny_home))
    monkeypatch.setitem(PROFILES, "tiny", TINY)
    return Study("tiny", mpii=drawn, progress=False, device="cpu")

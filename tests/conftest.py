"""Fixtures of the tests. They write into pytest's temporary folders; the notebooks into the checkout's data/."""

import os
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from tables import TINY

from posekit.datasets.drawn import make_sample
from posekit.study.configurations import REPORT_MODELS, SIZES
from posekit.study.study import Study

CHECKOUT = Path(__file__).resolve().parent.parent

# Networks of tests are so small that a second thread only waits for the first.
torch.set_num_threads(1)

# Only the tests that ask for real data get it; for all others the settings of the person at work do not exist.
# (The processes that tests run in inherit the second names from the one that starts them.)
REAL = {
    name: os.environ.pop(f"POSEKIT_{name}", "") or os.environ.get(f"POSEKIT_REAL_{name}", "")
    for name in ("MPII", "LSPET", "LSP")
}
os.environ |= {f"POSEKIT_REAL_{name}": folder for name, folder in REAL.items()}
for variable in ("POSEKIT_SIZE", "POSEKIT_HOME", "POSEKIT_DATA"):
    os.environ.pop(variable, None)


def _real(name: str, content: str) -> Path:
    """A folder of real data, or the test that asks for it is skipped."""
    if not REAL[name] or not (Path(REAL[name]) / content).exists():
        pytest.skip(f"POSEKIT_{name} does not name a folder with {content}")
    return Path(REAL[name]).resolve()


@pytest.fixture(scope="session")
def mpii_folder() -> Path:
    """MPII, from POSEKIT_MPII."""
    return _real("MPII", "annotations")


@pytest.fixture(scope="session")
def lspet_folder() -> Path:
    """LSP Extended, from POSEKIT_LSPET."""
    return _real("LSPET", "joints.mat")


@pytest.fixture(scope="session")
def lsp_folder() -> Path:
    """LSP, from POSEKIT_LSP."""
    return _real("LSP", "joints.mat")


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
        study.networks(tuple(REPORT_MODELS))
    return study


@pytest.fixture(scope="session")
def tiny_home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def tiny_study(drawn, tiny_home, monkeypatch) -> Study:
    """A study of the size `tiny`; its records stay for the whole session."""
    monkeypatch.setenv("POSEKIT_HOME", str(tiny_home))
    monkeypatch.setitem(SIZES, "tiny", TINY)
    return Study("tiny", [drawn], progress=False, device="cpu")

"""Fixtures of the tests. They write into pytest's temporary folders."""

import json
import os
from pathlib import Path

import browser
import pytest
import torch
from file_server import server  # noqa: F401
from filelock import FileLock
from moving_dot import dot_network  # noqa: F401
from tables import TINY
from xdist.scheduler import LoadFileScheduling

from posekit.datasets.drawn import make_sample
from posekit.datasets.drawn.write import MARK
from posekit.datasets.mpii import read_mpii
from posekit.datasets.people import People
from posekit.study.configurations import REPORT_MODELS, SIZES
from posekit.study.study import Study

CHECKOUT = Path(__file__).resolve().parent.parent

# Tests run in several processes, and their networks are so small that a second thread only waits for the first.
# The variable is for the processes that they start, such as the kernels of notebooks.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["CUDA_VISIBLE_DEVICES"] = ""  # the same results on a machine with a GPU
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

#: Files with long tests. They start first, so that no process is left with one of them at the end.
LONG = (
    "test_notebooks",
    "test_browser",
    "test_export",
    "test_survival",
    "test_app",
    "test_pareto",
)


class Scopes(LoadFileScheduling):
    """A process runs whole files, so that what they prepare is prepared once. Notebooks share nothing and take
    minutes, so they are given out one by one."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if "::test_notebook_runs[" in nodeid else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadFileScheduling:
    return Scopes(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))


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
def mpii(mpii_folder) -> People:
    """All annotated people of MPII."""
    return read_mpii(mpii_folder)


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
def few_people(tmp_path_factory) -> Path:
    """A folder in MPII's form with 16 train and 8 validation people, for trainings of the size `quick`."""
    folder = tmp_path_factory.mktemp("few") / "people"
    make_sample(folder, train=16, validation=8, progress=False)
    return folder


@pytest.fixture(scope="session")
def sample(tmp_path_factory) -> Path:
    """120 train and 70 validation people in a folder that posekit takes for its own 1,250 and 250.

    It is drawn once for all processes of the tests.
    """
    folder = tmp_path_factory.getbasetemp()
    folder = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "sample"
    with FileLock(folder.with_name("sample.lock")):
        if not folder.exists():
            make_sample(folder.with_name("fewer"), train=120, validation=70, progress=False)
            mark = folder.with_name("fewer") / MARK
            mark.write_text(json.dumps(json.loads(mark.read_text()) | {"train": 1250, "validation": 250}))
            mark.parent.rename(folder)
    return folder


@pytest.fixture
def home_with_people(sample, tmp_path) -> Path:
    """A home of posekit with the people above and nothing else."""
    return home_of(sample, tmp_path / "home")


def home_of(people: Path, home: Path) -> Path:
    """A new home of posekit whose drawn people are those of another folder."""
    (home / "data").mkdir(parents=True)
    (home / "data" / "sample").symlink_to(people)
    return home


@pytest.fixture(scope="module")
def chromium():
    """A headless Chromium. Where it is missing, the tests that ask for it are skipped and say why."""
    if reason := browser.why_not():
        pytest.skip(reason)
    with browser.chromium() as started:
        yield started


@pytest.fixture(scope="session")
def trained_environment(few_people, tmp_path_factory) -> dict[str, str]:
    """The variables that make a process see a study of the size `quick` whose six models are trained."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSEKIT_HOME", str(tmp_path_factory.mktemp("trained")))
        study = Study("quick", [few_people], progress=False, device="cpu")
        study.networks(tuple(REPORT_MODELS))
        return study.environment


@pytest.fixture(scope="session")
def tiny_home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def tiny_study(drawn, tiny_home, monkeypatch) -> Study:
    """A study of the size `tiny`; its records stay for the whole session."""
    monkeypatch.setenv("POSEKIT_HOME", str(tiny_home))
    monkeypatch.setitem(SIZES, "tiny", TINY)
    return Study("tiny", [drawn], progress=False, device="cpu")

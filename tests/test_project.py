"""The repository itself: pins, environment, README and notebooks fit together."""

import re
import subprocess
import tomllib

import nbformat
import pytest
from conftest import CHECKOUT
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from posekit.analysis.results import PUBLISHED, Results
from posekit.analysis.tables import markdown, models_table
from posekit.cli.cli import app
from posekit.cli.run_notebooks import study_notebooks
from posekit.inference.predictor import OWN_NETWORK

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
LOCK = {
    canonicalize_name(requirement.name): requirement
    for line in (CHECKOUT / "requirements.lock").read_text().splitlines()
    if line.strip() and not line.startswith("#")
    for requirement in [Requirement(line)]
}


def pinned_version(requirement: Requirement) -> Version:
    (pin,) = requirement.specifier
    assert pin.operator == "==", f"{requirement} is not pinned"
    return Version(pin.version)


def test_the_lock_pins_one_version_of_everything():
    for requirement in LOCK.values():
        pinned_version(requirement)
    assert str(pinned_version(LOCK["torch"])) == "2.13.0"


@pytest.mark.parametrize("extra", ["run", "dev", "onnx", "hrnet"])
def test_the_lock_has_what_pyproject_asks_for(extra):
    wanted = PROJECT["dependencies"] if extra == "run" else PROJECT["optional-dependencies"][extra]
    for requirement in map(Requirement, wanted):
        pin = LOCK[canonicalize_name(requirement.name)]
        assert pin.marker is None and pinned_version(pin) in requirement.specifier


def test_conda_installs_the_same_lock():
    text = (CHECKOUT / "environment.yml").read_text()
    assert re.search(r"^ *- -r requirements\.lock$", text, re.MULTILINE)
    (python,) = re.findall(r"^ *- python=([\d.]+)$", text, re.MULTILINE)
    assert Version(python) in SpecifierSet(PROJECT["requires-python"]) and python in ("3.11", "3.12")
    packages = re.findall(r"^  - (.+)$", text, re.MULTILINE)
    assert all(re.match(r"conda-forge|python=|pip:?$", name) for name in packages), packages


def test_readme_names_commands_that_exist():
    readme = (CHECKOUT / "README.md").read_text()
    commands = {command.name or command.callback.__name__ for command in app.registered_commands}
    named = set(
        re.findall(
            r"posekit (study|train|evaluate|grid|variants|figures|notebooks|predict|export|sample|cost)\b", readme
        )
    )
    assert named == commands
    makefile = (CHECKOUT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z]+)", readme)) <= targets
    for path in re.findall(r"\]\(([\w./-]+)\)", readme):
        assert (CHECKOUT / path).exists(), path


@pytest.mark.parametrize("path", study_notebooks(), ids=lambda path: path.stem)
def test_notebooks_teach(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    prose = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    assert "**Question.**" in prose[0] and "**Needs**" in prose[0] and "**Time**" in prose[0]
    assert prose[-1].lstrip().split("\n")[0] == "## Exercises" or "## Exercises" in prose[-1]
    for cell in code:
        assert not re.search(r"^(def|class) ", cell.source, re.MULTILINE), "notebooks import, they do not define"
        assert len(cell.source.splitlines()) <= 25


def test_nothing_large_and_no_image_of_a_data_set_is_tracked():
    if not (CHECKOUT / ".git").exists():
        pytest.skip("not a git checkout")
    tracked = subprocess.run(["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    for name in tracked.splitlines():
        path = CHECKOUT / name
        if path.exists():
            limit = 10_000_000 if path == OWN_NETWORK else 1_000_000
            assert path.stat().st_size < limit, f"{name} is large"
            assert path.suffix.lower() not in (".jpg", ".jpeg", ".mat", ".h5"), name


def test_rooms_import_only_rooms_below_them():
    """The map at the end of the README, against the imports at the top of every module."""
    block = (CHECKOUT / "README.md").read_text().split("imports only rooms below it.")[1].split("```")[1]
    package = CHECKOUT / "posekit"
    rooms = {path.stem for path in package.glob("[a-z]*.py")}
    rooms |= {path.parent.name for path in package.glob("*/__init__.py")}
    rows = [set(re.findall(r"\w+", line[:45])) & rooms for line in block.strip().splitlines()]
    floor = {room: len(rows) - number for number, row in enumerate(rows) for room in row}
    assert set(floor) == rooms
    for room in rooms:
        path = CHECKOUT / "posekit" / room
        sources = [path.with_suffix(".py")] if path.with_suffix(".py").exists() else path.glob("*.py")
        for source in sources:
            text = source.read_text()
            imported = set(re.findall(r"^ *from posekit\.(\w+)", text, re.MULTILINE))
            for line in re.findall(r"^ *from posekit import (.+)$", text, re.MULTILINE):
                imported |= set(re.findall(r"\w+", line)) & rooms
            wrong = {other for other in imported - {room} if floor[other] >= floor[room]}
            assert not wrong, f"{room} imports {wrong}"


def test_the_table_of_models_in_the_readme_is_the_one_made_from_the_records():
    made = CHECKOUT / "figures" / PUBLISHED / "models.md"
    assert made.read_text() in (CHECKOUT / "README.md").read_text(), "renew it from " + str(made)
    assert made.read_text() == markdown(models_table(Results.read(PUBLISHED).runs)), "run posekit figures"

"""The repository itself: pins, environment, README and notebooks fit together."""

import ast
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import nbformat
import pytest
from conftest import CHECKOUT
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from posekit.analysis.publish import publish_docs, with_setting
from posekit.analysis.results import PUBLISHED, Results
from posekit.analysis.tables import models_table
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


@pytest.mark.parametrize("extra", ["run", *PROJECT["optional-dependencies"]])
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
    readme = "\n".join(path.read_text() for path in [CHECKOUT / "README.md", CHECKOUT / "docs" / "commands.md"])
    commands = {command.name or command.callback.__name__ for command in app.registered_commands}
    named = set(re.findall(r"posekit ([a-z]+)\b", readme)) & commands
    assert named == commands
    makefile = (CHECKOUT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z]+)", readme)) <= targets


def prose(page: Path) -> str:
    """The text of a page, or of a notebook's Markdown cells."""
    if page.suffix != ".ipynb":
        return page.read_text()
    cells = nbformat.read(page, as_version=4).cells
    return "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def parts_of(text: str, level: str = "##") -> list[str]:
    """What links call the headings of a level."""
    headings = re.findall(f"^{level} (.*)$", text, re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


PAGES = [
    *CHECKOUT.glob("*.md"),
    *(CHECKOUT / "docs").glob("*.md"),
    *(CHECKOUT / "posekit" / "networks").glob("*.md"),
    CHECKOUT / "data" / "peers" / "README.md",
    *study_notebooks(),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match("https?://", link):
            continue
        name, _, part = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not part or part in parts_of(prose(target), "#+"), link


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
            limit = 10_000_000 if path.parent == OWN_NETWORK.parent else 1_000_000
            assert path.stat().st_size < limit, f"{name} is large"
            assert path.suffix.lower() not in (".jpg", ".jpeg", ".mat", ".h5"), name


#: The wings of the house, lowest first; those of one row do not import each other.
WINGS = (
    ("ground",),
    ("datasets",),
    ("preprocessing",),
    ("models",),
    ("evaluation",),
    ("training",),
    ("study", "inference"),
    ("analysis",),
    ("cli", "visualizer"),
)
FLOOR = {wing: floor for floor, row in enumerate(WINGS) for wing in row}
MODULES = sorted((CHECKOUT / "posekit").rglob("*.py"))


@pytest.mark.parametrize("page", sorted((CHECKOUT / "docs").glob("*.md")), ids=lambda path: path.stem)
def test_a_page_of_several_parts_begins_with_a_list_of_them(page):
    text = page.read_text()
    parts = parts_of(text)
    if len(parts) > 1:
        assert re.findall(r"\]\(#(.*?)\)", text[: text.index("\n## ")]) == parts


def wing_of(module: Path) -> str:
    """Of a file in posekit/ or of what an import names: its folder, or the ground."""
    parts = module.relative_to(CHECKOUT / "posekit").parts
    return parts[0] if parts and parts[0] in FLOOR else "ground"


def imported_wings(module: Path) -> set[str]:
    """The wings that a module imports from, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are written in full"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {wing_of(CHECKOUT.joinpath(*name.split("."))) for name in names if name.split(".")[0] == "posekit"}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_a_wing_imports_only_from_wings_below_it(module):
    own = wing_of(module)
    if module.name == "__main__.py" or module == CHECKOUT / "posekit" / "__init__.py":
        return  # `python -m posekit` is the command line, and the package's face leads everywhere
    wrong = {wing for wing in imported_wings(module) - {own} if FLOOR[wing] >= FLOOR[own]}
    assert not wrong, f"{own} imports from {', '.join(sorted(wrong))}"


def test_modules_are_small_and_few_lie_outside_of_wings():
    long = [str(path) for path in MODULES if len(path.read_text().splitlines()) > 350]
    assert not long, f"more than 350 lines: {long}"
    assert len(list((CHECKOUT / "posekit").glob("*.py"))) <= 8
    folders = {path.parent.name for path in (CHECKOUT / "posekit").glob("*/__init__.py")}
    assert folders == FLOOR.keys() - {"ground"}


def test_the_tables_of_results_are_those_of_the_records(tmp_path):
    """`posekit figures` would change nothing: neither the page nor the tables in figures/."""
    results = Results.read(PUBLISHED)
    for name in ("results.md", "other_studies.md", "networks.md"):
        shutil.copy(CHECKOUT / "docs" / name, tmp_path)
    assert not publish_docs(results, tmp_path), "run posekit figures"
    made = CHECKOUT / "figures" / PUBLISHED / "models.md"
    assert made.read_text() == with_setting(models_table(results.runs), results), "run posekit figures"

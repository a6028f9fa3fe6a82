"""What README and docs tell people to type: every command exists with its options; what can be run here is run."""

import re
import shlex
import shutil
from pathlib import Path

import click
import cv2
import pytest
import typer
from conftest import CHECKOUT
from typer.testing import CliRunner

from posekit.cli.cli import app
from posekit.datasets.images import read_image

PAGES = [
    CHECKOUT / "README.md",
    CHECKOUT / "CONTRIBUTING.md",
    *sorted((CHECKOUT / "docs").glob("*.md")),
    CHECKOUT / "data" / "peers" / "README.md",
    CHECKOUT / "posekit" / "networks" / "README.md",
]


def code_of(page: Path) -> list[str]:
    """Lines of code blocks, and code within sentences and tables."""
    text = page.read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return lines + re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def arguments_of(code: str) -> list[str] | None:
    """What follows `posekit` in a line of code; None if the line does not call it."""
    line = code.split("  #")[0].replace("...", "").strip()
    called = re.match(r"(?:[A-Z_]+=\S+ )*(?:torchrun .*-m |python -m |\.venv/bin/)?posekit ([a-z].*)$", line)
    return shlex.split(called[1]) if called else None


def documented() -> list[tuple[str, list[str]]]:
    found = {}
    for page in PAGES:
        for code in code_of(page):
            if (arguments := arguments_of(code)) is not None:
                found.setdefault(tuple(arguments), page.name)
    return [(page, list(arguments)) for arguments, page in found.items()]


def test_the_pages_are_read():
    commands = [arguments[0] for _, arguments in documented()]
    assert len(commands) > 25 and {"predict", "study", "train", "evaluate", "mpii", "showcase"} <= set(commands)


@pytest.mark.parametrize(("page", "arguments"), documented(), ids=lambda value: " ".join(value)[:60])
def test_a_documented_command_exists_with_its_options(page, arguments):
    """Parsed by the program's own parser, which refuses unknown commands, options and values."""
    command, rest = typer.main.get_command(app), arguments
    context = click.Context(command)
    while isinstance(command, click.Group):
        assert rest, f"{page}: posekit {' '.join(arguments)} is not complete"
        name, rest = rest[0], rest[1:]
        command = command.get_command(context, name)
        assert command is not None, f"{page}: there is no command posekit {name}"
    command.make_context(command.name, list(rest), parent=context)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_scripts_and_make_targets_exist(page):
    targets = set(re.findall(r"^([a-z]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    for code in code_of(page):
        for script in re.findall(r"python (benchmarks/\w+\.py)", code):
            assert (CHECKOUT / script).exists(), script
        for target in re.findall(r"(?:^|\s)make ([a-z]+)", code):
            assert target in targets, target
        for notebook in re.findall(r"notebooks/\w+\.ipynb", code):
            assert (CHECKOUT / notebook).exists(), notebook


@pytest.fixture
def desk(drawn, tmp_path, monkeypatch) -> Path:
    """A folder with what the pages name: photo.jpg, photographs/ and film.mp4, all of drawn people."""
    images = sorted((drawn / "images").glob("*.jpg"))
    shutil.copy(images[0], tmp_path / "photo.jpg")
    (tmp_path / "photographs").mkdir()
    for image in images[1:3]:
        shutil.copy(image, tmp_path / "photographs")
    frame = cv2.resize(read_image(images[0], upright=True), (640, 480))[..., ::-1]
    film = cv2.VideoWriter(str(tmp_path / "film.mp4"), cv2.VideoWriter_fourcc(*"mp4v"), 25, (640, 480))
    for _ in range(3):
        film.write(frame)
    film.release()
    (tmp_path / "posekit").symlink_to(CHECKOUT / "posekit")  # networks are named from the checkout
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POSEKIT_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        a
        for _, a in documented()
        if a[0] == "predict"
        and "--camera" not in a
        and not any(c in " ".join(a) for c in ("network.onnx", "<"))
        and len(a) > 2
    ],
    ids=lambda arguments: " ".join(arguments)[:60],
)
def test_documented_predictions_run_as_they_stand(arguments, desk):
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    for option in ("--out", "--joints"):
        if option in arguments:
            assert (desk / arguments[arguments.index(option) + 1]).exists()


def test_the_page_on_python_runs(desk):
    (code,) = re.findall(r"^```python\n(.*?)^```", (CHECKOUT / "docs" / "python.md").read_text(), re.M | re.S)
    names: dict = {}
    exec(code, names)
    assert names["answer"].joints.shape == (16, 2) and names["answer"].confidence.shape == (16,)


def test_the_readme_is_short_and_its_table_of_networks_is_the_made_one():
    readme = (CHECKOUT / "README.md").read_text()
    assert len(readme.encode()) <= 8_000
    assert (CHECKOUT / "figures" / "showcase" / "peers.md").read_text() in readme, "run posekit showcase"
    by_joint = (CHECKOUT / "figures" / "showcase" / "peers_by_joint.md").read_text()
    assert by_joint in (CHECKOUT / "docs" / "networks.md").read_text(), "run posekit showcase"

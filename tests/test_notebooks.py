"""All notebooks, each from a fresh kernel, on drawn people."""

import base64
import io
import re
import shutil
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

from posekit.cli.run_notebooks import execute_notebook, publish_notebook, source_digest, study_notebooks, tidy
from posekit.errors import PosekitError

#: Notebooks with code in their solutions. It runs after the cells, as a reader would try it.
SOLVED = (
    "00_start_here",
    "01_data",
    "02_network",
    "03_training",
    "04_loss_curves",
    "05_accuracy",
    "06_chance",
    "08_visualizer",
    "09_ten_times_cheaper",
    "10_your_photographs",
    "11_all_changes",
)

#: In a solution: it trains for minutes, so it is not run.
TRAINS = "fine_tune("

#: Put in front of the cells of a notebook.
BEFORE = {"10_your_photographs": "import posekit.study.fine_tuning\nposekit.study.fine_tuning.EPOCHS = 1"}

#: Notebooks that show the study which the environment names; 03 trains it where it is not trained.
OF_A_STUDY = ("03_training", "04_loss_curves", "05_accuracy", "06_chance", "07_claims")


def notebook(name: str) -> Path:
    (path,) = (path for path in study_notebooks() if path.stem == name)
    return path


@pytest.mark.parametrize("name", [path.stem for path in study_notebooks() if path.stem[:2] != "03"])
def test_notebook_runs(name, home_with_people, tmp_path):
    """On drawn people and the records in the repository, as after a fresh clone; with fewer people and epochs."""
    run(name, {"POSEKIT_HOME": str(home_with_people)}, tmp_path, solved=name in SOLVED)


@pytest.mark.parametrize("name", OF_A_STUDY)
def test_notebook_shows_the_study_that_is_named(name, trained_environment, tmp_path):
    content = run(name, trained_environment, tmp_path, solved=name == "03_training")
    text = "".join(output.get("text", "") for cell in content.cells[:4] for output in cell.get("outputs", []))
    if name == "03_training":
        assert "study mpii-24-quick: 16 people to train on, 8 for validation" in text
    else:
        assert text.startswith("Trained on 16 people of mpii-24; size quick") and "tested on 8 of MPII" in text


def run(name: str, environment: dict[str, str], tmp_path: Path, solved: bool) -> nbformat.NotebookNode:
    """Executes a notebook, and the solutions of its exercises after it if wanted; every cell must succeed."""
    path, executed = notebook(name), tmp_path / "executed" / f"{name}.ipynb"
    if solved:
        content = nbformat.read(path, as_version=4)
        content.cells += [nbformat.v4.new_code_cell(code) for code in solutions(content) if TRAINS not in code]
        content.cells[:0] = [nbformat.v4.new_code_cell(BEFORE[name])] if name in BEFORE else []
        nbformat.write(content, tmp_path / path.name)
        shutil.copy(path.with_name("person.webp"), tmp_path)
        path = tmp_path / path.name
    execute_notebook(path, executed, environment, progress=False)
    content = nbformat.read(executed, as_version=4)
    assert_executed(content)
    return content


def solutions(content: nbformat.NotebookNode) -> list[str]:
    """The code in the collapsed solutions of a notebook's exercises; every exercise has a solution."""
    text = "\n".join(cell.source for cell in content.cells if cell.cell_type == "markdown")
    exercises = text[text.index("## Exercises") :]
    found = re.findall(r"<details>.*?</details>", exercises, re.DOTALL)
    assert len(found) == len(re.findall(r"^(?:\*\*)?\d\.(?:\*\*)? ", exercises, re.MULTILINE)) >= 3
    return re.findall(r"```python\n(.*?)```", "\n".join(found), re.DOTALL)


@pytest.mark.parametrize("path", study_notebooks(), ids=lambda path: path.stem)
def test_committed_outputs_are_of_the_committed_cells(path):
    """As a reader on a code host sees it: every cell executed, in order, as it stands there."""
    content = nbformat.read(path, as_version=4)
    assert_executed(content)
    assert content.metadata.posekit.source == source_digest(content), (
        f"run make notebooks: {path.name} was changed"
    )
    assert path.stat().st_size < 1_000_000
    assert "widgets" not in content.metadata
    outputs = [output for cell in content.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert "widget-view" not in str(outputs)
    texts = str([output for output in outputs if not re.search("image/", str(output.get("data", {}).keys()))])
    assert not re.search(r"/(home|root|Users|tmp)/|\b[A-Z]:\\\\", texts), "a path of somebody's machine"


def assert_executed(content: nbformat.NotebookNode) -> None:
    code = [cell for cell in content.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error"]


def test_outputs_are_kept_without_what_needs_a_kernel(tmp_path):
    cells = [
        nbformat.v4.new_code_cell("from tqdm.auto import tqdm\nimport ipywidgets\nlist(tqdm(range(3)))"),
        nbformat.v4.new_code_cell("ipywidgets.IntSlider()"),
        nbformat.v4.new_code_cell("import os\nprint(repr(os.environ['POSEKIT_MPII']))"),
        nbformat.v4.new_code_cell("import pandas\npandas.DataFrame({'a': [1]}).style"),
    ]
    path = tmp_path / "shown.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    publish_notebook(path, tmp_path / "executed.ipynb", progress=False)
    first = path.read_bytes()
    publish_notebook(path, tmp_path / "executed.ipynb", progress=False)
    assert path.read_bytes() == first
    content = nbformat.read(path, as_version=4)
    assert_executed(content)
    numbers, slider, mpii, table = (cell.outputs for cell in content.cells)
    assert [output.data["text/plain"] for output in numbers] == ["[0, 1, 2]"]
    assert not slider
    assert mpii[0].text.strip() == "''"
    assert "<table" in table[0].data["text/html"]


def test_pictures_keep_their_colors():
    """A chart stays as it is to the pixel; a photograph is not reduced to a palette, whose dots would show."""
    y, x = np.mgrid[:200, :300]
    chart = np.full((200, 300, 3), 255, np.uint8)
    chart[50:52, :, 0], chart[:, 100:103, 1] = 0, 30
    grain = np.random.default_rng(0).normal(0, 3, (200, 300, 1))
    photograph = np.clip(np.stack([x / 2, y, 255 - x / 2], axis=-1) + grain, 0, 255).astype(np.uint8)
    shown = {}
    for name, picture in (("chart", chart), ("photograph", photograph)):
        stream = io.BytesIO()
        Image.fromarray(picture).save(stream, "PNG")
        data = {"image/png": base64.b64encode(stream.getvalue()).decode()}
        cell = nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("display_data", data)])
        (output,) = tidy(nbformat.v4.new_notebook(cells=[cell])).cells[0].outputs
        ((kind, content),) = output.data.items()
        shown[name] = kind, np.asarray(Image.open(io.BytesIO(base64.b64decode(content))).convert("RGB"), int)
    assert shown["chart"][0] == "image/png"
    np.testing.assert_array_equal(shown["chart"][1], chart)
    assert shown["photograph"][0] == "image/jpeg"
    assert np.abs(shown["photograph"][1] - photograph).mean() < 3
    assert len(np.unique(shown["photograph"][1].reshape(-1, 3), axis=0)) > 10_000


def test_a_notebook_that_fails_keeps_what_it_had(tmp_path):
    path = tmp_path / "bad.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")]), path)
    before = path.read_bytes()
    with pytest.raises(PosekitError, match=r"bad\.ipynb stopped: ZeroDivisionError"):
        publish_notebook(path, tmp_path / "executed.ipynb", progress=False)
    assert path.read_bytes() == before


def test_a_failing_notebook_is_named_and_its_outputs_are_kept(tmp_path):
    cells = [nbformat.v4.new_code_cell("print('before')"), nbformat.v4.new_code_cell("1 / 0")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "bad.ipynb")
    with pytest.raises(PosekitError, match=r"bad\.ipynb stopped: ZeroDivisionError"):
        execute_notebook(tmp_path / "bad.ipynb", tmp_path / "done.ipynb", {}, progress=False)
    assert "before" in (tmp_path / "done.ipynb").read_text()

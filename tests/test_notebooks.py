"""All notebooks, each from a fresh kernel, on the drawn people; the trainings they need are run if missing."""

import nbformat
import pytest

from posekit.errors import PosekitError
from posekit.notebooks import execute_notebook, study_notebooks
from posekit.study import Study


@pytest.fixture(scope="module")
def quick_study() -> Study:
    """On the drawn people, with the checkout's own records: nothing is trained twice."""
    study = Study("quick", progress=False)
    study.run_all()
    return study


@pytest.mark.parametrize("path", study_notebooks(), ids=lambda path: path.stem)
def test_notebook_runs(path, quick_study, tmp_path):
    executed = tmp_path / path.name
    execute_notebook(path, executed, {}, progress=False)
    code = [cell for cell in nbformat.read(executed, as_version=4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    errors = [output for cell in code for output in cell.outputs if output.output_type == "error"]
    assert not errors
    assert executed.stat().st_size < 5_000_000


def test_a_failing_notebook_is_named_and_its_outputs_are_kept(tmp_path):
    cells = [nbformat.v4.new_code_cell("print('before')"), nbformat.v4.new_code_cell("1 / 0")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "bad.ipynb")
    with pytest.raises(PosekitError, match=r"bad\.ipynb stopped: ZeroDivisionError"):
        execute_notebook(tmp_path / "bad.ipynb", tmp_path / "done.ipynb", {}, progress=False)
    assert "before" in (tmp_path / "done.ipynb").read_text()


def test_quick_learns_visibly(quick_study, tmp_path, monkeypatch):
    """Model 5, trained by the code as it is now, must find far more joints than the pose of everybody."""
    monkeypatch.setenv("POSEKIT_HOME", str(tmp_path))
    run = Study("quick", mpii=quick_study.people.images_folder.parent, progress=False).run(5)
    first, last = run.history.pckh_weighted14.iloc[[0, -1]]
    assert last > run.floors["mean_pose_weighted14"] + 15
    assert last > first
    assert run.history.train_loss.iloc[-1] < 0.75 * run.floors["zero_heatmap_train"]

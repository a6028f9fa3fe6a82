"""Whole commands, from the arguments to the files that they leave."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from conftest import CHECKOUT
from figure_checks import write_no_figures
from PIL import Image
from tables import TINY
from typer.testing import CliRunner

import posekit.study.study
import posekit.training.estimate
from posekit.cli import run_notebooks
from posekit.cli.cli import app
from posekit.datasets.mpii import read_mpii
from posekit.errors import PosekitError
from posekit.evaluation.pckh import pckh
from posekit.paths import checkpoint_path
from posekit.study.configurations import SIZES


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_study_goes_through_its_steps_and_trains_nothing_twice(few_people, tmp_path, monkeypatch):
    monkeypatch.setenv("POSEKIT_HOME", str(tmp_path))
    monkeypatch.setitem(SIZES, "tiny", TINY)
    monkeypatch.setattr(posekit.training.estimate, "MEASURED_SECONDS", 0)
    write_no_figures(monkeypatch)
    executed = []
    monkeypatch.setattr(run_notebooks, "execute_notebook", lambda *arguments: executed.append(arguments))
    command = ["study", "--size", "tiny", "--mpii", few_people, "--device", "cpu"]
    steps = ["1/4  data", "2/4  training the six models, size tiny", "3/4  figures and tables", "4/4  notebooks"]

    first = run(*command)
    assert first.exit_code == 0, first.output
    assert [line for line in first.stdout.splitlines() if "/4  " in line] == steps
    assert "mpii-24: 16 train and 8 validation people" in first.stdout and "6 runs: a minute" in first.stdout
    data, models = tmp_path / "data", [f"model-{number}-seed-0" for number in range(1, 7)]
    for folder, file in (("runs", "predictions.csv"), ("checkpoints", "last.pt")):
        assert sorted(path.parent.name for path in (data / folder / "mpii-24-tiny").rglob(file)) == models
    assert (tmp_path / "figures" / "mpii-24-tiny" / "models.md").exists()
    notebooks = sorted(path.name for path in (CHECKOUT / "notebooks").glob("[0-9]*.ipynb"))
    copies = data / "notebooks" / "mpii-24-tiny"
    assert [(notebook.name, copy) for notebook, copy, _ in executed] == [
        (name, copies / name) for name in notebooks
    ]
    assert {environment["POSEKIT_SIZE"] for _, _, environment in executed} == {"tiny"}

    def train_and_record(*_: object, **__: object) -> None:
        raise AssertionError("it was trained already")

    monkeypatch.setattr(posekit.study.study, "train_and_record", train_and_record)
    second = run(*command)
    assert second.exit_code == 0, second.output
    assert "6 runs" not in second.stdout and len(executed) == 2 * len(notebooks)
    losses = [[line for line in one.stdout.splitlines() if ": loss " in line] for one in (first, second)]
    assert losses[0] == losses[1] and len(losses[0]) == 6


def test_a_threshold_is_of_head_sizes_and_positive(tiny_study):
    distances = tiny_study.run(5).distances()
    command = ["evaluate", "--size", "tiny", "--mpii", tiny_study.data[0], "--model", 5, "--seed", 0, "--json"]
    (scores,) = json.loads(run(*command, "--threshold", 0.1).stdout).values()
    assert scores["threshold"] == 0.1 and scores["weighted14"] == pckh(distances, 0.1).weighted14
    for wrong in (0, -1, "nan"):
        result = run(*command, "--threshold", wrong)
        assert isinstance(result.exception, PosekitError)
        assert "the threshold must be positive (head sizes)" in str(result.exception)


def test_exported_predictions_of_a_checkpoint_score_the_same(tiny_study, drawn, tmp_path):
    tiny_study.run(5)
    file, data = tmp_path / "preds.mat", ["--mpii", drawn, "--json"]
    checkpoint = checkpoint_path(tiny_study.name, "model-5", 0)
    of_network = run("evaluate", "--checkpoint", checkpoint, "--export", file, *data)
    assert of_network.exit_code == 0, of_network.output
    of_file = run("evaluate", "--predictions", file, *data)
    assert json.loads(of_file.stdout) == pytest.approx(json.loads(of_network.stdout))


def test_data_sets_of_the_environment_are_separated_as_in_path(drawn, few_people, tmp_path, monkeypatch):
    """Without runs, the error names the study, whose name counts the people of each data set."""
    monkeypatch.setenv("POSEKIT_HOME", str(tmp_path))
    monkeypatch.setenv("POSEKIT_DATA", os.pathsep.join(map(str, (drawn, few_people))))
    assert "mpii-64-mpii-24-quick;" in str(run("evaluate").exception)


def test_people_are_drawn_into_a_folder(tmp_path):
    result = run("sample", tmp_path / "people", "--train", 3, "--validation", 1, "--seed", 5)
    assert result.exit_code == 0 and "3 train and 1 validation people" in result.stdout
    people = read_mpii(tmp_path / "people")
    assert people.validation.tolist() == [False, False, False, True]
    for person in range(4):
        height, width = people.photograph(person).shape[:2]
        assert (width, height) == tuple(people.image_size[person])


def test_notebooks_are_published_without_the_settings_of_the_person_at_work(tmp_path, monkeypatch):
    monkeypatch.setenv("POSEKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("POSEKIT_SIZE", "full")
    path = tmp_path / "made.ipynb"
    cell = nbformat.v4.new_code_cell("import os\nprint('size', repr(os.environ['POSEKIT_SIZE']))")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    monkeypatch.setattr(run_notebooks, "study_notebooks", lambda: [path])
    result = run("notebooks")
    assert result.exit_code == 0, result.output
    for kept in (path, tmp_path / "home" / "data" / "notebooks" / "committed" / "made.ipynb"):
        (output,) = nbformat.read(kept, as_version=4).cells[0].outputs
        assert output.text == "size ''\n"


def test_the_showcase_draws_six_pictures_side_by_side(home_with_people, monkeypatch):
    monkeypatch.setenv("POSEKIT_HOME", str(home_with_people))
    result = run("showcase")
    assert result.exit_code == 0, result.output
    made = [Path(line) for line in result.stdout.splitlines()]
    assert {path.parent for path in made} == {home_with_people / "figures" / "showcase"}
    assert all(path.exists() for path in made)
    (picture,) = [path for path in made if path.suffix == ".png"]
    assert picture.name == "people.png" and Image.open(picture).width > 3 * Image.open(picture).height


def test_the_command_line_alone_loads_neither_torch_nor_opencv():
    """So that --help and errors come at once."""
    program = "import sys, posekit.cli.cli\nassert not {'torch', 'cv2'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", program], check=True)

"""The page of `make app`: it is served with both widgets from an empty home, where nothing was trained."""

import re
import urllib.request

import browser
import nbformat
import pytest
from conftest import CHECKOUT

APP = CHECKOUT / "notebooks" / "app.ipynb"


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> str:
    home = tmp_path_factory.mktemp("app")
    with browser.server("voila", home, {"POSEKIT_HOME": str(home), "OMP_NUM_THREADS": "1"}, str(APP)) as address:
        text = urllib.request.urlopen(address, timeout=240).read().decode()
    assert len(list((home / "data" / "app-people" / "images").glob("*.jpg"))) == 24
    assert not (home / "data" / "runs").exists() and not (home / "data" / "checkpoints").exists()
    return text


def test_the_page_shows_both_widgets_and_no_error(page):
    assert len(re.findall(r"application/vnd\.jupyter\.widget-view\+json", page)) == 2
    assert "<title>posekit</title>" in page
    assert "Traceback" not in page and "There was an error" not in page


def test_the_page_is_for_people_who_want_joints(page):
    """The own photograph comes first, and there is nothing of a lesson."""
    assert page.index("Find the joints of a person") < page.index("Look at other people")
    assert "from posekit.visualizer" not in page  # no code
    for word in ("Exercises", "Question.", "Needs"):
        assert word not in page


def test_make_app_opens_it():
    recipe = re.search(r"^app:.*\n\t(.+)$", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)[1]
    assert recipe.endswith("-m voila notebooks/app.ipynb")
    cells = nbformat.read(APP, as_version=4).cells
    assert sum(cell.cell_type == "code" for cell in cells) == 2

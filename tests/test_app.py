"""The page of `make app`, served from an empty home, where nothing was trained: as text and in Chromium."""

import re
import urllib.request
from pathlib import Path

import browser
import nbformat
import pytest
from conftest import CHECKOUT
from pages import new_page, pictures, save, wait_for_change, widget

APP = CHECKOUT / "notebooks" / "app.ipynb"


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="module")
def address(home):
    with browser.server("voila", home, {"POSEKIT_HOME": str(home)}, str(APP)) as address:
        yield address


@pytest.fixture(scope="module")
def page(address, home) -> str:
    text = urllib.request.urlopen(address, timeout=600).read().decode()
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


def test_it_finds_joints_in_an_upload_and_shows_people(chromium, address, home):
    """An own photograph at the top, people to browse below."""
    page = new_page(chromium, 1280, 800)
    page.goto(address, wait_until="commit")
    page.locator(".posekit-upload").wait_for()
    own, people = widget(page, 0), widget(page, 1)
    people.locator("img.widget-image").first.wait_for()
    with page.expect_file_chooser() as chooser:
        own.locator(".posekit-upload").click()
    chooser.value.set_files(next((home / "data" / "app-people" / "images").glob("*.jpg")))
    own.locator(".posekit-table").wait_for()  # somebody is found
    page.wait_for_timeout(300)
    save(page.screenshot(), "app_1280.png")

    people.scroll_into_view_if_needed()
    before = pictures(people)
    browser.slider(page, "person").focus()
    page.keyboard.press("ArrowRight")
    wait_for_change(page, people, before)
    page.wait_for_timeout(300)
    save(page.screenshot(), "app_people_1280.png")

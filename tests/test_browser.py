"""Notebook 08 in JupyterLab, as people meet it, in a real Chromium.

Screenshots go into tests/output/. With POSEKIT_SCREENSHOTS=1, those of the docs and of notebook 08 are renewed:

    POSEKIT_SCREENSHOTS=1 python -m pytest tests/test_browser.py
"""

import json
from pathlib import Path

import browser
import pytest
import visualizer
from conftest import CHECKOUT
from pages import new_page, pictures, save, wait_for_change, widget
from PIL import Image

from posekit.datasets.sources import read_people
from posekit.skeleton import JOINTS


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with a copy of the notebook, and a home with the checkout's drawn people and nothing else of it."""
    read_people(progress=False)  # draws them where they are missing
    folder = tmp_path_factory.mktemp("lab")
    visualizer.lay_out(folder)
    (folder / "home" / "data").mkdir(parents=True)
    (folder / "home" / "data" / "sample").symlink_to(CHECKOUT / "data" / "sample")
    return folder


@pytest.fixture(scope="module")
def page(chromium, place):
    """The notebook in JupyterLab, all cells run."""
    environment = {"POSEKIT_HOME": str(place / "home")}
    with browser.server("lab", place, environment) as address:
        page = new_page(chromium, 1280, 800)
        browser.run_in_lab(page, address, visualizer.NOTEBOOK.as_posix())
        page.locator(".posekit-upload").wait_for(state="attached")
        yield page


def test_the_benchmark_measures_every_move(page, monkeypatch):
    monkeypatch.setattr(visualizer, "MOVES", {name: keys[:4] for name, keys in visualizer.MOVES.items()})
    monkeypatch.setattr(visualizer, "WARM_UP", dict.fromkeys(visualizer.MOVES, 1))
    times = visualizer.times(page)
    assert len(times) == 4 and all(0 < milliseconds < 20_000 for milliseconds in times.values())


def test_sliders_keys_and_menus_change_the_picture(page):
    part = widget(page, 0)
    page.set_viewport_size({"width": 1280, "height": 1000})
    part.scroll_into_view_if_needed()
    part.get_by_label("right model").select_option("posekit, without flip test")
    part.locator("img.widget-image").nth(1).wait_for()
    part.locator(".posekit-chosen").wait_for()
    page.wait_for_timeout(500)
    save(part.screenshot(), "people.png", publish=True)
    part.get_by_label("right model").select_option("(none)")
    page.set_viewport_size({"width": 1280, "height": 800})
    before = pictures(part)
    browser.slider(page, "opacity").focus()
    page.keyboard.press("ArrowRight")
    before = wait_for_change(page, part, before)
    part.get_by_label("sort").select_option("worst left wrist first")
    before = wait_for_change(page, part, before)
    part.get_by_label("heatmap of").select_option("left wrist")
    before = wait_for_change(page, part, before)
    part.locator(".posekit-chosen", has_text="left wrist").wait_for()

    part.locator(".posekit-pane").click()
    page.keyboard.press("ArrowRight")
    before = wait_for_change(page, part, before)
    part.get_by_text(", 2 of 250 people").wait_for()
    page.keyboard.press("ArrowLeft")
    before = wait_for_change(page, part, before)
    part.get_by_text(", 1 of 250 people").wait_for()

    part.get_by_label("right model").select_option("posekit, without flip test")
    part.locator("img.widget-image").nth(1).wait_for()
    part.get_by_label("heatmap of").select_option("right knee")
    wait_for_change(page, part, before)
    for _ in range(7):
        part.get_by_role("button", name="next").click()
    part.get_by_text(", 8 of 250 people").wait_for()
    page.wait_for_timeout(300)
    save(page.screenshot(), "lab_1280.png")
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.wait_for_timeout(500)
    part.scroll_into_view_if_needed()
    save(page.screenshot(), "lab_1920.png")
    page.set_viewport_size({"width": 1280, "height": 800})


def test_an_own_photograph_from_upload_to_saved_joints(page, place):
    part = widget(page, 1)
    part.scroll_into_view_if_needed()
    photograph = place / "home" / "data" / "sample" / "images" / "001257.jpg"
    with page.expect_file_chooser() as chooser:
        part.locator(".posekit-upload").click()
    chooser.value.set_files(photograph)
    part.get_by_text("Drag a box").wait_for()
    pane = part.locator(".posekit-pane")
    pane.scroll_into_view_if_needed()
    before, frame = pictures(part), pane.bounding_box()
    left, top, right, bottom = drawn_person(place, photograph.name)
    page.mouse.move(frame["x"] + left * frame["width"], frame["y"] + top * frame["height"])
    page.mouse.down()
    page.mouse.move(frame["x"] + 0.5 * frame["width"], frame["y"] + 0.5 * frame["height"])
    page.mouse.move(frame["x"] + right * frame["width"], frame["y"] + bottom * frame["height"])
    assert part.locator(".posekit-band").count() == 1
    page.mouse.up()
    wait_for_change(page, part, before)
    part.get_by_text("posekit answers").wait_for()
    assert part.locator(".posekit-table tr").count() == 17
    page.set_viewport_size({"width": 1280, "height": 1000})
    page.wait_for_timeout(500)
    save(part.screenshot(), "photograph.png", publish=True)
    page.set_viewport_size({"width": 1280, "height": 800})
    part.get_by_role("button", name="Save").click()
    part.get_by_text("Saved 001257-pose.png").wait_for()
    record = json.loads((place / "home" / "data" / "photographs" / "001257-pose.json").read_text())
    width, height = Image.open(photograph).size
    dragged = [left * width, top * height, right * width, bottom * height]
    assert all(abs(ours - theirs) < 0.02 * width for ours, theirs in zip(record["box"], dragged, strict=True))
    assert [joint["joint"] for joint in record["joints"]] == list(JOINTS)


def drawn_person(place: Path, name: str) -> tuple[float, float, float, float]:
    """The box of a drawn person's joints with some air, as parts of the image."""
    people = json.loads((place / "home" / "data" / "sample" / "annotations" / "valid.json").read_text())
    joints = next(person["joints"] for person in people if person["image"] == name)
    width, height = Image.open(place / "home" / "data" / "sample" / "images" / name).size
    x, y = [joint[0] / width for joint in joints], [joint[1] / height for joint in joints]
    return max(min(x) - 0.04, 0.01), max(min(y) - 0.04, 0.01), min(max(x) + 0.04, 0.99), min(max(y) + 0.08, 0.99)


def test_large_and_broken_uploads_leave_the_widget_alive(page, place):
    """A message above 10 MB would close the server's connection; the file comes in pieces instead."""
    part = widget(page, 1)
    large = place / "large.png"
    Image.effect_noise((4000, 3000), 90).save(large, compress_level=0)
    assert large.stat().st_size > 11_000_000
    broken = place / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 no photograph")
    for path, sentence in ((broken, "damaged"), (large, "large.png is gray")):
        with page.expect_file_chooser() as chooser:
            part.locator(".posekit-upload").click()
        chooser.value.set_files(path)
        part.get_by_text(sentence).wait_for()

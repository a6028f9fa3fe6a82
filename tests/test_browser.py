"""Notebook 08 in JupyterLab, as people meet it, in a real Chromium and in both themes.

Screenshots go into tests/output/. With POSEKIT_SCREENSHOTS=1, the notebook shows all the people that posekit
draws, and the screenshots of the docs and of notebook 08 are renewed:

    POSEKIT_SCREENSHOTS=1 python -m pytest tests/test_browser.py
"""

import json
import os
from pathlib import Path

import browser
import pytest
import visualizer
from conftest import home_of
from pages import new_page, pictures, save, wait_for_change, widget
from PIL import Image

from posekit.datasets.sources import read_people
from posekit.paths import drawn_folder
from posekit.skeleton import JOINTS

#: WCAG 2.1, success criterion 1.4.3, level AA, for text of usual size.
LEAST_CONTRAST = 4.5

#: Whether the style sheet of the light theme is at work.
BACKGROUND_IS_WHITE = "(getComputedStyle(document.body).getPropertyValue('--jp-layout-color0').trim() === 'white')"

#: Contrast (WCAG 2.1) of every piece of text in the visualizer's own elements with what lies behind it.
CONTRASTS = """() => {
    const numbers = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
    const channel = (value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    const light = ([r, g, b]) => 0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
    const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const [r, g, b, alpha = 1] = numbers(getComputedStyle(at).backgroundColor);
            if (alpha > 0.5) return [r, g, b];
        }
        return [255, 255, 255];
    };
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
        if (!text || !element.closest(".posekit-table, .posekit-legend, .posekit-lines") ||
            !element.checkVisibility()) continue;
        const [one, other] = [light(numbers(getComputedStyle(element).color)), light(behind(element))];
        found.push([text, (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05)]);
    }
    return found;
}"""


@pytest.fixture(scope="module")
def place(tmp_path_factory, request) -> Path:
    """A folder with a copy of the notebook, and a home with drawn people and nothing else."""
    folder = tmp_path_factory.mktemp("lab")
    visualizer.lay_out(folder)
    if os.environ.get("POSEKIT_SCREENSHOTS"):
        read_people(progress=False)  # draws them where they are missing
        home_of(drawn_folder(), folder / "home")
    else:
        home_of(request.getfixturevalue("sample"), folder / "home")
    return folder


@pytest.fixture(scope="module")
def people(place) -> list[dict]:
    """What is annotated of the validation people, in the order of the widget."""
    return json.loads((place / "home" / "data" / "sample" / "annotations" / "valid.json").read_text())


@pytest.fixture(scope="module")
def page(chromium, place):
    """The notebook in JupyterLab, all cells run."""
    environment = {"POSEKIT_HOME": str(place / "home")}
    with browser.server("lab", place, environment, "--expose-app-in-browser") as address:
        page = new_page(chromium, 1280, 800)
        browser.run_in_lab(page, address, visualizer.NOTEBOOK.as_posix())
        page.locator(".posekit-upload").wait_for(state="attached")
        yield page


def test_the_benchmark_measures_every_move(page, monkeypatch):
    monkeypatch.setattr(visualizer, "MOVES", {name: keys[:4] for name, keys in visualizer.MOVES.items()})
    monkeypatch.setattr(visualizer, "WARM_UP", dict.fromkeys(visualizer.MOVES, 1))
    times = visualizer.times(page)
    assert len(times) == 4 and all(milliseconds > 0 for milliseconds in times.values())


def test_sliders_keys_and_menus_change_the_picture(page, people):
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
    part.get_by_text(f", 2 of {len(people)} people").wait_for()
    page.keyboard.press("ArrowLeft")
    before = wait_for_change(page, part, before)
    part.get_by_text(f", 1 of {len(people)} people").wait_for()

    part.get_by_label("right model").select_option("posekit, without flip test")
    part.locator("img.widget-image").nth(1).wait_for()
    part.get_by_label("heatmap of").select_option("right knee")
    wait_for_change(page, part, before)
    for _ in range(7):
        part.get_by_role("button", name="next").click()
    part.get_by_text(f", 8 of {len(people)} people").wait_for()
    page.wait_for_timeout(300)
    save(page.screenshot(), "lab_1280.png")
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.wait_for_timeout(500)
    part.scroll_into_view_if_needed()
    save(page.screenshot(), "lab_1920.png")
    page.set_viewport_size({"width": 1280, "height": 800})


def test_an_own_photograph_from_upload_to_saved_joints(page, place, people):
    part = widget(page, 1)
    part.scroll_into_view_if_needed()
    person = people[6]
    photograph = place / "home" / "data" / "sample" / "images" / person["image"]
    with page.expect_file_chooser() as chooser:
        part.locator(".posekit-upload").click()
    chooser.value.set_files(photograph)
    part.get_by_text("Drag a box").wait_for()
    pane = part.locator(".posekit-pane")
    pane.scroll_into_view_if_needed()
    before, frame = pictures(part), None
    while frame != (frame := pane.bounding_box()):  # the page may still be moving
        page.wait_for_timeout(200)
    width, height = Image.open(photograph).size
    left, top, right, bottom = part_of_the_image(person["joints"], width, height)
    page.mouse.move(frame["x"] + left * frame["width"], frame["y"] + top * frame["height"])
    page.mouse.down()
    page.mouse.move(frame["x"] + 0.5 * frame["width"], frame["y"] + 0.5 * frame["height"])
    page.mouse.move(frame["x"] + right * frame["width"], frame["y"] + bottom * frame["height"])
    part.locator(".posekit-band").wait_for()
    page.mouse.up()
    wait_for_change(page, part, before)
    part.get_by_text("posekit answers").wait_for()
    assert part.locator(".posekit-table tr").count() == 17
    page.set_viewport_size({"width": 1280, "height": 1000})
    page.wait_for_timeout(500)
    save(part.screenshot(), "photograph.png", publish=True)
    page.set_viewport_size({"width": 1280, "height": 800})
    part.get_by_role("button", name="Save").click()
    part.get_by_text(f"Saved {photograph.stem}-pose.png").wait_for()
    record = json.loads((place / "home" / "data" / "photographs" / f"{photograph.stem}-pose.json").read_text())
    dragged = [left * width, top * height, right * width, bottom * height]
    assert all(abs(ours - theirs) < 0.02 * width for ours, theirs in zip(record["box"], dragged, strict=True))
    assert [joint["joint"] for joint in record["joints"]] == list(JOINTS)


def part_of_the_image(joints: list, width: int, height: int) -> tuple[float, float, float, float]:
    """A box around joints (px) with some air, as parts of the image."""
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


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_every_text_has_enough_contrast(page, theme):
    page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
    page.wait_for_function(f"light => {BACKGROUND_IS_WHITE} === light", arg=theme == "JupyterLab Light")
    part = widget(page, 0)
    part.scroll_into_view_if_needed()
    part.get_by_label("sort").select_option("worst left wrist first")  # somebody with a miss
    part.get_by_label("heatmap of").select_option("left knee")
    part.locator(".posekit-chosen", has_text="left knee").wait_for()
    save(page.screenshot(), f"{theme}.png")
    contrasts = page.evaluate(CONTRASTS)
    texts = {text for text, _ in contrasts}
    assert {"✓", "✗", "left knee", "the person's right"} <= texts
    assert [(text, ratio) for text, ratio in contrasts if ratio < LEAST_CONTRAST] == []


def test_of_two_photographs_chosen_at_once_the_newer_is_shown(page, tmp_path):
    """The only piece of the first is held back in the browser until the second is shown."""
    page.evaluate(
        """() => {
            const read = Blob.prototype.arrayBuffer;
            const released = new Promise((release) => { window.release = release; });
            window.late = 0;
            Blob.prototype.arrayBuffer = async function () {
                if (this.size !== 2 ** 20) return read.call(this);
                await released;
                const content = await read.call(this);
                setTimeout(() => window.late += 1);  // once what waits for the content has gone on
                return content;
            };
        }"""
    )
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    Image.effect_noise((900, 900), 90).save(first, compress_level=0)
    first.write_bytes(first.read_bytes().ljust(2**20, b"\0"))  # one whole piece
    Image.new("RGB", (300, 200), (90, 120, 60)).save(second)
    people, own = widget(page, 0), widget(page, 1)
    for path in (first, second):
        with page.expect_file_chooser() as chooser:
            own.locator(".posekit-upload").click()
        chooser.value.set_files(path)
        own.locator(".posekit-lines b", has_text=path.name).wait_for()
    own.get_by_text("first.png had not arrived when second.png was chosen").wait_for()
    own.locator(".posekit-lines", has_text="is found").wait_for()
    page.evaluate("window.release()")
    page.wait_for_function("window.late === 1")
    before = pictures(people)
    people.get_by_label("heatmap of").select_option("right hip")
    wait_for_change(page, people, before)  # the kernel answers one message after the other
    assert own.locator(".posekit-lines b", has_text="second.png").count() == 1
    save(page.screenshot(), "two_uploads.png")

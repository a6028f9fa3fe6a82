"""The visualizer in JupyterLab's two themes: every text can be read; and of two uploads the newer wins."""

from pathlib import Path

import browser
import nbformat
import pytest
from pages import new_page, save
from PIL import Image

#: WCAG 2.1, success criterion 1.4.3, level AA, for text of usual size.
LEAST_CONTRAST = 4.5

SOURCE = """
import os
from pathlib import Path
from posekit.datasets.mpii import read_mpii
from posekit.inference.predictor import SMALL_NETWORK, Predictor
from posekit.preprocessing.batches import make_crops
from posekit.visualizer import OwnPhotograph, Visualizer
small = Predictor.from_checkpoint(SMALL_NETWORK, device=__import__("torch").device("cpu"))
people = read_mpii(Path(os.environ["DRAWN"]), name="drawn").split()[1]
visualizer = Visualizer(make_crops(people, small.rule, Path("cache"), progress=False), {"posekit-small": small})
visualizer.display.joint.value = "left knee"
own = OwnPhotograph({"posekit-small": small}, Path("saved"))
display(visualizer.widget, own.widget)
"""

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
def page(chromium, tmp_path_factory, drawn):
    folder = tmp_path_factory.mktemp("lab")
    cells = [nbformat.v4.new_code_cell(SOURCE)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / "themes.ipynb")
    environment = {"DRAWN": str(drawn), "PYTHONPATH": str(Path(__file__).parent.parent)}
    with browser.server("lab", folder, environment, "--expose-app-in-browser") as address:
        page = new_page(chromium, 1500, 1100)
        browser.run_in_lab(page, address, "themes.ipynb")
        page.locator(".posekit-upload").wait_for(state="attached")
        page.locator(".posekit-hit").first.wait_for(state="attached")
        yield page


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_every_text_has_enough_contrast(page, theme):
    page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
    page.wait_for_function(f"light => {BACKGROUND_IS_WHITE} === light", arg=theme == "JupyterLab Light")
    save(page.screenshot(), f"{theme}.png")
    contrasts = page.evaluate(CONTRASTS)
    texts = {text for text, _ in contrasts}
    assert {"✓", "✗", "left knee", "the person's right"} <= texts
    assert [(text, ratio) for text, ratio in contrasts if ratio < LEAST_CONTRAST] == []


def test_of_two_photographs_chosen_at_once_the_newer_is_shown(page, tmp_path):
    """The pieces of the first are held back in the browser until the second is shown."""
    page.evaluate(
        """() => {
            const read = Blob.prototype.arrayBuffer;
            const released = new Promise((release) => { window.release = release; });
            Blob.prototype.arrayBuffer = async function () {
                if (this.size === 2 ** 20) await released;
                return read.call(this);
            };
        }"""
    )
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    Image.effect_noise((2000, 1500), 90).save(first, compress_level=0)
    Image.new("RGB", (300, 200), (90, 120, 60)).save(second)
    for path in (first, second):
        with page.expect_file_chooser() as chooser:
            page.locator(".posekit-upload").click()
        chooser.value.set_files(path)
        page.locator(".posekit-lines b", has_text=path.name).wait_for()
    page.get_by_text("first.png had not arrived when second.png was chosen").wait_for()
    page.locator(".posekit-lines", has_text="is found").wait_for()
    page.evaluate("window.release()")
    page.wait_for_timeout(1000)
    assert page.locator(".posekit-lines b", has_text="second.png").count() == 1
    save(page.screenshot(), "two_uploads.png")

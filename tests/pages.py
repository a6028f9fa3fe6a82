"""Widgets of a page in Chromium: where they are, what they show, and screenshots of them in tests/output/."""

import io
import os

from conftest import CHECKOUT
from PIL import Image

OUTPUT, PUBLISHED = CHECKOUT / "tests" / "output", CHECKOUT / "figures" / "visualizer"


def new_page(chromium, width: int, height: int):
    """A page of this size, in px. A busy machine has ten minutes for every step."""
    page = chromium.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(600_000)
    return page


def widget(page, number: int):
    """The visualizers of a page from top to bottom, from 0."""
    return page.locator(".jp-OutputArea-output").filter(has=page.locator(".posekit-legend")).nth(number)


def pictures(part) -> list[str | None]:
    """The addresses of a widget's pictures, each of which changes with its picture."""
    return [image.get_attribute("src") for image in part.locator("img.widget-image").all()]


def wait_for_change(page, part, before: list) -> list:
    """The pictures of a widget, once the first is another one than before."""
    image = part.locator("img.widget-image").first.element_handle()
    page.wait_for_function("([image, before]) => image.src !== before", arg=[image, before[0]])
    return pictures(part)


def save(screenshot: bytes, name: str, publish: bool = False) -> None:
    """Writes a screenshot; with POSEKIT_SCREENSHOTS=1 and publish, also the one that the docs show."""
    OUTPUT.mkdir(exist_ok=True)
    (OUTPUT / name).write_bytes(screenshot)
    if publish and os.environ.get("POSEKIT_SCREENSHOTS"):
        PUBLISHED.mkdir(parents=True, exist_ok=True)
        picture = Image.open(io.BytesIO(screenshot)).convert("RGB")
        picture.save((PUBLISHED / name).with_suffix(".webp"), quality=90)

"""What holds for every figure that readers see on a web page; and figures that are drawn and not written."""

from pathlib import Path

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

import posekit.analysis.publish

#: Inches that a picture is wide where a code host shows it: 850 px at 96 px per inch.
SHOWN = 850 / 96


def assert_readable(figure: Figure, points: float = 9) -> None:
    """No text is smaller than 9 pt at a width of 850 px, and the titles of neighboring panels do not overlap."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    shrunk = min(1, SHOWN / figure.get_size_inches()[0])
    for text in figure.findobj(Text):
        if text.get_text().strip() and text.get_visible():
            size = text.get_fontsize() * shrunk
            assert size >= points - 0.05, f"{text.get_text()!r} is shown at {size:.1f} pt"
    titles = [axis.title for axis in figure.axes if axis.title.get_text()]
    boxes = [title.get_window_extent(renderer) for title in titles]
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[number + 1 :]), titles[number].get_text()


def write_no_figures(patch: pytest.MonkeyPatch) -> None:
    """What is published names its figures and does not write them, which takes most of the time."""

    def save_figure(figure: Figure, folder: Path, name: str) -> list[Path]:
        return [folder / f"{name}.{kind}" for kind in ("png", "svg")]

    patch.setattr(posekit.analysis.publish, "save_figure", save_figure)

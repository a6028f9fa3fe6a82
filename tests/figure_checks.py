"""What holds for every figure that readers see on a web page."""

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

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

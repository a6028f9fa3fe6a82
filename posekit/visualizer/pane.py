"""A transparent pane over a picture: what the mouse drags and the arrow keys press, as traits."""

from pathlib import Path

import anywidget
import ipywidgets as widgets
import traitlets


class Pane(anywidget.AnyWidget):
    """Lies over a picture (see `under_pane`); click it, and it hears the keyboard.

    steps: right arrows pressed minus left arrows, since it was made. box: the rectangle that was dragged last:
    left, top, right, bottom as parts (0 .. 1) of the pane; point: where it was clicked last, x, y in such parts,
    if it is draggable. Both are empty before.
    """

    _esm = Path(__file__).with_name("pane.js")
    _css = """
    .posekit-pane-host { position: relative; }
    .posekit-pane { position: absolute; inset: 0; outline-offset: 2px; }
    .posekit-pane:focus { outline: 2px solid #0072b2; }
    .posekit-band { position: absolute; box-sizing: border-box; border: 2px dashed white;
                    box-shadow: 0 0 0 1.5px black; background: rgba(255, 255, 255, 0.15); pointer-events: none; }
    """
    hint = traitlets.Unicode().tag(sync=True)
    arrows = traitlets.Bool(False).tag(sync=True)
    draggable = traitlets.Bool(False).tag(sync=True)
    steps = traitlets.Int(0).tag(sync=True)
    box = traitlets.List(traitlets.Float()).tag(sync=True)
    point = traitlets.List(traitlets.Float()).tag(sync=True)


def under_pane(picture: widgets.Widget, pane: Pane, **layout: str) -> widgets.GridBox:
    """A picture with a pane over it. Where a front end cannot show the pane, the picture is there all the same."""
    for one in (picture, pane):
        one.layout.grid_area = "1 / 1 / 2 / 2"
    return widgets.GridBox([picture, pane], layout=widgets.Layout(**layout))

"""The controls that say how a picture is drawn, its legend and the style of tables: shared by all pictures."""

from collections.abc import Callable
from html import escape

import cv2
import ipywidgets as widgets
import numpy as np

from posekit.inference.drawing import SIDE_COLORS, color_table
from posekit.skeleton import JOINTS
from posekit.visualizer.rendering import ALL_JOINTS, COLOR_MAPS, NO_HEATMAP, View

#: How wide controls and pictures are: as the window allows, and a picture never higher than the window.
CONTROLS = {"flex": "0 0 auto", "width": "clamp(265px, 22vw, 340px)", "margin": "0 16px 0 0"}
SHOWN = "min(720px, 62vh)"

STYLE = """<style>
.posekit-table { border-collapse: collapse; font-size: 12px; line-height: 1.35; }
.posekit-table td, .posekit-table th { padding: 1px 7px; text-align: right; }
.posekit-table td:first-child, .posekit-table th:first-child { text-align: left; white-space: nowrap; }
.posekit-table th { font-weight: normal; border-bottom: 1px solid #999; vertical-align: bottom; }
.posekit-table .posekit-chosen { outline: 2px solid #0072b2; font-weight: bold; }
.posekit-table .posekit-hit { color: #00664b; }
.posekit-table .posekit-miss { color: #b34700; font-weight: bold; }
[data-jp-theme-light="false"] .posekit-table .posekit-hit { color: #3fc79a; }
[data-jp-theme-light="false"] .posekit-table .posekit-miss { color: #ff9a57; }
.posekit-legend { display: flex; flex-wrap: wrap; gap: 3px 18px; font-size: 13px; line-height: 20px; }
.posekit-legend svg { vertical-align: middle; margin-right: 4px; }
.posekit-legend i { display: inline-block; width: 110px; height: 12px; vertical-align: middle; }
.posekit-lines { font-size: 13px; line-height: 1.4; }
</style>"""


def group(title: str, *children: widgets.Widget) -> widgets.VBox:
    """Controls below a title."""
    return widgets.VBox([widgets.HTML(f"<b>{title}</b>"), *children])


def lines(*texts: str) -> str:
    """Lines of plain text as HTML; the first is bold."""
    first, *others = map(escape, texts)
    return f"<div class='posekit-lines'><b>{first}</b>{''.join(f'<br>{text}' for text in others)}</div>"


def labeled(description: str) -> dict:
    """What makes a control as wide as its column, with its label in front."""
    return {
        "description": description,
        "style": {"description_width": "7em"},
        "layout": widgets.Layout(width="auto"),
    }


def picture_bytes(picture: np.ndarray) -> bytes:
    """RGB uint8 (H, W, 3) as JPEG, ten times quicker than PNG; colors are not halved, lines stay sharp."""
    options = [
        cv2.IMWRITE_JPEG_QUALITY,
        92,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    return cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)[1].tobytes()


class DisplayControls:
    """Calls on_change() when one of its controls moves; `.view` is their state, `.widget` the column of them.

    truth: whether there is a truth to show, and hits to count by it.
    """

    def __init__(self, on_change: Callable[[], None], truth: bool, whole: bool) -> None:
        options = [("crop", False), ("whole image", True)]
        self.whole = widgets.Dropdown(options=options, value=whole, **labeled("show"))
        self.joint = widgets.Dropdown(options=[ALL_JOINTS, NO_HEATMAP, *JOINTS], **labeled("heatmap of"))
        part = {"min": 0, "max": 1, "step": 0.05, "readout_format": ".2f"}
        self.opacity = widgets.FloatSlider(View.opacity, **part, **labeled("opacity"))
        self.colors = widgets.Dropdown(options=COLOR_MAPS, **labeled("colors"))
        scales = [("0 to its peak", True), ("0 to 1", False)]
        self.to_peak = widgets.Dropdown(options=scales, **labeled("scale"))
        self.threshold = widgets.FloatSlider(View.threshold, **part, **labeled("confidence ≥"))
        self.hit = widgets.FloatSlider(
            View.hit, min=0.05, max=1, step=0.05, readout_format=".2f", **labeled("hit within")
        )
        plain = {"indent": False, "layout": widgets.Layout(width="auto")}
        self.answer = widgets.Checkbox(True, description="prediction", **plain)
        self.truth = widgets.Checkbox(truth, description="truth", **plain)
        marks = [self.answer, *[self.truth] * truth]
        self.drawn = widgets.HBox(
            [
                widgets.Label(
                    "draw", layout=widgets.Layout(width="7em", display="flex", justify_content="flex-end")
                ),
                *marks,
            ]
        )
        heatmap = [self.joint, self.opacity, self.colors, self.to_peak]
        self.controls = [*heatmap, self.threshold, *[self.hit] * truth]
        self.legend = widgets.HTML()
        self._with_truth = truth
        for control in (self.whole, *self.controls, *marks):
            control.observe(lambda change: self._changed(on_change), names="value")
        self._draw_legend()
        self.widget = group("What is drawn", self.whole, *self.controls, self.drawn)

    @property
    def view(self) -> View:
        return View(
            joint=self.joint.value,
            opacity=self.opacity.value,
            colors=self.colors.value,
            to_peak=self.to_peak.value,
            threshold=self.threshold.value,
            answer=self.answer.value,
            truth=self.truth.value,
            hit=self.hit.value,
        )

    def _changed(self, on_change: Callable[[], None]) -> None:
        self._draw_legend()
        on_change()

    def _draw_legend(self) -> None:
        self.legend.value = legend_html(self.view, self._with_truth)


def legend_html(view: View, truth: bool) -> str:
    """What the marks and colors of a picture mean."""
    edge = "stroke='#141414' stroke-width='1.5'"
    items = [
        _mark(f"<rect x='8' y='3' width='12' height='12' {_fill('right')} {edge}/>") + "the person's right",
        _mark(f"<circle cx='14' cy='9' r='6.5' {_fill('left')} {edge}/>") + "left",
        _mark(f"<circle cx='14' cy='9' r='6.5' {_fill('middle')} {edge}/>") + "middle",
    ]
    if truth:
        ring = f"<circle cx='14' cy='9' r='6' {_fill('left')} {edge}/><circle cx='14' cy='9' r='3' fill='white'/>"
        items.append(_mark(_line("M0 9H28") + ring) + "truth: white, joints hollow")
    if truth and view.joint in JOINTS:
        items.append(_mark(_line("M7 9a7 7 0 1 0 14 0a7 7 0 1 0 -14 0")) + f"a hit on {view.joint} lies in here")
    if view.joint != NO_HEATMAP:
        colors = color_table(view.colors)[::32].round().astype(int)
        stops = ", ".join(f"rgb({r},{g},{b})" for r, g, b in colors)
        end = "its peak" if view.to_peak else "1"
        items.append(f"heatmap 0 <i style='background: linear-gradient(90deg, {stops})'></i> {end}")
    return f"<div class='posekit-legend'>{''.join(f'<span>{item}</span>' for item in items)}</div>"


def _fill(side: str) -> str:
    return f"fill='rgb{SIDE_COLORS[side]}'"


def _line(path: str) -> str:
    """White with dark edges, as truth is drawn."""
    return "".join(
        f"<path d='{path}' fill='none' stroke='{color}' stroke-width='{width}'/>"
        for color, width in (("#141414", 4.5), ("white", 2.5))
    )


def _mark(content: str) -> str:
    return f"<svg width='28' height='18'>{content}</svg>"

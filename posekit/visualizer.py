"""Sliders over a pure function: look at people, what a network answers, and why."""

from collections import OrderedDict
from dataclasses import dataclass

import cv2
import ipywidgets as widgets
import numpy as np

from posekit.crop import transform
from posekit.dataset import Crops
from posekit.drawing import draw_skeleton, enlarge, enlarge_points, overlay_heatmap
from posekit.metrics import head_distances
from posekit.predictor import Prediction, Predictor
from posekit.skeleton import INDEX, JOINTS, SCORED

ALL_JOINTS, NO_HEATMAP = "all (largest value)", "none"

#: Answers that are kept, one a person and network: at most about 70 MB at the report's size.
KEPT_ANSWERS = 256

#: Least side of the picture, px, and its side on the screen, where the sliders must fit beside it.
PICTURE, SHOWN = 512, "480px"


@dataclass(frozen=True)
class View:
    """What to show: the state of the sliders."""

    joint: str = ALL_JOINTS  # whose heatmap: a joint's name, ALL_JOINTS or NO_HEATMAP
    opacity: float = 0.6  # of the heatmap, 0 .. 1
    threshold: float = 0.1  # joints with less confidence are not drawn
    truth: bool = True  # draw the annotated joints as well


def render(answer: Prediction, truth: np.ndarray, view: View) -> np.ndarray:
    """RGB uint8 (k S, k S, 3) of the crop (S, S, 3) of an answer, made k times as large.

    truth: (16, 2) crop px, NaN where not annotated.
    """
    factor = -(-PICTURE // answer.crop.shape[0])
    picture = enlarge(answer.crop, factor)
    if view.joint != NO_HEATMAP:
        maps = answer.heatmaps
        heatmap = maps.max(axis=0) if view.joint == ALL_JOINTS else maps[INDEX[view.joint]]
        picture = overlay_heatmap(picture, heatmap, view.opacity)
    if view.truth:
        annotated = np.isfinite(truth).all(axis=1)
        picture = draw_skeleton(picture, enlarge_points(truth, factor), annotated, truth=True)
    joints = enlarge_points(transform(answer.matrix, answer.joints), factor)
    return draw_skeleton(picture, joints, answer.confidence >= view.threshold)


class Visualizer:
    """Widgets for the people of `crops` and some predictors by name; show `.widget` in a notebook."""

    def __init__(self, crops: Crops, predictors: dict[str, Predictor]) -> None:
        self.crops, self.predictors = crops, predictors
        self._answers: OrderedDict[tuple[str, int], Prediction] = OrderedDict()
        wide = {"style": {"description_width": "9em"}, "layout": widgets.Layout(width="23em")}
        self.person = widgets.IntSlider(0, 0, len(crops) - 1, description="person", **wide)
        self.model = widgets.Dropdown(options=list(predictors), description="model", **wide)
        self.joint = widgets.Dropdown(options=[ALL_JOINTS, NO_HEATMAP, *JOINTS], description="heatmap", **wide)
        self.opacity = widgets.FloatSlider(View.opacity, min=0, max=1, step=0.05, description="opacity", **wide)
        self.threshold = widgets.FloatSlider(
            View.threshold, min=0, max=1, step=0.05, description="least confidence", **wide
        )
        self.truth = widgets.Checkbox(View.truth, description="show the truth (white)", indent=False)
        self.picture = widgets.Image(format="png", layout=widgets.Layout(width=SHOWN, height=SHOWN))
        self.caption = widgets.HTML()
        self.controls = (self.person, self.model, self.joint, self.opacity, self.threshold, self.truth)
        for control in self.controls:
            control.observe(lambda change: self.update(), names="value")
        legend = widgets.HTML(
            "<span style='color:#b87f00'>&#9632; the person's right</span>&emsp;"
            "<span style='color:#0072b2'>&#9679; left</span>&emsp;"
            "<span style='color:#a85b86'>&#9679; middle</span>"
        )
        self.widget = widgets.HBox(
            [
                self.picture,
                widgets.VBox([*self.controls, legend, self.caption], layout=widgets.Layout(width="24em")),
            ],
            layout=widgets.Layout(flex_flow="row wrap"),
        )
        self.update()

    @property
    def view(self) -> View:
        return View(self.joint.value, self.opacity.value, self.threshold.value, self.truth.value)

    def answer(self) -> Prediction:
        """The chosen network's answer for the chosen person; computed once and kept."""
        model, person = key = (self.model.value, self.person.value)
        if key not in self._answers:
            crop, matrix = np.array(self.crops.images[person]), self.crops.matrices[person]
            self._answers[key] = self.predictors[model].predict_crop(crop, matrix)
            if len(self._answers) > KEPT_ANSWERS:
                self._answers.popitem(last=False)
        self._answers.move_to_end(key)
        return self._answers[key]

    def update(self) -> None:
        """Draws the picture and the caption anew."""
        person, answer = self.person.value, self.answer()
        picture = render(answer, self.crops.joints[person], self.view)
        self.picture.value = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()
        self.caption.value = self._describe(person, answer)

    def _describe(self, person: int, answer: Prediction) -> str:
        people = self.crops.people
        distances = head_distances(answer.joints[None], people.joints[[person]], people.head_size[[person]])
        distances = distances[0, list(SCORED)]
        counted = distances[~np.isnan(distances)]
        name = f"<b>{people.image[person]}</b><br>"
        if not len(counted):
            return name + "no joint can be scored: no head size or no annotated joint"
        hits = int((counted <= 0.5).sum())
        return name + (
            f"{hits} of {len(counted)} annotated joints within half a head size "
            f"(without pelvis and thorax)<br>median distance {np.median(counted):.2f} head sizes"
        )

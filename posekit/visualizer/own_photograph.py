"""Joints in a photograph of one's own: upload, click one of the people who are found or drag a box, save."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import ipywidgets as widgets
import numpy as np

from posekit.errors import PosekitError
from posekit.inference.following import joints_box
from posekit.inference.predictor import Prediction, Predictor
from posekit.visualizer.controls import (
    CONTROLS,
    SHOWN,
    STYLE,
    DisplayControls,
    group,
    labeled,
    lines,
    picture_bytes,
)
from posekit.visualizer.joint_table import answer_html
from posekit.visualizer.pane import Pane, under_pane
from posekit.visualizer.photograph import LARGEST_FILE, Photograph, read_photograph, save_estimate
from posekit.visualizer.rendering import Canvas, State, crop_canvas, image_canvas, render
from posekit.visualizer.upload import Upload

START = "Choose a JPEG, PNG or WebP photograph. It stays on the machine that runs this notebook."

BOX = "drag a box around the person, from head to feet (or set it with the sliders, then Estimate)."

#: Room around the joints in the box of a person who is found, as a part of the side of the crop.
AIR = 0.05


class OwnPhotograph:
    """Widgets for a photograph and some predictors by name; show `.widget`. Estimates are saved into `folder`."""

    def __init__(self, predictors: dict[str, Predictor], folder: Path) -> None:
        self.predictors, self.folder = predictors, folder
        self.photograph: Photograph | None = None
        self.people: list[Prediction] = []  # who was found, the surest first
        self.stacks: list[Prediction] = []
        self._answer: tuple[tuple[int, ...], list[Prediction]] = (
            (),
            [],
        )  # the box that was predicted, and stacks
        self._canvas: Canvas | None = None
        self._given_up = ""
        self._quiet = False

        self.upload = Upload(
            self._begin,
            self.load,
            "Choose a photograph …",
            "image/jpeg,image/png,image/webp",
            largest=LARGEST_FILE,
        )
        self.across = widgets.IntRangeSlider(value=(0, 1), min=0, max=1, **labeled("left, right"))
        self.down = widgets.IntRangeSlider(value=(0, 1), min=0, max=1, **labeled("top, bottom"))
        self.model = widgets.Dropdown(options=list(predictors), **labeled("model"))
        self.stack = widgets.Dropdown(options=[("last", -1)], **labeled("stack"))
        self.estimate_button = widgets.Button(
            description="Estimate", button_style="primary", layout=widgets.Layout(width="auto")
        )
        self.name = widgets.Text(**labeled("save as"))
        self.save_button = widgets.Button(description="Save PNG, JSON, CSV", layout=widgets.Layout(width="auto"))
        self.message = widgets.HTML()
        self.display = DisplayControls(self.update, truth=False, whole=True)
        self.pane = Pane(hint="Click a person, or drag a box around one, from head to feet")
        self.image = widgets.Image(format="jpeg", layout=widgets.Layout(width="100%"))
        self.picture = under_pane(self.image, self.pane, width=SHOWN, display="none", margin="0 10px 0 0")
        self.table = widgets.HTML()

        self.pane.observe(lambda change: self._dragged(), names="box")
        self.pane.observe(lambda change: self._clicked(), names="point")
        for control in (self.across, self.down):
            control.observe(lambda change: self._box_set(), names="value")
        self.model.observe(lambda change: self._other_model(), names="value")
        self.stack.observe(lambda change: self.update(), names="value")
        self.estimate_button.on_click(lambda button: self.estimate())
        self.save_button.on_click(lambda button: self.save())

        steps = group(
            "Your photograph",
            self.upload,
            self.across,
            self.down,
            self.model,
            self.estimate_button,
            self.stack,
            self.name,
            self.save_button,
        )
        controls = widgets.VBox([steps, self.display.widget], layout=widgets.Layout(**CONTROLS))
        wrap = widgets.Layout(flex_flow="row wrap")
        seen = widgets.VBox(
            [self.message, self.display.legend, widgets.HBox([self.picture, self.table], layout=wrap)],
            layout=widgets.Layout(flex="1 1 0"),
        )
        self.widget = widgets.HBox([widgets.HTML(STYLE), controls, seen])
        self._say(START)
        self.update()

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom in px of the photograph."""
        return self.across.value[0], self.down.value[0], self.across.value[1], self.down.value[1]

    def _begin(self, name: str, given_up: str) -> None:
        """A photograph was chosen and is on its way; given_up: the name of one that it displaced."""
        self._given_up = f"{given_up} had not arrived when {name} was chosen, and is given up." if given_up else ""
        self._say(self._given_up or "The photograph is sent to the notebook.", title=f"{name} is on its way")

    def load(self, name: str, content: bytes | None) -> None:
        """Shows an uploaded file; None stands for one that was too large to be sent."""
        try:
            if content is None:
                raise PosekitError(
                    f"{name} is larger than {LARGEST_FILE // 2**20} MB; save it smaller and choose it again"
                )
            photograph = read_photograph(content, name)
            if self._given_up:
                photograph = replace(photograph, remarks=(self._given_up, *photograph.remarks))
        except PosekitError as error:
            self._say(str(error), title="That did not work")
            return
        height, width = photograph.image.shape[:2]
        self.photograph, self._canvas = photograph, image_canvas(photograph.image)
        with self._quietly():
            for slider, length in ((self.across, width), (self.down, height)):
                slider.max = length - 1
                slider.value = (0, length - 1)
        self.name.value = f"{Path(name).stem}-pose"
        self.find()

    def find(self) -> None:
        """Finds the people in the photograph, and shows the joints of the surest."""
        self.people, self.stacks, self._answer = [], [], ((), [])
        try:
            self.people = self.predictors[self.model.value].predict_people(self.photograph.image)
        except PosekitError as error:
            self._say(str(error), title="That did not work")
            return
        finally:
            self.update()
        if self.people:
            self.choose(0)
        else:
            self._say(" ".join([*self.photograph.remarks, f"Nobody is found; {BOX}"]))

    def choose(self, person: int) -> None:
        """Shows the answer for one of the people who are found."""
        answer, (height, width) = self.people[person], self.photograph.image.shape[:2]
        air = AIR * answer.crop.shape[0] / answer.matrix[0, 0]  # image px
        box = joints_box(answer.joints) + [-air, -air, air, air]
        left, top, right, bottom = np.clip(np.rint(box), 0, [width - 1, height - 1] * 2)
        with self._quietly():
            self.across.value, self.down.value = (int(left), int(right)), (int(top), int(bottom))
        self._answered(self.predictors[self.model.value].predict_stacks(answer.crop, answer.matrix))
        count = len(self.people)
        found = "One person is found" if count == 1 else f"{count} people are found; click the one you mean"
        self._say(" ".join([*self.photograph.remarks, f"{found}. {self._unsure()} If the box is wrong, {BOX}"]))

    def estimate(self) -> None:
        """Predicts the joints of the person in the box with the chosen network."""
        try:
            predictor = self.predictors[self.model.value]
            stacks = predictor.predict_stacks(
                *predictor.crop_box(self.photograph.image, np.array(self.box, float))
            )
        except PosekitError as error:
            self._say(str(error), title="That did not work")
            return
        self._answered(stacks)
        self._say(f"{self.model.value} answers. {self._unsure()} Save it, or drag another box.")

    def _answered(self, stacks: list[Prediction]) -> None:
        self.stacks, self._answer = stacks, (self.box, stacks)
        last = len(self.stacks) - 1
        with self._quietly():
            self.stack.options = [(f"{n + 1}{' (last)' * (n == last)}", n) for n in range(last + 1)]
            self.stack.value = last
        self.update()

    def _unsure(self) -> str:
        unsure = int((self.stacks[-1].confidence < self.display.threshold.value).sum())
        return f"{unsure} of 16 joints are too unsure to be drawn."

    def save(self) -> None:
        """Writes the photograph with its joints, and the joints, into the folder."""
        try:
            paths = save_estimate(
                self.folder,
                self.name.value,
                self.photograph,
                self.stacks[self.stack.value],
                self.box,
                self.model.value,
                self.display.threshold.value,
            )
        except PosekitError as error:
            self._say(str(error), title="That did not work")
            return
        names = ", ".join(path.name for path in paths)
        self._say(f"Saved {names} in {self.folder}.")

    def update(self) -> None:
        """Draws the picture anew."""
        estimated = bool(self.stacks)
        self.estimate_button.disabled = self.photograph is None
        self.across.disabled = self.down.disabled = self.photograph is None
        self.save_button.disabled = self.stack.disabled = self.name.disabled = not estimated
        self.pane.draggable = self.photograph is not None and (self.display.whole.value or not estimated)
        self.picture.layout.display = None if self.photograph else "none"
        if self.photograph is None or self._quiet:
            return
        answer = self.stacks[self.stack.value] if estimated else None
        crop = estimated and not self.display.whole.value
        width, height = self.photograph.image.shape[1::-1]
        self.picture.layout.width = SHOWN if crop else f"calc({SHOWN} * {min(1, width / height):.4f})"
        state = State(
            canvas=crop_canvas(answer) if crop else self._canvas,
            answer=answer,
            view=self.display.view,
            box=None if crop else np.array(self.box),
            others=() if crop else tuple(self.people),
        )
        self.image.value = picture_bytes(render(state))
        self.table.value = answer_html(answer, state.view.joint, state.view.threshold) if estimated else ""

    def _dragged(self) -> None:
        """The pane's box, in parts of the picture, becomes the sliders' values."""
        height, width = self.photograph.image.shape[:2]
        left, top, right, bottom = self.pane.box
        with self._quietly():
            self.across.value = round(left * (width - 1)), round(right * (width - 1))
            self.down.value = round(top * (height - 1)), round(bottom * (height - 1))
        self.estimate()

    def _clicked(self) -> None:
        """The person is chosen whose joints' box holds the point of the pane; of several, the smallest box."""
        height, width = self.photograph.image.shape[:2]
        point = np.array(self.pane.point) * [width - 1, height - 1]
        boxes = [joints_box(person.joints) for person in self.people]
        areas = [
            np.prod(box[2:] - box[:2]) if (box[:2] <= point).all() and (point <= box[2:]).all() else np.inf
            for box in boxes
        ]
        if np.isfinite(areas).any():
            self.choose(int(np.argmin(areas)))

    def _other_model(self) -> None:
        if self.photograph is not None:
            self.find()

    def _box_set(self) -> None:
        """What was estimated is shown for its own box alone. A browser also sends back values that it was sent."""
        if not self._quiet:
            box, stacks = self._answer
            self.stacks = stacks if self.box == box else []
            self.update()

    def _say(self, sentence: str, title: str = "") -> None:
        name = self.photograph.name if self.photograph else "No photograph yet"
        self.message.value = lines(title or name, sentence)

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        """Several controls are set, and the picture is drawn after it."""
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False

"""Sliders over the people of a data set: what networks see in them, and why they are right or wrong."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import ipywidgets as widgets
import numpy as np
from cachetools import LRUCache

from posekit.errors import PosekitError
from posekit.inference.predictor import Prediction, Predictor
from posekit.preprocessing.batches import Crops
from posekit.preprocessing.crop import person_box
from posekit.skeleton import INDEX, JOINTS, SCORED
from posekit.visualizer.answers import Answers, worst_first
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
from posekit.visualizer.joint_table import joint_table, summary, table_html
from posekit.visualizer.pane import Pane, under_pane
from posekit.visualizer.rendering import ALL_JOINTS, Canvas, State, crop_canvas, image_canvas, render

NO_MODEL = "(none)"
AS_STORED, WORST_PERSON = "order of the data set", "worst person first"
WORST_JOINT = {f"worst {joint} first": joint for joint in JOINTS}

#: Whole images, as large as they are shown, that are kept, bytes.
KEPT_CANVASES = 64 * 2**20


class Side:
    """One of the two pictures: which network and stack it shows."""

    def __init__(self, answers: Answers, models: list[str], title: str, on_change: Callable[[], None]) -> None:
        self.answers = answers
        self.model = widgets.Dropdown(options=models, **labeled(f"{title} model"))
        self.stack = widgets.Dropdown(options=[("1", 0)], **labeled("stack"))
        self.image = widgets.Image(format="jpeg", layout=widgets.Layout(width="100%"))
        self.caption = widgets.HTML()
        self.picture = widgets.VBox(
            [self.caption, self.image], layout=widgets.Layout(flex="1 1 0", max_width=SHOWN, margin="0 14px 0 0")
        )
        self.controls = [self.model, self.stack]
        self._on_change, self._offering = on_change, False
        self._offer()
        self.model.observe(lambda change: self._new_model(), names="value")
        self.stack.observe(lambda change: self._changed(), names="value")

    @property
    def shown(self) -> bool:
        return self.model.value != NO_MODEL

    @property
    def title(self) -> str:
        return f"{self.model.value.split(':')[0]}, stack {self.stack.label.split()[0]}"

    def answer(self, person: int) -> Prediction:
        return self.answers.stacks(self.model.value, person)[self.stack.value]

    def _new_model(self) -> None:
        self._offering = True
        try:
            self._offer()
        finally:
            self._offering = False
        self._changed()

    def _changed(self) -> None:
        if not self._offering:
            self._on_change()

    def _offer(self) -> None:
        """The stacks that the model has, the last one chosen; nothing where there is no model."""
        for control in (self.stack, self.picture):
            control.layout.display = None if self.shown else "none"
        if not self.shown:
            return
        stacks = len(self.answers.stacks(self.model.value, 0))
        self.stack.options = [(f"{n + 1}{' (last)' * (n == stacks - 1)}", n) for n in range(stacks)]
        self.stack.value = stacks - 1


class Visualizer:
    """Widgets for the people of `crops` and some predictors by name; show `.widget` in a notebook."""

    def __init__(self, crops: Crops, predictors: dict[str, Predictor]) -> None:
        self.crops, self.answers = crops, Answers(crops, predictors)
        self._canvases = LRUCache(KEPT_CANVASES, getsizeof=lambda canvas: canvas.picture.nbytes)
        self._quiet = False
        self._remarks: list[str] = []
        self.order = np.arange(len(crops))

        self.person = widgets.IntSlider(1, 1, len(crops), **labeled("person"))
        self.previous = widgets.Button(description="◀ previous", layout=widgets.Layout(width="auto", flex="1"))
        self.next = widgets.Button(description="next ▶", layout=widgets.Layout(width="auto", flex="1"))
        self.search = widgets.Text(placeholder="part of the image's name", **labeled("search"))
        self.sort = widgets.Dropdown(options=[AS_STORED, WORST_PERSON, *WORST_JOINT], **labeled("sort"))
        self.progress = widgets.IntProgress(
            bar_style="info", layout=widgets.Layout(width="auto", display="none"), description="predicting"
        )
        self.caption = widgets.HTML()
        self.display = DisplayControls(self.update, truth=True, whole=False)
        models = list(predictors)
        self.left = Side(self.answers, models, "left", self._left_changed)
        self.right = Side(self.answers, [NO_MODEL, *models], "right", self.update)
        self.pane = Pane(
            hint="Click, then the left and right arrow keys show the previous and the next person", arrows=True
        )
        self.table = widgets.HTML()

        self.person.observe(lambda change: self.update(), names="value")
        self.search.observe(lambda change: self._reorder(first=False), names="value")
        self.sort.observe(lambda change: self._reorder(first=True), names="value")
        self.previous.on_click(lambda button: self.step(-1))
        self.next.on_click(lambda button: self.step(1))
        self.pane.observe(lambda change: self.step(change.new - change.old), names="steps")

        wrap = widgets.Layout(flex_flow="row wrap", flex="1 1 auto")
        who = group(
            "Who", self.person, widgets.HBox([self.previous, self.next]), self.search, self.sort, self.progress
        )
        networks = group("Networks", *self.left.controls, *self.right.controls)
        controls = widgets.VBox([who, networks, self.display.widget], layout=widgets.Layout(**CONTROLS))
        both = widgets.HBox([self.left.picture, self.right.picture])
        self.pictures = under_pane(both, self.pane)
        seen = widgets.HBox([self.pictures, self.table], layout=wrap)
        seen = widgets.VBox([self.caption, self.display.legend, seen], layout=widgets.Layout(flex="1 1 0"))
        self.widget = widgets.HBox([widgets.HTML(STYLE), controls, seen])
        self.update()

    @property
    def shown_person(self) -> int:
        """The number of the person in the data set, from 0."""
        return int(self.order[self.person.value - 1])

    def show(self, person: int, joint: str = ALL_JOINTS) -> None:
        """Goes to a person, by number in the data set from 0, and to the heatmap of a joint, by name."""
        with self._quietly():
            self.search.value, self.sort.value = "", AS_STORED
            self.order = np.arange(len(self.crops))
            self.person.max, self.person.value = len(self.order), person + 1
            self.display.joint.value = joint
        self.update()

    def step(self, by: int) -> None:
        """Goes on by some people in the present order, as far as there are any."""
        self.person.value = min(max(self.person.value + by, self.person.min), self.person.max)

    def state(self, side: Side) -> State:
        """What a side's picture depends on."""
        person, people = self.shown_person, self.crops.people
        answer = side.answer(person)
        whole = self.display.whole.value
        return State(
            canvas=self._image_canvas(str(people.image[person])) if whole else crop_canvas(answer),
            answer=answer,
            view=self.display.view,
            truth=people.joints[person],
            head_size=float(people.head_size[person]),
            box=person_box(self.crops.rule, people.center[person], people.scale[person]) if whole else None,
        )

    def update(self) -> None:
        """Draws everything anew."""
        if self._quiet:
            return
        person, people, view = self.shown_person, self.crops.people, self.display.view
        name, place = str(people.image[person]), f"{self.person.value} of {len(self.order)} people"
        self.pictures.layout.flex = "1 1 620px" if self.right.shown else "1 1 300px"
        self.pictures.layout.max_width = f"calc({2 if self.right.shown else 1} * {SHOWN})"
        tables = []
        try:
            for side in (self.left, self.right):
                if side.shown:
                    state = self.state(side)
                    side.image.value = picture_bytes(render(state))
                    table = joint_table(state.answer, state.truth, state.head_size, view.hit)
                    side.caption.value = lines(side.title, summary(table, view.hit))
                    tables.append((side.title, table))
        except PosekitError as error:
            self.caption.value = lines(name, place, str(error))
            return
        self.table.value = table_html(tables, view.joint, view.threshold)
        self.caption.value = lines(f"{name}, {place}", *self._remarks)

    def _image_canvas(self, name: str) -> Canvas:
        if name not in self._canvases:
            people = self.crops.people
            person = int(np.flatnonzero(people.image == name)[0])
            self._canvases[name] = image_canvas(people.photograph(person))
        return self._canvases[name]

    def _left_changed(self) -> None:
        if self.sort.value == AS_STORED:
            self.update()
        else:
            self._reorder(first=False)

    def _reorder(self, first: bool) -> None:
        """Updates who can be chosen, and in which order; the same person stays selected, if possible, unless
        `first`."""
        person = self.shown_person
        matches = np.char.find(np.char.lower(self.crops.people.image), self.search.value.strip().lower()) >= 0
        order = self._sorted()
        if matches.any():
            order = order[matches[order]]
        places = np.flatnonzero(order == person)
        with self._quietly():
            self.order = order
            self.person.max = len(order)
            self.person.value = 1 if first or not len(places) else int(places[0]) + 1
        missing = f"No image's name contains {self.search.value!r}: everybody is shown."
        self._remarks = [] if matches.any() else [missing]
        self.update()

    def _sorted(self) -> np.ndarray:
        if self.sort.value == AS_STORED:
            return np.arange(len(self.crops))
        errors = self.answers.errors(self.left.model.value, self._show_progress)
        joints = list(SCORED) if self.sort.value == WORST_PERSON else [INDEX[WORST_JOINT[self.sort.value]]]
        return worst_first(errors[:, joints])

    def _show_progress(self, done: int, total: int) -> None:
        self.progress.max, self.progress.value = total, done
        self.progress.layout.display = "none" if done == total else None

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        """Several controls are set and the picture is drawn once, after it."""
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False

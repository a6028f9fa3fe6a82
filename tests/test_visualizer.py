"""The sliders over people, moved by setting values: what they show and in which order, and what is kept."""

import re
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from posekit.evaluation.pckh import pckh
from posekit.inference.predictor import Predictor
from posekit.preprocessing.heatmaps import Codec
from posekit.skeleton import INDEX, JOINTS, SCORED
from posekit.visualizer.answers import Answers, answer_bytes, worst_first
from posekit.visualizer.pane import Pane
from posekit.visualizer.people import AS_STORED, NO_MODEL, WORST_PERSON, Visualizer
from posekit.visualizer.rendering import NO_HEATMAP, render

FIVE, SIX = "Model 5: reduced, RMSprop", "Model 6: reduced, Adam"


@pytest.fixture(scope="module")
def loaded() -> dict[str, Predictor]:
    """The networks of `predictors`, which no test changes; so they are read once."""
    return {}


@pytest.fixture
def predictors(tiny_study, loaded) -> dict[str, Predictor]:
    if not loaded:
        networks = tiny_study.networks([5, 6])
        loaded |= {name: Predictor.from_checkpoint(path, tiny_study.device) for name, path in networks.items()}
    return dict(loaded)


@pytest.fixture
def visualizer(tiny_study, predictors) -> Visualizer:
    return Visualizer(tiny_study.crops[1], predictors)


def picture(side) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(side.image.value, np.uint8), cv2.IMREAD_COLOR)


@pytest.mark.parametrize(
    "control, value",
    [
        ("person", 3),
        ("left.model", SIX),
        ("left.stack", 0),
        ("display.joint", "left wrist"),
        ("display.joint", NO_HEATMAP),
        ("display.opacity", 1.0),
        ("display.colors", "viridis"),
        ("display.to_peak", False),
        ("display.threshold", 1.0),
        ("display.whole", True),
        ("display.truth", False),
        ("display.answer", False),
    ],
)
def test_every_control_changes_the_picture(visualizer, control, value):
    visualizer.display.threshold.value = 0.0
    before = visualizer.left.image.value
    owner, _, name = control.rpartition(".")
    getattr(getattr(visualizer, owner) if owner else visualizer, name).value = value
    assert visualizer.left.image.value != before
    assert max(picture(visualizer.left).shape) >= 512


def test_the_widget_shows_what_render_draws(visualizer):
    visualizer.person.value = 4
    drawn = render(visualizer.state(visualizer.left))
    shown = cv2.cvtColor(picture(visualizer.left), cv2.COLOR_BGR2RGB)
    assert np.abs(shown.astype(int) - drawn).mean() < 3  # JPEG is not exact


def test_every_control_has_a_label(visualizer):
    for side in (visualizer.left, visualizer.right):
        assert all(control.description for control in side.controls)
    assert all(control.description for control in [visualizer.person, visualizer.search, visualizer.sort])
    assert all(control.description for control in visualizer.display.controls)


def test_caption_counts_the_joints_that_pckh_counts(tiny_study, visualizer):
    distances = tiny_study.run(5).distances()
    for person in (0, 7):
        visualizer.person.value = person + 1
        score = pckh(distances[[person]])
        hits = round(float((np.nan_to_num(score.joints) / 100)[list(SCORED)].sum()))
        counted = score.counts[list(SCORED)].sum()
        assert f"{hits} of {counted} annotated joints within 0.5" in visualizer.left.caption.value
        name = tiny_study.crops[1].people.image[person]
        assert name in visualizer.caption.value and f"{person + 1} of 16 people" in visualizer.caption.value


def test_two_models_stand_side_by_side(visualizer):
    assert visualizer.right.picture.layout.display == "none" and visualizer.table.value.count("colspan=3") == 1
    visualizer.right.model.value = SIX
    assert visualizer.right.picture.layout.display is None and visualizer.table.value.count("colspan=3") == 2
    assert (picture(visualizer.left) != picture(visualizer.right)).any()
    assert "Model 5, stack 2" in visualizer.table.value and "Model 6, stack 2" in visualizer.table.value
    visualizer.left.model.value = SIX
    np.testing.assert_array_equal(picture(visualizer.left), picture(visualizer.right))
    visualizer.left.stack.value = 0
    assert (picture(visualizer.left) != picture(visualizer.right)).any()
    visualizer.right.model.value = NO_MODEL
    assert visualizer.right.picture.layout.display == "none" and visualizer.table.value.count("colspan=3") == 1


def test_the_hit_slider_recounts(tiny_study, visualizer, monkeypatch):
    """With answers that miss the first joint by 0.02 head sizes, the next by 0.12, and so on."""
    people, predicted = tiny_study.crops[1].people, Answers.stacks
    misses = 0.02 + 0.1 * np.arange(len(JOINTS))
    joints = people.joints[3] + [[people.head_size[3], 0]] * misses[:, None]
    monkeypatch.setattr(
        Answers, "stacks", lambda self, *asked: [replace(one, joints=joints) for one in predicted(self, *asked)]
    )
    visualizer.person.value = 4
    counted = [joint for joint in SCORED if people.labeled[3, joint]]
    assert len(counted) > 8
    for hit in (0.05, 0.55, 1.0):
        visualizer.display.hit.value = hit
        hits = int(re.search(r"<br>(\d+) of", visualizer.left.caption.value).group(1))
        assert hits == sum(misses[joint] <= hit for joint in counted)
        assert visualizer.table.value.count("&#10003;") == sum(misses[people.labeled[3]] <= hit)


def errors_of(monkeypatch, *models: str) -> list[np.ndarray]:
    """Gives each model errors of 16 people, in another order for every joint; returns them."""
    made = {
        model: np.random.default_rng(seed).permuted(np.tile(np.arange(16)[:, None] / 16, len(JOINTS)), axis=0)
        for seed, model in enumerate(models)
    }
    monkeypatch.setattr(Answers, "errors", lambda self, model, on_progress: made[model])
    return list(made.values())


def test_the_worst_person_comes_first(visualizer, monkeypatch):
    (distances,) = errors_of(monkeypatch, FIVE)
    visualizer.person.value = 9
    visualizer.sort.value = WORST_PERSON
    seen = []
    for visualizer.person.value in range(1, 17):
        seen.append(visualizer.shown_person)
    expected = [distances[person, list(SCORED)].sum() for person in seen]
    assert sorted(seen) == list(range(16)) and expected == sorted(expected, reverse=True)

    visualizer.sort.value = "worst left wrist first"
    assert visualizer.person.value == 1
    assert visualizer.shown_person == distances[:, INDEX["left wrist"]].argmax()
    visualizer.sort.value = AS_STORED
    assert visualizer.shown_person == 0


def test_people_without_a_counted_joint_come_last():
    errors = np.array([[np.nan, np.nan], [0.1, np.nan], [0.3, 0.9], [np.nan, np.nan], [0.7, 0.1]])
    assert worst_first(errors).tolist() == [2, 4, 1, 0, 3]


def test_sorting_follows_the_left_model_and_keeps_the_person(visualizer, monkeypatch):
    worst = [made[:, list(SCORED)].sum(axis=1).argmax() for made in errors_of(monkeypatch, FIVE, SIX)]
    assert worst[0] != worst[1]
    visualizer.sort.value = WORST_PERSON
    assert visualizer.order[0] == worst[0]
    person = visualizer.shown_person
    visualizer.left.model.value = SIX
    assert visualizer.shown_person == person and visualizer.order[0] == worst[1]


def test_search_leaves_the_images_whose_names_match(tiny_study, visualizer):
    names = tiny_study.crops[1].people.image
    wanted = names[5]
    visualizer.search.value = f" {wanted.removesuffix('.jpg').upper()} "
    assert len(visualizer.order) == (names == wanted).sum() and visualizer.shown_person == 5
    visualizer.search.value = "no such name"
    assert len(visualizer.order) == len(names) and "everybody is shown" in visualizer.caption.value
    assert visualizer.shown_person == 5
    visualizer.search.value = ""
    assert visualizer.shown_person == 5 and "everybody" not in visualizer.caption.value
    visualizer.sort.value, visualizer.search.value = WORST_PERSON, wanted[:5]
    assert len(visualizer.order) == sum(name.startswith(wanted[:5]) for name in names)


def test_buttons_and_arrow_keys_step_and_stop_at_the_ends(visualizer):
    visualizer.previous.click()
    assert visualizer.person.value == 1
    visualizer.next.click()
    assert visualizer.person.value == 2
    visualizer.pane.steps += 3  # as when the right arrow was pressed three times
    assert visualizer.person.value == 5
    visualizer.pane.steps -= 100
    assert visualizer.person.value == 1
    visualizer.pane.steps += 100
    assert visualizer.person.value == 16


def test_an_image_that_is_gone_is_one_sentence(tiny_study, predictors, tmp_path):
    crops = tiny_study.crops[1]
    moved = replace(crops, people=replace(crops.people, images_folder=tmp_path))
    visualizer = Visualizer(moved, predictors)
    visualizer.display.whole.value = True
    assert "cannot be read" in visualizer.caption.value
    visualizer.display.whole.value = False
    visualizer.person.value = 2
    assert "cannot be read" not in visualizer.caption.value


# What is kept


def test_answers_are_kept_and_take_no_more_memory_than_allowed(tiny_study, predictors, monkeypatch):
    crops, asked = tiny_study.crops[1], []
    one = answer_bytes(Answers(crops, predictors).stacks(FIVE, 0))
    slow = (
        2 * (16 * 8 * 8 * 4 + 16 * 2 * 8 + 16 * 8) + 32 * 32 * 3 + 2 * 3 * 8
    )  # heatmaps, joints, ...; crop, matrix
    assert one == slow
    monkeypatch.setattr("posekit.visualizer.answers.KEPT_BYTES", 5 * one + 10)
    answers = Answers(crops, predictors)
    predict = Predictor.predict_stacks
    monkeypatch.setattr(Predictor, "predict_stacks", lambda self, *a: asked.append(self) or predict(self, *a))
    for person in range(16):
        answers.stacks(FIVE, person)
        assert sum(map(answer_bytes, answers.kept.values())) <= 5 * one + 10
    assert len(answers.kept) == 5 and len(asked) == 16
    again = answers.stacks(FIVE, 15)
    assert len(asked) == 16 and again is answers.stacks(FIVE, 15)
    answers.stacks(FIVE, 0)  # went long ago
    assert len(asked) == 17


class AlwaysThere(torch.nn.Module):
    """Stands in for a network: every joint lies in column 2, row 5 of the heatmaps, whatever the image shows."""

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        heatmaps = torch.zeros(len(images), len(JOINTS), 8, 8)
        heatmaps[:, :, 5, 2] = 1
        return [heatmaps]


def test_errors_of_all_people_are_distances_in_head_sizes(tiny_study):
    """The cell covers columns 8 to 11 and rows 20 to 23 of the crop, so its middle is (9.5, 21.5)."""
    heard, crops = [], tiny_study.crops[1]
    predictor = Predictor(AlwaysThere(), crops.rule, Codec("report"))
    errors = Answers(crops, {"there": predictor}).errors("there", lambda *progress: heard.append(progress))
    zoom, shift = crops.matrices[:, 0, :1], crops.matrices[:, :, 2]
    place = ((9.5, 21.5) - shift) / zoom  # image px
    people = crops.people
    expected = np.linalg.norm(people.joints - place[:, None], axis=2) / people.head_size[:, None]
    np.testing.assert_allclose(errors, expected, rtol=1e-4)
    assert heard[-1] == (16, 16)


def test_a_crop_with_context_is_cut_to_what_the_network_sees(tiny_study, predictors):
    crops = tiny_study.crops[1]
    margin = 4
    padded = np.zeros((len(crops), 40, 40, 3), np.uint8)
    padded[:, margin:-margin, margin:-margin] = crops.images
    wide = replace(crops, images=padded, rule=replace(crops.rule, context=1.25))
    assert wide.rule.margin == margin
    ours, theirs = (Answers(one, predictors).stacks(FIVE, 3)[-1] for one in (wide, crops))
    np.testing.assert_array_equal(ours.crop, theirs.crop)
    np.testing.assert_array_equal(ours.joints, theirs.joints)


def test_a_pane_starts_with_nothing_pressed_and_nothing_dragged():
    pane = Pane(hint="x")
    assert pane.steps == 0 and pane.box == [] and not pane.draggable and not pane.arrows
    assert "ArrowRight" in str(pane._esm)


def test_every_joint_can_be_chosen(visualizer):
    for joint in JOINTS:
        visualizer.display.joint.value = joint
        assert f"<tr class='posekit-chosen'><td>{joint}</td>" in visualizer.table.value

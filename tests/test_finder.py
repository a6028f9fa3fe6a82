"""People found in photographs: by made networks whose answer is known, and by the one that comes along."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from made_networks import FindsRed, RedPeople
from torch import Tensor

from posekit.datasets.drawn.scene import draw_person
from posekit.datasets.images import write_image
from posekit.datasets.sources import read_people
from posekit.errors import PosekitError
from posekit.inference.finder import Finder
from posekit.inference.predictor import OWN_NETWORK, Prediction, Predictor, distinct
from posekit.models.finder import FINDER_STRIDE, FinderNetwork
from posekit.models.peaks import NEAR, encode, loss, read
from posekit.preprocessing.crop import CropRule
from posekit.preprocessing.heatmaps import Codec
from posekit.preprocessing.scenes import LEAST_JOINTS, Photograph, Scene, SceneRule, draw_scene
from posekit.preprocessing.whole_image import GRAY, whole_image
from posekit.training import finder as finder_training
from posekit.training.finder import (
    FinderRecipe,
    average_precision,
    chances,
    load_finder,
    save_finder,
    train_finder,
)

CPU = torch.device("cpu")


def spots(*places: tuple[int, int], size: tuple[int, int] = (480, 640)) -> np.ndarray:
    image = np.full((*size, 3), 90, np.uint8)
    for place in places:
        cv2.circle(image, place, 14, (255, 0, 0), -1)
    return image


def red_finder() -> Finder:
    return Finder(RedPeople(), side=320)


def red_predictor() -> Predictor:
    predictor = Predictor(FindsRed(), CropRule(width=230, height=230, size=128), Codec("report"))
    predictor.finder = red_finder()
    return predictor


def perfect_answer(centers: Tensor, heights: Tensor, cells: tuple[int, int]) -> Tensor:
    """What a network answers that knows everything."""
    targets = encode([centers], [heights], [torch.zeros(0, 4)], cells)
    logit = torch.logit(targets.heat.clamp(1e-4, 1 - 1e-4))
    return torch.cat([logit[:, None], targets.offset, targets.size[:, None]], dim=1)


def test_what_is_learned_is_what_is_read():
    centers = torch.tensor([[21.3, 40.9], [100.0, 77.7], [200.2, 12.5]])
    heights = torch.tensor([50.0, 130.0, 24.0])
    answer = perfect_answer(centers, heights, (16, 32))
    score, x, y, height = read(answer)[0]
    rows, columns = torch.nonzero(score > 0.9, as_tuple=True)
    found = torch.stack([x[rows, columns], y[rows, columns], height[rows, columns]], dim=1)
    found = found[found[:, 0].argsort()]
    torch.testing.assert_close(found[:, :2], centers, atol=1e-3, rtol=0)
    torch.testing.assert_close(found[:, 2], heights, atol=1e-3, rtol=0)
    # Pixel x is cell (x + 0.5) / 8 - 0.5: by hand, 21.3 is 2.225 and lies in cell 2; 40.9 is 4.675, in cell 5.
    assert (score[5, 2], score[4, 2]) == (score.max(), 0)


def test_the_loss_is_least_where_the_answer_is_right():
    centers, heights = torch.tensor([[40.0, 40.0]]), torch.tensor([90.0])
    targets = encode([centers], [heights], [torch.zeros(0, 4)], (16, 16))
    right = loss(perfect_answer(centers, heights, (16, 16)), targets)
    for other, height in (((60.0, 40.0), 90.0), ((40.0, 40.0), 180.0)):
        answer = perfect_answer(torch.tensor([other]), torch.tensor([height]), (16, 16))
        assert loss(answer, targets) > right + 0.5
    nobody = torch.full((1, 4, 16, 16), -9.0)
    assert loss(nobody, targets) > right + 0.5


def test_ignored_boxes_do_not_change_the_loss():
    """A find in a box that does not count costs nothing, and elsewhere it does."""
    nobody = torch.zeros(0, 2), torch.zeros(0)
    answer = torch.full((1, 4, 16, 16), -9.0)
    answer[0, 0, 5, 5] = 9.0  # px 40 to 47
    costs = []
    for box in ((30.0, 30.0, 60.0, 60.0), (70.0, 70.0, 90.0, 90.0)):
        targets = encode([nobody[0]], [nobody[1]], [torch.tensor([box])], (16, 16))
        costs.append(float(loss(answer, targets)))
    assert costs[0] < 1e-3 and costs[1] > 5
    known = encode(
        [torch.tensor([[44.0, 44.0]])], [torch.tensor([80.0])], [torch.tensor([[0, 0, 127, 127.0]])], (16, 16)
    )
    assert (known.counted == (known.heat > NEAR)).all()


def test_whole_image_by_hand():
    picture, zoom = whole_image(np.zeros((90, 160, 3), np.uint8), 320, 32)
    assert picture.shape == (192, 320, 3) and zoom == 2
    assert (picture[:180] == 0).all() and (picture[180:] == GRAY).all()


def test_people_are_found_at_their_place_whatever_the_size_of_the_photograph():
    for factor in (1, 3):
        image = cv2.resize(spots((100, 200), (500, 120)), None, fx=factor, fy=factor)
        found = sorted(red_finder().find(image), key=lambda person: person.center[0])
        assert len(found) == 2
        cell = FINDER_STRIDE * image.shape[1] / 320
        for person, place in zip(found, [(100, 200), (500, 120)], strict=True):
            assert np.abs(person.center - factor * np.array(place)).max() <= cell / 2 + factor
            assert person.scale == pytest.approx(100 / 200 * image.shape[1] / 320)
    assert red_finder().find(spots()) == []


def test_an_unsure_find_counts_only_where_nobody_is_surer():
    def made(*scores: float) -> Finder:
        """Finds people with these scores, side by side."""

        class Answers(RedPeople):
            def forward(self, images: Tensor) -> Tensor:
                answer = super().forward(images)
                for number, score in enumerate(scores):
                    answer[0, 0, 10, 5 + 10 * number] = np.log(score / (1 - score))
                return answer

        return Finder(Answers(), side=320, least_score=0.4)

    counts = {scores: len(made(*scores).find(spots())) for scores in ((0.35,), (0.35, 0.34), (0.5, 0.35), (0.29,))}
    assert counts == {(0.35,): 1, (0.35, 0.34): 1, (0.5, 0.35): 1, (0.29,): 0}


def test_all_people_have_joints_the_surest_first():
    image = spots((100, 200), (500, 120))
    cv2.circle(image, (500, 120), 14, (190, 0, 0), -1)  # less red, so less sure
    predictor = red_predictor()
    first, second = predictor.predict_people(image)
    cell = 230 * 0.5 * 2 / 32  # image px per cell of the heatmaps
    assert np.abs(first.joints - (100, 200)).max() <= 14 + cell
    assert np.abs(second.joints - (500, 120)).max() <= 14 + cell
    (only,) = predictor.predict_people(image, people=1)
    np.testing.assert_array_equal(only.joints, first.joints)
    assert predictor.predict_people(spots()) == []
    with pytest.raises(PosekitError, match="uint8"):
        predictor.predict_people(image.astype(float))


def test_who_is_found_twice_is_one_person():
    body = Prediction(
        joints=np.random.default_rng(0).normal(0, 40, (16, 2)) + 100,
        confidence=np.ones(16),
        crop=np.zeros((200, 200, 3), np.uint8),
        heatmaps=np.zeros((16, 2, 2), np.float32),
        matrix=np.eye(2, 3),
    )
    again = Prediction(body.joints + 1, *(getattr(body, n) for n in ("confidence", "crop", "heatmaps", "matrix")))
    beside = Prediction(
        body.joints + 30, *(getattr(body, n) for n in ("confidence", "crop", "heatmaps", "matrix"))
    )
    assert [person is body for person in distinct([body, again, beside])] == [True, False]


@pytest.fixture
def spot_photograph(tmp_path) -> Photograph:
    """A person of 16 joints within two px of the middle of a red spot."""
    write_image(tmp_path / "spot.png", spots((150, 110), size=(200, 300)))
    joints = np.array([150, 110]) + np.stack([np.tile([-2, -1, 1, 2], 4), np.repeat([-2, -1, 1, 2], 4)], axis=1)
    return Photograph(tmp_path / "spot.png", np.array([60.0]), joints[None].astype(float), "mpii")


def test_people_of_a_scene_are_where_their_pixels_are(spot_photograph):
    rule = SceneRule(side=128, grids=(1, 0, 0, 0), rotation=40, turned=0.3, gain=0, gray=0, blur=0)
    for seed in range(20):
        scene = draw_scene([spot_photograph], np.ones(1), rule, np.random.default_rng(seed))
        red = scene.image[..., 0].astype(int) - scene.image[..., 2] > 80
        assert scene.image.shape == (128, 128, 3) and len(scene.centers) == 1
        edge = red[0].any() or red[-1].any() or red[:, 0].any() or red[:, -1].any()
        if not edge:  # the whole spot is in the scene
            middle = np.argwhere(red).mean(axis=0)[::-1]
            assert np.abs(middle - scene.centers[0]).max() < 1.5
            # The spot has a radius of 14.5 px where the person is 60 px tall.
            assert np.sqrt(red.sum() / np.pi) == pytest.approx(scene.heights[0] * 14.5 / 60, rel=0.15)


def test_a_scene_of_nine_has_nine_people_and_depends_on_the_seed_alone(spot_photograph):
    rule = SceneRule(side=256, grids=(0, 0, 0, 1), zoom=1.0)
    one, other = (draw_scene([spot_photograph], np.ones(1), rule, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(one.image, other.image)
    assert len(one.centers) + len(one.ignored) == 9
    different = draw_scene([spot_photograph], np.ones(1), rule, np.random.default_rng(8))
    assert (different.image != one.image).any()


def test_who_is_cut_off_or_too_small_is_ignored(spot_photograph):
    joints = spot_photograph.joints.copy()
    joints[:, LEAST_JOINTS - 1 :] = np.nan
    few = Photograph(spot_photograph.path, spot_photograph.heights, joints, "mpii")
    scene = draw_scene([few], np.ones(1), SceneRule(side=128, grids=(1, 0, 0, 0)), np.random.default_rng(0))
    assert len(scene.centers) == 0 and len(scene.ignored) == 1
    left, top, right, bottom = scene.ignored[0]
    assert left < right and top < bottom


def test_a_training_that_is_stopped_goes_on_as_if_it_had_not_been(drawn, tmp_path, monkeypatch):
    """Stopped in the third of four steps; the second was the last one that was kept."""
    recipe = FinderRecipe(steps=4, batch_size=2, warmup=1, scenes=SceneRule(side=64))
    people, _ = read_people([drawn])
    monkeypatch.setattr(finder_training, "SAVE_EVERY", 2)
    whole = train_finder(recipe, people, tmp_path / "whole.pt", CPU, progress=False)

    asked, draw = [], finder_training.draw_scene

    def stops(*arguments: object) -> Scene:
        asked.append(1)
        if len(asked) == 6:
            raise KeyboardInterrupt
        return draw(*arguments)

    monkeypatch.setattr(finder_training, "draw_scene", stops)
    with pytest.raises(KeyboardInterrupt):
        train_finder(recipe, people, tmp_path / "stopped.pt", CPU, progress=False)
    again = train_finder(recipe, people, tmp_path / "stopped.pt", CPU, progress=False)
    assert len(asked) == 6 + 4
    for name, weights in whole.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], weights, rtol=0, atol=0)
    start = FinderNetwork().state_dict()["encoder.stem.0.weight"]
    assert not torch.equal(start, whole.state_dict()["encoder.stem.0.weight"])  # ImageNet's
    with pytest.raises(PosekitError, match="another recipe"):
        train_finder(replace(recipe, seed=1), people, tmp_path / "stopped.pt", CPU, progress=False)


def test_photographs_of_crowds_have_the_given_share():
    def photograph(data_set: str) -> Photograph:
        return Photograph(Path(), np.ones(1), np.zeros((1, 16, 2)), data_set)

    photographs = [photograph(name) for name in ("mpii", "lspet", "lspet", "lspet", "lsp")]
    np.testing.assert_allclose(chances(photographs, 0.6), [0.6, 0.1, 0.1, 0.1, 0.1])
    np.testing.assert_allclose(chances(photographs[1:], 0.6), [0.25] * 4)


def test_average_precision_by_hand(tmp_path, monkeypatch):
    """Two people: the surest find is right, the second of nobody, the third right: (1 + 2/3) / 2."""
    write_image(tmp_path / "two.png", spots((100, 200), (500, 120)))
    joints = np.array([[100, 200], [500, 120]])[:, None] + np.random.default_rng(0).normal(0, 20, (2, 16, 2))
    photograph = Photograph(tmp_path / "two.png", np.array([100.0, 100.0]), joints, "mpii")
    zoom = 448 / 640  # as photographs are kept
    middles = photograph.centers() * zoom
    finds = [(0.9, *middles[1], 90 * zoom), (0.8, 300, 50, 70), (0.7, *middles[0], 70), (0.1, *middles[0], 70)]
    monkeypatch.setattr(finder_training, "find_peaks", lambda *_: np.array(finds))
    assert average_precision(RedPeople(), [photograph], 320) == pytest.approx((1 + 2 / 3) / 2)


def test_a_finder_is_kept_with_its_answers_in_half_precision(tmp_path):
    torch.manual_seed(0)
    network = FinderNetwork().eval()
    save_finder(tmp_path / "finder.pt", FinderRecipe(), network)
    image = torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        difference = (load_finder(tmp_path / "finder.pt", CPU)(image) - network(image)).abs().max()
    assert 0 < difference < 0.05
    assert (tmp_path / "finder.pt").stat().st_size < 5.2e6


def test_what_is_no_finder_is_an_error(tmp_path):
    (tmp_path / "text.pt").write_text("text")
    for path, message in (
        (tmp_path / "none.pt", "there is no finder"),
        (tmp_path / "text.pt", "does not hold a finder"),
        (OWN_NETWORK, "does not hold a finder"),
    ):
        with pytest.raises(PosekitError, match=message):
            load_finder(path, CPU)


def test_the_included_finder_finds_drawn_people_side_by_side():
    """In three pictures beside each other: one kneels, two stand at the edge of them, two stand side by side. Only
    three of the five are annotated. The weights of the network are fixed, and so are the pictures."""
    pictures = [draw_person(seed=0, index=number) for number in range(3)]
    height = 360
    zooms = [height / image.shape[0] for image, _ in pictures]
    resized = [cv2.resize(image, None, fx=z, fy=z) for (image, _), z in zip(pictures, zooms, strict=True)]
    shifts = np.cumsum([0] + [image.shape[1] for image in resized[:-1]])
    found = Finder.own(CPU).find(np.hstack([image[:height] for image in resized]))
    assert len(found) == 5
    for (_, person), zoom, shift in zip(pictures, zooms, shifts, strict=True):
        center = zoom * np.array(person["center"]) + (shift, 0)
        near = [np.linalg.norm(one.center - center) < 0.3 * 200 * person["scale"] * zoom for one in found]
        assert any(near)

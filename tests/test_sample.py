"""The drawn sample: its form, its truthfulness and what happens when writing goes wrong."""

import json
import sys
import time
from dataclasses import replace

import cv2
import numpy as np
import psutil
import pytest
from fit_pose_prior import fit, save

from posekit.datasets.drawn import draw_person, make_sample, worker, write
from posekit.datasets.drawn.canvas import Canvas
from posekit.datasets.drawn.pose_prior import load, shipped
from posekit.datasets.drawn.scene import Scene, annotate, compose, paint_scene
from posekit.errors import PosekitError
from posekit.machine import process_pool
from posekit.skeleton import INDEX, JOINTS

GREEN, RED, BLUE, YELLOW, MAGENTA = np.array(
    [[0, 1, 0], [1, 0, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1]], dtype=np.float32
)


def paint_flat(seed: int, index: int, **clothes: object) -> tuple[np.ndarray, dict, Scene]:
    """The main person of a picture alone before magenta, without shading: (H, W, 3), annotation, scene."""
    scene = compose(np.random.default_rng([seed, index]))
    actor = scene.actors[scene.main]
    actor = replace(actor, appearance=replace(actor.appearance, **({"socks": False, "beard": False} | clothes)))
    scene = replace(scene, actors=(actor,), main=0)
    canvas = Canvas(np.broadcast_to(MAGENTA[:, None, None], (3, scene.height, scene.width)), plain=True)
    visible = paint_scene(canvas, scene)
    return canvas.rgb.transpose(1, 2, 0), annotate(scene, visible), scene


def is_color(image: np.ndarray, color: np.ndarray) -> np.ndarray:
    """(H, W) booleans: pixels that are nearly `color`."""
    return np.abs(image - color).max(axis=2) < 0.2


def seams(image: np.ndarray, color: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """(N, 2) centers of the lines along which cloth of `color` ends on `skin`, found in the pixels alone."""
    near = np.ones((5, 5), np.uint8)
    cloth, bare = (cv2.dilate(is_color(image, c).astype(np.uint8), near) for c in (color, skin))
    count, _, stats, centers = cv2.connectedComponentsWithStats(cloth & bare)
    return centers[1:][stats[1:, cv2.CC_STAT_AREA] >= 8] if count > 1 else np.empty((0, 2))


def distances_to_seams(upper: str, lower: str, end: float, shifts: tuple[float, ...]) -> np.ndarray:
    """(shifts, N): how far limb middles by annotation, moved by each shift (px), are from the nearest seam.

    Sleeves or trouser legs are made to end at `end`: in the middle between the joints `upper` and `lower`.
    """
    arm = lower in ("elbow", "wrist")
    found = []
    for index in range(30):
        image, annotation, _ = paint_flat(
            3,
            index,
            skin=RED,
            top=YELLOW,
            top_accent=GREEN,
            top_pattern="block",
            sleeve=end if arm else 0.0,
            bottom=BLUE,
            bottom_kind="shorts",
            leg_end=1.95 if arm else end,
            shoes=YELLOW,
            sole=YELLOW,
            build=1.0,
        )
        places = seams(image, GREEN if arm else BLUE, RED)
        for side in ("right", "left"):
            ends = [INDEX[f"{side} {upper}"], INDEX[f"{side} {lower}"]]
            if all(annotation["joints_vis"][i] for i in ends) and len(places):
                middle = np.mean([annotation["joints"][i] for i in ends], axis=0)
                moved = [middle + shift * np.sqrt(0.5) for shift in shifts]
                found.append([np.linalg.norm(places - one, axis=1).min() for one in moved])
    assert len(found) > 20
    return np.transpose(found)


@pytest.mark.parametrize(
    "limb", [("shoulder", "elbow", 0.5), ("elbow", "wrist", 1.5), ("hip", "knee", 0.5), ("knee", "ankle", 1.5)]
)
def test_joints_lie_where_the_picture_shows_them(limb):
    exact, moved = distances_to_seams(*limb, shifts=(0.0, 6.0))
    assert np.median(exact) < 1.5
    assert (exact < 4.0).mean() > 0.55  # seams of limbs that touch run together
    assert np.median(moved) > 4.0  # labels that are 6 px off do not pass


def test_flat_picture_is_the_person_that_is_drawn():
    for index in range(3):
        assert paint_flat(3, index)[1]["joints"] == draw_person(3, index)[1]["joints"]


def test_left_and_right_follow_the_face():
    """A person who faces the camera has the right shoulder on the picture's left; from behind it is reversed."""
    agree = []
    for index in range(60):
        image, annotation, _ = paint_flat(5, index, skin=RED, hair=BLUE, hair_style="short", glasses=False)
        joints = np.array(annotation["joints"])
        right, left, neck, top = joints[
            [INDEX[n] for n in ("right shoulder", "left shoulder", "upper neck", "head top")]
        ]
        if min(map(np.min, (right, left, neck, top))) < 0:
            continue
        up = (top - neck) / np.linalg.norm(top - neck)
        opening = (left - right) @ np.array([-up[1], up[0]]) / np.linalg.norm(top - neck)
        x, y = np.rint(0.5 * (neck + top)).astype(int)
        r = max(int(0.25 * np.linalg.norm(top - neck)), 2)
        patch = image[max(y - r, 0) : y + r + 1, max(x - r, 0) : x + r + 1]
        hair, face = is_color(patch, BLUE).mean(), is_color(patch, RED).mean()
        if abs(opening) > 0.85 and hair + face > 0.5:
            agree.append((opening > 0) == (face > hair))
    assert len(agree) > 20
    assert np.mean(agree) > 0.9


def test_covered_joints_are_not_visible():
    _, annotation, scene = paint_flat(3, 1)
    actor = scene.actors[0]
    thin, wide = replace(actor.appearance, build=0.85), replace(actor.appearance, build=1.25)
    canvas = Canvas(np.zeros((3, scene.height, scene.width), np.float32))
    covered = replace(scene, actors=(replace(actor, appearance=thin), replace(actor, appearance=wide)), main=0)
    assert sum(annotation["joints_vis"]) >= 8
    assert paint_scene(canvas, covered).sum() <= 1


def test_same_seed_same_pixels():
    image, annotation = draw_person(0, 7)
    again, annotation_again = draw_person(0, 7)
    assert np.array_equal(image, again)
    assert annotation == annotation_again
    for other in (draw_person(1, 7), draw_person(0, 8)):
        assert other[1] != annotation
        assert other[0].shape != image.shape or not np.array_equal(other[0], image)


def check_form(annotation: dict) -> None:
    width, height = annotation["image_size"]
    assert 0 <= annotation["center"][0] < width
    assert 0 <= annotation["center"][1] < height
    assert 0.7 < annotation["scale"] < 2.2
    assert len(annotation["joints"]) == len(annotation["joints_vis"]) == len(JOINTS)
    for (x, y), visible in zip(annotation["joints"], annotation["joints_vis"], strict=True):
        assert visible in (0, 1)
        if [x, y] == [-1, -1]:
            assert visible == 0
        else:
            assert 0 <= x <= width - 1
            assert 0 <= y <= height - 1
    # MPII's head is a sixth of its scale's 200 px; 0.75 of that is the size of the head.
    assert annotation["head_size"] == pytest.approx(0.75 * 200 / 6 * annotation["scale"], rel=0.35)


def test_form_of_pictures():
    for index in range(15):
        image, annotation = draw_person(2, index)
        check_form(annotation)
        assert image.dtype == np.uint8
        assert image.shape == (annotation["image_size"][1], annotation["image_size"][0], 3)
        assert image.std() > 10


def test_people_are_like_mpii_people():
    """About as many lose a joint to the report's crop as on MPII (36.7 %), about 70 % face the camera."""
    lost, facing, annotated = [], [], []
    for index in range(400):
        scene = compose(np.random.default_rng([0, index]))
        annotation = annotate(scene, np.ones(len(JOINTS), dtype=bool))
        check_form(annotation)
        joints = np.array(annotation["joints"])
        known = joints[:, 0] >= 0
        place = (joints - annotation["center"]) / annotation["scale"] + (60, 105)
        lost.append((((place < 0) | (place > (120, 210))).any(axis=1) & known).any())
        pair = [INDEX["left shoulder"], INDEX["right shoulder"]]
        if known[pair].all():
            facing.append(joints[pair[0], 0] > joints[pair[1], 0])
        annotated.append(known.mean())
    assert 0.2 < np.mean(lost) < 0.42
    assert 0.55 < np.mean(facing) < 0.85
    assert np.mean(annotated) > 0.9


def test_writes_a_complete_sample_and_returns_at_once_the_second_time(tmp_path, monkeypatch):
    folder = tmp_path / "deep" / "sample"
    make_sample(folder, train=4, validation=2, seed=9, progress=False)
    train, valid = (
        json.loads((folder / "annotations" / f"{part}.json").read_text()) for part in ("train", "valid")
    )
    assert [p["image"] for p in train + valid] == [f"{n:06d}.jpg" for n in range(1, 7)]
    for person in train + valid:
        check_form(person)
        height, width = cv2.imread(str(folder / "images" / person["image"])).shape[:2]
        assert [width, height] == person["image_size"]
    mark = json.loads((folder / "sample.json").read_text())
    assert mark == {"seed": 9, "train": 4, "validation": 2, "version": write.VERSION}
    assert [p.name for p in folder.parent.iterdir()] == ["sample"]

    monkeypatch.setattr(worker, "draw_person", None)  # drawing again would fail
    make_sample(folder, train=4, validation=2, seed=9, progress=False)
    with pytest.raises(PosekitError, match="remove"):
        make_sample(folder, train=4, validation=2, seed=10, progress=False)


def test_several_processes_draw_what_one_draws(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "cpu_cores", lambda: 2)
    make_sample(tmp_path / "sample", train=50, validation=10, seed=4, progress=False)
    people = json.loads((tmp_path / "sample" / "annotations" / "train.json").read_text())
    alone = worker.draw_into(tmp_path, 4, 37)
    assert {"index": 37} | people[37] == alone
    name = alone["image"]
    assert (tmp_path / name).read_bytes() == (tmp_path / "sample" / "images" / name).read_bytes()


def test_foreign_folder_is_refused_and_untouched(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "letter.txt").write_text("dear")
    with pytest.raises(PosekitError, match="mine"):
        make_sample(folder, train=2, validation=1, progress=False)
    assert [p.name for p in tmp_path.rglob("*")] == ["mine", "letter.txt"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_failed_write_leaves_no_folder(tmp_path, monkeypatch, error):
    def fail(folder, seed, index):
        if index == 2:
            raise error
        return draw_into(folder, seed, index)

    draw_into = worker.draw_into
    monkeypatch.setattr(worker, "draw_into", fail)
    with pytest.raises((PosekitError, KeyboardInterrupt), match=r"No space|^$"):
        make_sample(tmp_path / "sample", train=4, validation=1, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_drawing_processes_do_not_import_torch(tmp_path):
    with process_pool(1) as pool:
        assert pool.submit(worker._draw_on_one_core, tmp_path, 4, 37).result()["image"] == "000038.jpg"
        assert not pool.submit(eval, "'torch' in __import__('sys').modules").result()


def test_killed_run_leaves_no_sample_and_no_process(tmp_path):
    code = (
        "import sys; from pathlib import Path; from posekit.datasets.drawn import make_sample, worker\n"
        "worker.cpu_cores = lambda: 2; make_sample(Path(sys.argv[1]), 5000, 100, progress=False)"
    )
    process = psutil.Popen([sys.executable, "-c", code, str(tmp_path / "sample")])
    while not list(tmp_path.rglob("*.jpg")):
        assert process.poll() is None
        time.sleep(0.05)
    drawing = process.children(recursive=True)
    process.kill()
    process.wait()
    assert len(drawing) >= 2 and not (tmp_path / "sample").exists()
    _, alive = psutil.wait_procs(drawing, timeout=600)
    assert not alive


def test_folder_that_cannot_be_made_is_one_clear_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PosekitError, match="cannot be made"):
        make_sample(tmp_path / "file" / "sample", train=1, validation=0, progress=False)
    with pytest.raises(PosekitError, match="not negative"):
        make_sample(tmp_path / "sample", train=-1, validation=3, progress=False)


def test_prior_can_be_fitted_saved_and_loaded(tmp_path):
    prior = shipped()
    poses = prior.draw(np.random.default_rng(0), 600)
    again = fit(poses, components=2, steps=5)
    save(again, tmp_path / "prior.json")
    read = load(tmp_path / "prior.json")
    assert np.allclose(read.means, again.means, atol=1e-3)
    assert np.allclose(read.factors, again.factors, atol=1e-3)
    fresh = read.draw(np.random.default_rng(1), 2000)
    assert np.allclose(fresh.mean(axis=0), poses.mean(axis=0), atol=0.05)

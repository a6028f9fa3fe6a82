"""One annotated picture: a person (at times with company) before a background, as a camera would see it."""

from dataclasses import dataclass

import cv2
import numpy as np

from posekit.datasets.drawn.appearance import Appearance, draw_appearance
from posekit.datasets.drawn.background import draw_background
from posekit.datasets.drawn.body import Body, soft_shadow
from posekit.datasets.drawn.body_3d import SIDES, Figure, draw_figure
from posekit.datasets.drawn.canvas import Canvas
from posekit.datasets.drawn.placed import Placed, place, visible_joints
from posekit.datasets.drawn.pose_prior import PIXELS_PER_SCALE, shipped
from posekit.datasets.drawn.shapes import texture
from posekit.datasets.people import HEAD_SIZE_OVER_HEAD
from posekit.skeleton import INDEX, JOINTS

#: A person with fewer joints than this inside the image is placed anew.
LEAST_JOINTS = 7


@dataclass(frozen=True)
class Actor:
    """A person in the scene; `center` (2,) px and `scale` as MPII annotates them."""

    person: Placed
    appearance: Appearance
    center: np.ndarray
    scale: float


@dataclass(frozen=True)
class Scene:
    """The actors from the farthest to the nearest; `main` is the place of the annotated one."""

    width: int
    height: int
    actors: tuple[Actor, ...]
    main: int


def draw_person(seed: int, index: int) -> tuple[np.ndarray, dict]:
    """Picture number `index` of the sample `seed`: RGB uint8 (H, W, 3) and its annotation.

    The annotation has scale, center [x, y], joints 16 x [x, y] (px, pixel centers at whole numbers,
    [-1, -1] outside the image), joints_vis, head_size (px) and image_size [width, height].
    """
    rng = np.random.default_rng([seed, index])
    scene = compose(rng)
    ground = _ground(scene.actors[scene.main].person)
    canvas = Canvas(_backdrop(rng, scene, ground))
    visible = paint_scene(canvas, scene)
    return develop(rng, canvas.rgb), annotate(scene, visible)


def compose(rng: np.random.Generator) -> Scene:
    """Chooses image size, people and where they stand."""
    portrait = rng.random() < 0.3
    long_side = rng.uniform(360, 640)
    short_side = long_side * rng.choice([0.75, 0.75, 0.667, 0.8])
    width, height = (int(v) for v in ((short_side, long_side) if portrait else (long_side, short_side)))
    figure, appearance = draw_figure(rng, shipped()), draw_appearance(rng)
    span = np.ptp(figure.joints[:, :2], axis=0) + 0.12  # head, hands and feet reach beyond the joints
    close_up = rng.random() < 0.14
    limit = min(1.02 * height / span[1], 1.02 * width / span[0])
    share = rng.uniform(1.0, 1.5) if close_up else rng.uniform(0.62, 0.97)
    unit = float(np.clip(limit * share, 150, 420))
    main = _stand(rng, figure, appearance, unit, width, height, anywhere=close_up or rng.random() < 0.06)
    actors, place_of_main = [main], 0
    if rng.random() < 0.3:
        other = _companion(rng, main, width, height)
        behind = rng.random() < 0.65
        actors = [other, main] if behind else [main, other]
        place_of_main = 1 if behind else 0
    return Scene(width, height, tuple(actors), place_of_main)


def _stand(
    rng: np.random.Generator,
    figure: Figure,
    appearance: Appearance,
    unit: float,
    width: int,
    height: int,
    anywhere: bool,
) -> Actor:
    """Places the annotated person; `anywhere` lets the image's border cut through it."""
    low, high = figure.joints[:, :2].min(axis=0) - 0.07, figure.joints[:, :2].max(axis=0) + 0.07
    size = np.array([width, height])
    for _ in range(20):
        if anywhere:
            center = rng.uniform(0.08, 0.92, 2) * size
        else:
            free_low, free_high = -low * unit, size - high * unit
            middle, half = (free_low + free_high) / 2, np.abs(free_high - free_low) / 2
            center = middle + rng.uniform(-1, 1, 2) * half * np.array([0.95, 0.8])
        center = np.clip(center, 0.05 * size, 0.95 * size)
        person = place(figure, center, unit, float(rng.normal(0, 0.32)))
        if _inside(person.joints, width, height).sum() >= LEAST_JOINTS:
            return Actor(person, appearance, center, unit / PIXELS_PER_SCALE)
    person = place(figure, size / 2, unit, 0.0)  # a person wider than the image, in its middle
    return Actor(person, appearance, size / 2, unit / PIXELS_PER_SCALE)


def _companion(rng: np.random.Generator, main: Actor, width: int, height: int) -> Actor:
    """A second person beside the first, its feet on the same floor."""
    figure, appearance = draw_figure(rng, shipped()), draw_appearance(rng)
    unit = main.person.unit * rng.uniform(0.75, 1.05)
    side = -1.0 if main.center[0] > rng.uniform(0.3, 0.7) * width else 1.0
    distance = rng.uniform(0.38, 0.8) * main.person.unit
    center = main.center + np.array([side * distance, 0.0])
    person = place(figure, center, unit, float(rng.normal(0, 0.32)))
    drop = _ground(main.person) - 0.35 * (main.person.unit - unit) - _ground(person)
    center = center + np.array([0.0, drop])
    return Actor(place(figure, center, unit, 0.0), appearance, center, unit / PIXELS_PER_SCALE)


def _ground(person: Placed) -> float:
    """The image row (px) of the floor under a person: a little below the lower ankle."""
    return max(person.at(f"{side} ankle")[1] for side in SIDES) + 0.055 * person.unit


def _backdrop(rng: np.random.Generator, scene: Scene, ground: float) -> np.ndarray:
    unit = scene.actors[scene.main].person.unit
    horizon = ground - rng.uniform(0.3, 0.95) * unit
    background = draw_background(rng, scene.width, scene.height, horizon, ground)
    if rng.random() < 0.6:  # out of focus
        background = _blur(background, rng.uniform(0.6, 2.6))
    return background


def paint_scene(canvas: Canvas, scene: Scene) -> np.ndarray:
    """Paints all actors; returns (16,) booleans of the annotated one's visible joints."""
    main = scene.actors[scene.main].person
    for actor in scene.actors:
        soft_shadow(canvas, actor.person, _ground(actor.person))
    for number, actor in enumerate(scene.actors):
        Body(canvas, actor.person, actor.appearance, number).draw()
    return visible_joints(canvas, main, scene.main)


def develop(rng: np.random.Generator, planes: np.ndarray) -> np.ndarray:
    """What a camera does to a picture: brightness, contrast, a tint, slight blur and noise.

    From (3, H, W) floats in 0..1 to (H, W, 3) uint8.
    """
    height, width = planes.shape[1:]
    light = 1 + rng.normal(0, 0.07)
    tint = 1 + rng.normal(0, 0.02, 3)
    contrast = 1 + rng.normal(0, 0.07)
    blur, grain = rng.uniform(0, 0.75), rng.uniform(0.004, 0.016)
    vignette = 1 + 0.04 * texture(rng, width, height, 1)
    gain = (255 * contrast * light * tint).astype(np.float32)[:, None, None]
    image = planes * gain
    image += 0.5 * (1 / np.float32(contrast) - 1) * gain + np.float32(0.5)  # contrast turns about mid-gray
    image *= vignette
    if blur > 0.35:
        image = _blur(image, blur)
    image += (255 * np.float32(grain)) * rng.standard_normal((height, width), dtype=np.float32)
    return cv2.merge(list(np.clip(image, 0, 255, out=image).astype(np.uint8)))


def _blur(planes: np.ndarray, sigma: float) -> np.ndarray:
    """Every plane of (3, H, W) blurred by `sigma` px."""
    return np.stack([cv2.GaussianBlur(plane, (0, 0), sigma) for plane in planes])


def annotate(scene: Scene, visible: np.ndarray) -> dict:
    """The annotation of the scene's main person, in the form that `draw_person` describes."""
    main = scene.actors[scene.main]
    inside = _inside(main.person.joints, scene.width, scene.height)
    head = main.person.joints[INDEX["head top"]] - main.person.joints[INDEX["upper neck"]]
    joints = [
        [round(float(x), 2), round(float(y), 2)] if inside[i] else [-1.0, -1.0]
        for i, (x, y) in enumerate(main.person.joints)
    ]
    return {
        "scale": round(main.scale, 4),
        "center": [round(float(v), 2) for v in main.center],
        "joints": joints,
        "joints_vis": [int(inside[i] and visible[i]) for i in range(len(JOINTS))],
        "head_size": round(HEAD_SIZE_OVER_HEAD * float(np.linalg.norm(head)), 3),
        "image_size": [scene.width, scene.height],
    }


def _inside(joints: np.ndarray, width: int, height: int) -> np.ndarray:
    return ((joints >= 0) & (joints <= np.array([width - 1, height - 1]))).all(axis=1)

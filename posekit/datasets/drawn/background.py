"""Backgrounds in natural colors: fields, streets, beaches, snow, rooms, halls and plain backdrops.

All give float32 RGB in 0..1 as planes (3, height, width); `horizon` and `ground` are image rows (px): where the
floor begins and where the person's feet are. They may lie outside the image.
"""

from collections.abc import Callable

import numpy as np

from posekit.datasets.drawn.canvas import Canvas
from posekit.datasets.drawn.indoors import backdrop, hall, room
from posekit.datasets.drawn.outdoors import beach, field, snow, street
from posekit.datasets.drawn.shapes import Rng, texture


def draw_background(rng: Rng, width: int, height: int, horizon: float, ground: float) -> np.ndarray:
    """A background of random kind."""
    kinds: tuple[tuple[float, Callable[..., None]], ...] = (
        (0.24, field),
        (0.16, street),
        (0.08, beach),
        (0.06, snow),
        (0.24, room),
        (0.12, hall),
        (0.10, backdrop),
    )
    shares = np.array([share for share, _ in kinds])
    kind = kinds[rng.choice(len(kinds), p=shares / shares.sum())][1]
    canvas = Canvas(np.full((3, height, width), 0.5, np.float32))
    kind(rng, canvas, float(np.clip(horizon, -0.2 * height, 1.3 * height)), ground)
    image = canvas.rgb
    image *= 1 + 0.012 * texture(rng, width, height, 4) + 0.006 * texture(rng, width, height, 70)
    return np.clip(image, 0, 1)

"""What all backgrounds are painted with: noise, colors around a color, gradients and boxes."""

import cv2
import numpy as np

from posekit.datasets.drawn.canvas import NOTHING, Canvas, Color, hex_color, mix

Rng = np.random.Generator


def texture(rng: Rng, width: int, height: int, cells: int) -> np.ndarray:
    """(height, width) smooth noise of mean 0 and roughly unit spread, about `cells` bumps across."""
    rows = max(int(cells * height / width), 2) + 2
    small = rng.standard_normal((rows, cells + 2)).astype(np.float32)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def pick(rng: Rng, *colors: str, spread: float = 0.025) -> Color:
    color = hex_color(colors[rng.integers(len(colors))])
    return np.clip(color + rng.normal(0, spread, 3), 0, 1).astype(np.float32)


def between(rng: Rng, low: float, high: float) -> float:
    """A random row between two rows, whichever of them is the lower one in the image."""
    return low + rng.random() * (high - low)


def gradient(canvas: Canvas, top: float, bottom: float, upper: Color, lower: Color) -> None:
    """Fills the rows from `top` to `bottom` with a vertical gradient."""
    height = len(canvas.part)
    first, last = int(np.clip(np.floor(top), 0, height)), int(np.clip(np.ceil(bottom), 0, height))
    if last > first:
        share = (np.arange(first, last) - top) / max(bottom - top, 1.0)
        canvas.rgb[:, first:last] = mix(upper, lower, share[:, None])


def box(
    canvas: Canvas,
    x: float,
    y: float,
    width: float,
    height: float,
    color: Color,
    shadow: float = 0.0,
    rounded: int = 0,
) -> None:
    corners = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])
    canvas.polygon(corners, color, NOTHING, shadow=shadow, radius=5, rounded=rounded)

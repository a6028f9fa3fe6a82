"""Backgrounds under a roof: a room, a hall, a photographer's backdrop."""

import numpy as np

from posekit.datasets.drawn.canvas import NOTHING, Canvas, Color, hex_color, mix
from posekit.datasets.drawn.shapes import Rng, between, box, gradient, pick


def room(rng: Rng, canvas: Canvas, horizon: float, ground: float) -> None:
    height, width = canvas.part.shape
    # The wall meets the floor somewhere between the eye's height and the feet.
    edge = min(horizon + rng.uniform(0.45, 0.85) * max(ground - horizon, 20), 1.2 * height)
    wall = pick(
        rng, "#e6ddcf", "#cfd8d6", "#d9c6b0", "#b7c4c9", "#e9d5c8", "#a8b5a2", "#c5a898", "#8f9fa8", "#ece7df"
    )
    floor = pick(rng, "#b08a62", "#c7a77f", "#8a6a50", "#a7a29b", "#d3c6b3", "#75685f")
    gradient(canvas, 0, edge, wall, wall * 0.93)
    if rng.random() < 0.25:
        for k in range(0, width, int(rng.uniform(14, 40))):
            box(canvas, k, -5, 6, edge + 5, wall * 0.95)
    gradient(canvas, edge, height, floor * 0.92, floor * 1.04)
    for k in range(1, 7):  # boards
        y = edge + (height - edge) * (k / 7) ** 1.6
        canvas.chain(
            np.array([[-5.0, y], [width + 5.0, y]]), np.array([0.7, 0.7]), floor * 0.86, NOTHING, shadow=0
        )
    box(canvas, -5, edge - 0.02 * height, width + 10, 0.025 * height, mix(wall, np.ones(3), np.float32(0.5)), 0.15)
    for _ in range(rng.integers(0, 6)):
        _furniture(rng, canvas, edge, wall)


def _furniture(rng: Rng, canvas: Canvas, edge: float, wall: Color) -> None:
    height, width = canvas.part.shape
    x, size = rng.uniform(-0.1, 0.95) * width, rng.uniform(0.7, 1.2) * 0.2 * max(height, width)
    kind = rng.integers(6)
    wood = pick(rng, "#8a5f3f", "#6b4a38", "#b78a5c", "#d9cbb5", "#4f5a63", "#9a9a94")
    if kind == 0:  # window
        y = edge - rng.uniform(1.7, 2.4) * size
        box(canvas, x, y, 1.2 * size, 1.1 * size, hex_color("#f4f1ea"), 0.2)
        light = pick(rng, "#bcdcef", "#d5e6ec", "#a9cbdd")
        for k in range(2):
            box(canvas, x + (0.07 + 0.56 * k) * size, y + 0.07 * size, 0.5 * size, 0.96 * size, light)
    elif kind == 1:  # picture
        y = edge - rng.uniform(1.5, 2.6) * size
        box(canvas, x, y, 0.6 * size, 0.75 * size, wood, 0.25)
        art = pick(rng, "#e7c9a9", "#a9c3c9", "#d98c74", "#f0e6cf", "#7c9a92")
        box(canvas, x + 0.06 * size, y + 0.06 * size, 0.48 * size, 0.63 * size, art)
        spot = np.array([x + 0.3 * size, y + rng.uniform(0.25, 0.5) * size])
        canvas.ellipse(spot, (0.15 * size, 0.15 * size), 0.0, pick(rng, "#c1553b", "#2f5d62", "#e9b44c"), NOTHING)
    elif kind == 2:  # sofa
        cloth = pick(rng, "#7f8f7a", "#a65d4e", "#5d7286", "#c49a5a", "#8d7f94", "#6f6a66")
        box(canvas, x, edge - 0.85 * size, 1.9 * size, 0.8 * size, cloth * 0.9, 0.2, rounded=2)
        box(canvas, x - 0.1 * size, edge - 0.5 * size, 2.1 * size, 0.55 * size, cloth, 0.2, rounded=1)
    elif kind == 3:  # shelf with books
        box(canvas, x, edge - 1.9 * size, 1.1 * size, 1.9 * size, wood, 0.25)
        for row in range(4):
            y = edge - (1.82 - 0.46 * row) * size
            box(canvas, x + 0.06 * size, y, 0.98 * size, 0.4 * size, wood * 0.7)
            for k in range(7):
                book = pick(rng, "#b5493b", "#3f6a8a", "#d9b15a", "#e8e0cf", "#5c7d5a", "#6d4f6d")
                tall = rng.uniform(0.22, 0.36) * size
                box(canvas, x + (0.1 + 0.125 * k) * size, y + 0.4 * size - tall, 0.1 * size, tall, book)
    elif kind == 4:  # plant
        foot = edge + 0.05 * size
        leaf = pick(rng, "#4f7d5a", "#6a9a63", "#3f6b4c")
        for _ in range(9):
            tip = np.array([x + rng.normal(0, 0.4) * size, foot - rng.uniform(0.7, 1.3) * size])
            stem = np.array([[x, foot - 0.35 * size], tip])
            canvas.chain(stem, np.array([0.02, 0.09]) * size, leaf * rng.uniform(0.85, 1.15), NOTHING, shadow=0.1)
        pot = np.array([[-0.2, -0.4], [0.2, -0.4], [0.14, 0], [-0.14, 0]]) * size + (x, foot)
        canvas.polygon(pot, pick(rng, "#c46f4a", "#e6e0d4", "#7a8a92"), NOTHING, 0.2, rounded=0)
    else:  # table with a lamp
        box(canvas, x, edge - 0.62 * size, 1.3 * size, 0.09 * size, wood, 0.2)
        for k in (0.06, 1.16):
            box(canvas, x + k * size, edge - 0.55 * size, 0.08 * size, 0.6 * size, wood * 0.85)
        lamp = np.array([x + 0.5 * size, edge - 0.62 * size])
        canvas.chain(np.array([lamp, lamp - (0, 0.4 * size)]), np.array([2.0, 2.0]), wood * 0.6, NOTHING, shadow=0)
        shade = np.array([[-0.12, -0.72], [0.12, -0.72], [0.22, -0.38], [-0.22, -0.38]]) * size + lamp
        canvas.polygon(shade, pick(rng, "#f3e3b8", "#e8cfc0", "#f4efe4"), NOTHING, 0.1, rounded=0)


def hall(rng: Rng, canvas: Canvas, horizon: float, ground: float) -> None:
    """A gymnasium or court: a wall in one or two bands, a floor with lines."""
    height, width = canvas.part.shape
    edge = horizon + rng.uniform(0.2, 0.7) * max(ground - horizon, 20)
    wall = pick(rng, "#c9cdd0", "#9fb0bd", "#d8cdb8", "#7f94a3", "#b0a79b")
    gradient(canvas, 0, edge, wall * 1.03, wall * 0.95)
    band = rng.uniform(0.15, 0.4) * height
    box(
        canvas,
        -5,
        edge - band,
        width + 10,
        band,
        pick(rng, "#a9774f", "#4f6d8a", "#8a9a8f", "#b35a48", "#5b6068"),
    )
    for k in range(rng.integers(0, 6)):
        box(
            canvas,
            (k / 5 - 0.04) * width,
            edge - band - 0.35 * height,
            0.13 * width,
            0.22 * height,
            pick(rng, "#dfeaf0", "#c3d5de"),
            0.1,
        )
    floor = pick(rng, "#d3a670", "#c98f5a", "#4f7fa0", "#5f9a7a", "#b5624a", "#b9bcbd")
    gradient(canvas, edge, height, floor * 0.93, floor * 1.03)
    for _ in range(rng.integers(1, 5)):
        start = np.array([rng.uniform(-0.3, 1.0) * width, edge])
        stop = np.array([rng.uniform(-0.5, 1.5) * width, height + 9])
        if rng.random() < 0.4:
            y = between(rng, edge, height)
            start, stop = np.array([-9.0, y]), np.array([width + 9.0, y])
        if stop[1] > start[1] - 1:
            line = pick(rng, "#f4f2ea", "#f0e2a8", "#c1433c")
            canvas.chain(np.array([start, stop]), np.array([1.2, 2.6]), line, NOTHING, shadow=0)


def backdrop(rng: Rng, canvas: Canvas, horizon: float, ground: float) -> None:
    """A soft two-color backdrop, at times with large pale discs."""
    height, width = canvas.part.shape
    upper = pick(rng, "#cfe0dd", "#f1dcc6", "#d9d4e6", "#e8e4dc", "#bcd0dc", "#f0cfc0", "#8fa9a8", "#6b7a8c")
    gradient(canvas, 0, height, upper, upper * rng.uniform(0.82, 0.95))
    for _ in range(rng.integers(0, 5)):
        center = rng.uniform(0, 1, 2) * (width, height)
        radius = rng.uniform(0.1, 0.4) * height
        canvas.ellipse(
            center,
            (radius, radius),
            0.0,
            mix(upper, np.ones(3), np.float32(rng.uniform(0.1, 0.3))),
            NOTHING,
            shaded=False,
        )

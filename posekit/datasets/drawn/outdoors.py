"""Backgrounds under the sky: a field, a street, a beach, snow."""

import numpy as np

from posekit.datasets.drawn.canvas import NOTHING, Canvas, Color, hex_color, mix
from posekit.datasets.drawn.shapes import Rng, between, box, gradient, pick


def field(rng: Rng, canvas: Canvas, horizon: float, ground: float) -> None:
    height, width = canvas.part.shape
    _sky(rng, canvas, horizon)
    green = pick(rng, "#7fa650", "#93b45c", "#6d9a58", "#a8b561", "#5f8f55", "#c2b265", spread=0.03)
    far = mix(green, pick(rng, "#8fb0c0", "#a9bfb5"), np.float32(0.55))
    for step in range(rng.integers(0, 3)):
        _hills(rng, canvas, horizon, far * (1 - 0.07 * step), rng.uniform(0.1, 0.3) * height / (1 + step))
    leaf = pick(rng, "#4f7d4a", "#5d8a52", "#3f6b48", "#86954a", "#a8763f", spread=0.03)
    for _ in range(rng.integers(0, 8)):
        size = rng.uniform(0.15, 0.5) * height
        _tree(rng, canvas, rng.uniform(0, width), horizon + rng.uniform(0, 0.03) * height, size, leaf)
    gradient(canvas, horizon, height, mix(green, np.ones(3), np.float32(0.12)), green * 0.86)
    if horizon < height:
        if rng.random() < 0.35:  # a path
            x, tip = rng.uniform(0.2, 0.8) * width, rng.uniform(0.1, 0.9) * width
            half = rng.uniform(0.1, 0.3) * width
            corners = np.array(
                [[tip - 4, horizon], [tip + 4, horizon], [x + half, height + 9], [x - half, height + 9]]
            )
            canvas.polygon(corners, pick(rng, "#d9c7a0", "#c9b79a", "#b9b2a6"), NOTHING, 0, rounded=0)
        elif rng.random() < 0.4:  # lines of a pitch
            for _ in range(rng.integers(1, 3)):
                y = between(rng, horizon, height)
                line = np.array([[-9.0, y], [width + 9.0, y + rng.normal(0, 0.06) * height]])
                canvas.chain(line, np.array([1.6, 1.6]), hex_color("#f2f4ec"), NOTHING, shadow=0)
        for _ in range(rng.integers(0, 40)):  # tufts
            y = between(rng, horizon + 4, height + 4)
            x, size = rng.uniform(0, width), 3 + 0.05 * (y - horizon)
            tip = np.array([x + rng.normal(0, 0.4) * size, y - size])
            canvas.chain(np.array([[x, y], tip]), np.array([0.25, 0.08]) * size, green * 0.74, NOTHING, shadow=0)


def street(rng: Rng, canvas: Canvas, horizon: float, ground: float) -> None:
    height, width = canvas.part.shape
    _sky(rng, canvas, horizon)
    x = rng.uniform(-0.2, 0) * width
    while x < width:
        breadth, tall = rng.uniform(0.16, 0.4) * width, rng.uniform(0.35, 1.1) * max(horizon, 0.3 * height)
        wall = pick(rng, "#c9b29b", "#b5856b", "#d8cbb8", "#9ba3a8", "#a9b8bf", "#c88f73", "#e2d3b5", "#8b7d78")
        top = horizon - tall
        box(canvas, x, top, breadth, tall + 3, wall)
        pane, sill = pick(rng, "#53697a", "#6f8796", "#3f4d5c", "#8aa3ad"), wall * 0.9
        columns, rows = rng.integers(2, 5), max(int(tall / (0.14 * height)), 1)
        for row in range(rows):
            for column in range(columns):
                w, h = breadth / columns, tall / (rows + 0.3)
                box(canvas, x + (column + 0.24) * w, top + (row + 0.28) * h, 0.52 * w, 0.55 * h, sill)
                box(canvas, x + (column + 0.28) * w, top + (row + 0.32) * h, 0.44 * w, 0.47 * h, pane)
        x += breadth + rng.choice([0, 0, 0.04 * width])
    road = pick(rng, "#8f9194", "#a39d95", "#b5aea4", "#76797f")
    gradient(canvas, horizon, height, road * 1.08, road * 0.9)
    box(canvas, -5, horizon, width + 10, 0.05 * height, pick(rng, "#c8c2b8", "#b4afa8"))
    if rng.random() < 0.5:
        y = between(rng, horizon, height)
        for k in range(6):
            box(canvas, (k * 0.22 - 0.05) * width, y, 0.12 * width, 4, hex_color("#ece7d8"))
    leaf = pick(rng, "#4f7d4a", "#6b9259", "#86954a")
    for _ in range(rng.integers(0, 3)):
        _tree(rng, canvas, rng.uniform(0, width), horizon + 0.05 * height, rng.uniform(0.3, 0.6) * height, leaf)
    for _ in range(rng.integers(0, 3)):
        _car(rng, canvas, rng.uniform(0, width), horizon + 0.07 * height, rng.uniform(0.1, 0.18) * height)


def _car(rng: Rng, canvas: Canvas, x: float, foot: float, size: float) -> None:
    paint = pick(rng, "#b23a3a", "#3f6a9a", "#d8d6d0", "#3a3d42", "#d3a43f", "#5f8a6a")
    roof = np.array([[-0.7, -0.6], [-0.4, -1.1], [0.5, -1.1], [0.9, -0.6]]) * size + (x, foot)
    canvas.polygon(roof, paint * 0.9, NOTHING, 0, rounded=1)
    canvas.polygon((roof - roof.mean(0)) * 0.78 + roof.mean(0), hex_color("#a9c0cc"), NOTHING, 0, rounded=1)
    box(canvas, x - 1.3 * size, foot - 0.68 * size, 2.6 * size, 0.5 * size, paint, 0.1, rounded=1)
    for wheel in (-0.75, 0.75):
        canvas.ellipse(
            np.array([x + wheel * size, foot - 0.2 * size]),
            (0.24 * size, 0.24 * size),
            0.0,
            hex_color("#26282c"),
            NOTHING,
        )


def beach(rng: Rng, canvas: Canvas, horizon: float, ground: float) -> None:
    height, width = canvas.part.shape
    _sky(rng, canvas, horizon)
    sea = pick(rng, "#3f8fae", "#4aa3b5", "#5d93b5", "#6fb3b8")
    sand = pick(rng, "#e6d3a8", "#d9c294", "#eadbbd")
    shore = horizon + rng.uniform(0.3, 0.8) * max(min(ground, height) - horizon, 10)
    gradient(canvas, horizon, shore, sea * 0.85, mix(sea, np.ones(3), np.float32(0.3)))
    gradient(canvas, shore, height, sand, sand * 0.92)
    box(canvas, -5, shore - 3, width + 10, 6, hex_color("#f6f6f1"))
    for _ in range(rng.integers(2, 7)):
        y, x = between(rng, horizon + 3, shore), rng.uniform(0, width)
        line = np.array([[x, y], [x + rng.uniform(0.05, 0.2) * width, y]])
        canvas.chain(line, np.array([1.0, 1.0]), mix(sea, np.ones(3), np.float32(0.5)), NOTHING, shadow=0)
    if rng.random() < 0.4:
        _hills(rng, canvas, horizon, mix(sea, hex_color("#7d9a8a"), np.float32(0.6)), 0.12 * height)
        gradient(canvas, horizon, horizon + 5, sea * 0.85, sea * 0.85)


def snow(rng: Rng, canvas: Canvas, horizon: float, ground: float) -> None:
    height, width = canvas.part.shape
    _sky(rng, canvas, horizon)
    for step in range(rng.integers(1, 4)):
        rock = pick(rng, "#a9bccb", "#c6d3de", "#8ea3b5")
        _hills(rng, canvas, horizon, rock, rng.uniform(0.15, 0.45) * height / (1 + 0.5 * step))
    leaf = pick(rng, "#3f5f58", "#4d6b5c", "#5e7d78")
    for _ in range(rng.integers(0, 9)):
        _tree(rng, canvas, rng.uniform(0, width), horizon + 4, rng.uniform(0.12, 0.4) * height, leaf)
    snow = pick(rng, "#eef2f6", "#e3ebf2", "#f3f1ee")
    gradient(canvas, horizon, height, snow, snow * 0.92)


def _sky(rng: Rng, canvas: Canvas, horizon: float) -> None:
    upper = pick(rng, "#7fb2dd", "#9cc7e8", "#5f9fd4", "#b9cfe0", "#e8b98f", "#8fb8c9")
    lower = mix(upper, pick(rng, "#f3f6f5", "#fbeedd", "#e6eff5"), np.float32(0.75))
    gradient(canvas, 0, max(horizon, 1), upper, lower)
    width = canvas.part.shape[1]
    for _ in range(rng.integers(0, 5)):
        x, y = rng.uniform(0, width), rng.uniform(0, max(horizon * 0.7, 10))
        size = rng.uniform(0.04, 0.1) * width
        for _ in range(5):
            offset = rng.normal(0, 1, 2) * (1.2 * size, 0.15 * size)
            axes = (size * rng.uniform(0.5, 1.0), size * rng.uniform(0.2, 0.35))
            canvas.ellipse(
                np.array([x, y]) + offset,
                axes,
                0.0,
                mix(lower, np.ones(3), np.float32(0.6)),
                NOTHING,
                shaded=False,
            )


def _hills(rng: Rng, canvas: Canvas, horizon: float, color: Color, rise: float) -> None:
    width = canvas.part.shape[1]
    xs = np.linspace(-20, width + 20, 24)
    phase, waves = rng.uniform(0, 6.3, 3), rng.uniform(0.6, 2.5, 3)
    ridge = sum(np.sin(xs / width * 6.3 * w + p) for w, p in zip(waves, phase, strict=True)) / 3
    top = horizon - rise * (0.6 + 0.4 * ridge)
    below = [[width + 20, horizon + 4], [-20, horizon + 4]]
    corners = np.vstack([np.column_stack([xs, top]), below])
    canvas.polygon(corners, color, NOTHING, shadow=0, rounded=1)


def _tree(rng: Rng, canvas: Canvas, x: float, foot: float, size: float, leaf: Color) -> None:
    trunk = pick(rng, "#6b4a35", "#7d5d47", "#574034")
    canvas.chain(
        np.array([[x, foot], [x + rng.normal(0, 0.05) * size, foot - 0.7 * size]]),
        size * np.array([0.06, 0.035]),
        trunk,
        NOTHING,
        shadow=0,
    )
    if rng.random() < 0.3:  # a conifer
        for level in range(3):
            top, half = foot - size * (1.15 - 0.27 * level), size * (0.2 + 0.08 * level)
            corners = np.array([[x, top], [x + half, top + 0.5 * size], [x - half, top + 0.5 * size]])
            canvas.polygon(corners, leaf * (1.05 - 0.05 * level), NOTHING, 0.25, 5, rounded=1)
        return
    for _ in range(7):
        center = np.array([x, foot - 0.85 * size]) + rng.normal(0, 1, 2) * (0.2 * size, 0.16 * size)
        radius = size * rng.uniform(0.16, 0.28)
        tint = (leaf * rng.uniform(0.88, 1.12)).astype(np.float32)
        canvas.ellipse(center, (radius, radius * 0.92), 0.0, tint, NOTHING, shadow=0.12)

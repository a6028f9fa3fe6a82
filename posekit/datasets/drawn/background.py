"""Backgrounds in natural colours: fields, streets, beaches, snow, rooms, halls and plain backdrops.

All give float32 RGB in 0..1 as planes (3, height, width); `horizon` and `ground` are image rows (px): where the
floor begins and where the person's feet are. They may lie outside the image.
"""

from collections.abc import Callable

import cv2
import numpy as np

from posekit.datasets.drawn.canvas import NOTHING, Canvas, Colour, hex_colour, mix

Rng = np.random.Generator


def draw_background(rng: Rng, width: int, height: int, horizon: float, ground: float) -> np.ndarray:
    """A background of random kind."""
    kinds: tuple[tuple[float, Callable[..., None]], ...] = (
        (0.24, _field), (0.16, _street), (0.08, _beach), (0.06, _snow),
        (0.24, _room), (0.12, _hall), (0.10, _backdrop),
    )  # fmt: skip
    shares = np.array([share for share, _ in kinds])
    kind = kinds[rng.choice(len(kinds), p=shares / shares.sum())][1]
    canvas = Canvas(np.full((3, height, width), 0.5, np.float32))
    kind(rng, canvas, float(np.clip(horizon, -0.2 * height, 1.3 * height)), ground)
    image = canvas.rgb
    image *= 1 + 0.012 * texture(rng, width, height, 4) + 0.006 * texture(rng, width, height, 70)
    return np.clip(image, 0, 1)


def texture(rng: Rng, width: int, height: int, cells: int) -> np.ndarray:
    """(height, width) smooth noise of mean 0 and roughly unit spread, about `cells` bumps across."""
    rows = max(int(cells * height / width), 2) + 2
    small = rng.standard_normal((rows, cells + 2)).astype(np.float32)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def _pick(rng: Rng, *colours: str, spread: float = 0.025) -> Colour:
    colour = hex_colour(colours[rng.integers(len(colours))])
    return np.clip(colour + rng.normal(0, spread, 3), 0, 1).astype(np.float32)


def _between(rng: Rng, low: float, high: float) -> float:
    """A random row between two rows, whichever of them is the lower one in the image."""
    return low + rng.random() * (high - low)


def _gradient(canvas: Canvas, top: float, bottom: float, upper: Colour, lower: Colour) -> None:
    """Fills the rows from `top` to `bottom` with a vertical gradient."""
    height = len(canvas.part)
    first, last = int(np.clip(np.floor(top), 0, height)), int(np.clip(np.ceil(bottom), 0, height))
    if last > first:
        share = (np.arange(first, last) - top) / max(bottom - top, 1.0)
        canvas.rgb[:, first:last] = mix(upper, lower, share[:, None])


def _box(
    canvas: Canvas, x: float, y: float, width: float, height: float, colour: Colour, shadow: float = 0.0,
    rounded: int = 0,
) -> None:  # fmt: skip
    corners = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])
    canvas.polygon(corners, colour, NOTHING, shadow=shadow, radius=5, rounded=rounded)


def _sky(rng: Rng, canvas: Canvas, horizon: float) -> None:
    upper = _pick(rng, "#7fb2dd", "#9cc7e8", "#5f9fd4", "#b9cfe0", "#e8b98f", "#8fb8c9")
    lower = mix(upper, _pick(rng, "#f3f6f5", "#fbeedd", "#e6eff5"), np.float32(0.75))
    _gradient(canvas, 0, max(horizon, 1), upper, lower)
    width = canvas.part.shape[1]
    for _ in range(rng.integers(0, 5)):
        x, y = rng.uniform(0, width), rng.uniform(0, max(horizon * 0.7, 10))
        size = rng.uniform(0.04, 0.1) * width
        for _ in range(5):
            offset = rng.normal(0, 1, 2) * (1.2 * size, 0.15 * size)
            axes = (size * rng.uniform(0.5, 1.0), size * rng.uniform(0.2, 0.35))
            canvas.ellipse(np.array([x, y]) + offset, axes, 0.0, mix(lower, np.ones(3), np.float32(0.6)), NOTHING,
                           shaded=False)  # fmt: skip


def _hills(rng: Rng, canvas: Canvas, horizon: float, colour: Colour, rise: float) -> None:
    width = canvas.part.shape[1]
    xs = np.linspace(-20, width + 20, 24)
    phase, waves = rng.uniform(0, 6.3, 3), rng.uniform(0.6, 2.5, 3)
    ridge = sum(np.sin(xs / width * 6.3 * w + p) for w, p in zip(waves, phase, strict=True)) / 3
    top = horizon - rise * (0.6 + 0.4 * ridge)
    below = [[width + 20, horizon + 4], [-20, horizon + 4]]
    corners = np.vstack([np.column_stack([xs, top]), below])
    canvas.polygon(corners, colour, NOTHING, shadow=0, rounded=1)


def _tree(rng: Rng, canvas: Canvas, x: float, foot: float, size: float, leaf: Colour) -> None:
    trunk = _pick(rng, "#6b4a35", "#7d5d47", "#574034")
    canvas.chain(np.array([[x, foot], [x + rng.normal(0, 0.05) * size, foot - 0.7 * size]]),
                 size * np.array([0.06, 0.035]), trunk, NOTHING, shadow=0)  # fmt: skip
    if rng.random() < 0.3:  # a conifer
        for level in range(3):
            top, half = foot - size * (1.15 - 0.27 * level), size * (0.2 + 0.08 * level)
            corners = np.array([[x, top], [x + half, top + 0.5 * size], [x - half, top + 0.5 * size]])
            canvas.polygon(corners, leaf * (1.05 - 0.05 * level), NOTHING, 0.25, 5, rounded=1)
        return
    for _ in range(7):
        centre = np.array([x, foot - 0.85 * size]) + rng.normal(0, 1, 2) * (0.2 * size, 0.16 * size)
        radius = size * rng.uniform(0.16, 0.28)
        tint = (leaf * rng.uniform(0.88, 1.12)).astype(np.float32)
        canvas.ellipse(centre, (radius, radius * 0.92), 0.0, tint, NOTHING, shadow=0.12)


def _field(rng: Rng, canvas: Canvas, horizon: float, ground: float) -> None:
    height, width = canvas.part.shape
    _sky(rng, canvas, horizon)
    green = _pick(rng, "#7fa650", "#93b45c", "#6d9a58", "#a8b561", "#5f8f55", "#c2b265", spread=0.03)
    far = mix(green, _pick(rng, "#8fb0c0", "#a9bfb5"), np.float32(0.55))
    for step in range(rng.integers(0, 3)):
        _hills(rng, canvas, horizon, far * (1 - 0.07 * step), rng.uniform(0.1, 0.3) * height / (1 + step))
    leaf = _pick(rng, "#4f7d4a", "#5d8a52", "#3f6b48", "#86954a", "#a8763f", spread=0.03)
    for _ in range(rng.integers(0, 8)):
        size = rng.uniform(0.15, 0.5) * height
        _tree(rng, canvas, rng.uniform(0, width), horizon + rng.uniform(0, 0.03) * height, size, leaf)
    _gradient(canvas, horizon, height, mix(green, np.ones(3), np.float32(0.12)), green * 0.86)
    if horizon < height:
        if rng.random() < 0.35:  # a path
            x, tip = rng.uniform(0.2, 0.8) * width, rng.uniform(0.1, 0.9) * width
            half = rng.uniform(0.1, 0.3) * width
            corners = np.array(
                [[tip - 4, horizon], [tip + 4, horizon], [x + half, height + 9], [x - half, height + 9]]
            )
            canvas.polygon(corners, _pick(rng, "#d9c7a0", "#c9b79a", "#b9b2a6"), NOTHING, 0, rounded=0)
        elif rng.random() < 0.4:  # lines of a pitch
            for _ in range(rng.integers(1, 3)):
                y = _between(rng, horizon, height)
                line = np.array([[-9.0, y], [width + 9.0, y + rng.normal(0, 0.06) * height]])
                canvas.chain(line, np.array([1.6, 1.6]), hex_colour("#f2f4ec"), NOTHING, shadow=0)
        for _ in range(rng.integers(0, 40)):  # tufts
            y = _between(rng, horizon + 4, height + 4)
            x, size = rng.uniform(0, width), 3 + 0.05 * (y - horizon)
            tip = np.array([x + rng.normal(0, 0.4) * size, y - size])
            canvas.chain(np.array([[x, y], tip]), np.array([0.25, 0.08]) * size, green * 0.74, NOTHING, shadow=0)


def _street(rng: Rng, canvas: Canvas, horizon: float, ground: float) -> None:
    height, width = canvas.part.shape
    _sky(rng, canvas, horizon)
    x = rng.uniform(-0.2, 0) * width
    while x < width:
        breadth, tall = rng.uniform(0.16, 0.4) * width, rng.uniform(0.35, 1.1) * max(horizon, 0.3 * height)
        wall = _pick(rng, "#c9b29b", "#b5856b", "#d8cbb8", "#9ba3a8", "#a9b8bf", "#c88f73", "#e2d3b5", "#8b7d78")
        top = horizon - tall
        _box(canvas, x, top, breadth, tall + 3, wall)
        pane, sill = _pick(rng, "#53697a", "#6f8796", "#3f4d5c", "#8aa3ad"), wall * 0.9
        columns, rows = rng.integers(2, 5), max(int(tall / (0.14 * height)), 1)
        for row in range(rows):
            for column in range(columns):
                w, h = breadth / columns, tall / (rows + 0.3)
                _box(canvas, x + (column + 0.24) * w, top + (row + 0.28) * h, 0.52 * w, 0.55 * h, sill)
                _box(canvas, x + (column + 0.28) * w, top + (row + 0.32) * h, 0.44 * w, 0.47 * h, pane)
        x += breadth + rng.choice([0, 0, 0.04 * width])
    road = _pick(rng, "#8f9194", "#a39d95", "#b5aea4", "#76797f")
    _gradient(canvas, horizon, height, road * 1.08, road * 0.9)
    _box(canvas, -5, horizon, width + 10, 0.05 * height, _pick(rng, "#c8c2b8", "#b4afa8"))
    if rng.random() < 0.5:
        y = _between(rng, horizon, height)
        for k in range(6):
            _box(canvas, (k * 0.22 - 0.05) * width, y, 0.12 * width, 4, hex_colour("#ece7d8"))
    leaf = _pick(rng, "#4f7d4a", "#6b9259", "#86954a")
    for _ in range(rng.integers(0, 3)):
        _tree(rng, canvas, rng.uniform(0, width), horizon + 0.05 * height, rng.uniform(0.3, 0.6) * height, leaf)
    for _ in range(rng.integers(0, 3)):
        _car(rng, canvas, rng.uniform(0, width), horizon + 0.07 * height, rng.uniform(0.1, 0.18) * height)


def _car(rng: Rng, canvas: Canvas, x: float, foot: float, size: float) -> None:
    paint = _pick(rng, "#b23a3a", "#3f6a9a", "#d8d6d0", "#3a3d42", "#d3a43f", "#5f8a6a")
    roof = np.array([[-0.7, -0.6], [-0.4, -1.1], [0.5, -1.1], [0.9, -0.6]]) * size + (x, foot)
    canvas.polygon(roof, paint * 0.9, NOTHING, 0, rounded=1)
    canvas.polygon((roof - roof.mean(0)) * 0.78 + roof.mean(0), hex_colour("#a9c0cc"), NOTHING, 0, rounded=1)
    _box(canvas, x - 1.3 * size, foot - 0.68 * size, 2.6 * size, 0.5 * size, paint, 0.1, rounded=1)
    for wheel in (-0.75, 0.75):
        canvas.ellipse(np.array([x + wheel * size, foot - 0.2 * size]), (0.24 * size, 0.24 * size), 0.0,
                       hex_colour("#26282c"), NOTHING)  # fmt: skip


def _beach(rng: Rng, canvas: Canvas, horizon: float, ground: float) -> None:
    height, width = canvas.part.shape
    _sky(rng, canvas, horizon)
    sea = _pick(rng, "#3f8fae", "#4aa3b5", "#5d93b5", "#6fb3b8")
    sand = _pick(rng, "#e6d3a8", "#d9c294", "#eadbbd")
    shore = horizon + rng.uniform(0.3, 0.8) * max(min(ground, height) - horizon, 10)
    _gradient(canvas, horizon, shore, sea * 0.85, mix(sea, np.ones(3), np.float32(0.3)))
    _gradient(canvas, shore, height, sand, sand * 0.92)
    _box(canvas, -5, shore - 3, width + 10, 6, hex_colour("#f6f6f1"))
    for _ in range(rng.integers(2, 7)):
        y, x = _between(rng, horizon + 3, shore), rng.uniform(0, width)
        line = np.array([[x, y], [x + rng.uniform(0.05, 0.2) * width, y]])
        canvas.chain(line, np.array([1.0, 1.0]), mix(sea, np.ones(3), np.float32(0.5)), NOTHING, shadow=0)
    if rng.random() < 0.4:
        _hills(rng, canvas, horizon, mix(sea, hex_colour("#7d9a8a"), np.float32(0.6)), 0.12 * height)
        _gradient(canvas, horizon, horizon + 5, sea * 0.85, sea * 0.85)


def _snow(rng: Rng, canvas: Canvas, horizon: float, ground: float) -> None:
    height, width = canvas.part.shape
    _sky(rng, canvas, horizon)
    for step in range(rng.integers(1, 4)):
        rock = _pick(rng, "#a9bccb", "#c6d3de", "#8ea3b5")
        _hills(rng, canvas, horizon, rock, rng.uniform(0.15, 0.45) * height / (1 + 0.5 * step))
    leaf = _pick(rng, "#3f5f58", "#4d6b5c", "#5e7d78")
    for _ in range(rng.integers(0, 9)):
        _tree(rng, canvas, rng.uniform(0, width), horizon + 4, rng.uniform(0.12, 0.4) * height, leaf)
    snow = _pick(rng, "#eef2f6", "#e3ebf2", "#f3f1ee")
    _gradient(canvas, horizon, height, snow, snow * 0.92)


def _room(rng: Rng, canvas: Canvas, horizon: float, ground: float) -> None:
    height, width = canvas.part.shape
    # The wall meets the floor somewhere between the eye's height and the feet.
    edge = min(horizon + rng.uniform(0.45, 0.85) * max(ground - horizon, 20), 1.2 * height)
    wall = _pick(
        rng, "#e6ddcf", "#cfd8d6", "#d9c6b0", "#b7c4c9", "#e9d5c8", "#a8b5a2", "#c5a898", "#8f9fa8", "#ece7df"
    )
    floor = _pick(rng, "#b08a62", "#c7a77f", "#8a6a50", "#a7a29b", "#d3c6b3", "#75685f")
    _gradient(canvas, 0, edge, wall, wall * 0.93)
    if rng.random() < 0.25:
        for k in range(0, width, int(rng.uniform(14, 40))):
            _box(canvas, k, -5, 6, edge + 5, wall * 0.95)
    _gradient(canvas, edge, height, floor * 0.92, floor * 1.04)
    for k in range(1, 7):  # boards
        y = edge + (height - edge) * (k / 7) ** 1.6
        canvas.chain(
            np.array([[-5.0, y], [width + 5.0, y]]), np.array([0.7, 0.7]), floor * 0.86, NOTHING, shadow=0
        )
    _box(
        canvas, -5, edge - 0.02 * height, width + 10, 0.025 * height, mix(wall, np.ones(3), np.float32(0.5)), 0.15
    )
    for _ in range(rng.integers(0, 6)):
        _furniture(rng, canvas, edge, wall)


def _furniture(rng: Rng, canvas: Canvas, edge: float, wall: Colour) -> None:
    height, width = canvas.part.shape
    x, size = rng.uniform(-0.1, 0.95) * width, rng.uniform(0.7, 1.2) * 0.2 * max(height, width)
    kind = rng.integers(6)
    wood = _pick(rng, "#8a5f3f", "#6b4a38", "#b78a5c", "#d9cbb5", "#4f5a63", "#9a9a94")
    if kind == 0:  # window
        y = edge - rng.uniform(1.7, 2.4) * size
        _box(canvas, x, y, 1.2 * size, 1.1 * size, hex_colour("#f4f1ea"), 0.2)
        light = _pick(rng, "#bcdcef", "#d5e6ec", "#a9cbdd")
        for k in range(2):
            _box(canvas, x + (0.07 + 0.56 * k) * size, y + 0.07 * size, 0.5 * size, 0.96 * size, light)
    elif kind == 1:  # picture
        y = edge - rng.uniform(1.5, 2.6) * size
        _box(canvas, x, y, 0.6 * size, 0.75 * size, wood, 0.25)
        art = _pick(rng, "#e7c9a9", "#a9c3c9", "#d98c74", "#f0e6cf", "#7c9a92")
        _box(canvas, x + 0.06 * size, y + 0.06 * size, 0.48 * size, 0.63 * size, art)
        spot = np.array([x + 0.3 * size, y + rng.uniform(0.25, 0.5) * size])
        canvas.ellipse(spot, (0.15 * size, 0.15 * size), 0.0, _pick(rng, "#c1553b", "#2f5d62", "#e9b44c"), NOTHING)
    elif kind == 2:  # sofa
        cloth = _pick(rng, "#7f8f7a", "#a65d4e", "#5d7286", "#c49a5a", "#8d7f94", "#6f6a66")
        _box(canvas, x, edge - 0.85 * size, 1.9 * size, 0.8 * size, cloth * 0.9, 0.2, rounded=2)
        _box(canvas, x - 0.1 * size, edge - 0.5 * size, 2.1 * size, 0.55 * size, cloth, 0.2, rounded=1)
    elif kind == 3:  # shelf with books
        _box(canvas, x, edge - 1.9 * size, 1.1 * size, 1.9 * size, wood, 0.25)
        for row in range(4):
            y = edge - (1.82 - 0.46 * row) * size
            _box(canvas, x + 0.06 * size, y, 0.98 * size, 0.4 * size, wood * 0.7)
            for k in range(7):
                book = _pick(rng, "#b5493b", "#3f6a8a", "#d9b15a", "#e8e0cf", "#5c7d5a", "#6d4f6d")
                tall = rng.uniform(0.22, 0.36) * size
                _box(canvas, x + (0.1 + 0.125 * k) * size, y + 0.4 * size - tall, 0.1 * size, tall, book)
    elif kind == 4:  # plant
        foot = edge + 0.05 * size
        leaf = _pick(rng, "#4f7d5a", "#6a9a63", "#3f6b4c")
        for _ in range(9):
            tip = np.array([x + rng.normal(0, 0.4) * size, foot - rng.uniform(0.7, 1.3) * size])
            stem = np.array([[x, foot - 0.35 * size], tip])
            canvas.chain(stem, np.array([0.02, 0.09]) * size, leaf * rng.uniform(0.85, 1.15), NOTHING, shadow=0.1)
        pot = np.array([[-0.2, -0.4], [0.2, -0.4], [0.14, 0], [-0.14, 0]]) * size + (x, foot)
        canvas.polygon(pot, _pick(rng, "#c46f4a", "#e6e0d4", "#7a8a92"), NOTHING, 0.2, rounded=0)
    else:  # table with a lamp
        _box(canvas, x, edge - 0.62 * size, 1.3 * size, 0.09 * size, wood, 0.2)
        for k in (0.06, 1.16):
            _box(canvas, x + k * size, edge - 0.55 * size, 0.08 * size, 0.6 * size, wood * 0.85)
        lamp = np.array([x + 0.5 * size, edge - 0.62 * size])
        canvas.chain(np.array([lamp, lamp - (0, 0.4 * size)]), np.array([2.0, 2.0]), wood * 0.6, NOTHING, shadow=0)
        shade = np.array([[-0.12, -0.72], [0.12, -0.72], [0.22, -0.38], [-0.22, -0.38]]) * size + lamp
        canvas.polygon(shade, _pick(rng, "#f3e3b8", "#e8cfc0", "#f4efe4"), NOTHING, 0.1, rounded=0)


def _hall(rng: Rng, canvas: Canvas, horizon: float, ground: float) -> None:
    """A gymnasium or court: a wall in one or two bands, a floor with lines."""
    height, width = canvas.part.shape
    edge = horizon + rng.uniform(0.2, 0.7) * max(ground - horizon, 20)
    wall = _pick(rng, "#c9cdd0", "#9fb0bd", "#d8cdb8", "#7f94a3", "#b0a79b")
    _gradient(canvas, 0, edge, wall * 1.03, wall * 0.95)
    band = rng.uniform(0.15, 0.4) * height
    _box(
        canvas,
        -5,
        edge - band,
        width + 10,
        band,
        _pick(rng, "#a9774f", "#4f6d8a", "#8a9a8f", "#b35a48", "#5b6068"),
    )
    for k in range(rng.integers(0, 6)):
        _box(canvas, (k / 5 - 0.04) * width, edge - band - 0.35 * height, 0.13 * width, 0.22 * height,
             _pick(rng, "#dfeaf0", "#c3d5de"), 0.1)  # fmt: skip
    floor = _pick(rng, "#d3a670", "#c98f5a", "#4f7fa0", "#5f9a7a", "#b5624a", "#b9bcbd")
    _gradient(canvas, edge, height, floor * 0.93, floor * 1.03)
    for _ in range(rng.integers(1, 5)):
        start = np.array([rng.uniform(-0.3, 1.0) * width, edge])
        stop = np.array([rng.uniform(-0.5, 1.5) * width, height + 9])
        if rng.random() < 0.4:
            y = _between(rng, edge, height)
            start, stop = np.array([-9.0, y]), np.array([width + 9.0, y])
        if stop[1] > start[1] - 1:
            line = _pick(rng, "#f4f2ea", "#f0e2a8", "#c1433c")
            canvas.chain(np.array([start, stop]), np.array([1.2, 2.6]), line, NOTHING, shadow=0)


def _backdrop(rng: Rng, canvas: Canvas, horizon: float, ground: float) -> None:
    """A soft two-colour backdrop, at times with large pale discs."""
    height, width = canvas.part.shape
    upper = _pick(rng, "#cfe0dd", "#f1dcc6", "#d9d4e6", "#e8e4dc", "#bcd0dc", "#f0cfc0", "#8fa9a8", "#6b7a8c")
    _gradient(canvas, 0, height, upper, upper * rng.uniform(0.82, 0.95))
    for _ in range(rng.integers(0, 5)):
        centre = rng.uniform(0, 1, 2) * (width, height)
        radius = rng.uniform(0.1, 0.4) * height
        canvas.ellipse(centre, (radius, radius), 0.0, mix(upper, np.ones(3), np.float32(rng.uniform(0.1, 0.3))),
                       NOTHING, shaded=False)  # fmt: skip

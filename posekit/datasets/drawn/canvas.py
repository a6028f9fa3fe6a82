"""A canvas of anti-aliased, softly shaded shapes that remembers which part covers every pixel.

Coordinates are image pixels, x right and y down, pixel centers at whole numbers. Colors are RGB
triples of floats in 0..1. Pictures are kept as three planes, shape (3, H, W): numpy works through whole
rows of a plane several times faster than through pixels of three numbers.
"""

import math
from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np

Color = np.ndarray
#: Direction that the light comes from, in the image (upper left).
LIGHT = np.array([-0.6, -0.8], dtype=np.float32)
NOTHING = 0


class Canvas:
    """rgb (3, H, W) float32 and, for every pixel, the number of the part painted last (0: background)."""

    def __init__(self, background: np.ndarray, plain: bool = False) -> None:
        """Starts from (3, H, W) planes. `plain` leaves shading and shadows out: every part keeps its color."""
        self.rgb = np.array(background, dtype=np.float32)
        self.part = np.zeros(background.shape[1:], dtype=np.int32)
        self.plain = plain

    def window(self, low: np.ndarray, high: np.ndarray) -> tuple[slice, slice] | None:
        """Rows and columns that cover the box between two corners, or None when it is off the canvas."""
        height, width = self.part.shape
        x0, y0 = (max(int(v), 0) for v in np.floor(low))
        x1, y1 = min(int(np.ceil(high[0])) + 1, width), min(int(np.ceil(high[1])) + 1, height)
        return (slice(y0, y1), slice(x0, x1)) if x1 - x0 > 1 and y1 - y0 > 1 else None

    def lay(
        self,
        window: tuple[slice, slice],
        cover: np.ndarray,
        color: np.ndarray,
        number: int,
        shade: np.ndarray | None = None,
        shadow: float | np.ndarray = 0.0,
        radius: float = 4.0,
    ) -> None:
        """Paints `color`, (3,) or (3, h, w), where `cover` (0..1) is, after a soft contact shadow.

        number: part number kept where the cover is over a half; NOTHING leaves the numbers alone.
        shade: factors on the color; shadow: strength 0..1 of the contact shadow, `radius` its blur.
        """
        region = self.rgb[:, window[0], window[1]]
        cover = np.asarray(cover, dtype=np.float32)
        if not self.plain and np.any(shadow):
            blur = cv2.GaussianBlur(cover, (0, 0), max(float(radius) * 0.55, 0.6))
            beneath = np.where(self.part[window] > NOTHING, np.float32(1.0), np.float32(0.3))
            region *= np.asarray(1 - shadow * blur * beneath, dtype=np.float32)
        paint = _planes(np.asarray(color, dtype=np.float32))
        if shade is not None and not self.plain:
            paint = paint * np.asarray(shade, dtype=np.float32)
        region += cover * (paint - region)
        if number != NOTHING:
            self.part[window][cover > 0.5] = number

    def chain(
        self,
        points: np.ndarray,
        radii: np.ndarray,
        color: Color,
        number: int,
        shadow: float = 0.45,
        end: float | None = None,
        pattern: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
        start: float = 0.0,
    ) -> None:
        """A limb: tapered capsules from point to point, `points` (N, 2) with `radii` (N,).

        start, end: paint only the part of the limb between these places along it, counted in segments
        (1.5 ends in the middle of the second), for sleeves and trouser legs. pattern: colors from the
        place along the limb and the place across it in px.
        """
        points, radii = np.asarray(points, np.float32), np.asarray(radii, np.float32)
        margin = radii.max() * 1.6 + 3
        window = self.window(points.min(axis=0) - margin, points.max(axis=0) + margin)
        if window is None:
            return
        y, x = np.ogrid[window]
        distance, along, breadth, across = _chain_distance(x, y, points, radii)
        cover = np.clip(0.5 - distance, 0, 1)
        pixel = _pixels_per_segment(points)
        if end is not None:
            cover = cover * np.clip((end - along) * pixel + 0.5, 0, 1)
        if start > 0:
            cover = cover * np.clip((along - start) * pixel + 0.5, 0, 1)
        if cover.max() < 0.01:
            return
        shade = None if self.plain else _round(distance, breadth)
        # No contact shadow at the root: there the limb grows out of the body.
        strength = shadow * np.clip(along * 2.5 - 0.3, 0, 1) if shadow and not self.plain else 0.0
        paint = color if pattern is None or self.plain else pattern(along, across)
        self.lay(window, cover, paint, number, shade, strength, float(radii.max()))

    def ellipse(
        self,
        center: np.ndarray,
        axes: tuple[float, float],
        angle: float,
        color: Color,
        number: int,
        shadow: float = 0.0,
        shaded: bool = True,
    ) -> None:
        """An ellipse with half axes `axes` (px), the first turned by `angle` (radians, clockwise on screen)."""
        reach = max(axes) * 1.5 + 3
        window = self.window(np.asarray(center) - reach, np.asarray(center) + reach)
        if window is None:
            return
        y, x = np.ogrid[window]
        dx, dy = (x - center[0]).astype(np.float32), (y - center[1]).astype(np.float32)
        cosine, sine, (wide, tall) = math.cos(angle), math.sin(angle), (float(axis) for axis in axes)
        u = (dx * cosine + dy * sine) / max(wide, 0.3)
        v = (dy * cosine - dx * sine) / max(tall, 0.3)
        radius = np.sqrt(u * u + v * v)
        cover = np.clip((1 - radius) * max(min(wide, tall), 0.5) + 0.5, 0, 1)
        shade = None
        if shaded and not self.plain:
            lit = (dx * LIGHT[0] + dy * LIGHT[1]) / max(wide, tall)
            shade = 1 + 0.12 * lit - 0.06 * np.clip(radius, 0, 1) ** 3
        self.lay(window, cover, color, number, shade, shadow, max(wide, tall) * 0.6)

    def polygon(
        self,
        corners: np.ndarray,
        color: Color,
        number: int,
        shadow: float = 0.3,
        radius: float = 4.0,
        rounded: int = 2,
        pattern: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
        shade_width: float = 0.0,
    ) -> None:
        """A closed shape with `corners` (N, 2), its corners cut `rounded` times; pattern: colors from x, y px.

        shade_width: how far in from the outline the shape looks rounded, px; 0 for a flat shape.
        """
        outline = chaikin(np.asarray(corners, dtype=np.float64), rounded)
        margin = radius * 1.5 + 3
        window = self.window(outline.min(axis=0) - margin, outline.max(axis=0) + margin)
        if window is None:
            return
        origin = np.array([window[1].start, window[0].start])
        size = (window[0].stop - window[0].start, window[1].stop - window[1].start)
        mask = np.zeros(size, dtype=np.uint8)
        cv2.fillPoly(mask, [np.rint((outline - origin) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        cover = mask.astype(np.float32) / 255
        shade = None
        if shade_width > 0 and not self.plain:
            shade_width = float(shade_width)
            soft = cv2.GaussianBlur(cover, (0, 0), shade_width)
            gx, gy = cv2.Sobel(soft, -1, 1, 0), cv2.Sobel(soft, -1, 0, 1)
            lit = -(gx * LIGHT[0] + gy * LIGHT[1]) * shade_width
            shade = np.clip(1 + 0.10 * lit - 0.10 * (1 - soft), 0.7, 1.15)
        if pattern is not None and not self.plain:
            y, x = np.mgrid[window]
            color = pattern(x.astype(np.float32), y.astype(np.float32))
        self.lay(window, cover, color, number, shade, shadow, radius)


def chaikin(corners: np.ndarray, times: int) -> np.ndarray:
    """(N, 2) closed outline with its corners cut `times` times."""
    for _ in range(times):
        following = np.roll(corners, -1, axis=0)
        both = np.stack([0.75 * corners + 0.25 * following, 0.25 * corners + 0.75 * following], axis=1)
        corners = both.reshape(-1, 2)
    return corners


def mix(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Colors between a (share 0) and b (share 1): (3,) for one share, (3, h, w) for an array of shares."""
    share = np.asarray(share, dtype=np.float32)
    a, b = np.asarray(a, np.float32), np.asarray(b, np.float32)
    if share.ndim:
        a, b = _planes(a), _planes(b)
    return a + (b - a) * share


def _planes(color: np.ndarray) -> np.ndarray:
    """A color (3,) as planes (3, 1, 1); planes stay as they are."""
    return color[:, None, None] if color.ndim == 1 else color


def hex_color(text: str) -> Color:
    """'#rrggbb' as three floats in 0..1."""
    return np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float32) / 255


def _pixels_per_segment(points: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).mean())


def _chain_distance(
    x: np.ndarray, y: np.ndarray, points: np.ndarray, radii: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """For every pixel: signed distance to the limb's outline, place along it, radius there, place across it."""
    best = along = breadth = across = None
    for i, (a, b) in enumerate(pairwise(points)):
        direction = b - a
        length = float(np.hypot(*direction)) or 1e-3
        ux, uy = (direction / length).astype(np.float32)
        dx, dy = (x - a[0]).astype(np.float32), (y - a[1]).astype(np.float32)
        t = np.clip((dx * ux + dy * uy) * np.float32(1 / length), 0, 1)
        r = radii[i] + (radii[i + 1] - radii[i]) * t
        px, py = dx - t * (ux * length), dy - t * (uy * length)
        d = np.sqrt(px * px + py * py) - r
        side = dy * ux - dx * uy
        if best is None:
            best, along, breadth, across = d, t, r, side
        else:
            nearer = d < best
            best = np.where(nearer, d, best)
            along = np.where(nearer, t + np.float32(i), along)
            breadth = np.where(nearer, r, breadth)
            across = np.where(nearer, side, across)
    return best, along, breadth, across


def _round(distance: np.ndarray, breadth: np.ndarray) -> np.ndarray:
    """Brightness factors that make a limb look round: lit from LIGHT, darker towards its outline."""
    gy, gx = np.gradient(distance)
    edge = np.clip(1 + distance / np.maximum(breadth, 0.5), 0, 1)
    return 1.02 + edge * (0.13 * (gx * LIGHT[0] + gy * LIGHT[1]) - 0.07 * edge * edge)

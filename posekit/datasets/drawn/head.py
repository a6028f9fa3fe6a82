"""The head: an ellipsoid whose every pixel knows its place on the skull, so that it turns truly.

From the front there is a face, from the side a profile with a nose and one ear, from behind only hair.
Places on the skull are written (forward, right, up) on the unit sphere, right being the person's own.
"""

import numpy as np

from posekit.datasets.drawn.appearance import Appearance
from posekit.datasets.drawn.canvas import NOTHING, Canvas, hex_color, mix

_WHITE = hex_color("#fbf8f4")
_INK = hex_color("#2a211f")


class Head:
    """Draws one head on a canvas.

    neck, top (2,): the upper neck and the head top, px; front, side: cosine and sine of the turn (front 1
    faces the camera, side 1 looks to the right of an upright picture).
    """

    def __init__(
        self, neck: np.ndarray, top: np.ndarray, front: float, side: float, appearance: Appearance
    ) -> None:
        axis = top - neck
        self.length = max(float(np.linalg.norm(axis)), 1.0)
        self.up = axis / self.length
        self.across = np.array([-self.up[1], self.up[0]])
        self.front, self.side, self.appearance = front, side, appearance
        self.center = neck + 0.5 * axis
        self.half_height = 0.5 * self.length
        self.half_width = (0.39 + 0.03 * abs(side)) * self.length
        self.angle = float(np.arctan2(self.across[1], self.across[0]))

    def place(self, forward: float, right: float, up: float) -> tuple[np.ndarray, float]:
        """Image position (2,) of a place on the skull and how much it faces the camera, -1..1."""
        a = forward * self.side - right * self.front
        towards = forward * self.front + right * self.side
        position = self.center + a * self.half_width * self.across + up * self.half_height * self.up
        return position, towards

    def spot(
        self,
        canvas: Canvas,
        place: tuple[float, float, float],
        size: tuple[float, float],
        color: np.ndarray,
        number: int = NOTHING,
        least: float = 0.15,
    ) -> None:
        """A small ellipse on the face, narrowed by the turn of the head and hidden behind it."""
        position, towards = self.place(*place)
        if towards > least:
            width = size[0] * self.length * min(1.0, 0.35 + 0.75 * towards)
            canvas.ellipse(position, (width, size[1] * self.length), self.angle, color, number, shaded=False)

    def behind(self, canvas: Canvas, number: int) -> None:
        """Hair that falls behind the neck: to be drawn before the trunk when the face is seen."""
        style, appearance, size = self.appearance.hair_style, self.appearance, self.length
        dark = appearance.hair * 0.88
        if style in ("long", "bob"):
            drop = 0.95 if style == "long" else 0.55
            back = self.center - 0.10 * size * self.side * self.across
            down = np.array([0.35 * -self.up[0], abs(self.up[1]) * 0.6 + 0.4])
            down /= np.linalg.norm(down)
            points = [back + 0.1 * size * self.up, back + 0.35 * size * down, back + drop * size * down]
            breadth = 0.44 - 0.08 * abs(self.side)
            canvas.chain(points, size * np.array([breadth, breadth, breadth * 0.72]), dark, number, shadow=0.2)
        elif style == "ponytail":
            root, _ = self.place(-1.05, 0, 0.35)
            tip = root - 0.22 * size * self.side * self.across + np.array([0, 0.75 * size])
            middle = (root + tip) / 2 - 0.15 * size * self.side * self.across
            canvas.chain(
                [root, middle, tip], size * np.array([0.11, 0.14, 0.04]), appearance.hair, number, shadow=0.25
            )
        elif style == "bun":
            position, _ = self.place(-0.75, 0, 0.95)
            canvas.ellipse(position, (0.2 * size, 0.19 * size), 0, appearance.hair, number, shadow=0.2)

    def draw(self, canvas: Canvas, number: int, hair_number: int) -> None:
        """Ears, skull with hair, face; `number` and `hair_number` go into the canvas's part numbers."""
        near_ears = []
        for right in (1.0, -1.0):
            if self.appearance.hair_style in ("long", "bob", "afro"):
                continue
            position, towards = self.place(-0.05, right, -0.06)
            ear = (
                position,
                (0.075 * self.length, 0.11 * self.length),
                self.angle,
                self.appearance.skin * 0.93,
                number,
            )
            if towards > -0.1:
                near_ears.append(ear)
            else:
                canvas.ellipse(*ear)
        if abs(self.side) > 0.45 and self.front > -0.6:  # the nose that sticks out of a profile
            position, _ = self.place(1.03, 0, -0.14)
            size = (0.085 * self.length, 0.075 * self.length)
            canvas.ellipse(position, size, self.angle, self.appearance.skin * 0.97, number)
        self._skull(canvas, number, hair_number)
        self._face(canvas)
        for ear in near_ears:
            if abs(self.side) > 0.25 or self.front > 0:
                canvas.ellipse(*ear, shadow=0.15)
        if self.appearance.hair_style == "cap":
            position, towards = self.place(1.15, 0, 0.36)
            if self.front > -0.5:
                size = ((0.2 + 0.2 * self.front) * self.length, (0.05 + 0.03 * max(self.front, 0)) * self.length)
                canvas.ellipse(position, size, self.angle, self.appearance.hat * 0.8, hair_number)

    def _skull(self, canvas: Canvas, number: int, hair_number: int) -> None:
        style, appearance = self.appearance.hair_style, self.appearance
        volume = {"afro": 1.38, "buzz": 1.0, "bald": 1.0, "cap": 1.07, "short": 1.07}.get(style, 1.09)
        reach = self.length * 0.5 * volume + 3
        window = canvas.window(self.center - reach, self.center + reach)
        if window is None:
            return
        y, x = np.mgrid[window].astype(np.float32)
        dx, dy = x - float(self.center[0]), y - float(self.center[1])
        (ax, ay), (ux, uy) = self.across.tolist(), self.up.tolist()  # Python floats keep float32 arrays
        a = (dx * ax + dy * ay) / self.half_width
        b = (dx * ux + dy * uy) / self.half_height
        jaw = 1 - 0.2 * np.clip(-b, 0, 1) ** 1.5  # narrower towards the chin
        radius = np.sqrt((a / jaw) ** 2 + b**2)
        soft = self.half_width
        skull = np.clip((1 - radius) * soft + 0.5, 0, 1)
        shade = 1.02 - 0.05 * a - 0.07 * np.clip(radius, 0, 1) ** 3 + 0.03 * b
        # Skin, with a beard and the shadow of the hair on it.
        towards = np.sqrt(np.clip(1 - radius**2, 0, 1))
        forward = a * self.side + towards * self.front
        color = appearance.skin
        if appearance.beard:
            region = np.clip((-0.28 - 0.25 * np.clip(forward - 0.6, 0, 1) - b) * 7, 0, 1)
            region = region * np.clip((forward + 0.05) * 6, 0, 1)
            color = mix(color, mix(appearance.skin, appearance.hair, np.float32(0.85)), region)
        canvas.lay(window, skull, color, number, shade, 0.35, self.length * 0.2)
        if style == "bald":
            return
        # Hair sits on a slightly larger skull; its lower edge rises from the nape to the forehead.
        wide = np.sqrt((a / jaw) ** 2 + np.where(b > 0, b, b * 1.04) ** 2) / volume
        over = np.clip((1 - wide) * soft * volume + 0.5, 0, 1)
        towards = np.sqrt(np.clip(1 - wide**2, 0, 1))
        forward = (a * self.side + towards * self.front) / np.maximum(np.hypot(a, towards), 0.3)
        own_right = (-a * self.front + towards * self.side) / np.maximum(np.hypot(a, towards), 0.3)
        fringe = {"parted": 0.42 + 0.28 * own_right, "bob": 0.3, "afro": 0.45, "cap": 0.36}.get(style, 0.52)
        nape = {"long": -1.3, "bob": -1.2, "cap": -0.6}.get(style, -0.72)
        temple = -0.25 if style in ("long", "bob") else -0.02
        edge = np.interp(forward, [-0.35, 0.05, 0.45, 0.8], [nape, temple, 0.25, 0.0])
        edge = edge + np.clip((forward - 0.45) / 0.35, 0, 1) * fringe
        if style == "cap":
            edge = np.maximum(edge, np.interp(forward, [-0.6, 0.2], [-0.6, 0.1]))
        cover = over * np.clip((b - edge) * self.half_height + 0.5, 0, 1)
        color = appearance.hair
        if style == "buzz":
            color = mix(appearance.skin, appearance.hair, np.float32(0.75))
        elif style == "cap":
            color = mix(appearance.hair, appearance.hat, np.clip((b - 0.18) * self.half_height + 0.5, 0, 1))
        shine = shade + 0.06 * np.clip(1 - ((a + 0.35) ** 2 + (b - 0.6) ** 2) * 5, 0, 1)
        canvas.lay(window, cover.astype(np.float32), color, hair_number, shine, 0.25, self.length * 0.1)

    def _face(self, canvas: Canvas) -> None:
        skin, appearance = self.appearance.skin, self.appearance
        darker = np.clip(skin * 0.72, 0, 1)
        lips = mix(skin * 0.8, hex_color("#b8433f"), np.float32(0.4))
        for right in (0.37, -0.37):
            eye = (0.9, right, 0.03)
            if appearance.glasses:
                self.spot(canvas, eye, (0.125, 0.1), _INK)
                self.spot(canvas, eye, (0.1, 0.076), mix(skin, _WHITE, np.float32(0.35)))
            self.spot(
                canvas, (0.88, right * 1.05, 0.20), (0.075, 0.018), mix(appearance.hair, skin, np.float32(0.15))
            )
            self.spot(canvas, eye, (0.062, 0.046), mix(_WHITE, skin, np.float32(0.25)))
            self.spot(canvas, (0.91, right * 0.97, 0.03), (0.043, 0.047), _INK)
            self.spot(canvas, (0.9, right * 0.97 + 0.03, 0.055), (0.013, 0.013), _WHITE)
            blush = mix(skin, hex_color("#e0604f"), np.float32(0.22))
            self.spot(canvas, (0.82, right * 1.35, -0.26), (0.065, 0.04), blush, least=0.3)
        self.spot(canvas, (1.0, 0, -0.16), (0.045, 0.05), darker * 0.55 + skin * 0.45, least=0.35)
        mouth = [self.place(0.88, right, up) for right, up in ((0.17, -0.46), (0.0, -0.52), (-0.17, -0.46))]
        if mouth[1][1] > 0.2:
            width = 0.02 * self.length
            canvas.chain(np.array([m[0] for m in mouth]), np.full(3, width), lips, NOTHING, shadow=0)

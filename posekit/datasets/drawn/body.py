"""Draws a figure part by part, from the farthest to the nearest, and tells which joints stay visible."""

from collections.abc import Callable

import numpy as np

from posekit.datasets.drawn.appearance import Appearance, fabric
from posekit.datasets.drawn.body_3d import SIDES
from posekit.datasets.drawn.canvas import NOTHING, Canvas, Color, hex_color
from posekit.datasets.drawn.head import Head
from posekit.datasets.drawn.placed import PARTS, PERSON_STEP, Placed


class Body:
    """One person to be painted on a canvas."""

    def __init__(self, canvas: Canvas, person: Placed, appearance: Appearance, number: int = 0) -> None:
        self.canvas, self.person, self.appearance = canvas, person, appearance
        self.base = number * PERSON_STEP
        self.px = person.unit * person.figure.lengths["torso"] / 0.327  # px per 200 px of body size
        self.thick = self.px * appearance.build
        self.up = person.figure.up[:2]
        self.across = np.array([-self.up[1], self.up[0]])
        self.front = -float(person.figure.forward[2])
        self.side = float(person.figure.forward[:2] @ self.across)
        self.head = Head(person.at("upper neck"), person.at("head top"), *person.head_turn, appearance)

    def part(self, name: str) -> int:
        """The number of this person's part on the canvas."""
        return self.base + PARTS[name]

    def draw(self) -> None:
        """Paints everything, far parts first."""
        z, facing = self.person.z, self.person.figure.forward[2]
        jobs: list[tuple[float, Callable[[], None]]] = [
            (0.03, self._seat),
            (0.0, self._trunk),
            (-0.001, self._neck),
            (min(z("head top"), 0.0) - 0.03, self._head),
        ]
        if self.appearance.bottom_kind == "skirt":
            jobs.append((0.02, self._skirt))
        # Hair on the back of the head: behind the trunk for a face, before it for a back.
        jobs.append((0.3 if self.person.head_turn[0] > -0.35 else -0.035, self._back_hair))
        for side in SIDES:
            arm = 0.4 * z(f"{side} shoulder") + 0.3 * z(f"{side} elbow") + 0.3 * z(f"{side} wrist")
            hip, knee, ankle = z(f"{side} hip"), z(f"{side} knee"), z(f"{side} ankle")
            leg = 0.3 * hip + 0.4 * knee + 0.3 * ankle
            raised = knee - hip < -0.2  # a thigh that points at the camera lies over shirt and skirt
            skirted = self.appearance.bottom_kind == "skirt" and not raised
            order = leg - 0.06 if raised else 0.04 + 0.1 * leg if leg > 0 or skirted else 0.025 + 0.1 * leg
            jobs.append((arm + 0.045 * facing, lambda side=side: self._arm(side)))
            jobs.append((order, lambda side=side: self._leg(side)))
        for _, paint in sorted(jobs, key=lambda job: -job[0]):
            paint()

    # -- limbs -------------------------------------------------------------------------------------

    def _limb(self, side: str, names: tuple[str, ...]) -> np.ndarray:
        return np.array([self.person.at(f"{side} {name}") for name in names])

    def _arm(self, side: str) -> None:
        appearance, canvas, t = self.appearance, self.canvas, self.thick
        points = self._limb(side, ("shoulder", "elbow", "wrist"))
        radii = t * np.array([0.034, 0.0275, 0.02])
        # The drawn arm starts a little inside the shoulder: its round end would stand up from the trunk.
        points[0] += 0.008 * t * _unit(points[1] - points[0])
        self._hand(side, points)
        canvas.chain(points, radii, appearance.skin, self.part(f"{side} arm"), shadow=0.4)
        if appearance.sleeve > 0:
            color = appearance.top_accent if appearance.top_pattern == "block" else appearance.top
            scale = np.linalg.norm(points[1] - points[0]) / (0.034 * self.px)

            def cloth(along: np.ndarray, across: np.ndarray) -> np.ndarray:
                return fabric(
                    appearance.top_pattern, color, appearance.top_accent, along * scale, across / (0.034 * self.px)
                )

            loose = t * np.array([0.005, 0.009 if appearance.sleeve < 1.5 else 0.006, 0.006])
            canvas.chain(
                points,
                radii + loose,
                color,
                self.part(f"{side} arm"),
                shadow=0.3,
                end=appearance.sleeve,
                pattern=cloth if appearance.top_pattern in ("hoops", "stripes", "checks", "dots") else None,
            )

    def _hand(self, side: str, arm: np.ndarray) -> None:
        along = arm[2] - arm[1]
        along = _unit(along)
        wrist, t, number = arm[2], self.thick, self.part(f"{side} hand")
        # The thumb is on the body's side of a hanging hand, in front of it in a profile.
        thumb = np.array([-along[1], along[0]])
        towards = self.side * self.across
        if abs(self.side) < 0.6:
            towards = self.person.at("thorax") - arm[0]
        if thumb @ towards < 0:
            thumb = -thumb
        tip = wrist + 0.068 * self.px * along
        palm = wrist + 0.03 * self.px * along
        self.canvas.chain(
            [palm - 0.012 * t * along, palm + 0.033 * t * along + 0.02 * t * thumb],
            t * np.array([0.011, 0.008]),
            self.appearance.skin * 0.97,
            number,
            shadow=0.2,
        )
        self.canvas.chain(
            [wrist, palm, tip], t * np.array([0.019, 0.025, 0.014]), self.appearance.skin, number, shadow=0.2
        )

    def _leg(self, side: str) -> None:
        appearance, canvas, t = self.appearance, self.canvas, self.thick
        points = self._limb(side, ("hip", "knee", "ankle"))
        number = self.part(f"{side} leg")
        radii = t * np.array([0.058, 0.041, 0.026])
        self._foot(side, points)
        thigh, calf = points[1] - points[0], points[1] + 0.3 * (points[2] - points[1])
        skin_points = np.array([points[0], points[1], calf, points[2]])
        skin_radii = np.array([radii[0], radii[1], t * 0.038, radii[2]])
        canvas.chain(skin_points, skin_radii, appearance.skin, number, shadow=0.42)
        if appearance.socks:
            canvas.chain(skin_points, skin_radii * 1.05, appearance.sole * 0.97, number, shadow=0, start=2.45)
        if appearance.bottom_kind != "skirt" and np.linalg.norm(thigh) > 0:
            loose = t * np.array([0.008, 0.010, 0.013 if appearance.leg_end > 1 else 0.01])
            canvas.chain(points, radii + loose, appearance.bottom, number, shadow=0.3, end=appearance.leg_end)

    def _foot(self, side: str, leg: np.ndarray) -> None:
        """A shoe that points where the person faces, seen a little from above."""
        t, number, figure = self.thick, self.part(f"{side} foot"), self.person.figure
        knee, ankle = (figure.at(f"{side} {name}") for name in ("knee", "ankle"))
        shin = _unit(ankle - knee)
        outward = figure.right * (0.25 if side == "right" else -0.25)
        forward = figure.forward + outward
        forward = forward - 0.85 * (forward @ shin) * shin
        forward = _unit(forward)
        toe = forward[:2] + np.array([0.0, -0.42]) * forward[2]  # what is nearer appears lower
        down = shin[:2]
        heel = leg[2] + 0.024 * t * down - 0.02 * t * toe
        ball = leg[2] + 0.036 * t * down + 0.075 * t * toe
        tip = leg[2] + 0.04 * t * down + 0.115 * t * toe
        color, below = self.appearance.shoes, 0.010 * t * down
        rubber = t * np.array([0.026, 0.026, 0.02])
        self.canvas.chain(
            [heel + below, ball + below, tip + below], rubber, self.appearance.sole, number, shadow=0.3
        )
        self.canvas.chain([leg[2], heel], t * np.array([0.024, 0.03]), color, number, shadow=0)
        self.canvas.chain([heel, ball, tip], t * np.array([0.029, 0.027, 0.019]), color, number, shadow=0)

    # -- trunk -------------------------------------------------------------------------------------

    def _breadth(self, width: float, depth: float) -> float:
        """Half the breadth in px that an elliptic section (half axes in body units) shows to the camera."""
        return self.thick * float(np.hypot(width * self.front, depth * self.side))

    def _level(self, height: float) -> np.ndarray:
        """A place on the spine: 0 the pelvis, 1 the thorax."""
        return self.person.at("pelvis") + height * (self.person.at("thorax") - self.person.at("pelvis"))

    def _pair(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """The two joints of a pair, the one farther along `across` first."""
        a, b = self.person.at(f"right {name}"), self.person.at(f"left {name}")
        return (a, b) if (a - b) @ self.across >= 0 else (b, a)

    def _trunk(self) -> None:
        appearance, across, t = self.appearance, self.across, self.thick
        chest, waist = (
            self._breadth(0.112, 0.068),
            self._breadth(0.086 * appearance.waist, 0.062 * appearance.waist),
        )
        hip = self._breadth(0.098, 0.07)
        outline = []
        for sign, shoulder, joint in zip((1, -1), self._pair("shoulder"), self._pair("hip"), strict=True):
            to = sign * across
            collar = self._level(1.0) + self._breadth(0.04, 0.04) * to + 0.03 * t * self.up
            slope = 0.35 * collar + 0.65 * shoulder + 0.026 * t * self.up
            tip = shoulder + 0.030 * t * to + 0.028 * t * self.up
            cap = shoulder + 0.040 * t * to - 0.01 * t * self.up
            armpit = 0.5 * (shoulder - 0.09 * t * self.up) + 0.5 * (self._level(0.7)) + 0.5 * chest * to
            side = self._level(0.36) + waist * to
            hem = 0.5 * (joint + 0.05 * t * to) + 0.5 * (self._level(0.0) + hip * to)
            low = hem - 0.045 * t * self.up
            inner = 0.7 * low + 0.3 * (self._level(0.0) - 0.05 * t * self.up)  # keeps the hem straight
            half = [collar, slope, tip, cap, armpit, side, hem + 0.03 * t * self.up, low, inner]
            outline.append(half)
        corners = np.array(outline[0] + outline[1][::-1])
        patterned = appearance.top_pattern in ("hoops", "stripes", "checks", "dots")
        self.canvas.polygon(
            corners,
            appearance.top,
            self.part("trunk"),
            shadow=0.35,
            radius=0.03 * t,
            pattern=self._cloth if patterned else None,
            shade_width=0.05 * t,
        )
        if appearance.top_pattern == "print" and self.front > 0.5 and not self.canvas.plain:
            self.canvas.ellipse(
                self._level(0.62) + 0.3 * self.side * chest * across,
                (0.05 * t * self.front, 0.05 * t),
                0.0,
                appearance.top_accent,
                self.part("trunk"),
            )

    def _cloth(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        middle, appearance = self._level(0.5), self.appearance
        dx, dy = (x - middle[0]) / (0.034 * self.px), (y - middle[1]) / (0.034 * self.px)
        along = dx * self.up[0] + dy * self.up[1]
        return fabric(
            appearance.top_pattern,
            appearance.top,
            appearance.top_accent,
            along,
            dx * self.across[0] + dy * self.across[1],
        )

    def _seat(self) -> None:
        t, hip = self.thick, self._breadth(0.09, 0.068)
        waist = self._breadth(0.086 * self.appearance.waist, 0.062 * self.appearance.waist)
        outline = []
        for sign, joint in zip((1, -1), self._pair("hip"), strict=True):
            to = sign * self.across
            outer = 0.5 * (joint + 0.045 * t * to) + 0.5 * (self._level(0) + hip * to)
            outline.append([self._level(0.3) + waist * to, outer, joint + 0.035 * t * to - 0.06 * t * self.up])
        corners = np.array(outline[0] + outline[1][::-1])
        self.canvas.polygon(corners, self.appearance.bottom, self.part("seat"), 0.0, 0.03 * t)

    def _skirt(self) -> None:
        t = self.thick
        hems = [0.25 * self.person.at(f"{s} hip") + 0.75 * self.person.at(f"{s} knee") for s in SIDES]
        hems.sort(key=lambda point: -float(point @ self.across))
        waist, hip = self._breadth(0.084, 0.062), self._breadth(0.108, 0.08)
        outline = []
        for sign, hem in zip((1, -1), hems, strict=True):
            to = sign * self.across
            outline.append([self._level(0.3) + waist * to, self._level(0.0) + hip * to, hem + 0.078 * t * to])
        corners = np.array(outline[0] + outline[1][::-1])
        self.canvas.polygon(
            corners, self.appearance.bottom, self.part("skirt"), 0.35, 0.03 * t, rounded=2, shade_width=0.05 * t
        )

    def _neck(self) -> None:
        t, thorax, neck = self.thick, self.person.at("thorax"), self.person.at("upper neck")
        root = thorax + 0.024 * t * self.up
        reach = neck + 0.02 * t * (self.head.up)
        if self.front > 0.2 and not self.canvas.plain:  # the open collar
            dip = thorax - 0.02 * t * self.up + 0.2 * self.side * 0.05 * t * self.across
            self.canvas.ellipse(
                dip,
                (0.042 * t * max(self.front, 0.5), 0.034 * t),
                self.head.angle,
                self.appearance.skin * 0.95,
                self.part("neck"),
                shaded=False,
            )
        self.canvas.chain(
            [root, reach], t * np.array([0.039, 0.036]), self.appearance.skin * 0.93, self.part("neck"), 0.0
        )

    def _head(self) -> None:
        self.head.draw(self.canvas, self.part("head"), self.part("hair"))

    def _back_hair(self) -> None:
        self.head.behind(self.canvas, self.part("hair"))


def soft_shadow(canvas: Canvas, person: Placed, ground: float) -> None:
    """A soft shadow on the ground (y = `ground` px) beneath the feet."""
    if canvas.plain:
        return
    feet = np.array([person.at(f"{side} ankle") for side in SIDES])
    middle = np.array([feet[:, 0].mean() + 0.04 * person.unit, ground])
    spread = 0.5 * abs(feet[0, 0] - feet[1, 0]) + 0.17 * person.unit
    for share in (1.0, 0.85, 0.7, 0.55, 0.4):
        region_color = hex_color("#1a1c24")
        _shade_ellipse(canvas, middle, (spread * share, 0.055 * person.unit * share), region_color, 0.085)


def _shade_ellipse(
    canvas: Canvas, center: np.ndarray, axes: tuple[float, float], color: Color, strength: float
) -> None:
    window = canvas.window(center - np.array(axes) - 2, center + np.array(axes) + 2)
    if window is None:
        return
    y, x = np.ogrid[window]
    radius = np.sqrt(((x - center[0]) / axes[0]) ** 2 + ((y - center[1]) / axes[1]) ** 2)
    cover = (strength * np.clip((1 - radius) * 4, 0, 1)).astype(np.float32)
    canvas.lay(window, cover, color, NOTHING)


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-6)

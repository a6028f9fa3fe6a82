"""What a drawn person wears: build, skin, hair and clothes chosen at random from hand-picked palettes.

Left and right sides of a body never differ in color: a network must tell them apart as in photographs,
by the direction that the person faces.
"""

from dataclasses import dataclass

import numpy as np

from posekit.datasets.drawn.canvas import Color, hex_color, mix

SKINS = ("#f6d3bd", "#eebf9f", "#e0a880", "#c98d63", "#a86f48", "#87553a", "#64402d", "#4a2f24")
HAIRS = (
    "#1f1a1a",
    "#2e211c",
    "#4a3023",
    "#6b4429",
    "#8f5d35",
    "#b98a4c",
    "#d9b877",
    "#8c8a88",
    "#a3472d",
    "#d7d3cc",
)
TOPS = (
    "#e4572e",
    "#f3a712",
    "#f4d35e",
    "#669bbc",
    "#1d3557",
    "#457b9d",
    "#f4f1de",
    "#fafafa",
    "#81b29a",
    "#2a9d8f",
    "#e07a5f",
    "#b56576",
    "#6d597a",
    "#c1121f",
    "#3d405b",
    "#588157",
    "#9fc7e0",
    "#7fb069",
    "#33312e",
    "#8d99ae",
    "#e9dcf2",
    "#f08fa0",
    "#5e548e",
    "#00798c",
)
BOTTOMS = (
    "#2b3a55",
    "#3f5573",
    "#22262e",
    "#5c6672",
    "#b7a58a",
    "#8a7556",
    "#6d7a4f",
    "#4a4e69",
    "#7a4b3a",
    "#dcd6c8",
    "#27374d",
    "#813b45",
    "#53687e",
    "#97a7b8",
)
SHOES = ("#26262b", "#f2f2ee", "#7b4a2e", "#c0392b", "#2d4a73", "#e9b44c", "#5a5f66", "#d88c9a")
SPORT = ("#c1121f", "#1d3557", "#2a9d8f", "#f3a712", "#fafafa", "#22262e", "#00798c", "#5e548e")

HAIR_STYLES = ("buzz", "short", "parted", "long", "ponytail", "bun", "afro", "bald", "cap", "bob")


@dataclass(frozen=True)
class Appearance:
    """Everything about a person's appearance that does not depend on the pose."""

    skin: Color
    hair: Color
    hair_style: str
    beard: bool
    glasses: bool
    hat: Color
    top: Color
    top_accent: Color
    top_pattern: str  # "plain", "stripes", "hoops", "dots", "checks", "block" or "print"
    sleeve: float  # where the sleeve ends, in arm segments: 0 none, 1 elbow, 2 wrist
    bottom: Color
    bottom_kind: str  # "trousers", "shorts" or "skirt"
    leg_end: float  # where trouser legs end, in leg segments: 1 knee, 2 ankle
    socks: bool
    shoes: Color
    sole: Color
    build: float  # factor on the thickness of limbs and trunk
    waist: float  # factor on the breadth of the waist


def draw_appearance(rng: np.random.Generator) -> Appearance:
    """A random appearance. The same number of random choices is made for every person."""

    def pick(colors: tuple[str, ...]) -> Color:
        shift = rng.normal(0, 0.02, 3).astype(np.float32)
        return np.clip(hex_color(colors[rng.integers(len(colors))]) + shift, 0.02, 0.98)

    skin_tone = rng.integers(len(SKINS))
    skin = np.clip(hex_color(SKINS[skin_tone]) + rng.normal(0, 0.012), 0.05, 0.97).astype(np.float32)
    hair, dark_hair = pick(HAIRS), pick(HAIRS[:4])
    style = str(rng.choice(HAIR_STYLES, p=[0.1, 0.19, 0.16, 0.14, 0.11, 0.08, 0.05, 0.04, 0.08, 0.05]))
    beard, glasses, hat = rng.random() < 0.16, rng.random() < 0.1, pick(TOPS)
    sporty = rng.random() < 0.35
    top = pick(SPORT) if sporty else pick(TOPS)
    accent, second = pick(SPORT) if sporty else pick(TOPS), pick(TOPS)
    if np.abs(accent - top).max() < 0.15:
        accent = second
    pattern = str(
        rng.choice(
            ("plain", "stripes", "hoops", "dots", "checks", "block", "print"),
            p=[0.46, 0.07, 0.14, 0.06, 0.06, 0.1, 0.11],
        )
    )
    sleeve = float(rng.choice([0.0, 0.45, 0.6, 1.1, 1.92], p=[0.1, 0.2, 0.3, 0.05, 0.35]))
    bottom = pick(SPORT) if sporty and rng.random() < 0.5 else pick(BOTTOMS)
    kind = str(rng.choice(("trousers", "shorts", "skirt"), p=[0.3, 0.66, 0.04] if sporty else [0.68, 0.19, 0.13]))
    if style in ("buzz", "bald", "cap") and kind == "skirt":
        kind = "trousers"
    if np.abs(bottom - top).max() < 0.1:
        bottom = pick(BOTTOMS)
    end = {"trousers": rng.choice([1.95, 1.95, 1.75]), "shorts": rng.uniform(0.45, 0.95), "skirt": 0.0}[kind]
    shoes = pick(SHOES)
    return Appearance(
        skin=skin,
        hair=hair if skin_tone < 4 else dark_hair,
        hair_style=style,
        beard=bool(beard and style in ("buzz", "short", "parted", "bald", "cap")),
        glasses=bool(glasses),
        hat=hat,
        top=top,
        top_accent=accent,
        top_pattern=pattern,
        sleeve=sleeve,
        bottom=bottom,
        bottom_kind=kind,
        leg_end=float(end),
        socks=bool(rng.random() < 0.4),
        shoes=shoes,
        sole=hex_color("#f4f2ec") if shoes.mean() < 0.8 else hex_color("#8a8f98"),
        build=float(np.clip(rng.normal(1.0, 0.09), 0.84, 1.28)),
        waist=float(rng.uniform(0.84, 1.08)),
    )


def fabric(kind: str, base: Color, accent: Color, along: np.ndarray, across: np.ndarray) -> np.ndarray:
    """Colors (3, h, w) of a patterned cloth; along and across are places on it, one unit = 6 cm or so."""
    if kind == "hoops":
        share = _band(along, 0.5)
    elif kind == "stripes":
        share = _band(across, 0.3)
    elif kind == "checks":
        share = 0.5 * _band(along, 0.5) + 0.5 * _band(across, 0.5)
    elif kind == "dots":
        row = np.floor(along)
        u, v = along - row - 0.5, (across + 0.5 * (row % 2)) % 1 - 0.5
        share = np.clip((0.26 - np.sqrt(u * u + v * v)) * 6 + 0.5, 0, 1)
    else:
        share = np.zeros_like(along + across)
    return mix(base, accent, share)


def _band(place: np.ndarray, share: float) -> np.ndarray:
    """1 inside evenly repeated bands that take `share` of the cloth, with soft edges."""
    offset = np.abs(place % 1 - 0.5)
    return np.clip((share / 2 - offset) * 8 + 0.5, 0, 1)

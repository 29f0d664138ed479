"""The light of a place: its colours and direction, and what it does to figures and to the ground.

A light belongs to a scene, not to a painter of places: every place comes in every light. Figures are shaded by a
normal that is estimated from their outline and brightness, tinted, dimmed by haze, and cast a shadow along the ground.
The same functions draw the training scenes and the truth that the fidelity benchmark compares with.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

Rng = np.random.Generator
Colour = tuple[float, float, float]

SHADED = 0.6
"""The share of the sun's light that depends on where a figure's surface faces."""


@dataclass(frozen=True)
class Kind:
    """A light by its name, before chance places its sun."""

    words: tuple[str, ...]  # how a caption says it; "" where it goes unsaid
    sun: Colour  # what the sun adds to a surface that faces it
    ambient: Colour  # what comes from everywhere
    zenith: Colour  # the sky above
    low: Colour  # the sky at the horizon
    height: tuple[float, float]  # of the sun, as the tangent of its elevation
    against: float  # the chance that the sun stands behind the scene
    haze: float  # how much of the distance is lost, 0..1
    cloud: float  # the chance of clouds
    weight: float  # how often it comes


KINDS = {
    "noon": Kind(
        ("at noon", "", "", "on a sunny day"),
        (0.42, 0.40, 0.36), (0.70, 0.72, 0.76), (0.22, 0.53, 0.92), (0.76, 0.90, 0.99),
        (1.6, 3.0), 0.2, 0.15, 0.4, 1.5,
    ),
    "morning": Kind(
        ("in the morning", "at sunrise"),
        (0.52, 0.38, 0.22), (0.62, 0.62, 0.68), (0.50, 0.70, 0.93), (1.00, 0.88, 0.72),
        (0.5, 0.9), 0.3, 0.3, 0.3, 0.8,
    ),
    "sunset": Kind(
        ("at sunset", "at sunset", "at dusk"),
        (0.62, 0.29, 0.06), (0.52, 0.37, 0.40), (0.30, 0.20, 0.46), (1.00, 0.62, 0.32),
        (0.25, 0.5), 0.55, 0.3, 0.25, 1.3,
    ),
    "evening": Kind(
        ("in the evening",),
        (0.26, 0.17, 0.15), (0.50, 0.45, 0.60), (0.30, 0.30, 0.58), (0.93, 0.66, 0.62),
        (0.35, 0.7), 0.4, 0.3, 0.3, 0.8,
    ),
    "night": Kind(
        ("at night", "at night", "under the moon"),
        (0.13, 0.16, 0.24), (0.17, 0.21, 0.36), (0.02, 0.04, 0.14), (0.12, 0.16, 0.36),
        (0.8, 1.6), 0.4, 0.1, 0.0, 1.1,
    ),
    "cloudy": Kind(
        ("on a cloudy day",),
        (0.05, 0.05, 0.05), (0.82, 0.84, 0.87), (0.58, 0.64, 0.71), (0.83, 0.86, 0.89),
        (1.5, 3.0), 0.0, 0.25, 0.9, 0.7,
    ),
    "fog": Kind(
        ("in the fog",),
        (0.02, 0.02, 0.02), (0.83, 0.85, 0.87), (0.76, 0.79, 0.82), (0.84, 0.86, 0.88),
        (1.5, 3.0), 0.0, 0.85, 0.0, 0.5,
    ),
    "rain": Kind(
        ("after the rain", "in the rain"),
        (0.03, 0.03, 0.04), (0.66, 0.70, 0.76), (0.42, 0.48, 0.56), (0.70, 0.75, 0.80),
        (1.5, 3.0), 0.0, 0.4, 0.9, 0.6,
    ),
}  # fmt: skip
WET = "rain"

LAMPS = {
    "white": ((0.36, 0.36, 0.36), (0.72, 0.72, 0.72), ("", "", "in bright light"), 2.0),
    "warm": ((0.58, 0.36, 0.12), (0.58, 0.48, 0.40), ("in warm light",), 0.7),
    "blue": ((0.10, 0.28, 0.62), (0.36, 0.44, 0.62), ("in blue light",), 0.5),
    "red": ((0.66, 0.12, 0.12), (0.52, 0.34, 0.36), ("in red light",), 0.5),
    "dim": ((0.16, 0.14, 0.12), (0.26, 0.26, 0.30), ("in dim light", "in the dark"), 0.6),
}
"""Lights of rooms: sun, ambient, words, weight."""


@dataclass(frozen=True)
class Light:
    """The light of one scene. Colours are factors on a surface's own colour; 1 leaves it as it is."""

    name: str
    words: str  # as a caption says it, or ""
    sun: np.ndarray  # (3,)
    ambient: np.ndarray  # (3,)
    zenith: np.ndarray  # (3,)
    low: np.ndarray  # (3,)
    side: float  # where the sun stands, -1 left .. 1 right
    behind: bool  # whether it stands behind the scene, in front of the viewer
    height: float  # the tangent of its elevation
    haze: float
    cloud: float
    wet: float  # how wet it makes the ground, 0..1

    @property
    def direction(self) -> np.ndarray:
        """(3,) unit vector towards the sun: right, up, towards the viewer."""
        away = np.sqrt(max(0.0, 1 - self.side**2))
        vector = np.array((self.side, self.height, -0.6 * away if self.behind else away))
        return (vector / np.linalg.norm(vector)).astype(np.float32)

    @property
    def ground(self) -> np.ndarray:
        """(3,) the factor on ground in full light."""
        return self.ambient + self.sun * np.float32(0.35 + 0.65 * self.direction[1])

    @property
    def darkness(self) -> float:
        """How dark a cast shadow is, 0..1: what the sun adds, of all the light on the ground."""
        full = self.ground.mean()
        return float(np.clip(1.3 * (full - self.ambient.mean()) / full, 0, 0.62))


def outdoors(rng: Rng) -> Light:
    """A random light under the sky."""
    names = list(KINDS)
    weights = np.array([KINDS[name].weight for name in names])
    return of_kind(rng, names[rng.choice(len(names), p=weights / weights.sum())])


def of_kind(rng: Rng, name: str) -> Light:
    """A light of this kind; chance gives its direction and a little of its colour."""
    kind = KINDS[name]
    return Light(
        name,
        str(rng.choice(kind.words)),
        _near(rng, kind.sun, 0.02), _near(rng, kind.ambient, 0.02),
        _near(rng, kind.zenith, 0.03), _near(rng, kind.low, 0.025),
        float(rng.choice((-1, 1)) * rng.uniform(0.35, 0.95)),
        bool(rng.random() < kind.against),
        float(rng.uniform(*kind.height)),
        kind.haze, kind.cloud, 1.0 if name == WET else 0.0,
    )  # fmt: skip


def indoors(rng: Rng) -> Light:
    """A lamp beside the scene."""
    names = list(LAMPS)
    weights = np.array([LAMPS[name][3] for name in names])
    name = names[rng.choice(len(names), p=weights / weights.sum())]
    sun, ambient, words, _ = LAMPS[name]
    return Light(
        name,
        str(rng.choice(words)),
        _near(rng, sun, 0.02), _near(rng, ambient, 0.02),
        np.zeros(3, np.float32), np.zeros(3, np.float32),
        float(rng.choice((-1, 1)) * rng.uniform(0.4, 0.9)),
        False, float(rng.uniform(0.7, 1.5)), 0.0, 0.0, 0.0,
    )  # fmt: skip


def flat() -> Light:
    """No light of its own: surfaces keep their colours, nothing casts a shadow."""
    one, none = np.ones(3, np.float32), np.zeros(3, np.float32)
    return Light("flat", "", none, one, one, one, 0.5, False, 1.0, 0.0, 0.0, 0.0)


def _near(rng: Rng, colour: Colour, jitter: float) -> np.ndarray:
    return np.clip(np.array(colour) + rng.normal(0, jitter, 3), 0, 1).astype(np.float32)


def shade(pixels: np.ndarray, light: Light, distance: float = 0.0) -> np.ndarray:
    """An (h, w, 4) figure in 0..1 as it looks in a light, `distance` 0 near .. 1 at the horizon."""
    facing = np.clip(_normals(pixels) @ light.direction, 0, 1)[..., None]
    lit = pixels[..., :3] * (light.ambient + light.sun * (1 - SHADED + 1.6 * SHADED * facing))
    mist = light.haze * distance * 0.9
    return np.concatenate([lit * (1 - mist) + light.low * mist, pixels[..., 3:]], -1)


def _normals(pixels: np.ndarray) -> np.ndarray:
    """(h, w, 3) unit normals (right, up, towards the viewer): a body blown up from its outline, with its relief."""
    alpha = pixels[..., 3]
    inside = np.pad((alpha > 0.5).astype(np.uint8), 1)
    radius = max(3.0, 0.3 * min(alpha.shape))
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 3)[1:-1, 1:-1] / radius
    body = np.sqrt(np.clip(1 - (1 - np.clip(depth, 0, 1)) ** 2, 0, 1)) * radius
    brightness = pixels[..., :3].mean(-1) * alpha
    relief = cv2.GaussianBlur(brightness, (0, 0), 1 + 0.01 * radius) * 0.25 * radius
    height = cv2.GaussianBlur(body, (0, 0), 1 + 0.04 * radius) + relief
    down, right = np.gradient(height)
    normal = np.stack([-right, down, np.ones_like(height)], -1)
    return (normal / np.linalg.norm(normal, axis=-1, keepdims=True)).astype(np.float32)


def cast_shadow(
    alpha: np.ndarray, left: float, foot: float, light: Light, shape: tuple[int, int]
) -> np.ndarray:
    """(H, W) darkness 0..1 on the ground, cast by a figure whose (h, w) alpha stands with its foot at row `foot`.

    A point at height z falls `reach` z to the side and, flattened by the view, up or down the picture.
    """
    if light.darkness < 0.02:
        return np.zeros(shape, np.float32)
    height, _ = alpha.shape
    reach = -light.side / max(light.height, 0.45)
    lean = 0.42 * np.sqrt(1 - light.side**2) / max(light.height, 0.45) + 0.10
    rise = lean if light.behind else -lean  # rows down the picture for each row of height
    # a source pixel (x, y), counted from the crop's corner, lands at:
    matrix = np.array(
        [[1, -reach, left + reach * height], [0, -rise, foot + rise * height]], np.float32
    )
    softness = 0.8 + 0.02 * height
    grown = np.pad(alpha.astype(np.float32), ((0, 1), (0, 0)))
    cast = cv2.warpAffine(grown, matrix, (shape[1], shape[0]), flags=cv2.INTER_AREA)
    return light.darkness * cv2.GaussianBlur(cast, (0, 0), softness)


def contact_shadow(
    alpha: np.ndarray, left: float, foot: float, shape: tuple[int, int]
) -> np.ndarray:
    """(H, W) darkness 0..1 right under a figure, in any light."""
    height, width = alpha.shape
    columns = np.flatnonzero(alpha[-max(2, height // 8) :].max(0) > 0.3)
    if not len(columns):
        return np.zeros(shape, np.float32)
    centre = left + (columns[0] + columns[-1]) / 2
    reach = 0.50 * (0.6 * (columns[-1] - columns[0]) + 0.4 * width) + 3
    y, x = np.ogrid[0 : shape[0], 0 : shape[1]]
    away = np.sqrt(((x - centre) / reach) ** 2 + ((y - foot) / (0.16 * reach + 2)) ** 2)
    return 0.45 * np.clip(1.4 - away, 0, 1).astype(np.float32)


def mirror(
    canvas: np.ndarray, pixels: np.ndarray, left: int, foot: int, ground: np.ndarray, wet: float
) -> None:
    """Lay the reflection of (h, w, 4) pixels below row `foot` over (H, W, 3) canvas, in place, where ground is."""
    flipped = pixels[::-1].copy()
    fade = np.linspace(1, 0.15, len(flipped), dtype=np.float32)[:, None]
    flipped[..., 3] = cv2.GaussianBlur(flipped[..., 3] * fade * wet, (0, 0), 1.0)
    top, x0 = foot, max(left, 0)
    y1 = min(top + len(flipped), canvas.shape[0])
    x1 = min(left + flipped.shape[1], canvas.shape[1])
    if y1 <= max(top, 0) or x1 <= x0:
        return
    y0 = max(top, 0)
    part = flipped[y0 - top : y1 - top, x0 - left : x1 - left]
    weight = part[..., 3:] * ground[y0:y1, x0:x1, None]
    canvas[y0:y1, x0:x1] = canvas[y0:y1, x0:x1] * (1 - weight) + part[..., :3] * weight

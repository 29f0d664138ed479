"""Places, drawn by code: what the mini model knows of the world behind its figures.

A painter returns a place's own colours; `lit` draws it in a light, with the sky above it. Textures are smooth on
purpose: a small VAE and a small transformer cannot learn pixel noise, and noise would hide what they do learn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from training.world.light import Light

Rng = np.random.Generator

STUDIO_COLOURS = {
    "grey": (0.66, 0.66, 0.68),
    "white": (0.93, 0.93, 0.94),
    "red": (0.80, 0.30, 0.30),
    "orange": (0.93, 0.60, 0.30),
    "yellow": (0.94, 0.83, 0.42),
    "green": (0.48, 0.72, 0.48),
    "teal": (0.36, 0.68, 0.68),
    "blue": (0.40, 0.55, 0.85),
    "purple": (0.60, 0.48, 0.80),
    "pink": (0.93, 0.66, 0.76),
    "brown": (0.55, 0.42, 0.34),
    "black": (0.12, 0.12, 0.14),
}


@dataclass(frozen=True)
class Place:
    """A place in its own colours, H x W px."""

    albedo: np.ndarray  # (H, W, 3) float32, 0..1
    cover: np.ndarray  # (H, W) how much of a pixel is not sky
    depth: np.ndarray  # (H, W) 0 near .. 1 far: what haze takes
    horizon: float  # the row of the far edge of the ground that figures stand on, in heights
    words: str  # "a beach"
    wet: float = 0.02  # how much its ground mirrors when it is dry
    shadows: float = 1.0  # how well shadows show on it (0: there is no ground)


Painter = Callable[[Rng, "Frame"], Place]


@dataclass(frozen=True)
class Frame:
    """The canvas of a painter: rows y (H, 1) from 0 to 1, columns x (1, W) in heights."""

    width: int
    height: int

    @property
    def y(self) -> np.ndarray:
        return ((np.arange(self.height, dtype=np.float32) + 0.5) / self.height)[:, None]

    @property
    def x(self) -> np.ndarray:
        return ((np.arange(self.width, dtype=np.float32) + 0.5) / self.height)[None, :]

    @property
    def wide(self) -> float:
        return self.width / self.height

    def full(self, colour: np.ndarray | float) -> np.ndarray:
        shape = (self.height, self.width, *np.shape(colour))
        return np.broadcast_to(np.asarray(colour, np.float32), shape)

    def noise(self, rng: Rng, rows: int, columns: int) -> np.ndarray:
        """(H, W) smooth noise in about 0..1 of `rows` by `columns` bumps on a square."""
        columns = max(1, round(columns * self.wide))
        grid = rng.random((rows + 3, columns + 3), dtype=np.float32)
        box = (1, 1, columns + 2, rows + 2)
        grown = Image.fromarray(grid).resize(
            (self.width, self.height), Image.Resampling.BICUBIC, box=box
        )
        return np.asarray(grown)

    def edge(self, distance: np.ndarray, softness: float = 1.0) -> np.ndarray:
        """An antialiased step: 0 where distance < 0, 1 where > 0, over `softness` px."""
        return np.clip(distance * self.height / softness + 0.5, 0, 1)

    def ridge(self, rng: Rng, base: float, height: float, waves: float) -> np.ndarray:
        """(1, W) outline of hills around row `base`."""
        line = np.full_like(self.x, base)
        for octave in (1.0, 2.3):
            phase, frequency = rng.uniform(0, 2 * np.pi), waves * octave * rng.uniform(0.7, 1.3)
            line = line + height / octave * 0.6 * np.sin(2 * np.pi * frequency * self.x + phase)
        return line

    def disc(self, row: float, column: float, radius: float) -> tuple[np.ndarray, np.ndarray]:
        """Coverage (H, W) of a disc, and distance (H, W) from its centre, in heights."""
        distance = np.hypot(self.y - row, self.x - column)
        return self.edge(radius - distance, 1.5), distance


def colour(rng: Rng, rgb: tuple[float, float, float], jitter: float = 0.03) -> np.ndarray:
    return np.clip(np.array(rgb) + rng.normal(0, jitter, 3), 0, 1).astype(np.float32)


def mix(a: np.ndarray, b: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Blend two pictures or colours by a (H, W) or (H, 1) weight."""
    t = np.clip(t, 0, 1)[..., None]
    return a * (1 - t) + b * t


def choose(rng: Rng, **weights: float) -> str:
    """One of the phrases, whose spaces are written as underscores."""
    words = [word.replace("_", " ") for word in weights]
    shares = np.array(list(weights.values()))
    return words[rng.choice(len(words), p=shares / shares.sum())]


def lit(rng: Rng, place: Place, light: Light, frame: Frame) -> np.ndarray:
    """(H, W, 3) the place in a light, under its sky."""
    ground = place.albedo * light.ground
    if not place.shadows:
        return ground
    mist = light.haze * place.depth
    ground = mix(ground, frame.full(light.low), mist)
    if place.cover.min() >= 1:
        return ground
    return mix(sky(rng, light, frame, place.horizon), ground, place.cover)


def sky(rng: Rng, light: Light, frame: Frame, horizon: float) -> np.ndarray:
    """(H, W, 3) the sky of a light down to row `horizon`, with its sun or moon, stars and clouds."""
    fall = np.clip(frame.y / horizon, 0, 1) ** 1.15
    picture = mix(light.zenith, light.low, np.repeat(fall, frame.width, 1))
    column = (0.5 + 0.38 * light.side) * frame.wide
    if light.name == "night":
        for _ in range(int(rng.integers(25, 60) * frame.wide)):
            spot = rng.uniform(0, horizon), rng.uniform(0, frame.wide), rng.uniform(0.0015, 0.0045)
            star, _ = frame.disc(*spot)
            picture = mix(
                picture, np.array((1.0, 0.98, 0.88), np.float32), star * rng.uniform(0.5, 1)
            )
        if light.behind or "moon" in light.words:
            disc, away = frame.disc(rng.uniform(0.08, 0.2), column, rng.uniform(0.04, 0.065))
            picture = picture + 0.2 * np.exp(-away / 0.09)[..., None]
            picture = mix(picture, np.array((0.98, 0.96, 0.86), np.float32), disc)
    elif light.name == "sunset":
        glow = np.hypot(frame.y - horizon, 0.6 * (frame.x - column))
        strength = 0.45 if light.behind else 0.15
        picture = picture + strength * np.exp(-glow / 0.2)[..., None] * np.array(
            (1, 0.7, 0.25), np.float32
        )
        if light.behind:
            low = horizon - rng.uniform(0.01, 0.07)
            disc, _ = frame.disc(low, column, rng.uniform(0.05, 0.075))
            picture = mix(picture, np.array((1.0, 0.93, 0.66), np.float32), disc)
    if rng.random() < light.cloud:
        noise = 0.65 * frame.noise(rng, 7, 3) + 0.35 * frame.noise(rng, 14, 6)
        cover = np.clip((noise - rng.uniform(0.5, 0.6)) * 5, 0, 1)
        cover = cover * np.clip(1.2 - frame.y / horizon, 0, 1)
        bright = np.clip(light.ambient + light.sun + 0.06, 0, 1)
        picture = mix(picture, bright, cover * (0.45 if light.cloud > 0.8 else 0.75))
    return np.clip(picture, 0, 1)


def _far(frame: Frame, horizon: float) -> np.ndarray:
    """(H, W) depth of level ground: 1 at the horizon, 0 at the lower edge."""
    level = np.clip(1 - (frame.y - horizon) / max(1 - horizon, 0.05), 0, 1) ** 2.5
    return np.repeat(level, frame.width, 1)


def beach(rng: Rng, frame: Frame) -> Place:
    y, horizon = frame.y, rng.uniform(0.32, 0.46)
    shore = frame.ridge(rng, horizon + rng.uniform(0.09, 0.17), 0.015, 0.9)
    sea = mix(
        colour(rng, (0.10, 0.40, 0.60)),
        colour(rng, (0.32, 0.70, 0.76)),
        (y - horizon) / (shore - horizon),
    )
    sand = mix(
        colour(rng, (0.95, 0.86, 0.66)),
        colour(rng, (0.87, 0.74, 0.50)),
        np.clip((y - shore) / 0.5, 0, 1),
    )
    sand = sand + 0.05 * (frame.noise(rng, 22, 7)[..., None] - 0.5)
    damp = np.exp(-np.clip(y - shore, 0, 1) / 0.05)
    sand = sand * (1 - 0.25 * damp[..., None])
    albedo = mix(sea, sand, frame.edge(y - shore))
    foam = np.exp(-(((y - shore) / 0.008) ** 2))
    albedo = mix(albedo, np.ones(3, np.float32), foam * 0.75)
    words = choose(rng, a_beach=6, a_sandy_beach=1.5, the_beach=1.5, a_seaside=1)
    cover = frame.edge(y - horizon) * np.ones_like(shore)
    return Place(albedo, cover, _far(frame, horizon), float(shore.mean()), words, wet=0.06)


def meadow(rng: Rng, frame: Frame) -> Place:
    y, horizon = frame.y, rng.uniform(0.38, 0.52)
    hill = frame.ridge(rng, horizon - 0.05, 0.05, 0.8)
    edge = frame.ridge(rng, horizon, 0.012, 0.7)
    depth = (y - edge) / (1 - horizon)
    grass = mix(colour(rng, (0.56, 0.78, 0.32)), colour(rng, (0.22, 0.52, 0.18)), depth)
    grass = grass + 0.07 * (frame.noise(rng, 26, 13)[..., None] - 0.5)
    albedo = mix(frame.full(colour(rng, (0.45, 0.66, 0.42))), grass, frame.edge(y - edge))
    words = choose(rng, a_meadow=6, a_green_meadow=1.5, a_grassy_field=1.5, a_field=1)
    if rng.random() < 0.3:
        words = "a meadow with flowers"
        for _ in range(int(rng.integers(14, 34) * frame.wide)):
            row = rng.uniform(horizon + 0.05, 0.99)
            dot, _ = frame.disc(row, rng.uniform(0, frame.wide), 0.004 + 0.012 * (row - horizon))
            petals = ((1, 1, 1), (1, 0.85, 0.3), (0.95, 0.5, 0.65))[rng.integers(3)]
            albedo = mix(albedo, np.array(petals, np.float32), dot * 0.9)
    cover = frame.edge(y - np.minimum(hill, edge))
    return Place(albedo, cover, np.maximum(_far(frame, horizon), 0.3), horizon, words)


def hills(rng: Rng, frame: Frame) -> Place:
    y, horizon = frame.y, rng.uniform(0.48, 0.62)
    albedo, top = np.zeros((frame.height, frame.width, 3), np.float32), 1.0
    tones = ((0.42, 0.56, 0.46), (0.36, 0.50, 0.30), (0.42, 0.46, 0.24))
    depth = np.zeros((frame.height, frame.width), np.float32)
    for index, tone in enumerate(tones):
        line = frame.ridge(rng, horizon - 0.09 + 0.06 * index, 0.045, 0.8)
        near = mix(colour(rng, tone), colour(rng, tone) * np.float32(0.75), (y - line) / 0.4)
        inside = frame.edge(y - line)
        albedo, top = mix(albedo, near, inside), np.minimum(top, line)
        depth = depth * (1 - inside) + inside * (0.75 - 0.3 * index)
    depth = np.minimum(depth, np.maximum(_far(frame, horizon), 0.05))
    words = choose(rng, hills=4, green_hills=1.5, the_hills=2, a_landscape=2)
    return Place(albedo, frame.edge(y - top), depth, horizon + 0.04, words)


def desert(rng: Rng, frame: Frame) -> Place:
    y, horizon = frame.y, rng.uniform(0.40, 0.52)
    far, near = colour(rng, (0.95, 0.76, 0.50)), colour(rng, (0.83, 0.52, 0.27))
    albedo, top = frame.full(far), 1.0
    for index, base in enumerate((horizon - 0.02, horizon + 0.08, horizon + 0.24)):
        dune = frame.ridge(rng, base, 0.035, 0.6)
        tone = far * (1 - index / 3) + near * (index / 3)
        shade = mix(tone * 1.08, tone * 0.90, (y - dune) / 0.22)
        albedo, top = mix(albedo, shade, frame.edge(y - dune)), np.minimum(top, dune)
    words = choose(rng, a_desert=7, a_sandy_desert=1.5, the_desert=1.5)
    return Place(albedo, frame.edge(y - top), _far(frame, horizon), horizon + 0.02, words)


def snow(rng: Rng, frame: Frame) -> Place:
    y, horizon = frame.y, rng.uniform(0.42, 0.55)
    albedo, top = frame.full(colour(rng, (0.66, 0.74, 0.85), 0.02)), np.ones_like(frame.x)
    depth = np.full((frame.height, frame.width), 0.6, np.float32)
    if rng.random() < 0.6:
        top = frame.ridge(rng, horizon - 0.10, 0.07, 1.6)
    for base, tone in ((horizon, (0.87, 0.91, 0.97)), (horizon + 0.10, (0.95, 0.97, 1.0))):
        drift = frame.ridge(rng, base, 0.022, 0.7)
        white = colour(rng, tone, 0.012)
        ground = mix(white, white * np.array((0.86, 0.90, 0.96), np.float32), (y - drift) / 0.5)
        inside = frame.edge(y - drift)
        albedo, top = mix(albedo, ground, inside), np.minimum(top, drift)
        depth = depth * (1 - inside) + inside * np.minimum(_far(frame, horizon), 0.6)
    words = choose(rng, snow=4, a_snowy_field=3, a_snowy_landscape=2, the_snow=1)
    return Place(albedo, frame.edge(y - top), depth, horizon, words, shadows=0.8)


def ocean(rng: Rng, frame: Frame) -> Place:
    y, horizon = frame.y, rng.uniform(0.30, 0.45)
    far, near = colour(rng, (0.16, 0.48, 0.70)), colour(rng, (0.04, 0.24, 0.46))
    albedo = frame.full(far)
    bases = horizon + (1 - horizon) * np.array((0.06, 0.16, 0.30, 0.48, 0.70), np.float32)
    for index, base in enumerate(bases):
        amplitude, waves = 0.004 + 0.006 * index, 6.0 / (1 + 0.6 * index)
        phase = 2 * np.pi * waves * rng.uniform(0.8, 1.2) * frame.x + rng.uniform(0, 6.3)
        crest = base + amplitude * np.sin(phase)
        tone = far + (near - far) * (index + 1) / 5
        wave = mix(tone * 1.18, tone, (y - crest) / (0.04 + 0.03 * index))
        albedo = mix(albedo, wave, frame.edge(y - crest))
    words = choose(rng, an_ocean=4, the_ocean=2.5, the_sea=2.5, a_blue_ocean=1)
    cover = frame.edge(y - horizon) * np.ones_like(frame.x)
    return Place(albedo, cover, _far(frame, horizon), horizon + 0.08, words, wet=0.35, shadows=0.5)


def lake(rng: Rng, frame: Frame) -> Place:
    """A lake before mountains; figures stand on its near shore."""
    y, horizon = frame.y, rng.uniform(0.40, 0.50)
    peaks = frame.ridge(rng, horizon - 0.14, 0.09, 1.3)
    rock = mix(colour(rng, (0.86, 0.89, 0.94)), colour(rng, (0.42, 0.47, 0.56)), (y - peaks) / 0.08)
    water = mix(
        colour(rng, (0.44, 0.62, 0.74)), colour(rng, (0.18, 0.40, 0.54)), (y - horizon) / 0.25
    )
    shore = frame.ridge(rng, horizon + rng.uniform(0.12, 0.2), 0.02, 0.7)
    land = mix(colour(rng, (0.52, 0.62, 0.34)), colour(rng, (0.32, 0.46, 0.22)), (y - shore) / 0.4)
    land = land + 0.06 * (frame.noise(rng, 24, 10)[..., None] - 0.5)
    albedo = mix(rock, water, frame.edge(y - horizon) * np.ones_like(peaks))
    albedo = mix(albedo, land, frame.edge(y - shore))
    words = choose(rng, a_lake=5, the_lake=1, a_lake_in_the_mountains=3, mountains=3)
    depth = np.where(y < horizon, 0.8, _far(frame, horizon)) * np.ones_like(peaks)
    cover = np.maximum(frame.edge(y - peaks), frame.edge(y - horizon))
    return Place(albedo, cover, depth.astype(np.float32), float(shore.mean()) + 0.02, words)


def forest(rng: Rng, frame: Frame) -> Place:
    y, horizon = frame.y, rng.uniform(0.46, 0.58)
    leaves = colour(rng, (0.16, 0.36, 0.18))
    albedo = leaves * (0.7 + 0.6 * frame.noise(rng, 9, 9)[..., None])
    depth = np.full((frame.height, frame.width), 0.55, np.float32)
    for index in range(int(rng.integers(7, 13) * max(1.0, frame.wide))):
        near = (index % 4) / 3
        column, breadth = rng.uniform(0, frame.wide), 0.012 + 0.02 * near
        bark = colour(rng, (0.34, 0.25, 0.18), 0.025)
        side = np.clip((frame.x - column) / breadth, -1, 1)
        trunk = frame.edge(breadth - np.abs(frame.x - column)) * frame.edge(
            horizon + 0.05 * near - y, 2.0
        )
        albedo = mix(albedo, bark * (1 - 0.35 * side)[..., None], trunk)
        depth = depth * (1 - trunk) + trunk * (0.5 - 0.35 * near)
    floor = mix(colour(rng, (0.38, 0.46, 0.20)), colour(rng, (0.30, 0.26, 0.15)), (y - horizon) * 2)
    floor = floor + 0.08 * (frame.noise(rng, 24, 12)[..., None] - 0.5)
    edge = frame.ridge(rng, horizon, 0.01, 1.2)
    inside = frame.edge(y - edge, 3.0)
    depth = depth * (1 - inside) + inside * np.minimum(_far(frame, horizon), 0.5)
    words = choose(rng, a_forest=6, the_forest=2, a_green_forest=1)
    cover = frame.full(1.0)
    return Place(mix(albedo, floor, inside), cover, depth, horizon + 0.03, words)


def street(rng: Rng, frame: Frame) -> Place:
    y, horizon = frame.y, rng.uniform(0.50, 0.60)
    albedo = np.zeros((frame.height, frame.width, 3), np.float32)
    cover, left = np.zeros((frame.height, frame.width), np.float32), -0.05
    while left < frame.wide:
        breadth, top = rng.uniform(0.14, 0.28), rng.uniform(0.10, 0.34)
        wall = colour(
            rng, ((0.74, 0.60, 0.50), (0.62, 0.64, 0.70), (0.80, 0.74, 0.62))[rng.integers(3)]
        )
        inside = (
            frame.edge(frame.x - left) * frame.edge(left + breadth - frame.x) * frame.edge(y - top)
        )
        rows = np.abs(((y - top) / 0.075) % 1 - 0.5) < 0.25
        cols = np.abs(((frame.x - left) / 0.06) % 1 - 0.5) < 0.24
        margin = (frame.x > left + 0.02) & (frame.x < left + breadth - 0.02) & (y > top + 0.03)
        panes = (rows & cols & margin).astype(np.float32)
        albedo = mix(albedo, mix(wall, wall * np.float32(0.5), panes), inside)
        cover = np.maximum(cover, inside)
        left += breadth
    road = mix(
        colour(rng, (0.46, 0.46, 0.50)), colour(rng, (0.34, 0.34, 0.38)), (y - horizon) / 0.4
    )
    road = road + 0.04 * (frame.noise(rng, 20, 8)[..., None] - 0.5)
    inside = frame.edge(y - horizon) * np.ones_like(frame.x)
    depth = np.minimum(_far(frame, horizon), 0.6)
    words = choose(rng, a_street=5, a_city_street=3, the_street=1)
    return Place(
        mix(albedo, road, inside), np.maximum(cover, inside), depth, horizon, words, wet=0.08
    )


def studio(rng: Rng, frame: Frame) -> Place:
    name = str(rng.choice(list(STUDIO_COLOURS)))
    horizon, y = rng.uniform(0.50, 0.66), frame.y
    wall = colour(rng, STUDIO_COLOURS[name])
    spot = 1.04 - 0.22 * np.hypot(frame.x - frame.wide * rng.uniform(0.3, 0.7), (y - 0.35))
    floor = wall * (0.80 + 0.16 * np.clip((y - horizon) / (1 - horizon), 0, 1))[..., None]
    inside = frame.edge(y - horizon, 8.0) * np.ones_like(frame.x)
    albedo = mix(wall * spot[..., None], floor * np.ones_like(frame.x)[..., None], inside)
    article = "an" if name == "orange" else "a"
    words = "a studio" if rng.random() < 0.3 else f"{article} {name} studio"
    zero = np.zeros((frame.height, frame.width), np.float32)
    return Place(albedo, frame.full(1.0), zero, horizon, words, wet=0.07)


def plain(rng: Rng, frame: Frame) -> Place:
    """One flat colour and no shadow: what a cut-out is shown on when it has no surroundings."""
    name = str(rng.choice(list(STUDIO_COLOURS)))
    article = "an" if name == "orange" else "a"
    zero = np.zeros((frame.height, frame.width), np.float32)
    albedo = frame.full(colour(rng, STUDIO_COLOURS[name], 0.05)).copy()
    words = f"{article} {name} background"
    return Place(albedo, frame.full(1.0), zero, 0.0, words, shadows=0.0)


PAINTERS: dict[str, tuple[Painter, float]] = {
    "beach": (beach, 1.3),
    "meadow": (meadow, 1.2),
    "hills": (hills, 1.0),
    "desert": (desert, 1.0),
    "snow": (snow, 1.0),
    "ocean": (ocean, 0.9),
    "lake": (lake, 0.9),
    "forest": (forest, 0.8),
    "street": (street, 0.9),
    "studio": (studio, 1.0),
    "plain": (plain, 0.5),
}
INDOORS = ("studio",)

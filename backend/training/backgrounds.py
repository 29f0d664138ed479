"""Procedural places: a seeded generator draws one of nine backgrounds and says what it drew.

Every painter returns an (H, W, 3) float32 picture in 0..1, the row (0..1) of the ground's far edge,
and the phrase that names the place. Textures are smooth on purpose: a small VAE and a small
transformer cannot learn pixel noise, and noise would hide what they do learn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

Rng = np.random.Generator
Painter = Callable[[Rng, int], "Place"]

# Sky at the zenith and at the horizon, and how much cloud, by the time named in the caption.
SKIES = {
    "at noon": ((0.22, 0.53, 0.92), (0.76, 0.90, 0.99), 0.35),
    "in the morning": ((0.50, 0.70, 0.93), (1.00, 0.90, 0.74), 0.35),
    "in the evening": ((0.42, 0.40, 0.68), (1.00, 0.71, 0.55), 0.30),
    "on a cloudy day": ((0.58, 0.64, 0.71), (0.83, 0.86, 0.89), 0.90),
}
STUDIO_COLOURS = {
    "grey": (0.62, 0.62, 0.64),
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
    """A painted background."""

    pixels: np.ndarray  # (H, W, 3) float32, 0..1
    horizon: float  # row of the ground's far edge, as a fraction of the height
    caption: str  # "a beach at noon"
    shadow: float  # how dark a contact shadow is, 0..1 (0: the place casts none)


def paint(rng: Rng, size: int) -> Place:
    """Draw a random place of size x size px."""
    names = list(PAINTERS)
    weights = np.array([PAINTERS[name][1] for name in names])
    name = names[rng.choice(len(names), p=weights / weights.sum())]
    return PAINTERS[name][0](rng, size)


def smooth_noise(rng: Rng, size: int, rows: int, columns: int) -> np.ndarray:
    """(size, size) float32 noise in about 0..1 whose features are size/rows by size/columns px."""
    grid = rng.random((rows + 3, columns + 3), dtype=np.float32)
    box = (1, 1, columns + 2, rows + 2)
    grown = Image.fromarray(grid).resize((size, size), Image.Resampling.BICUBIC, box=box)
    return np.asarray(grown)


def _axes(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows (H, 1) and columns (1, W) of the pixel centres, 0..1."""
    line = (np.arange(size, dtype=np.float32) + 0.5) / size
    return line[:, None], line[None, :]


def _colour(rng: Rng, rgb: tuple[float, float, float], jitter: float = 0.04) -> np.ndarray:
    return np.clip(np.array(rgb) + rng.normal(0, jitter, 3), 0, 1).astype(np.float32)


def _mix(a: np.ndarray, b: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Blend two pictures or colours by a (H, W) or (H, 1) weight."""
    t = np.clip(t, 0, 1)[..., None]
    return a * (1 - t) + b * t


def _edge(distance: np.ndarray, size: int, softness: float = 1.0) -> np.ndarray:
    """An antialiased step: 0 where distance < 0, 1 where > 0, over `softness` px."""
    return np.clip(distance * size / softness + 0.5, 0, 1)


def _ridge(rng: Rng, size: int, base: float, height: float, waves: float) -> np.ndarray:
    """(1, W) outline of hills around row `base`."""
    _, x = _axes(size)
    line = np.full_like(x, base)
    for octave in (1.0, 2.3):
        phase, frequency = rng.uniform(0, 2 * np.pi), waves * octave * rng.uniform(0.7, 1.3)
        line = line + height / octave * 0.6 * np.sin(2 * np.pi * frequency * x + phase)
    return line


def _disc(size: int, row: float, column: float, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Coverage (H, W) of a disc, and distance (H, W) from its centre, in fractions of the size."""
    y, x = _axes(size)
    distance = np.hypot(y - row, x - column)
    return _edge(radius - distance, size, 1.5), distance


def _sky(rng: Rng, size: int, time: str, horizon: float) -> np.ndarray:
    zenith, low, cloud = SKIES[time]
    y, _ = _axes(size)
    sky = _mix(_colour(rng, zenith), _colour(rng, low, 0.025), np.repeat(y / horizon, size, 1))
    if rng.random() < cloud:
        noise = 0.65 * smooth_noise(rng, size, 7, 3) + 0.35 * smooth_noise(rng, size, 14, 6)
        cover = np.clip((noise - rng.uniform(0.5, 0.6)) * 5, 0, 1) * np.clip(
            1.2 - y / horizon, 0, 1
        )
        white = np.array((1.0, 0.97, 0.95), np.float32) if time != "on a cloudy day" else sky * 1.12
        sky = _mix(sky, white, cover * 0.8)
    return sky


def _time(rng: Rng) -> tuple[str, str]:
    """A time of day, and how the caption says it (often not at all)."""
    time = str(rng.choice(list(SKIES), p=[0.45, 0.2, 0.2, 0.15]))
    unsaid = 0.35 if time == "at noon" else 0.1
    return time, "" if rng.random() < unsaid else f" {time}"


def _daylight(rng: Rng, colour: np.ndarray, time: str) -> np.ndarray:
    """Tint the ground by the time of day."""
    tint = {"in the evening": (0.93, 0.80, 0.82), "on a cloudy day": (0.88, 0.89, 0.91)}
    return colour * np.array(tint.get(time, (1, 1, 1)), np.float32)


def beach(rng: Rng, size: int) -> Place:
    time, said = _time(rng)
    horizon = rng.uniform(0.32, 0.48)
    y, _ = _axes(size)
    picture = _sky(rng, size, time, horizon)
    shore = _ridge(rng, size, horizon + rng.uniform(0.09, 0.17), 0.015, 0.9)
    far, near = _colour(rng, (0.10, 0.42, 0.62)), _colour(rng, (0.32, 0.72, 0.78))
    sea = _daylight(rng, _mix(far, near, (y - horizon) / (shore - horizon)), time)
    picture = _mix(picture, sea, _edge(y - horizon, size) * np.ones_like(shore))
    depth = np.clip((y - shore) / 0.5, 0, 1)
    sand = _mix(_colour(rng, (0.95, 0.86, 0.66)), _colour(rng, (0.87, 0.74, 0.50)), depth)
    sand = sand + 0.05 * (smooth_noise(rng, size, 22, 7)[..., None] - 0.5)
    picture = _mix(picture, _daylight(rng, sand, time), _edge(y - shore, size))
    foam = np.exp(-(((y - shore) / 0.008) ** 2))
    picture = _mix(picture, np.ones(3, np.float32), foam * 0.75)
    word = str(
        rng.choice(["a beach", "a sandy beach", "the beach", "a seaside"], p=[0.6, 0.15, 0.15, 0.1])
    )
    return Place(picture, float(shore.mean()), word + said, 0.45)


def meadow(rng: Rng, size: int) -> Place:
    time, said = _time(rng)
    horizon = rng.uniform(0.38, 0.52)
    y, _ = _axes(size)
    picture = _sky(rng, size, time, horizon)
    hill = _ridge(rng, size, horizon - 0.05, 0.05, 0.8)
    far = _daylight(rng, _colour(rng, (0.45, 0.66, 0.42)), time)
    picture = _mix(picture, far * np.ones_like(picture), _edge(y - hill, size))
    edge = _ridge(rng, size, horizon, 0.012, 0.7)
    depth = (y - edge) / (1 - horizon)
    grass = _mix(_colour(rng, (0.56, 0.78, 0.32)), _colour(rng, (0.22, 0.52, 0.18)), depth)
    grass = grass + 0.07 * (smooth_noise(rng, size, 26, 13)[..., None] - 0.5)
    picture = _mix(picture, _daylight(rng, grass, time), _edge(y - edge, size))
    word = str(
        rng.choice(
            ["a meadow", "a green meadow", "a grassy field", "a field"], p=[0.6, 0.15, 0.15, 0.1]
        )
    )
    if rng.random() < 0.3:
        word = "a meadow with flowers"
        for _ in range(rng.integers(14, 34)):
            row = rng.uniform(horizon + 0.05, 0.99)
            dot, _ = _disc(size, row, rng.uniform(), 0.004 + 0.012 * (row - horizon))
            petals = np.array(
                ((1, 1, 1), (1, 0.85, 0.3), (0.95, 0.5, 0.65))[rng.integers(3)], np.float32
            )
            picture = _mix(picture, petals, dot * 0.9)
    return Place(picture, horizon, word + said, 0.45)


def night(rng: Rng, size: int) -> Place:
    horizon = rng.uniform(0.55, 0.68)
    y, _ = _axes(size)
    zenith, low = _colour(rng, (0.03, 0.05, 0.17), 0.02), _colour(rng, (0.16, 0.19, 0.42), 0.03)
    picture = _mix(zenith, low, np.repeat(y / horizon, size, 1))
    for _ in range(rng.integers(25, 60)):
        star, _ = _disc(size, rng.uniform(0, horizon), rng.uniform(), rng.uniform(0.002, 0.0055))
        picture = _mix(picture, np.array((1.0, 0.98, 0.88), np.float32), star * rng.uniform(0.5, 1))
    word = str(rng.choice(["a night sky", "a starry night", "a night"], p=[0.6, 0.25, 0.15]))
    if rng.random() < 0.4:
        disc, distance = _disc(
            size, rng.uniform(0.1, 0.28), rng.uniform(0.1, 0.9), rng.uniform(0.045, 0.075)
        )
        picture = picture + 0.22 * np.exp(-distance / 0.09)[..., None]
        picture = _mix(picture, np.array((0.98, 0.96, 0.84), np.float32), disc)
        word += str(rng.choice([" with a moon", " and the moon", ""]))
    for base, shade in ((horizon - 0.03, (0.09, 0.12, 0.27)), (horizon + 0.03, (0.05, 0.09, 0.16))):
        hill = _ridge(rng, size, base, 0.035, 0.8)
        ground = _mix(
            _colour(rng, shade, 0.015), _colour(rng, (0.09, 0.16, 0.20), 0.015), (y - base) / 0.4
        )
        picture = _mix(picture, ground, _edge(y - hill, size))
    return Place(picture, horizon + 0.03, word, 0.5)


def sunset(rng: Rng, size: int) -> Place:
    horizon = rng.uniform(0.45, 0.58)
    y, x = _axes(size)
    stops = [
        _colour(rng, c, 0.03) for c in ((0.29, 0.18, 0.45), (0.88, 0.42, 0.38), (1.0, 0.80, 0.42))
    ]
    fall = np.repeat(y / horizon, size, 1)
    picture = _mix(_mix(stops[0], stops[1], fall / 0.6), stops[2], (fall - 0.5) / 0.5)
    column = rng.uniform(0.15, 0.85)
    disc, distance = _disc(size, horizon - rng.uniform(0.0, 0.06), column, rng.uniform(0.06, 0.09))
    picture = picture + 0.25 * np.exp(-distance / 0.15)[..., None] * np.array(
        (1, 0.7, 0.3), np.float32
    )
    picture = _mix(picture, np.array((1.0, 0.93, 0.62), np.float32), disc)
    word = str(rng.choice(["a sunset", "a red sunset", "the sunset"], p=[0.7, 0.15, 0.15]))
    over_sea = rng.random() < 0.4
    far, near = (
        ((0.70, 0.38, 0.42), (0.26, 0.16, 0.34))
        if over_sea
        else ((0.36, 0.20, 0.26), (0.15, 0.09, 0.16))
    )
    ground = _mix(
        _colour(rng, far, 0.03),
        _colour(rng, near, 0.02),
        (y - horizon) / (1 - horizon) * np.ones_like(x),
    )
    if over_sea:
        word += " over the sea"
        glitter = np.exp(-(((x - column) / (0.05 + 0.25 * np.clip(y - horizon, 0, 1))) ** 2))
        ripples = 0.5 + 0.5 * np.sin(60 * np.sqrt(np.clip(y - horizon, 0, 1)))
        ground = ground + (0.35 * glitter * ripples)[..., None] * np.array(
            (1, 0.75, 0.45), np.float32
        )
        edge = np.full_like(x, horizon)
    else:
        edge = _ridge(rng, size, horizon, 0.018, 0.8)
    picture = _mix(picture, ground, _edge(y - edge, size))
    return Place(picture, horizon, word, 0.5)


def desert(rng: Rng, size: int) -> Place:
    time, said = _time(rng)
    horizon = rng.uniform(0.40, 0.52)
    y, _ = _axes(size)
    picture = _sky(rng, size, time, horizon)
    far, near = _colour(rng, (0.95, 0.76, 0.50)), _colour(rng, (0.83, 0.52, 0.27))
    bases = (horizon - 0.02, horizon + 0.08, horizon + 0.24)
    for index, base in enumerate(bases):
        dune = _ridge(rng, size, base, 0.035, 0.6)
        tone = far * (1 - index / 3) + near * (index / 3)
        shade = _mix(tone * 1.08, tone * 0.90, (y - dune) / 0.22)
        picture = _mix(picture, _daylight(rng, shade, time), _edge(y - dune, size))
    word = str(rng.choice(["a desert", "a sandy desert", "the desert"], p=[0.7, 0.15, 0.15]))
    return Place(picture, horizon + 0.02, word + said, 0.42)


def snow(rng: Rng, size: int) -> Place:
    horizon = rng.uniform(0.42, 0.55)
    y, _ = _axes(size)
    zenith, low = _colour(rng, (0.58, 0.72, 0.88)), _colour(rng, (0.88, 0.92, 0.97), 0.02)
    picture = _mix(zenith, low, np.repeat(y / horizon, size, 1))
    if rng.random() < 0.6:
        peaks = _ridge(rng, size, horizon - 0.10, 0.07, 1.6)
        picture = _mix(
            picture,
            _colour(rng, (0.66, 0.74, 0.85), 0.02) * np.ones_like(picture),
            _edge(y - peaks, size),
        )
    for base, tone in ((horizon, (0.87, 0.91, 0.97)), (horizon + 0.10, (0.95, 0.97, 1.0))):
        drift = _ridge(rng, size, base, 0.022, 0.7)
        white = _colour(rng, tone, 0.012)
        ground = _mix(white, white * np.array((0.86, 0.90, 0.96), np.float32), (y - drift) / 0.5)
        picture = _mix(picture, ground, _edge(y - drift, size))
    word = str(
        rng.choice(
            ["snow", "a snowy field", "a snowy landscape", "the snow"], p=[0.4, 0.3, 0.2, 0.1]
        )
    )
    return Place(picture, horizon, word, 0.32)


def ocean(rng: Rng, size: int) -> Place:
    time, said = _time(rng)
    horizon = rng.uniform(0.30, 0.45)
    y, x = _axes(size)
    picture = _sky(rng, size, time, horizon)
    far, near = _colour(rng, (0.16, 0.48, 0.70)), _colour(rng, (0.04, 0.24, 0.46))
    picture = _mix(
        picture,
        _daylight(rng, far * np.ones_like(picture), time),
        _edge(y - horizon, size) * np.ones_like(x),
    )
    bases = horizon + (1 - horizon) * np.array((0.06, 0.16, 0.30, 0.48, 0.70), np.float32)
    for index, base in enumerate(bases):
        amplitude, waves = 0.004 + 0.006 * index, 6.0 / (1 + 0.6 * index)
        crest = base + amplitude * np.sin(
            2 * np.pi * waves * rng.uniform(0.8, 1.2) * x + rng.uniform(0, 6.3)
        )
        tone = far + (near - far) * (index + 1) / 5
        wave = _mix(tone * 1.18, tone, (y - crest) / (0.04 + 0.03 * index))
        picture = _mix(picture, _daylight(rng, wave, time), _edge(y - crest, size))
    word = str(
        rng.choice(["an ocean", "the ocean", "the sea", "a blue ocean"], p=[0.4, 0.25, 0.25, 0.1])
    )
    return Place(picture, horizon + 0.08, word + said, 0.3)


def studio(rng: Rng, size: int) -> Place:
    name = str(rng.choice(list(STUDIO_COLOURS)))
    horizon = rng.uniform(0.50, 0.66)
    y, x = _axes(size)
    wall = _colour(rng, STUDIO_COLOURS[name], 0.03)
    light = 1.06 - 0.22 * np.hypot(x - rng.uniform(0.3, 0.7), (y - 0.35))
    picture = wall * light[..., None]
    floor = wall * (0.80 + 0.16 * np.clip((y - horizon) / (1 - horizon), 0, 1))[..., None]
    picture = _mix(
        picture, floor * np.ones_like(picture), _edge(y - horizon, size, 8.0) * np.ones_like(x)
    )
    word = (
        "a studio" if rng.random() < 0.3 else f"{'an' if name == 'orange' else 'a'} {name} studio"
    )
    return Place(picture, horizon, word, 0.42)


def plain(rng: Rng, size: int) -> Place:
    """One flat colour and no shadow: what a cut-out is shown on when it has no surroundings."""
    name = str(rng.choice(list(STUDIO_COLOURS)))
    colour = _colour(rng, STUDIO_COLOURS[name], 0.05)
    article = "an" if name == "orange" else "a"
    return Place(
        np.full((size, size, 3), colour, np.float32), 0.0, f"{article} {name} background", 0.0
    )


PAINTERS: dict[str, tuple[Painter, float]] = {
    "beach": (beach, 1.2),
    "meadow": (meadow, 1.2),
    "night": (night, 1.0),
    "sunset": (sunset, 1.0),
    "desert": (desert, 1.0),
    "snow": (snow, 1.0),
    "ocean": (ocean, 1.0),
    "studio": (studio, 0.9),
    "plain": (plain, 0.8),
}

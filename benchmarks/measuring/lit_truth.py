"""Cases with a known truth: held-out figures drawn in the light of the bundled model's places.

A prompt names the place and its light. What the figure should look like there is drawn by the world itself: shaded,
tinted, with its shadow. Where the sun stands the prompt does not say, so the truth is the nearest of a few.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.append(str(Path(__file__).parents[2] / "backend"))

from training.world import backgrounds, data, light

Array = NDArray[np.float32]

PLACES = ("beach", "meadow", "desert", "snow", "lake", "hills", "street", "forest")
LIGHTS = {
    "sunset": "at sunset",
    "noon": "at noon",
    "night": "at night",
    "morning": "in the morning",
}
STRONG = ("sunset", "night")
"""Lights in which a pasted figure looks wrong."""

SUNS = tuple((side, behind) for side in (-0.7, 0.7) for behind in (False, True))
HORIZON = 0.46


@dataclass(frozen=True)
class Place:
    """What a case's prompt asks for."""

    name: str
    light: str

    @property
    def prompt(self) -> str:
        """The prompt in the world's own words: "a beach at sunset"."""
        article = "" if self.name in ("snow", "hills") else "a "
        return f"{article}{self.name} {LIGHTS[self.light]}"


def place(index: int) -> Place:
    """Return the place of case `index`: all of them in turn, and in all lights."""
    lights = list(LIGHTS)
    light = index // len(PLACES) + 2 * (index % 2)
    return Place(PLACES[index % len(PLACES)], lights[light % len(lights)])


def lit(pixels: Array, where: Place, foot: float) -> list[Array]:
    """Return an RGBA figure (height, width, 4) as it looks in a place's light, one for each place of the sun.

    `foot` is the row of its lower edge, in heights of the canvas: what is far is in the haze.
    """
    kind = light.KINDS[where.light]
    near = float(np.clip((foot - HORIZON) / (1 - HORIZON), 0, 1))
    suns = []
    for side, behind in SUNS:
        sun = light.Light(
            where.light, "", *(np.array(c, np.float32) for c in (kind.sun, kind.ambient, kind.zenith, kind.low)),
            side, behind, float(np.mean(kind.height)), kind.haze, 0.0, 0.0,
        )  # fmt: skip
        suns.append(light.shade(pixels, sun, (1 - near) ** 2 * 0.6))
    return suns


def scene(index: int, side: int, figure: Array, left: int, foot: int) -> tuple[Array, Array, Place]:
    """Return an empty place (side, side, 3), the same with the figure standing in it, and what it is: both drawn."""
    where = place(index)
    rng, frame = np.random.default_rng((7, index)), backgrounds.Frame(side, side)
    ground = backgrounds.PAINTERS[where.name][0](rng, frame)
    sun = light.of_kind(rng, where.light)
    empty = backgrounds.lit(rng, ground, sun, frame)
    standing = data.Standing(figure, left, foot, grounded=True)
    return empty, data.draw(empty, ground, sun, [standing]), where

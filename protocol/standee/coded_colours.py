"""Colours whose meaning a PNG says in numbers, by its chunks cICP, or gAMA and cHRM, turned into sRGB.

The codes are those of ITU-T H.273. A profile (iCCP) and the chunk sRGB stand between the two kinds: cICP counts before
them, gAMA only without them. What is brighter than white is white.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .image_metadata import png_chunks
from .images import kind_of

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]

SRGB = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
"""Where white, red, green and blue lie, x and y each."""
PRIMARIES = {
    1: SRGB,
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (0.3127, 0.3290, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    9: (0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
WHITE_NITS = 203.0
"""How bright white is where numbers mean light itself (ITU-R BT.2408)."""
NEAR = 0.05
"""So far, as a share, a gamma may be from 1/2.2 and still mean the curve of sRGB, for which it stands."""
ALIKE = 1
"""What moves no colour by more than this, of 255, is sRGB."""
STRIP = 1 << 20
"""How many px are converted at once."""
BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


@dataclass(frozen=True)
class Coding:
    """What a file's numbers mean: the light of each (256,), 1 at white, and the matrix to the primaries of sRGB."""

    light: Floats
    matrix: Floats

    def to_srgb(self, pixels: Bytes) -> Bytes:
        """Return pixels (height, width, 3) in sRGB."""
        flat = pixels.reshape(-1, 3)
        result = np.empty_like(flat)
        for at in range(0, len(flat), STRIP):
            light = self.light[flat[at : at + STRIP]] @ self.matrix.T
            index = (np.clip(light, 0.0, 1.0) * 65535 + 0.5).astype(np.uint16)
            result[at : at + STRIP] = _ENCODED[index]
        return result.reshape(pixels.shape)

    def is_srgb(self) -> bool:
        """Whether no colour would be moved by more than a little."""
        levels = np.linspace(0, 255, 9).astype(np.uint8)
        cube = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(27, 27, 3)
        return int(np.abs(cube.astype(int) - self.to_srgb(cube)).max()) <= ALIKE


def coding_of(data: bytes, profiled: bool = False) -> Coding | None:
    """Return what a PNG says that its numbers mean; `profiled`: it has a profile, which counts before gAMA.

    What is broken or not known here says nothing.
    """
    if kind_of(data[:64]) != "PNG":
        return None
    said = {
        name: body
        for name, body in png_chunks(data)
        if name in (b"cICP", b"gAMA", b"cHRM", b"sRGB")
    }
    coding = _of_codes(said[b"cICP"]) if b"cICP" in said else None
    if coding is None and not profiled and b"sRGB" not in said and b"gAMA" in said:
        coding = _of_gamma(said[b"gAMA"], said.get(b"cHRM", b""))
    return coding


def _of_codes(body: bytes) -> Coding | None:
    if len(body) != 4 or body[2] != 0 or body[0] not in PRIMARIES or body[1] not in TRANSFERS:
        return None
    values = np.arange(256) / 255
    if not body[3]:  # of video, where black is 16 and white is 235
        values = np.clip((values * 255 - 16) / 219, 0, 1)
    return Coding(TRANSFERS[body[1]](values), _matrix(PRIMARIES[body[0]]))


def _of_gamma(body: bytes, places: bytes) -> Coding | None:
    gamma = int.from_bytes(body, "big") / 100_000 if len(body) == 4 else 0.0
    if not 0.05 <= gamma <= 20:
        return None
    values = np.arange(256) / 255
    light = _from_srgb(values) if abs(gamma * 2.2 - 1) <= NEAR else values ** (1 / gamma)
    primaries: tuple[float, ...] = SRGB
    if len(places) == 32:
        primaries = tuple(part / 100_000 for part in struct.unpack(">8I", places))
    try:
        return Coding(light, _matrix(primaries))
    except (ArithmeticError, np.linalg.LinAlgError):
        return None


def _matrix(primaries: tuple[float, ...]) -> Floats:
    """Return the matrix from light in `primaries` to that of sRGB, their white to its white."""
    source, white = _to_xyz(primaries)
    target, white_there = _to_xyz(SRGB)
    cones, cones_there = BRADFORD @ white, BRADFORD @ white_there
    adapted = np.linalg.solve(BRADFORD, np.diag(cones_there / cones) @ BRADFORD)
    matrix: Floats = np.linalg.solve(target, adapted @ source).astype(np.float64)
    if not np.isfinite(matrix).all():
        raise ArithmeticError("these primaries span no colours")
    return matrix


def _to_xyz(primaries: tuple[float, ...]) -> tuple[Floats, Floats]:
    white, *colours = (
        np.array([x / y, 1.0, (1 - x - y) / y])
        for x, y in zip(primaries[::2], primaries[1::2], strict=True)
    )
    columns = np.array(colours).T
    return columns * np.linalg.solve(columns, white), white


def _from_srgb(values: Floats) -> Floats:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _from_video(values: Floats) -> Floats:
    return np.where(values < 0.081, values / 4.5, ((values + 0.099) / 1.099) ** (1 / 0.45))


def _from_pq(values: Floats) -> Floats:
    root = values ** (32 / 2523)
    nits = 10_000 * (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (
        16384 / 2610
    )
    return nits / WHITE_NITS


def _from_hlg(values: Floats) -> Floats:
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(values <= 0.5, values**2 / 3, (np.exp((values - c) / a) + b) / 12)
    return 1000 * scene**1.2 / WHITE_NITS


TRANSFERS: dict[int, Callable[[Floats], Floats]] = {
    **dict.fromkeys((1, 6, 14, 15), _from_video),
    4: lambda values: values**2.2,
    5: lambda values: values**2.8,
    8: lambda values: values,
    13: _from_srgb,
    16: _from_pq,
    18: _from_hlg,
}
"""The light of numbers 0..1, by their code."""

_LIGHT = np.arange(65536) / 65535
_ENCODED = np.rint(
    255 * np.where(_LIGHT <= 0.0031308, _LIGHT * 12.92, 1.055 * _LIGHT ** (1 / 2.4) - 0.055)
).astype(np.uint8)

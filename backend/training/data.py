"""The mini model's world: 3D emoji figures standing on procedural places, with captions.

Figures come from the npm package `@lobehub/fluent-emoji-3d` (Microsoft Fluent Emoji, MIT), names
from `unicodedata`. A seeded rule holds `HELD_OUT` figures out of all training: the VAE, the
transformer and the vocabulary's use in captions never see them.
"""

from __future__ import annotations

import io
import random
import tarfile
import unicodedata
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from training import backgrounds

SIZE = 256  # px, the canvas
PACKAGE = "https://registry.npmjs.org/@lobehub/fluent-emoji-3d/-/fluent-emoji-3d-1.1.0.tgz"
HELD_OUT = 100
HELD_OUT_SEED = 2503
MAX_COVERAGE = 0.90  # a fuller square is a sign on a tile, not a figure


@dataclass(frozen=True)
class Figure:
    """One emoji: its codepoint in hex, its Unicode name in lower case, its RGBA picture."""

    codepoint: str
    name: str
    picture: Image.Image


@dataclass(frozen=True)
class Scene:
    """A rendered training picture."""

    pixels: np.ndarray  # (SIZE, SIZE, 3) uint8
    place: str
    figures: tuple[str, ...]  # names, back to front; "" for a recoloured figure


def download(work: Path) -> Path:
    """The package's tarball, fetched once into the work folder."""
    target = work / "fluent-emoji-3d.tgz"
    if not target.exists():
        work.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".part")
        urllib.request.urlretrieve(PACKAGE, partial)
        partial.rename(target)
    return target


def codepoint(path: str) -> str | None:
    """The hex codepoint that a file of the package shows, if it is a single one."""
    codes = Path(path).stem.split("-")
    single = path.endswith(".webp") and all(code == "fe0f" for code in codes[1:])
    return codes[0] if single else None


def load_figures(tarball: Path) -> list[Figure]:
    """Every single-codepoint figure, cropped to its alpha, sorted by codepoint."""
    figures = []
    with tarfile.open(tarball) as archive:
        for member in archive:
            code = codepoint(member.name)
            name = unicodedata.name(chr(int(code, 16)), "").lower() if code else ""
            content = archive.extractfile(member)
            if (
                code is None
                or content is None
                or not name
                or "squared" in name
                or "ideograph" in name
            ):
                continue
            picture = Image.open(io.BytesIO(content.read())).convert("RGBA")
            alpha = np.asarray(picture)[..., 3] > 8
            if alpha.mean() > MAX_COVERAGE or alpha.mean() < 0.03:
                continue
            box = picture.getchannel("A").point(lambda a: 255 * (a > 8)).getbbox()
            figures.append(Figure(code, name, picture.crop(box)))
    return sorted(figures, key=lambda figure: figure.codepoint)


def split(figures: list[Figure]) -> tuple[list[Figure], list[Figure]]:
    """(training, held out), by a rule that depends on the codepoints alone."""
    codes = sorted(figure.codepoint for figure in figures)
    held = set(random.Random(HELD_OUT_SEED).sample(codes, HELD_OUT))
    return (
        [figure for figure in figures if figure.codepoint not in held],
        [figure for figure in figures if figure.codepoint in held],
    )


def draw_figure(rng: np.random.Generator, figure: Figure, extent: float) -> tuple[np.ndarray, bool]:
    """(h, w, 4) float32 in 0..1 (colour not premultiplied), the longer side `extent` px.

    Sometimes mirrored, tilted, or with its colour channels permuted: the last makes an unseen
    figure out of a seen one, and the second value says so, since its name then no longer fits.
    """
    picture = figure.picture.convert("RGBa")
    if rng.random() < 0.5:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if rng.random() < 0.25:
        picture = picture.rotate(rng.uniform(-20, 20), Image.Resampling.BICUBIC, expand=True)
    scale = extent / max(picture.size)
    shape = (max(2, round(picture.width * scale)), max(2, round(picture.height * scale)))
    picture = picture.resize(shape, Image.Resampling.LANCZOS).convert("RGBA")
    pixels = np.asarray(picture, np.float32) / 255
    recoloured = rng.random() < 0.2
    if recoloured:
        order = ((0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))[rng.integers(5)]
        pixels = pixels[..., [*order, 3]]
    return pixels, recoloured


def contact_shadow(alpha: np.ndarray, left: int, top: int, size: int) -> np.ndarray:
    """(size, size) darkness 0..1 of the shadow under a figure whose (h, w) alpha stands at left, top."""
    height, width = alpha.shape
    foot = alpha[-max(2, height // 8) :].max(0) > 0.3
    columns = np.flatnonzero(foot)
    if not len(columns):
        return np.zeros((size, size), np.float32)
    centre = left + (columns[0] + columns[-1]) / 2
    reach = 0.55 * (0.6 * (columns[-1] - columns[0]) + 0.4 * width) + 3
    row = top + 0.99 * height
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    distance = np.sqrt(((x - centre) / reach) ** 2 + ((y - row) / (0.22 * reach + 2)) ** 2)
    return np.clip(1.45 - distance, 0, 1)


def paste(canvas: np.ndarray, pixels: np.ndarray, left: int, top: int) -> None:
    """Alpha-blend (h, w, 4) pixels into the canvas, clipped at its borders."""
    size = canvas.shape[0]
    y0, x0 = max(top, 0), max(left, 0)
    y1, x1 = min(top + pixels.shape[0], size), min(left + pixels.shape[1], size)
    if y1 <= y0 or x1 <= x0:
        return
    part = pixels[y0 - top : y1 - top, x0 - left : x1 - left]
    alpha = part[..., 3:]
    canvas[y0:y1, x0:x1] = canvas[y0:y1, x0:x1] * (1 - alpha) + part[..., :3] * alpha


def to_uint8(pixels: np.ndarray) -> np.ndarray:
    return (np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8)


def render(rng: np.random.Generator, figures: list[Figure], count: int | None = None) -> Scene:
    """A scene of `count` figures (0 to 3, random by default) standing on a random place."""
    place = backgrounds.paint(rng, SIZE)
    canvas = place.pixels.copy()
    if count is None:
        count = int(
            rng.choice(4, p=(0.0, 0.6, 0.3, 0.1) if not place.shadow else (0.26, 0.34, 0.27, 0.13))
        )
    standing = []
    for _ in range(count):
        figure = figures[rng.integers(len(figures))]
        pixels, recoloured = draw_figure(rng, figure, rng.triangular(72, 105, 180))
        height, width = pixels.shape[:2]
        left = int(rng.uniform(-0.2 * width, SIZE - 0.8 * width))
        grounded = place.shadow > 0 and rng.random() < 0.88
        if grounded:
            foot = rng.uniform(place.horizon + 0.06, 1.03) * SIZE
        else:
            foot = rng.uniform(0.8 * height, SIZE + 0.2 * height)
        standing.append((foot, left, pixels, grounded, "" if recoloured else figure.name))
    standing.sort(key=lambda item: item[0])
    tint = np.array((0.05, 0.05, 0.10), np.float32)
    for foot, left, pixels, grounded, _ in standing:
        top = int(foot) - pixels.shape[0]
        if grounded:
            shadow = place.shadow * contact_shadow(pixels[..., 3], left, top, SIZE)[..., None]
            canvas = canvas * (1 - shadow) + tint * shadow
        paste(canvas, pixels, left, top)
    return Scene(to_uint8(canvas), place.caption, tuple(item[4] for item in standing))


def caption(rng: np.random.Generator, place: str, figures: tuple[str, ...]) -> str:
    """What is said of a scene: the place and mostly its figures, 10% nothing at all.

    Figures that are seldom left out of a caption seldom come where none was asked for.
    """
    if rng.random() < 0.1:
        return ""
    named = [name or "figure" for name in figures if rng.random() < 0.9]
    if rng.random() < 0.05:
        named = []
    rng.shuffle(named)
    words = place
    if named:
        listed = " and ".join(f"{'an' if name[0] in 'aeiou' else 'a'} {name}" for name in named)
        words = f"{place} with {listed}" if rng.random() < 0.6 else f"{listed} on {place}"
    if not figures and rng.random() < 0.3:
        words = f"an empty {place.split(' ', 1)[-1]}"
    if rng.random() < 0.25:
        words = words[0].upper() + words[1:]
    return words + ("." if rng.random() < 0.2 else "")


def contact_sheet(pictures: list[np.ndarray], columns: int) -> Image.Image:
    """Pictures of one size, (H, W, 3) uint8, in rows."""
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * width, rows * height), "white")
    for index, picture in enumerate(pictures):
        sheet.paste(Image.fromarray(picture), (index % columns * width, index // columns * height))
    return sheet

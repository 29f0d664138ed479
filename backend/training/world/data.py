"""The mini model's world: 3D emoji figures standing on procedural places, with captions.

Figures come from the npm package `@lobehub/fluent-emoji-3d` (Microsoft Fluent Emoji, MIT), names
from `unicodedata`. A seeded rule holds `HELD_OUT` figures out of all training: the VAE, the
transformer and the vocabulary's use in captions never see them.
"""

from __future__ import annotations

import io
import random
import subprocess
import tarfile
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from training.world import backgrounds
from training.world.backgrounds import Frame, Place
from training.world.light import (
    Light,
    cast_shadow,
    contact_shadow,
    flat,
    indoors,
    mirror,
    of_kind,
    outdoors,
    shade,
)
from training.world.names import KNOWN_BY_NAME

SIZE = 512  # px, the usual canvas
CANVASES = {  # (width, height) of scenes: how often it comes
    (512, 512): 0.36,
    (256, 256): 0.16,
    (384, 384): 0.12,
    (512, 336): 0.08,
    (336, 512): 0.08,
    (512, 288): 0.08,
    (384, 256): 0.06,
    (256, 384): 0.06,
}
CLOSE_UPS = {  # side in px of close-ups, small, so that names are learned from many: the figure's share of it
    96: (0.88, 0.92),
    128: (0.45, 0.8),
    160: (0.35, 0.7),
    256: (0.3, 0.6),
}
CLOSE_CHUNKS = 0.75  # of the chunks are close-ups, each size as often
PACKAGE = "@lobehub/fluent-emoji-3d@1.1.0"
HELD_OUT = 100
HELD_OUT_SEED = 2503
MAX_COVERAGE = 0.90  # a fuller square is a sign on a tile, not a figure
KNOWN = 0.7  # of the figures in scenes are of KNOWN_BY_NAME
NAMED_ALONE = 0.15  # of the captions of scenes name figures and no place
AGAIN = 0.4  # of the scenes show one figure more than once
WETTER = 4.0  # a ground mirrors that many times more after the rain
SHADOW = 0.10  # of the ambient light is left in the darkest shadow
ALONE = {  # what is also said of some places in some lights
    ("hills", "sunset"): ("a sunset", "the sunset", "a red sunset"),
    ("hills", "night"): ("a night sky", "a starry night", "a night"),
    ("ocean", "sunset"): ("a sunset over the sea",),
    ("sea", "sunset"): ("a sunset over the sea",),
    ("landscape", "sunset"): ("a sunset",),
    ("landscape", "night"): ("a night sky",),
}


@dataclass(frozen=True)
class Figure:
    """One emoji: its codepoint in hex, its Unicode name in lower case, its RGBA picture."""

    codepoint: str
    name: str
    picture: Image.Image


Box = tuple[int, int, int, int]  # px (left, top, right, bottom)


@dataclass(frozen=True)
class Told:
    """What there is to say of a scene."""

    place: str  # and its light: "a beach at sunset"
    figures: tuple[str, ...]  # names, back to front; "" for a recoloured figure
    box: Box | None = None  # of a close-up's figure


@dataclass(frozen=True)
class Scene:
    """A rendered training picture, (H, W, 3) uint8, and what there is to say of it."""

    pixels: np.ndarray
    told: Told


def download(work: Path) -> Path:
    """The package's tarball, fetched once into the work folder by the npm client."""
    target = work / "fluent-emoji-3d.tgz"
    if not target.exists():
        work.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["npm", "pack", "--silent", PACKAGE],
            cwd=work,
            check=True,
            capture_output=True,
            text=True,
        )
        (work / done.stdout.split()[-1]).rename(target)
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


def _recolouring(rng: np.random.Generator) -> tuple[int, int, int] | None:
    """An order of colour channels that makes an unseen figure out of a seen one, now and then."""
    orders = ((0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
    return orders[rng.integers(5)] if rng.random() < 0.2 else None


def draw_figure(
    rng: np.random.Generator,
    figure: Figure,
    extent: float,
    channels: tuple[int, int, int] | None = None,
    as_it_is: bool = False,
) -> np.ndarray:
    """(h, w, 4) float32 in 0..1 (colour not premultiplied), the longer side `extent` px.

    Sometimes mirrored or tilted, unless `as_it_is`; its colour channels in the order `channels`.
    """
    picture = figure.picture.convert("RGBa")
    if not as_it_is and rng.random() < 0.5:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if not as_it_is and rng.random() < 0.25:
        picture = picture.rotate(rng.uniform(-20, 20), Image.Resampling.BICUBIC, expand=True)
    scale = extent / max(picture.size)
    shape = (max(2, round(picture.width * scale)), max(2, round(picture.height * scale)))
    picture = picture.resize(shape, Image.Resampling.LANCZOS).convert("RGBA")
    pixels = np.asarray(picture, np.float32) / 255
    return pixels[..., [*channels, 3]] if channels else pixels


@dataclass(frozen=True)
class Standing:
    """A figure in its place: (h, w, 4) pixels in their own colours, its left column and the row of its foot."""

    pixels: np.ndarray
    left: int
    foot: int
    grounded: bool  # or it floats, and touches nothing

    @property
    def top(self) -> int:
        return self.foot - self.pixels.shape[0]


def draw(
    background: np.ndarray, place: Place, light: Light, standing: list[Standing]
) -> np.ndarray:
    """(H, W, 3) the figures on a lit background, back to front, in its light, with their shadows."""
    canvas = background.copy()
    height, shape = canvas.shape[0], canvas.shape[:2]
    rows = np.arange(height, dtype=np.float32)[:, None] / height
    ground = np.clip((rows - place.horizon + 0.02) * 40, 0, 1) * place.shadows
    wet = min(0.5, place.wet * (1 + WETTER * light.wet))
    lit = []
    for figure in standing:
        near = np.clip((figure.foot / height - place.horizon) / max(0.05, 1 - place.horizon), 0, 1)
        distance = float((1 - near) ** 2) * 0.6 if figure.grounded else 0.1
        lit.append(shade(figure.pixels, light, distance) if place.shadows else figure.pixels)
    for figure in standing if place.shadows else ():
        if figure.grounded:
            alpha = figure.pixels[..., 3]
            cast = cast_shadow(alpha, figure.left, figure.foot, light, shape)
            touch = contact_shadow(alpha, figure.left, figure.foot - 0.01 * len(alpha), shape)
            dark = (ground * (1 - (1 - cast) * (1 - touch)))[..., None]
            canvas = canvas * (1 - dark) + SHADOW * light.ambient * dark
    for figure, pixels in zip(standing, lit, strict=True):
        if place.shadows and figure.grounded:
            level = np.broadcast_to(ground, shape)
            mirror(canvas, pixels, figure.left, figure.foot, level, wet)
        paste(canvas, pixels, figure.left, figure.top)
    return canvas


def paste(canvas: np.ndarray, pixels: np.ndarray, left: int, top: int) -> None:
    """Alpha-blend (h, w, 4) pixels into the canvas, in place, clipped at its borders."""
    height, width = canvas.shape[:2]
    y0, x0 = max(top, 0), max(left, 0)
    y1, x1 = min(top + pixels.shape[0], height), min(left + pixels.shape[1], width)
    if y1 <= y0 or x1 <= x0:
        return
    part = pixels[y0 - top : y1 - top, x0 - left : x1 - left]
    alpha = part[..., 3:]
    canvas[y0:y1, x0:x1] = canvas[y0:y1, x0:x1] * (1 - alpha) + part[..., :3] * alpha


def to_uint8(pixels: np.ndarray) -> np.ndarray:
    return (np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8)


def find_place(rng: np.random.Generator, frame: Frame) -> tuple[Place, Light]:
    """A random place and a random light; neither knows of the other."""
    names = list(backgrounds.PAINTERS)
    weights = np.array([backgrounds.PAINTERS[name][1] for name in names])
    name = names[rng.choice(len(names), p=weights / weights.sum())]
    place = backgrounds.PAINTERS[name][0](rng, frame)
    if not place.shadows:
        return place, flat()
    return place, indoors(rng) if name in backgrounds.INDOORS else outdoors(rng)


def render(
    rng: np.random.Generator,
    figures: list[Figure],
    canvas: tuple[int, int] = (SIZE, SIZE),
    count: int | None = None,
) -> Scene:
    """A scene (width, height) of `count` figures (0 to 4, random by default) standing on a random place.

    In a good part of the scenes one figure stands two or three times, at other sizes, mirrored, tilted, in part hidden:
    a model that sees that learns to look things up in its own picture.
    """
    frame = Frame(*canvas)
    place, light = find_place(rng, frame)
    background = backgrounds.lit(rng, place, light, frame)
    if count is None:
        count = int(
            rng.choice(
                5, p=(0.16, 0.36, 0.27, 0.14, 0.07) if place.shadows else (0, 0.6, 0.3, 0.1, 0)
            )
        )
    known = [figure for figure in figures if figure.name in KNOWN_BY_NAME]
    chosen = []
    for _ in range(count):
        pool = known if known and rng.random() < KNOWN else figures
        chosen.append(pool[rng.integers(len(pool))])
    if chosen and rng.random() < AGAIN:
        chosen = [chosen[0]] * int(rng.integers(1, 3)) + chosen
    colours = {
        id(figure): None if figure.name in KNOWN_BY_NAME else _recolouring(rng) for figure in chosen
    }
    standing, names = [], []
    for figure in chosen:
        extent = min(canvas) * rng.triangular(0.26, 0.42, 0.75)
        pixels = draw_figure(rng, figure, extent, colours[id(figure)])
        height, width = pixels.shape[:2]
        left = int(rng.uniform(-0.2 * width, frame.width - 0.8 * width))
        grounded = place.shadows > 0 and rng.random() < 0.9
        if grounded:
            foot = rng.uniform(place.horizon + 0.06, 1.03) * frame.height
        else:
            foot = rng.uniform(0.8 * height, frame.height + 0.2 * height)
        standing.append(Standing(pixels, left, int(foot), grounded))
        names.append("" if colours[id(figure)] else figure.name)
    order = sorted(range(len(standing)), key=lambda index: standing[index].foot)
    picture = draw(background, place, light, [standing[index] for index in order])
    words = tuple(names[index] for index in order)
    return Scene(to_uint8(picture), Told(describe(rng, place, light), words))


def render_close_up(rng: np.random.Generator, figures: list[Figure], side: int) -> Scene:
    """A square scene of `side` px of one figure that is known by name, whole and as it is, on a random place.

    Where a figure fills its picture, its name is all that there is to learn; where it has room, also to place it.
    """
    frame = Frame(side, side)
    place, light = find_place(rng, frame)
    background = backgrounds.lit(rng, place, light, frame)
    known = [figure for figure in figures if figure.name in KNOWN_BY_NAME]
    figure = known[rng.integers(len(known))]
    pixels = draw_figure(rng, figure, side * rng.uniform(*CLOSE_UPS[side]), as_it_is=True)
    height, width = pixels.shape[:2]
    left = int(rng.uniform(0, side - width))
    foot = int(rng.uniform(max(height, (place.horizon + 0.06) * side), side))
    standing = Standing(pixels, left, foot, place.shadows > 0)
    picture = draw(background, place, light, [standing])
    box = (left, foot - height, left + width, foot)
    return Scene(to_uint8(picture), Told(describe(rng, place, light), (figure.name,), box))


def render_empty(
    rng: np.random.Generator, painter: str, kind: str, canvas: tuple[int, int]
) -> np.ndarray:
    """(H, W, 3) uint8: one of backgrounds.PAINTERS in one of light.KINDS, on a canvas (width, height)."""
    frame = Frame(*canvas)
    place = backgrounds.PAINTERS[painter][0](rng, frame)
    return to_uint8(backgrounds.lit(rng, place, of_kind(rng, kind), frame))


def describe(rng: np.random.Generator, place: Place, light: Light) -> str:
    """What a caption says of a place and its light: "a beach at sunset"."""
    told = ALONE.get((place.words.split()[-1], light.name))
    if told and rng.random() < 0.5:
        return str(rng.choice(told))
    return f"{place.words} {light.words}".strip()


def caption(
    rng: np.random.Generator, place: str, figures: tuple[str, ...], alone: float = NAMED_ALONE
) -> str:
    """What is said of a scene: the place and mostly its figures, a share of them `alone`, 10% nothing at all.

    Figures that are seldom left out of a caption seldom come where none was asked for.
    """
    if rng.random() < 0.1:
        return ""
    named = [
        called(rng, figure)
        for figure in dict.fromkeys(figure or "figure" for figure in figures)
        if rng.random() < 0.9
    ]
    if rng.random() < 0.05:
        named = []
    rng.shuffle(named)
    words = place
    if named:
        listed = " and ".join(named)
        words = str(
            rng.choice((f"{place} with {listed}", f"{listed} on {place}", f"{place}, {listed}"))
        )
        if rng.random() < alone:
            words = listed
    if not figures and rng.random() < 0.3:
        words = f"an empty {place.split(' ', 1)[-1]}"
    if rng.random() < 0.25:
        words = words[0].upper() + words[1:]
    return words + ("." if rng.random() < 0.2 else "")


def called(rng: np.random.Generator, figure: str) -> str:
    """What a figure is called: "a house building", or "a house"."""
    name = KNOWN_BY_NAME.get(figure, figure) if rng.random() < 0.5 else figure
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def contact_sheet(pictures: list[np.ndarray], columns: int) -> Image.Image:
    """Pictures of one size, (H, W, 3) uint8, in rows."""
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * width, rows * height), "white")
    for index, picture in enumerate(pictures):
        sheet.paste(Image.fromarray(picture), (index % columns * width, index // columns * height))
    return sheet

"""Copies out of the figure package what the repository ships: examples, and figures to measure on."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

from training.world import data

SUBJECTS = {  # file name: codepoint; all but the last two are held out of training
    "teddy_bear": "1f9f8",
    "fox": "1f98a",
    "hedgehog": "1f994",
    "dragon": "1f409",
    "sailboat": "26f5",
    "sunflower": "1f33b",
    "guitar": "1f3b8",
    "cherries": "1f352",
    "popcorn": "1f37f",
    "telescope": "1f52d",
    "robot": "1f916",
    "mug": "2615",
}
SUBJECT = 256  # px
SCENES = {  # file name: painter, light, seed
    "beach": ("beach", "noon", 12),
    "beach_at_sunset": ("beach", "sunset", 12),
    "meadow": ("meadow", "noon", 15),
}
LICENCE = """\
These figures are Microsoft's Fluent Emoji (3D), copyright Microsoft Corporation, MIT licence,
taken unchanged from the npm package @lobehub/fluent-emoji-3d 1.1.0.
The file names are Unicode codepoints. All of them are held out of the mini model's training.
"""


def write_examples(folder: Path, figures: list[data.Figure]) -> None:
    """`subjects/*.png` (SUBJECT x SUBJECT, RGBA) and `scenes/*.png` (SIZE x SIZE, RGB)."""
    by_code = {figure.codepoint: figure for figure in figures}
    for kind in ("subjects", "scenes"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for name, code in SUBJECTS.items():
        picture = by_code[code].picture
        square = Image.new("RGBA", (SUBJECT, SUBJECT))
        square.paste(picture, ((SUBJECT - picture.width) // 2, (SUBJECT - picture.height) // 2))
        square.save(folder / f"subjects/{name}.png", optimize=True)
    for name, (painter, light, seed) in SCENES.items():
        canvas = (data.SIZE, data.SIZE)
        pixels = data.render_empty(np.random.default_rng(seed), painter, light, canvas)
        Image.fromarray(pixels).save(folder / f"scenes/{name}.png", optimize=True)


def write_held_out(folder: Path, tarball: Path, held_out: list[data.Figure]) -> None:
    """The held-out figures' files as the package has them (WebP with alpha, 256 px)."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {figure.codepoint for figure in held_out}
    with tarfile.open(tarball) as archive:
        for member in archive:
            code = data.codepoint(member.name)
            content = archive.extractfile(member)
            if code in wanted and content is not None:
                (folder / f"{code}.webp").write_bytes(content.read())
    (folder / "LICENCE.txt").write_text(LICENCE)

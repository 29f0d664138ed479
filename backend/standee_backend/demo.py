"""The demo: three subjects composed by the daemon, and a contact sheet of what was done.

The sheet has the subjects, the layout with its token grid and the result; and what the parts of the method do: replaced
tokens without anything else, nothing injected, and plain pasting.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from standee.client.client import Client
from standee.composition import Composition, Method
from standee.document.document import Document
from standee.document.receipt import embed
from standee.files import write_atomically

from .engine.layout import Layout, lay_out
from .engine.pixels.images import Array, to_uint8

SAMPLE = "three_friends.standee"
PATCH, LATENT_PX = 16, 8
COLOURS = ((231, 76, 60), (46, 134, 222), (241, 196, 15), (155, 89, 182), (39, 174, 96))
GAP, TITLE, COLUMNS = 12, 26, 3

TOKENS_ALONE = Method(anchor=0.0, sharing=False, detail=0.0)
"""Early replacement without what supports it."""


def main(
    folder: Path, client: Client, on_event: Callable[[Any], None] | None = None
) -> dict[str, Path]:
    """Compose the bundled sample and write picture, contact sheet and document into `folder`; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {
        "picture": folder / "picture.png",
        "sheet": folder / "contact_sheet.png",
        "document": folder / SAMPLE,
    }
    with as_file(files("standee") / "samples" / SAMPLE) as sample:
        document = Document.open(sample)
        composition = document.composition
        blobs = {digest: document.read(digest) for digest in composition.digests()}

        [result] = client.compose(composition, blobs, on_event=on_event)
        replaced = msgspec.structs.replace(composition, method=TOKENS_ALONE)
        [tokens_alone] = client.compose(replaced, blobs, on_event=on_event)
        plain = msgspec.structs.replace(composition, layers=())
        [without] = client.compose(plain, on_event=on_event)

        document.add_result(result.data, result.receipt, "composed")
        document.save(paths["document"])
    layout = lay_out(composition, blobs.__getitem__, PATCH, LATENT_PX)
    results = result, tokens_alone, without
    made = [Image.open(io.BytesIO(one.data)).convert("RGB") for one in results]
    contact_sheet(composition, layout, *made).save(paths["sheet"])
    write_atomically(paths["picture"], embed(result.data, result.receipt))
    return paths


def contact_sheet(
    composition: Composition,
    layout: Layout,
    picture: Image.Image,
    tokens_alone: Image.Image,
    prompt_only: Image.Image,
) -> Image.Image:
    """Lay out the six panels, each as large as the canvas, in two rows under their titles."""
    panels = [
        ("subjects", _subjects(layout)),
        ("layout and its tokens", _layout(layout)),
        ("composed", picture),
        ("replaced tokens alone", tokens_alone),
        ("same prompt, nothing injected", prompt_only),
        ("plain pasting", paste(layout, prompt_only)),
    ]
    width, height = picture.size
    rows = -(-len(panels) // COLUMNS)
    size = GAP + (width + GAP) * COLUMNS, (height + TITLE + GAP) * rows + TITLE
    sheet = Image.new("RGB", size, (250, 250, 248))
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(15)
    for index, (title, panel) in enumerate(panels):
        row, column = divmod(index, COLUMNS)
        left, top = GAP + column * (width + GAP), row * (height + TITLE + GAP)
        draw.text((left, top + 5), title, (40, 40, 40), font)
        sheet.paste(panel, (left, top + TITLE))
    said = f"“{composition.prompt}”"
    draw.text((GAP, size[1] - TITLE), said, (90, 90, 90), font)
    return sheet


def paste(layout: Layout, onto: Image.Image) -> Image.Image:
    """Paste the cut-outs onto a picture, back to front: what composing is to be compared with."""
    pixels: Array = np.asarray(onto, np.float32) / np.float32(255)
    return Image.fromarray(to_uint8(layout.collage(pixels)))


def _subjects(layout: Layout) -> Image.Image:
    """Show the cut-outs as they were given, in a grid on white."""
    width, height = layout.grid.cols * layout.patch, layout.grid.rows * layout.patch
    panel = Image.new("RGB", (width, height), "white")
    columns = int(np.ceil(np.sqrt(len(layout.subjects))))
    side = min(width, height) // columns
    for index, subject in enumerate(layout.subjects):
        figure = subject.picture.colour.copy()
        figure.putalpha(subject.picture.matte)
        figure.thumbnail((side - 12, side - 12), Image.Resampling.LANCZOS)
        row, col = divmod(index, columns)
        at = (
            col * side + (side - figure.width) // 2,
            row * side + (side - figure.height) // 2,
        )
        panel.paste(figure, at, figure)
    return panel


def _layout(layout: Layout) -> Image.Image:
    """Show each subject's rectangle and the cells that it owns, on the token grid."""
    size = layout.patch
    white = Image.new("RGB", (layout.grid.cols * size, layout.grid.rows * size), "white")
    panel = Image.blend(white, paste(layout, white), 0.45)
    draw = ImageDraw.Draw(panel, "RGBA")
    for index, subject in enumerate(layout.subjects):
        colour = COLOURS[index % len(COLOURS)]
        for row, col in zip(*np.nonzero(subject.owned), strict=True):
            x, y = (col + subject.crop.col) * size, (row + subject.crop.row) * size
            draw.rectangle((x, y, x + size - 1, y + size - 1), fill=(*colour, 90))
    for x in range(0, panel.width, size):
        draw.line((x, 0, x, panel.height), (0, 0, 0, 40))
    for y in range(0, panel.height, size):
        draw.line((0, y, panel.width, y), (0, 0, 0, 40))
    for index, subject in enumerate(layout.subjects):
        rect = subject.layer.rect
        box = (rect.x, rect.y, rect.x + rect.w - 1, rect.y + rect.h - 1)
        draw.rectangle(box, outline=COLOURS[index % len(COLOURS)], width=2)
    return panel

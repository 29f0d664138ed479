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
from .layout_picture import draw_layout, paste

SAMPLE = "three_friends.standee"
PATCH, LATENT_PX = 16, 8
GAP, TITLE, COLUMNS = 12, 26, 3

TOKENS_ALONE = Method(tau=0.0, anchor=0.0, sharing=False, detail=0.0)
"""Replacement in every step that has subjects, without what supports it."""


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
        ("layout and its tokens", draw_layout(layout)),
        ("composed", picture),
        ("replaced tokens alone, in every step", tokens_alone),
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

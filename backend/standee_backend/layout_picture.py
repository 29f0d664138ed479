"""Pictures of a layout: its cut-outs pasted, and the token cells that each subject owns."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from .engine.layout import Layout
from .engine.pixels.images import Array, to_uint8

COLOURS = ((231, 76, 60), (46, 134, 222), (241, 196, 15), (155, 89, 182), (39, 174, 96))


def paste(layout: Layout, onto: Image.Image) -> Image.Image:
    """Paste the cut-outs onto a picture, back to front: what composing is to be compared with."""
    pixels: Array = np.asarray(onto, np.float32) / np.float32(255)
    return Image.fromarray(to_uint8(layout.collage(pixels)))


def draw_layout(layout: Layout) -> Image.Image:
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

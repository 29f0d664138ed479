"""Cells of the token view as an image: owners' colours, what is hidden and off the canvas, borders.

A few array operations over all px of the screen, for a worker thread: painting the cells one by one would
hold up the frames that are painted meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage

from standee import token_overlay
from standee.composition import Composition
from standee.geometry import NOBODY, Arrangement, Cells

from ..model.token_counts import Tokens
from ..widgets import theme

FINEST = 5.0
"""Lines between cells are drawn when a cell is this many screen px wide."""
FILL = 0.5
"""How opaque the colour of a cell is."""
VEIL, LINE = QColor(10, 12, 18, 70), QColor(255, 255, 255, 46)
"""What lies over the canvas below the cells, and between them."""
HATCH = 8
"""Px between two lines of a hatch, where a px of the screen is one of the widget."""
BORDER = 2
"""Px of a border there."""
EVERYWHERE = QRectF(-1e6, -1e6, 2e6, 2e6)
SUBJECTS = len(token_overlay.SUBJECTS)

Ints = NDArray[np.intp]
Pixels = NDArray[np.uint32]
"""Colours as `QImage.Format_ARGB32_Premultiplied` has them; 0 is nothing."""


@dataclass(frozen=True)
class CellPicture:
    """The image of some `cells` of `patch` canvas px at a `scale`, px of the screen per canvas px.

    `asked` are the cells that were to be seen; beyond `cells` there is nothing of those. `origin` is
    where it begins, px of the screen from the corner of the canvas.
    """

    image: QImage
    pixels: Pixels
    """What the image shows, which does not keep it."""
    cells: Cells
    asked: Cells
    patch: int
    scale: float
    origin: tuple[int, int]

    def changed(self, before: CellPicture | None) -> QRectF:
        """Return around what it is another one than `before`, px of the widget from the corner of the canvas."""
        ratio, (x, y) = self.image.devicePixelRatio(), self.origin
        if before is None or (before.origin, before.scale) != (self.origin, self.scale):
            return EVERYWHERE
        if before.pixels.shape != self.pixels.shape:
            return EVERYWHERE
        other = before.pixels != self.pixels
        rows, columns = np.flatnonzero(other.any(axis=1)), np.flatnonzero(other.any(axis=0))
        if not len(rows):
            return QRectF()
        top, left = int(rows[0]), int(columns[0])
        height, width = int(rows[-1]) + 1 - top, int(columns[-1]) + 1 - left
        return QRectF((x + left) / ratio, (y + top) / ratio, width / ratio, height / ratio)


def picture_of_cells(
    tokens: Tokens, composition: Composition, asked: Cells, scale: float, ratio: float
) -> CellPicture:
    """Return the image of what is `asked` for; `ratio` is px of the screen to one of the widget."""
    seen, side = tokens.arrangement, tokens.patch * scale
    cells = asked.clip(_bounds(seen)).grow(1)  # borders reach out of the cells that they are around
    numbers = _numbers(tokens, composition)
    owner, inside = _window(seen, cells)
    own = numbers[owner]
    hidden, clipped = _behind_and_beside(seen, numbers, cells)

    columns, rows = _px(cells.col, cells.cols, side), _px(cells.row, cells.rows, side)
    image = _filled(own, inside, columns, rows, side >= FINEST)
    paints = _paints()
    thick = max(1, round(ratio))
    lines = np.array([0, 0, *(one.lighter(130).rgba() for one in paints[1:])], np.uint32)
    _hatch(image, lines[np.where(clipped, clipped, hidden)], columns, rows, thick, rising=True)
    _hatch(image, lines[clipped], columns, rows, thick, rising=False)
    edges = np.array([0, 0, *(one.lighter(115).rgba() for one in paints[1:])], np.uint32)
    _rule(image, edges[_borders(owner, own)], columns, rows, BORDER * thick)
    _rule(image.T, edges[_borders(owner.T, own.T)], rows, columns, BORDER * thick)

    height, width = image.shape
    form = QImage.Format.Format_ARGB32_Premultiplied
    picture = QImage(image.data, width, height, width * 4, form)
    picture.setDevicePixelRatio(ratio)
    origin = int(columns[0]), int(rows[0])
    return CellPicture(picture, image, cells, asked, tokens.patch, scale, origin)


# -- cells -----------------------------------------------------------------------------------------


def _numbers(tokens: Tokens, composition: Composition) -> Ints:
    """Return the colours of the placements by number, and at last 0, nobody's; 1 is the scene's."""
    order = {layer.id: n for n, layer in enumerate(composition.layers)}
    return np.array([2 + order[one] % SUBJECTS if one else 1 for one in tokens.layers] + [0])


def _paints() -> list[QColor]:
    """Return the colours themselves from number 1 on."""
    return [QColor(token_overlay.SCENE), *(theme.subject_colour(n) for n in range(SUBJECTS))]


def _bounds(seen: Arrangement) -> Cells:
    """Return the cells around the canvas and all placements."""
    all_of_them = [seen.grid, *(one.cells for one in seen.placements)]
    row, col = min(one.row for one in all_of_them), min(one.col for one in all_of_them)
    end = max(one.row + one.rows for one in all_of_them)
    return Cells(row, col, end - row, max(one.col + one.cols for one in all_of_them) - col)


def _window(seen: Arrangement, cells: Cells) -> tuple[Ints, NDArray[np.bool_]]:
    """Return who owns some cells, and which of them are on the canvas."""
    owner = np.full((cells.rows, cells.cols), NOBODY)
    inside = np.zeros(owner.shape, bool)
    part = cells.clip(seen.grid)
    if part.rows and part.cols:
        owner[part.within(cells)] = seen.owner[part.within(seen.grid)]
        inside[part.within(cells)] = True
    return owner, inside


def _behind_and_beside(seen: Arrangement, numbers: Ints, cells: Cells) -> tuple[Ints, Ints]:
    """Return the colours, by number, of what is hidden in some cells, and of what is off the canvas there."""
    hidden = np.zeros((cells.rows, cells.cols), np.intp)
    clipped = np.zeros_like(hidden)
    for index in np.argsort(numbers[:-1], kind="stable").tolist():
        placed, number = seen.placements[index], numbers[index]
        part = placed.cells.clip(cells)
        if not (part.rows and part.cols) or number == 1:
            continue
        there, here = part.within(placed.cells), part.within(cells)
        hidden[here][seen.hidden(index)[there]] = number
        if placed.cells.clip(seen.grid) != placed.cells:
            clipped[here][seen.clipped(index)[there]] = number
    return hidden, clipped


def _borders(owner: Ints, own: Ints) -> Ints:
    """Return the colours, by number, of the edges between each row of cells and the next; 0 is no edge."""
    of_subjects = np.where(own > 1, own, 0)
    across = np.maximum(of_subjects[1:], of_subjects[:-1])
    return np.where(owner[1:] != owner[:-1], across, 0)


# -- px --------------------------------------------------------------------------------------------


def _px(first: int, count: int, side: float) -> Ints:
    """Return where cells begin, and the last one ends, whole px."""
    return np.rint((first + np.arange(count + 1)) * side).astype(np.intp)


def _cell_of(ends: Ints) -> Ints:
    """Return which cell each px is of."""
    return np.repeat(np.arange(len(ends) - 1), np.diff(ends))


def _filled(own: Ints, inside: NDArray[np.bool_], columns: Ints, rows: Ints, lined: bool) -> Pixels:
    """Return the image of who owns what, with lines between the cells of the canvas."""
    veil = _premultiplied(VEIL)
    mixed = np.stack([veil, *(_over(_premultiplied(one) * FILL, veil) for one in _paints())])
    plain = np.where(inside, _packed(mixed)[own], np.uint32(0))
    bright = np.where(inside, _packed(_over(_premultiplied(LINE), mixed))[own], np.uint32(0))
    column = _cell_of(columns)
    lines = plain[:, column]
    if lined:
        lines[:, columns[:-1] - columns[0]] = bright
    image = np.repeat(lines, np.diff(rows), axis=0)
    if lined:
        image[rows[:-1] - rows[0]] = bright[:, column]
    return image


def _hatch(
    image: Pixels, colours: Pixels, columns: Ints, rows: Ints, thick: int, rising: bool
) -> None:
    """Draw lines aslant in the cells that have a colour."""
    if not colours.any():
        return
    column, row, apart = _cell_of(columns), _cell_of(rows), HATCH * thick
    for y in range(apart):
        down = y + int(rows[0])
        first = (-down if rising else down) - int(columns[0])
        for x in {(first + n) % apart for n in range(thick)}:
            new = colours[row[y::apart, None], column[None, x::apart]]
            np.copyto(image[y::apart, x::apart], new, where=new != 0)


def _rule(image: Pixels, colours: Pixels, columns: Ints, rows: Ints, thick: int) -> None:
    """Draw borders (edges between rows, columns), which reach half their width beyond their ends."""
    column, half = _cell_of(columns), thick // 2
    for edge in np.flatnonzero(colours.any(axis=1)).tolist():
        line = colours[edge][column]
        for _ in range(half):
            longer = line.copy()
            np.maximum(line[:-1], line[1:], out=longer[:-1])
            np.maximum(longer[1:], line[:-1], out=longer[1:])
            line = longer
        y = int(rows[edge + 1] - rows[0])
        np.copyto(image[max(0, y - half) : y + half], line, where=line != 0)


def _premultiplied(colour: QColor) -> NDArray[np.float64]:
    """Return red, green, blue and alpha, 0..1, the first three times the last."""
    parts = np.array(colour.getRgbF())
    return np.append(parts[:3] * parts[3], parts[3])


def _over(top: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a colour over others, all premultiplied."""
    return top + below * (1 - top[3])


def _packed(colours: NDArray[np.float64]) -> Pixels:
    """Return premultiplied colours (n, 4) as px."""
    red, green, blue, alpha = np.rint(colours * 255).astype(np.uint32).T
    return (alpha << 24) | (red << 16) | (green << 8) | blue

"""The token view: what it shows of hidden cells and those off the canvas, and how it keeps up with a drag."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF
from PySide6.QtGui import QImage

from standee import Rect
from standee.geometry import Cells
from standee_desktop.canvas import token_overlay
from support.desktop.person import Person


def test_a_crowd_is_counted_once_the_hand_rests(
    person: Person, settle: Callable[..., None]
) -> None:
    count = token_overlay.CROWD + 1
    names = [f"cat {n}" for n in range(count)]
    person.has(*((name, 16 * n, 64, 32, 32) for n, name in enumerate(names)))
    person.chooses("token-view")
    settle(lambda: person.window.tokens.tokens)
    settle()
    told = []
    person.window.tokens.counted.connect(told.append)
    person.selects(*names)
    settle()
    told.clear()
    person.drags((16, 80), (16, 144), let_go=False)
    assert not told
    settle(lambda: told)
    assert told[-1].arrangement.placements[0].cells.row == 8
    person.selects(names[0])


def test_what_is_off_the_canvas_is_crossed_and_what_is_hidden_hatched(
    person: Person, settle: Callable[..., None]
) -> None:
    width = person.document.composition.canvas.width
    person.has(("back", 64, 64, 64, 64), ("front", 64, 64, 32, 64), ("out", width - 32, 64, 64, 64))
    person.selects()
    before = shot(person)
    shows_tokens(person, settle)
    after = shot(person)

    def changed(x: float, y: float) -> list[tuple[int, int]]:
        """Return which px of a cell (canvas px) the token view changes."""
        place = person.canvas.to_screen(Rect(x, y, 16, 16)).toAlignedRect()
        spots = [(x, y) for x in range(2, place.width() - 2) for y in range(2, place.height() - 2)]
        return [
            (x, y)
            for x, y in spots
            if before.pixel(place.x() + x, place.y() + y)
            != after.pixel(place.x() + x, place.y() + y)
        ]

    crossed = changed(width + 8, 80)
    assert 0 < len(crossed) < 0.5 * len(changed(104, 80)), "lines, not an area"
    assert not changed(width + 40, 80), "there is nothing"
    hatched, plain = colours(person, after, 72, 80), colours(person, after, 104, 80)
    assert len(hatched) > len(plain)


def test_far_inside_the_cells_are_painted_where_one_looks(
    person: Person, settle: Callable[..., None]
) -> None:
    person.has(("cat", 0, 0, 256, 256))
    person.selects()
    shows_tokens(person, settle)
    person.canvas.zoom_to(16.0)
    settle(lambda: shown_scale(person) == person.canvas.camera.scale)
    assert person.window.tokens.picture.image.width() < 16 * 256 / 2, "what is seen, not all"
    for _ in range(8):
        person.canvas.set_camera(person.canvas.camera.panned(-person.canvas.width() / 2, 0))
        settle()
    at = person.canvas.to_canvas(QPointF(person.canvas.rect().center()))
    cell = Cells(int(at.y()) // 16, int(at.x()) // 16, 1, 1)
    settle(lambda: cell.clip(person.window.tokens.picture.cells) == cell)
    assert cell.clip(person.window.tokens.picture.cells) == cell


def shows_tokens(person: Person, settle: Callable[..., None]) -> None:
    person.chooses("token-view")
    settle(lambda: person.window.tokens.tokens)
    settle()


def shown_scale(person: Person) -> float:
    return person.window.tokens.picture.scale


def shot(person: Person) -> QImage:
    return person.canvas.grab().toImage()


def colours(person: Person, image: QImage, x: float, y: float) -> set[int]:
    """Return the colours of a cell (canvas px)."""
    place = person.canvas.to_screen(Rect(x, y, 16, 16)).toAlignedRect().adjusted(3, 3, -3, -3)
    rows, columns = range(place.top(), place.bottom()), range(place.left(), place.right())
    return {image.pixel(column, row) for row in rows for column in columns}

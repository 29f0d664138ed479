"""Floating bars, which move nothing beneath them."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton

from standee.errors import BadDocument
from support.desktop.person import Person


def test_a_notice_in_the_middle_of_a_drag_moves_nothing(person: Person, assembly, settle) -> None:  # type: ignore[no-untyped-def]
    person.has(("cat", 60, 60, 60, 60))
    snapping = dict.fromkeys(("snap_canvas", "snap_layers", "snap_tokens", "snap_guides"), False)
    person.document.look(**snapping)
    person.drags((90, 90), (120, 90), let_go=False)
    camera, there = person.canvas.camera, person.rect("cat")
    assembly.notices.tell("Something that is worth knowing.", "And more of it.", "news")
    settle(lambda: assembly.notice_bar.isVisible())
    assert person.canvas.camera == camera
    at = person.spot(121, 90)
    person._moves(at, Qt.KeyboardModifier.NoModifier)
    assert abs(person.rect("cat")[0] - there[0]) <= 2
    assert person.rect("cat")[1] == there[1]
    QTest.mouseRelease(person.canvas, Qt.MouseButton.LeftButton, pos=at)


def test_taking_up_a_brush_zooms_nothing(person: Person, assembly, settle) -> None:  # type: ignore[no-untyped-def]
    person.has(("cat", 60, 60, 60, 60))
    person.selects("cat")
    camera = person.canvas.camera
    person.chooses("tool-cutout")
    assert assembly.brush_bar.isVisible()
    assert person.canvas.camera == camera


@pytest.mark.parametrize(
    ("tool", "width"),
    [("tool-cutout", 1024), ("tool-kept", 1024), ("tool-clicks", 1024), ("tool-clicks", 940)],
)
def test_in_a_small_window_a_tool_asks_for_no_room_and_nothing_of_its_bar_is_cut_off(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle, monkeypatch, tool: str, width: int
) -> None:
    person.window.resize(width, 640)
    person.has(("cat", 60, 60, 60, 60))
    person.selects("cat")
    settle()
    before = person.window.size()
    person.chooses(tool)
    settle()
    assert person.window.size() == before
    bar = assembly.clicks_bar if tool == "tool-clicks" else assembly.brush_bar
    settle(lambda: bar.isVisible())
    assert bar.parentWidget().rect().contains(bar.geometry())
    parts = [one for one in bar.findChildren(QAbstractButton) if one.isVisible()]
    assert len(parts) >= 6
    for part in parts:
        assert bar.rect().contains(part.geometry()), part.accessibleName()
        assert part.width() >= part.minimumSizeHint().width()
    if bar.title.isHidden():
        assert bar.add.x() < 24  # nor does it leave its room empty
    else:
        assert bar.title.width() >= bar.title.sizeHint().width()
    asked: list[int] = []  # and once it fits it is at rest
    monkeypatch.setattr(type(bar), "heightForWidth", lambda _, width: asked.append(width) or 80)
    settle()
    assert len(asked) < 3


def test_at_1024_px_no_notice_is_cut_off_or_stands_in_a_narrow_column(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle
) -> None:
    person.has()
    person.window.resize(1024, 640)
    settle()
    text = "holiday.standee is not a Standee document, or it is damaged (File is not a zip file)."
    assembly.notices.fail(BadDocument(text), fix="open-folder", act=lambda: None)
    settle()
    [row] = assembly.notice_bar.rows()
    assert row.fix.width() >= row.fix.sizeHint().width()
    assert row.height() < 130
    person.window.resize(1500, 900)
    settle()
    assert row.height() < 80  # its button is beside the words again


def test_of_many_notices_the_newest_three_are_shown(person: Person, assembly, settle) -> None:  # type: ignore[no-untyped-def]
    for n in range(5):
        assembly.notices.tell(f"News {n}", topic=str(n))
    settle()
    assert [row.notice.text for row in assembly.notice_bar.rows()] == ["News 2", "News 3", "News 4"]
    assembly.notices.clear("4")
    settle()
    shown = sorted(row.notice.text for row in assembly.notice_bar.rows())
    assert shown == ["News 1", "News 2", "News 3"]
    assert assembly.notice_bar.height() < person.canvas.height() / 2

"""Floating bars, which move nothing beneath them."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QDockWidget, QToolBar

from standee.errors import BadDocument
from standee_desktop.shell.application import translate
from support.desktop.person import Person
from support.desktop.squeezed import cut_off


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
    assert not cut_off(bar)
    if not bar.title.isVisible():
        assert bar.add.mapTo(bar, QPoint()).x() < 24  # nor does it leave its room empty
    asked: list[int] = []  # and once it has its height it is at rest
    monkeypatch.setattr(type(bar), "heightForWidth", lambda _, width: asked.append(width) or 80)

    def at_rest() -> bool:
        asked.clear()
        settle()
        return not asked

    settle(at_rest)


TOOLS = ("arrange", "frame", "words", "clicks", "cutout", "kept")


@pytest.fixture(params=["en", "zh_CN"])
def spoken(app, request):  # type: ignore[no-untyped-def]
    """The language of the window."""
    translate(app, request.param)
    yield request.param
    translate(app, "en")


@pytest.mark.parametrize(
    ("width", "height", "panels"),
    [(640, 640, False), (800, 640, False), (940, 640, False), (874, 760, True), (1024, 640, True)],
)
def test_no_control_of_any_bar_is_cut_off_whatever_is_going_on(  # type: ignore[no-untyped-def]
    spoken, person: Person, assembly, settle, picture, width: int, height: int, panels: bool
) -> None:
    person.has(("cat", 60, 60, 60, 60))
    person.selects("cat")
    person.document.add_result(picture(), {})
    for dock in person.window.findChildren(QDockWidget):
        dock.setVisible(panels)
    settle()
    person.window.resize(width, height)
    settle(lambda: person.window.width() == width)
    person.chooses("token-view")
    error = BadDocument("Something that is worth knowing.", fix="And more of it.")
    assembly.notices.fail(error, "news", "open-folder", lambda: None)
    cut = []
    for tool in TOOLS:
        person.chooses(f"tool-{tool}")
        settle()
        bars = [*person.window.findChildren(QToolBar), person.window.statusBar()]
        bars += [assembly.brush_bar, assembly.clicks_bar, assembly.notice_bar]
        shown = [one for one in bars if one.isVisible()]
        assert len(shown) >= (5 if tool in ("clicks", "cutout", "kept") else 4)
        cut += [(tool, one) for bar in shown for one in cut_off(bar)]
    assert cut == []


@pytest.mark.parametrize("width", [150, 220, 294])
def test_a_bar_takes_as_many_rows_as_it_needs(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle, width: int
) -> None:
    person.has(("cat", 60, 60, 60, 60))
    person.selects("cat")
    person.chooses("tool-cutout")
    bar = assembly.brush_bar
    bar.setParent(None)
    bar.resize(width, bar.heightForWidth(width))
    bar.show()
    settle()
    assert cut_off(bar) == []


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

"""Canvas view, used as a person uses it: mouse and keys in a real window."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from standee import Rect, Scene
from standee_desktop.model import edits
from support.desktop.person import ALT, CTRL, NONE, SHIFT, Person


def no_snapping(person: Person) -> None:
    person.document.look(snap_canvas=False, snap_layers=False, snap_tokens=False, snap_guides=False)


def test_dragging_a_layer_moves_it_and_is_one_step(person: Person) -> None:
    no_snapping(person)
    person.has(("cat", 40, 40, 60, 60))
    person.drags((70, 70), (90, 100))
    assert person.rect("cat") == pytest.approx((60, 70, 60, 60), abs=0.5)
    assert person.window.undo_stack.count() == 1
    person.chooses("undo")
    assert person.rect("cat") == (40, 40, 60, 60)
    person.chooses("redo")
    assert person.rect("cat")[0] == pytest.approx(60, abs=0.5)


def test_escape_in_a_drag_puts_everything_back(person: Person) -> None:
    person.has(("cat", 40, 40, 60, 60))
    person.drags((70, 70), (130, 150), let_go=False)
    assert person.rect("cat") != (40, 40, 60, 60)
    person.types(Qt.Key.Key_Escape)
    assert person.rect("cat") == (40, 40, 60, 60)
    assert person.window.undo_stack.count() == 0


def test_a_moved_layer_snaps_to_the_edge_of_the_canvas(person: Person) -> None:
    person.has(("cat", 40, 40, 60, 60))
    person.drags((70, 70), (31.5, 71.5))
    assert person.rect("cat")[0] == 0


def test_ctrl_turns_snapping_off_while_it_is_held(person: Person) -> None:
    person.has(("cat", 40, 40, 60, 60))
    person.drags((70, 70), (71.6, 72.4), keys=CTRL, steps=12)
    x, y, _, _ = person.rect("cat")
    assert x == pytest.approx(41.6, abs=1)
    assert y == pytest.approx(42.4, abs=1)


def test_a_corner_keeps_the_aspect_and_shift_frees_it(person: Person) -> None:
    no_snapping(person)
    person.has(("cat", 40, 40, 60, 60))
    person.selects("cat")
    person.drags((100, 100), (130, 110))
    assert person.rect("cat") == pytest.approx((40, 40, 90, 90), abs=0.5)
    person.drags((130, 130), (150, 110), keys=SHIFT)
    assert person.rect("cat") == pytest.approx((40, 40, 110, 70), abs=1)


def test_a_click_selects_the_foremost_cut_out_not_the_foremost_rectangle(person: Person) -> None:
    person.has(("disc", 40, 40, 100, 100), ("front", 120, 120, 100, 100))
    person.clicks(123, 123)  # in the empty corner of the front disc
    assert person.document.selection == ("disc",)
    person.clicks(170, 170)
    assert person.document.selection == ("front",)
    person.clicks(5, 5)
    assert person.document.selection == ()


def test_shift_adds_to_the_selection_and_ctrl_reaches_what_lies_beneath(person: Person) -> None:
    person.has(("a", 40, 40, 60, 60), ("b", 40, 40, 60, 60), ("c", 140, 140, 60, 60))
    person.clicks(70, 70)
    person.clicks(170, 170, SHIFT)
    assert person.document.selection == ("b", "c")
    person.clicks(70, 70)
    person.clicks(70, 70, CTRL)
    assert person.document.selection == ("a",)


def test_a_rubber_band_selects_what_it_touches(person: Person) -> None:
    person.has(("a", 20, 20, 40, 40), ("b", 100, 20, 40, 40), ("c", 20, 180, 40, 40))
    person.drags((10, 10), (150, 70))
    assert person.document.selection == ("a", "b")


def test_several_layers_move_and_resize_together(person: Person) -> None:
    no_snapping(person)
    person.has(("a", 20, 20, 40, 40), ("b", 100, 20, 40, 40))
    person.chooses("select-all")
    person.drags((40, 40), (60, 50))
    assert person.rect("b") == pytest.approx((120, 30, 40, 40), abs=0.5)
    person.drags((160, 70), (40 + 200, 70))
    assert person.rect("a")[2] > 50


def test_alt_drag_leaves_the_original_and_moves_a_copy(person: Person) -> None:
    person.has(("cat", 40, 40, 60, 60))
    person.drags((70, 70), (150, 150), keys=ALT)
    assert person.order == ["cat", "cat"]
    assert person.rect("cat") == (40, 40, 60, 60)
    person.chooses("undo")
    assert person.order == ["cat"]


def test_locked_and_hidden_layers_are_not_hit(person: Person) -> None:
    person.has(("cat", 40, 40, 60, 60))
    person.selects("cat")
    person.chooses("lock")
    person.drags((70, 70), (150, 150))
    assert person.rect("cat") == (40, 40, 60, 60)
    person.selects("cat")
    person.chooses("lock")
    person.chooses("hide")
    person.clicks(70, 70)
    assert person.document.selection == ()


def test_arrows_nudge_by_a_px_with_shift_by_a_token_with_alt_the_size(person: Person) -> None:
    person.has(("cat", 40, 40, 60, 60))
    person.selects("cat")
    person.types(Qt.Key.Key_Right, times=3)
    person.types(Qt.Key.Key_Down, SHIFT)
    person.types(Qt.Key.Key_Right, ALT)
    assert person.rect("cat") == (43, 56, 61, 60)
    assert person.window.undo_stack.count() == 2  # the nudges are one, the size is another


def test_tab_walks_through_the_layers_and_then_leaves_the_canvas(person: Person) -> None:
    person.has(("a", 20, 20, 40, 40), ("b", 100, 20, 40, 40))
    person.canvas.setFocus()
    seen = []
    for _ in range(2):
        QTest.keyClick(person.canvas, Qt.Key.Key_Tab)
        seen.append(person.document.selection)
    assert seen == [("a",), ("b",)]
    QTest.keyClick(person.canvas, Qt.Key.Key_Tab)
    assert not person.canvas.hasFocus()


def test_the_keyboard_does_all_that_the_mouse_does(person: Person) -> None:
    person.has(("a", 20, 20, 40, 40), ("b", 100, 20, 40, 40))
    person.types(Qt.Key.Key_A, CTRL)
    person.types(Qt.Key.Key_D, CTRL)
    assert len(person.document.composition.layers) == 4
    person.types(Qt.Key.Key_Delete)
    assert person.order == ["a", "b"]
    person.selects("a")
    person.types(Qt.Key.Key_BracketRight, CTRL)
    assert person.order == ["b", "a"]
    person.types(Qt.Key.Key_H, CTRL)
    assert person.document.layer("a").flip
    person.types(Qt.Key.Key_Z, CTRL, times=4)
    assert person.order == ["a", "b"]


def test_copied_layers_are_pasted_beside_and_into_another_document(person: Person, settle) -> None:  # type: ignore[no-untyped-def]
    from standee import Document

    person.has(("cat", 40, 40, 60, 60))
    person.selects("cat")
    person.chooses("copy")
    person.chooses("paste")
    assert [layer.rect.x for layer in person.document.composition.layers] == [40, 56]
    settle(lambda: not person.window.workers.busy)
    person.document.open(Document())
    person.chooses("paste")
    settle(lambda: person.document.composition.layers)
    assert person.document.document.missing() == frozenset()


def test_the_wheel_zooms_around_the_mouse(person: Person) -> None:
    spot = QPointF(person.spot(64, 64))
    before = person.canvas.to_canvas(spot)
    event = QWheelEvent(
        spot,
        person.canvas.mapToGlobal(spot),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        NONE,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    scale = person.canvas.camera.scale
    QApplication.sendEvent(person.canvas, event)
    assert person.canvas.camera.scale == pytest.approx(scale * 1.2)
    after = person.canvas.to_canvas(spot)
    assert (after.x(), after.y()) == pytest.approx((before.x(), before.y()))


def test_a_guide_comes_out_of_the_ruler_and_goes_back_into_it(person: Person) -> None:
    ruler = person.window._frame.down
    start = QPoint(5, 200)
    QTest.mousePress(ruler, Qt.MouseButton.LeftButton, NONE, start)
    target = ruler.mapFromGlobal(person.canvas.mapToGlobal(person.spot(100, 100)))
    QTest.mouseMove(ruler, target)
    QTest.mouseRelease(ruler, Qt.MouseButton.LeftButton, NONE, target)
    assert person.document.view.guides_x == (100,)
    person.drags((100, 100), person.canvas.camera.to_canvas(-30, 100))
    assert person.document.view.guides_x == ()


def test_dragging_the_edge_of_the_canvas_outpaints_by_whole_tokens(person: Person) -> None:
    digest = person.document.document.add_picture(person._picture((256, 256)))
    scene = edits.with_scene(person.document.composition, Scene(picture=digest))
    person.document.apply("Scene", scene)
    person.chooses("tool-frame")
    person.drags((256, 128), (256 + 50, 128))
    composition = person.document.composition
    assert (composition.canvas.width, composition.canvas.height) == (304, 256)
    assert composition.scene.rect == Rect(0, 0, 256, 256)
    person.drags((0, 128), (-33, 128))
    assert person.document.composition.canvas.width == 336
    assert person.document.composition.scene.rect == Rect(32, 0, 256, 256)
    person.chooses("undo")
    person.chooses("undo")
    assert person.document.composition.canvas.width == 256


def test_the_token_view_counts_and_follows_a_drag(person: Person, settle) -> None:  # type: ignore[no-untyped-def]
    person.has(("cat", 32, 32, 64, 64))
    person.chooses("token-view")
    settle(lambda: person.window.tokens.tokens)
    first = person.window.tokens.tokens.counts("cat")
    assert first[0] > 8
    assert first[1:] == (0, 0)
    person.drags((64, 64), (8, 64))
    settle(lambda: person.window.tokens.tokens.counts("cat")[2] > 0)
    person.chooses("token-view")
    assert person.window.tokens.tokens is None


def test_a_picture_that_cannot_be_read_shows_and_hurts_nothing(person: Person, settle) -> None:  # type: ignore[no-untyped-def]
    broken = person.document.document.add_picture(b"\x89PNG\r\n\x1a\n and then nothing")
    person.has(("cat", 40, 40, 60, 60))
    layers = edits.with_fields(person.document.composition, {"cat"}, picture=broken)
    person.document.apply("Break", layers)
    settle(lambda: person.canvas.pictures.error(broken))
    person.drags((70, 70), (90, 90))
    assert person.rect("cat")[0] > 40


def test_ctrl_and_shift_stand_for_alt_where_the_desktop_takes_that(person: Person) -> None:
    person.has(("cat", 40, 40, 60, 60))
    person.drags((70, 70), (150, 150), keys=CTRL | SHIFT)
    assert person.order == ["cat", "cat"]
    person.chooses("undo")
    no_snapping(person)
    person.selects("cat")
    person.drags((100, 100), (110, 110), keys=CTRL | SHIFT)
    x, y, w, h = person.rect("cat")
    assert (x + w / 2, y + h / 2) == pytest.approx((70, 70), abs=1)
    assert w > 70
    before = person.rect("cat")
    person.types(Qt.Key.Key_Right, CTRL | SHIFT)
    assert person.rect("cat")[2] == before[2] + 1


def test_a_drag_ends_on_whole_px(person: Person) -> None:
    no_snapping(person)
    person.has(("cat", 40, 40, 61, 60))
    person.canvas.zoom_to(1.37)
    person.drags((70, 70), (100, 113))
    x, y, *_ = person.rect("cat")
    assert (x, y) == (round(x), round(y))
    assert (x, y) != (40, 40)


def test_tab_past_the_last_layer_leaves_with_the_selection(person: Person) -> None:
    person.has(("a", 20, 20, 40, 40), ("b", 100, 20, 40, 40))
    person.window.activateWindow()
    person.types(Qt.Key.Key_Tab, times=2)
    assert person.document.selection == ("b",)
    person.types(Qt.Key.Key_Tab)
    assert person.document.selection == ("b",)
    assert not person.canvas.hasFocus()


def test_space_that_is_let_go_elsewhere_pans_no_more(person: Person) -> None:
    person.has(("cat", 40, 40, 60, 60))
    person.window.activateWindow()
    person.settle(person.window.isActiveWindow)
    person.canvas.setFocus()
    QTest.keyPress(person.canvas, Qt.Key.Key_Space)
    assert person.canvas.panning
    person.window.layers.list.setFocus()
    assert not person.canvas.panning
    camera = person.canvas.camera
    person.drags((70, 70), (120, 120))
    assert person.canvas.camera == camera
    assert person.rect("cat")[0] > 80


def test_single_letters_take_up_tools(person: Person, assembly) -> None:  # type: ignore[no-untyped-def]
    person.has(("cat", 40, 40, 60, 60))
    person.selects("cat")
    person.window.activateWindow()
    person.settle(person.window.isActiveWindow)
    for key, name in (
        (Qt.Key.Key_B, "tool-cutout"),
        (Qt.Key.Key_K, "tool-kept"),
        (Qt.Key.Key_C, "tool-frame"),
        (Qt.Key.Key_V, "tool-arrange"),
    ):
        person.types(key)
        assert person.window.action(name).isChecked(), name
    prompt = assembly.compose_panel.prompt
    prompt.setFocus()
    QTest.keyClicks(prompt, "a black cave")
    assert prompt.toPlainText() == "a black cave"
    assert person.window.action("tool-arrange").isChecked()


def test_the_mouse_is_never_at_minus_nothing(person: Person) -> None:
    person.window.status._show_mouse(QPointF(-0.3, 127.8))
    assert person.window.status._mouse.text() == "0, 128"


@pytest.fixture
def corner(person: Person) -> str:
    """A picture of 128 px whose cut-out is a square of 32 px at its lower right."""
    image = Image.new("RGBA", (128, 128))
    image.paste("tomato", (96, 96, 128, 128))
    out = io.BytesIO()
    image.save(out, "PNG")
    digest = person.document.document.add_picture(out.getvalue())
    layer = edits.Layer(edits.Rect(0, 0, 128, 128), digest, id="corner", name="corner")
    person.document.apply("Add", edits.added(person.document.composition, [layer]))
    person.settle(lambda: person.canvas.pictures.look(digest))
    return "corner"


@pytest.mark.parametrize("tokens", [False, True])
def test_what_is_hit_is_what_is_seen(person: Person, corner: str, tokens: bool) -> None:
    person.document.look(token_view=tokens)
    person.clicks(30, 30)
    assert person.document.selection == ()
    person.clicks(112, 112)
    assert person.document.selection == (corner,)
    person.document.select(())
    person.drags((20, 150), (80, 20))
    assert person.document.selection == ()
    person.drags((140, 140), (110, 110))
    assert person.document.selection == (corner,)


def test_in_the_token_view_a_layer_is_hit_where_it_is_shown(person: Person) -> None:
    person.has(("cat", 23, 23, 32, 32))  # shown at 16 to 48
    person.document.look(token_view=True)
    person.clicks(20, 32)
    assert person.document.selection == ("cat",)
    person.document.look(token_view=False)
    person.document.select(())
    person.clicks(20, 32)
    assert person.document.selection == ()


def test_layers_are_aligned_by_what_is_seen_of_them(person: Person, corner: str) -> None:
    person.has(("disc", 150, 40, 60, 60))
    person.selects(corner, "disc")
    person.chooses("align-bottom")
    assert person.rect(corner)[1] + 128 == person.rect("disc")[1] + 60
    person.chooses("align-left")
    left = person.rect("disc")[0]
    assert person.rect(corner)[0] + 96 == left
    person.selects(corner)
    person.chooses("align-top")
    assert person.rect(corner)[1] == -96


def test_a_drag_snaps_what_is_seen(person: Person, corner: str) -> None:
    no_snapping(person)
    person.document.look(snap_canvas=True)
    person.drags((112, 112), (112, 237), steps=12)  # 3 px before the canvas' lower edge
    assert person.rect(corner)[1] + 128 == pytest.approx(256)
    assert person.rect(corner)[0] == pytest.approx(0, abs=1)


def test_a_flipped_picture_is_seen_on_the_other_side(person: Person, corner: str) -> None:
    person.selects(corner)
    person.chooses("flip")
    seen = person.canvas.pictures.seen(person.document.layer(corner))
    assert (seen.x, seen.y, seen.w, seen.h) == (0, 96, 32, 32)

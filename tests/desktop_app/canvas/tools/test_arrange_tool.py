"""Turned layers and groups, arranged as a person does: handles, Shift, settings, picking, snapping, undo."""

from __future__ import annotations

import math

import pytest
from PySide6.QtCore import QPointF, Qt

from standee import Rect
from standee.rotation import centre, turned_about
from standee_desktop.canvas.painting import TURN_AWAY
from standee_desktop.model import edits
from support.desktop.person import CTRL, SHIFT, Person

Place = tuple[float, float]


@pytest.fixture
def cat(person: Person) -> Person:
    """A person with one upright layer, selected, and nothing to snap to."""
    person.document.look(snap_canvas=False, snap_layers=False, snap_tokens=False)
    person.has(("cat", 88, 98, 80, 60))
    person.selects("cat")
    return person


def turn_handle(person: Person, name: str = "cat") -> Place:
    """Return where the handle outside the upper right corner of a layer is, canvas px."""
    layer, away = person.document.layer(name), TURN_AWAY / person.canvas.camera.scale
    at = layer.rect.x + layer.rect.w + away, layer.rect.y - away
    return turned_about(*at, centre(layer.rect), layer.rotation)


def turn(person: Person, degrees: float, keys=Qt.KeyboardModifier.NoModifier, **more) -> None:
    start = turn_handle(person)
    middle = centre(person.document.layer("cat").rect)
    person.drags(start, turned_about(*start, middle, degrees), keys, steps=12, **more)


def rotation(person: Person, name: str = "cat") -> float:
    return person.document.layer(name).rotation


def test_dragging_a_dot_outside_a_corner_turns_about_the_middle_in_one_step(cat: Person) -> None:
    turn(cat, 40)
    assert rotation(cat) == pytest.approx(40, abs=1)
    assert cat.rect("cat") == (88, 98, 80, 60)
    assert cat.window.undo_stack.count() == 1
    turn(cat, -60)  # the handles have turned along
    assert rotation(cat) == pytest.approx(-20, abs=2)
    cat.chooses("undo")
    cat.chooses("undo")
    assert rotation(cat) == 0


def test_shift_turns_by_steps_and_a_quarter_turn_draws_the_hand(cat: Person) -> None:
    turn(cat, 52, SHIFT)
    assert rotation(cat) == 45
    turn(cat, 44.2)
    assert rotation(cat) == 90


def test_escape_turns_back(cat: Person) -> None:
    turn(cat, 70, let_go=False)
    assert rotation(cat) != 0
    cat.types(Qt.Key.Key_Escape)
    assert rotation(cat) == 0
    assert cat.window.undo_stack.count() == 0


def test_the_cursor_over_a_dot_is_none_of_the_sizing_ones(cat: Person) -> None:
    tool, at = cat.canvas.tool, QPointF(*turn_handle(cat))
    assert tool._handle_at(at)[0] == "turn"


def test_a_corner_of_a_turned_layer_follows_the_mouse_and_the_opposite_one_stays(
    cat: Person,
) -> None:
    turn(cat, 90, SHIFT)
    layer = cat.document.layer("cat")
    x, y, w, h = cat.rect("cat")
    corner, other = (turned_about(*at, centre(layer.rect), 90) for at in ((x + w, y + h), (x, y)))
    cat.drags(corner, (corner[0] - 30, corner[1] + 40), SHIFT, steps=12)
    x, y, w, h = cat.rect("cat")
    now = Rect(x, y, w, h)
    assert (w, h) == pytest.approx((120, 90), abs=2)
    assert turned_about(x, y, centre(now), 90) == pytest.approx(other, abs=1)


def test_a_turned_layer_is_hit_where_it_shows_and_not_in_its_upright_rectangle(
    cat: Person,
) -> None:
    cat.document.look(token_view=False)
    cat.has(("plank", 78, 118, 100, 20), rotation=90.0, fit="stretch")
    cat.selects()
    cat.clicks(128, 172)  # below: there once it is turned
    assert cat.document.selection == ("plank",)
    cat.selects()
    cat.clicks(82, 122)  # where its left end was: only the cat is there
    assert cat.document.selection != ("plank",)


def test_snapping_and_alignment_go_by_the_turned_cut_out(cat: Person) -> None:
    cat.has(("plank", 90, 118, 100, 20), rotation=90.0, fit="stretch")
    cat.selects("plank")
    cat.chooses("align-left")
    rect = cat.document.layer("plank").rect
    assert cat.canvas.pictures.seen(cat.document.layer("plank")).x == pytest.approx(0, abs=0.5)
    assert rect.x < -20


def test_turn_commands_turn_several_about_the_middle_of_them_all(cat: Person) -> None:
    cat.has(("dog", 168, 98, 80, 60))
    cat.selects("cat", "dog")
    cat.chooses("turn-right")
    middles = [centre(one.rect) for one in cat.document.selected]
    assert {one.rotation for one in cat.document.selected} == {90}
    assert middles == [pytest.approx((168, 88)), pytest.approx((168, 168))]
    cat.chooses("turn-left")
    assert cat.rect("cat") == pytest.approx((88, 98, 80, 60))


def test_several_layers_turn_together_by_the_dot_and_keep_their_distances(cat: Person) -> None:
    cat.has(("dog", 40, 40, 30, 30))
    cat.selects("cat", "dog")
    before = [centre(one.rect) for one in cat.document.selected]
    frame = cat.canvas.tool.frame().rect
    away = TURN_AWAY / cat.canvas.camera.scale
    start = frame.x + frame.w + away, frame.y - away
    cat.drags(start, turned_about(*start, centre(frame), 30), SHIFT, steps=12)
    after = [centre(one.rect) for one in cat.document.selected]
    assert {one.rotation for one in cat.document.selected} == {30}
    assert math.dist(*after) == pytest.approx(math.dist(*before), abs=1e-6)


def test_the_settings_show_and_set_rotation_and_opacity(cat: Person) -> None:
    settings = cat.window.layer_settings
    turn(cat, 30, SHIFT)
    assert settings.rotation.value() == 30
    settings.rotation.setValue(-12.5)
    settings.opacity.number.setValue(0.4)
    layer = cat.document.layer("cat")
    assert (layer.rotation, layer.opacity) == (-12.5, 0.4)


def test_a_group_is_selected_moved_and_copied_as_one_and_let_go_again(cat: Person) -> None:
    cat.has(("dog", 20, 20, 40, 40))
    cat.selects("cat", "dog")
    cat.chooses("group")
    cat.selects()
    cat.clicks(128, 128)
    assert set(cat.document.selection) == {"cat", "dog"}
    cat.drags((128, 128), (138, 133))
    assert cat.rect("dog") == pytest.approx((30, 25, 40, 40), abs=1)
    cat.chooses("duplicate")
    copies = cat.document.selected
    assert len({one.group for one in copies}) == 1
    assert copies[0].group != cat.document.layer("cat").group
    cat.selects("cat")
    cat.chooses("ungroup")
    assert cat.document.layer("cat").group is None


def test_one_of_a_group_is_reached_by_a_second_click_or_with_ctrl(cat: Person) -> None:
    cat.has(("dog", 20, 20, 40, 40))
    cat.selects("cat", "dog")
    cat.chooses("group")
    cat.clicks(128, 128)
    assert cat.document.selection == ("cat",)
    cat.selects()
    cat.clicks(128, 128, CTRL)
    assert cat.document.selection == ("cat",)


def test_a_turned_transparent_layer_is_painted_so(cat: Person) -> None:
    cat.has(("plank", 20, 200, 80, 16), rotation=90.0, opacity=0.0, fit="stretch")
    ground = cat.canvas.grab().toImage()
    cat.document.apply("Show", edits.with_fields(cat.document.composition, {"plank"}, opacity=0.5))
    half = colour_at(cat, 60, 178)
    cat.document.apply("Show", edits.with_fields(cat.document.composition, {"plank"}, opacity=1.0))
    whole = colour_at(cat, 60, 178)
    none = ground.pixelColor(cat.spot(60, 178) * ground.devicePixelRatio()).getRgb()[:3]
    assert half == pytest.approx([(a + b) / 2 for a, b in zip(none, whole, strict=True)], abs=3)
    assert half != whole
    assert colour_at(cat, 28, 208) == ground.pixelColor(cat.spot(28, 208)).getRgb()[:3]


def colour_at(person: Person, x: float, y: float) -> tuple[int, ...]:
    shown = person.canvas.grab().toImage()
    return shown.pixelColor(person.spot(x, y) * shown.devicePixelRatio()).getRgb()[:3]

"""Results panel: overlay, comparison, removal."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pytest
from PIL import Image
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtTest import QTest

from standee_desktop.model import edits
from standee_desktop.services.composer import LIVE
from support.desktop.person import Person


@pytest.fixture
def strip(person: Person, assembly, settle, picture):  # type: ignore[no-untyped-def]
    """The strip with a red and a blue result; the arrangement is empty."""
    for name in ("red", "blue"):
        document = person.document.document
        document.add_result(picture((256, 256), name), {}, name)
    person.document.note_results()
    settle(lambda: assembly.results_panel.list.count() == 2)
    return assembly.results_panel


def colour(person: Person, x: float, y: float) -> str:
    """Return the colour that the canvas shows at a position."""
    seen: QColor = person.canvas.grab().toImage().pixelColor(person.spot(x, y))
    return seen.name()


def ctrl_click(strip, name: str) -> None:  # type: ignore[no-untyped-def]
    """Add a result to the selection."""
    [item] = strip.list.findItems(name, Qt.MatchFlag.MatchExactly)
    item.setSelected(True)


def test_a_result_is_compared_with_the_arrangement_along_a_line(  # type: ignore[no-untyped-def]
    person: Person, strip, settle
) -> None:
    strip.select("red")
    settle(lambda: colour(person, 64, 100) == "#ff0000")
    strip.compare.click()
    assert colour(person, 64, 100) != "#ff0000"
    assert colour(person, 192, 100) == "#ff0000"
    person.drags((128, 200), (32, 200))
    assert colour(person, 64, 100) == "#ff0000"
    person.types(Qt.Key.Key_Escape)
    assert not strip.compare.isChecked()
    assert strip.current == "red"


def test_two_selected_results_are_compared_with_each_other(  # type: ignore[no-untyped-def]
    person: Person, strip, settle
) -> None:
    strip.select("red")
    ctrl_click(strip, "blue")
    strip.compare.click()
    settle(lambda: colour(person, 64, 100) == "#0000ff")
    assert colour(person, 192, 100) == "#ff0000"
    strip.select("red")
    settle(lambda: colour(person, 64, 100) != "#0000ff")


def test_all_selected_results_are_discarded(person: Person, strip, settle) -> None:  # type: ignore[no-untyped-def]
    strip.select("red")
    ctrl_click(strip, "blue")
    strip.discard.click()
    settle(lambda: not person.document.document.results)
    assert not strip.apply.isEnabled()


def test_an_edit_brings_the_arrangement_back(person: Person, strip, settle) -> None:  # type: ignore[no-untyped-def]
    strip.select("red")
    settle(lambda: colour(person, 64, 100) == "#ff0000")
    person.has(("disc", 0, 0, 32, 32))
    settle(lambda: colour(person, 64, 100) != "#ff0000")
    assert strip.current is None


def test_delete_in_the_strip_drops_a_result_and_no_layer(person: Person, strip, settle) -> None:  # type: ignore[no-untyped-def]
    person.has(("disc", 0, 0, 32, 32))
    person.selects("disc")
    person.window.activateWindow()
    strip.select("red")
    strip.list.setFocus()
    QTest.keyClick(strip.list, Qt.Key.Key_Delete)
    settle(lambda: "red" not in person.document.document.results)
    assert list(person.order) == ["disc"]


def test_undo_brings_a_discarded_result_back_to_its_place(person: Person, strip, settle) -> None:  # type: ignore[no-untyped-def]
    results = lambda: list(person.document.document.results)  # noqa: E731
    strip.select("red")
    red = person.document.document.results["red"].data
    strip.discard.click()
    settle(lambda: results() == ["blue"])
    assert person.window.action("undo").text() == "&Undo Discard 1 result"
    person.chooses("undo")
    settle(lambda: results() == ["red", "blue"])
    assert person.document.document.results["red"].data == red
    assert strip.list.count() == 2
    person.chooses("redo")
    settle(lambda: results() == ["blue"])


def test_a_discarded_result_comes_back_after_saving_too(  # type: ignore[no-untyped-def]
    person: Person, strip, assembly, settle, tmp_path
) -> None:
    assembly.files.save_to(tmp_path / "two.standee")
    settle(lambda: not person.document.modified)
    strip.select("blue")
    strip.discard.click()
    settle(lambda: "blue" not in person.document.document.results)
    assembly.files.save_to(tmp_path / "two.standee")
    settle(lambda: not person.document.modified)
    person.chooses("undo")
    settle(lambda: "blue" in person.document.document.results)
    assert person.document.document.results["blue"].data.startswith(b"\x89PNG")


def test_escape_on_the_canvas_brings_the_arrangement_back(person: Person, strip, settle) -> None:  # type: ignore[no-untyped-def]
    person.has(("disc", 0, 0, 32, 32))
    person.selects("disc")
    strip.select("red")
    settle(lambda: colour(person, 64, 100) == "#ff0000")
    person.types(Qt.Key.Key_Escape)
    assert strip.current is None
    assert person.document.selection == ("disc",)
    person.types(Qt.Key.Key_Escape)
    assert person.document.selection == ()


def test_a_result_of_another_canvas_is_never_stretched(  # type: ignore[no-untyped-def]
    person: Person, strip, settle
) -> None:
    wide = edits.with_canvas(person.document.composition, 512, 256, 16)
    person.document.apply("Canvas", wide)
    strip.select("red")  # 256 x 256 px, a disc: it lies in the middle
    settle(lambda: colour(person, 256, 128) == "#ff0000")
    assert colour(person, 100, 128) != "#ff0000"
    assert colour(person, 160, 128) == "#ff0000"


def receipt(composition) -> dict[str, object]:  # type: ignore[no-untyped-def]
    """Return what a result tells of how it was made."""
    return {"composition": msgspec.to_builtins(composition)}


def test_applying_a_result_hides_what_it_shows_and_no_more(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle, picture
) -> None:
    person.has(("old", 0, 0, 32, 32))
    then = person.document.composition
    person.document.add_result(picture((256, 256), "red"), receipt(then), "one")
    person.has(("new", 64, 64, 32, 32))
    person.document.apply("Canvas", edits.with_canvas(person.document.composition, 512, 256, 16))
    assembly.composer.apply("one")
    settle(lambda: person.document.composition.scene is not None)
    assert not person.document.layer("old").visible
    assert person.document.layer("new").visible
    assert person.document.composition.scene.fit == "contain"  # nothing of it is cut off


@pytest.mark.parametrize("size", [(512, 256), (256, 320), (256, 252)])
@pytest.mark.parametrize("told", [True, False])
def test_applying_a_result_of_another_canvas_cuts_nothing_off(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle, size: tuple[int, int], told: bool
) -> None:
    image = Image.new("RGB", size, "red")
    image.paste("blue", (16, 16, size[0] - 16, size[1] - 16))
    png = io.BytesIO()
    image.save(png, "PNG")
    canvas = edits.with_canvas(person.document.composition, *size, 4)
    person.document.add_result(png.getvalue(), receipt(canvas) if told else {}, "one")
    assembly.composer.apply("one")
    settle(lambda: person.document.composition.scene is not None)
    scene = person.document.composition.scene
    settle(lambda: person.canvas.pictures.look(scene.picture))
    scale = 256 / max(size)
    width, height = (side * scale for side in size)
    left, top = (256 - width) / 2 + 8 * scale, (256 - height) / 2 + 8 * scale
    for x, y in ((left, top), (256 - left, 256 - top)):  # its frame, not stretched
        settle(lambda x=x, y=y: colour(person, x, y) == "#ff0000")
    assert colour(person, left + 16 * scale, top + 16 * scale) == "#0000ff"


def test_the_picture_is_copied_and_not_its_name(person: Person, strip, settle) -> None:  # type: ignore[no-untyped-def]
    strip.select("red")
    strip.list.setFocus()
    QGuiApplication.clipboard().setText("something else")
    QTest.keyClick(strip.list, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    settle(lambda: QGuiApplication.clipboard().mimeData().hasFormat("image/png"))
    copied = QGuiApplication.clipboard().mimeData()
    red = person.document.document.results["red"].data
    assert bytes(copied.data("image/png").data()) == red
    assert copied.hasImage()
    assert not copied.hasText()


def test_a_live_result_turns_thin_when_it_is_of_another_arrangement(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle, picture
) -> None:
    person.has(("disc", 0, 0, 32, 32))
    assembly.composer.set_live(True)
    name = f"{LIVE}one-1"
    then = person.document.composition
    person.document.add_result(picture((256, 256), "red"), receipt(then), name)
    assembly.results_panel.select(name)
    settle(lambda: colour(person, 128, 128) == "#ff0000")
    person.document.apply("Move", edits.moved(then, {"disc"}, 100, 0))
    assert colour(person, 128, 128) != "#ff0000"
    person.chooses("undo")
    assert colour(person, 128, 128) == "#ff0000"
    assembly.composer.set_live(False)


def test_the_tint_of_a_brush_leaves_while_a_result_hangs(  # type: ignore[no-untyped-def]
    person: Person, assembly, strip, settle
) -> None:
    person.has(("disc", 0, 0, 256, 256))
    person.selects("disc")
    person.chooses("tool-cutout")
    settle(lambda: assembly.cutout_brush.ready)
    tinted = colour(person, 20, 20)  # beside the disc
    strip.select("blue")
    settle(lambda: colour(person, 128, 128) == "#0000ff")
    assert colour(person, 20, 20) != tinted
    strip.unselect()
    assert colour(person, 20, 20) == tinted


def test_a_result_is_dragged_out_as_a_picture_and_onto_the_canvas_as_a_subject(  # type: ignore[no-untyped-def]
    person: Person, strip, assembly, settle
) -> None:
    strip.select("red")
    assert strip.list.dragEnabled()
    data = strip.list.mimeData(strip.list.selectedItems())
    png = person.document.document.results["red"].data
    assert bytes(data.data("image/png").data()) == png
    [url] = data.urls()
    assert Path(url.toLocalFile()).read_bytes() == png
    assert assembly.drop_target.take(data, QPointF(100, 100))
    settle(lambda: len(person.document.composition.layers) == 1)
    strip.subject_wanted.emit("blue")
    settle(lambda: len(person.document.composition.layers) == 2)
    kept = [
        person.document.document.read(one.picture) for one in person.document.composition.layers
    ]
    assert kept == [png, person.document.document.results["blue"].data]


def test_a_copied_layer_is_its_cut_out_to_other_programs(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle
) -> None:
    person.has(("cat", 10, 20, 40, 40))
    person.selects("cat")
    person.chooses("copy")
    settle(lambda: QGuiApplication.clipboard().mimeData().hasFormat("image/png"))
    image = QGuiApplication.clipboard().image()
    assert image.pixelColor(32, 32).name() == "#ff6347"
    assert image.pixelColor(0, 0).alpha() == 0
    person.chooses("paste")
    settle(lambda: len(person.document.composition.layers) == 2)
    assert person.document.composition.layers[1].name == "cat"


def test_in_a_small_window_a_menu_does_what_the_buttons_do_that_have_no_room(  # type: ignore[no-untyped-def]
    person: Person, strip, settle
) -> None:
    buttons = strip.grid, strip.recall, strip.export, strip.discard
    person.window.resize(1024, 640)
    settle(lambda: strip.more.isVisible())
    assert not any(one.isVisible() for one in buttons)
    menu = strip.more.menu()
    menu.aboutToShow.emit()
    usable = {one.text(): one.isEnabled() for one in menu.actions()}
    assert usable == {
        "Use settings": False,
        "Export…": False,
        "Discard": False,
        "Grid…": True,
        "Add as a subject": False,
    }
    strip.select("red")
    menu.aboutToShow.emit()
    [discard] = [one for one in menu.actions() if one.text() == "Discard"]
    discard.trigger()
    settle(lambda: list(person.document.document.results) == ["blue"])
    person.window.resize(1600, 840)
    settle(lambda: all(one.isVisible() for one in buttons))
    assert not strip.more.isVisible()

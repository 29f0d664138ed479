"""Model choice: the daemon's models, a folder, a name on the hub, and the canvas that suits it."""

from __future__ import annotations

import pytest
from PIL import Image

from standee import Canvas, Composition, Layer, Rect
from standee.wire.messages import ModelInfo
from standee_desktop.model import edits
from standee_desktop.services.canvas_advice import at_size, fits
from standee_desktop.services.daemon_link import ConnectionState
from standee_desktop.widgets.model_combo import HUB, ModelCombo
from support.desktop.person import Person

MODELS = (ModelInfo("mini", size=256), ModelInfo("large", description="Photographs.", size=1024))


@pytest.fixture
def box(app) -> ModelCombo:  # type: ignore[no-untyped-def]
    box = ModelCombo()
    box.show_models(MODELS, "mini")
    return box


def names(box: ModelCombo) -> list[str]:
    return [box.itemText(n) for n in range(box.count()) if box.itemText(n)]


def test_a_model_is_chosen_by_its_name(box: ModelCombo) -> None:
    chosen: list[str] = []
    box.chosen.connect(chosen.append)
    assert names(box) == ["mini", "large", "A folder…", "A name on the hub…"]
    box.activated.emit(box.findText("large"))
    box.setCurrentIndex(box.findText("large"))
    box.activated.emit(box.currentIndex())
    assert chosen == ["mini", "large"]


def test_a_folder_is_called_by_its_last_part_and_the_tip_has_all_of_it(box: ModelCombo) -> None:
    box.show_models(MODELS, "/models/my-flux")
    assert box.currentText() == "my-flux"
    assert box.toolTip() == "/models/my-flux"
    assert box.currentData() == "/models/my-flux"


def test_asking_for_a_name_leaves_the_model_until_it_is_given(box: ModelCombo, settle) -> None:  # type: ignore[no-untyped-def]
    from PySide6.QtWidgets import QInputDialog

    chosen: list[str] = []
    box.chosen.connect(chosen.append)
    box.show()
    box.setCurrentIndex(box.findData(HUB))
    box.activated.emit(box.currentIndex())
    assert box.currentText() == "mini"
    [dialog] = box.findChildren(QInputDialog)
    dialog.setTextValue(" https://huggingface.co/someone/some-flux/ ")
    dialog.accept()
    settle(lambda: chosen)
    assert chosen == ["someone/some-flux"]


@pytest.mark.parametrize(
    ("width", "height", "size", "fine"),
    [
        (256, 256, 256, True),
        (384, 288, 256, True),
        (256, 256, 1024, False),
        (1024, 768, 256, False),
    ],
)
def test_a_canvas_suits_a_model_of_about_its_size(
    width: int, height: int, size: int, fine: bool
) -> None:
    assert fits(Composition(canvas=Canvas(width, height)), size) is fine


def test_everything_is_scaled_along_with_the_canvas() -> None:
    layer = Layer(Rect(64, 32, 128, 64), "0" * 64)
    scaled = at_size(Composition(canvas=Canvas(256, 128), layers=(layer,)), 1024, 16)
    assert scaled.canvas.width == pytest.approx(2 * scaled.canvas.height, abs=32)
    assert scaled.canvas.width % 16 == 0
    assert scaled.layers[0].rect.x / scaled.canvas.width == pytest.approx(0.25)
    assert fits(scaled, 1024)


@pytest.fixture
def assembly(person: Person, own_places, monkeypatch):  # type: ignore[no-untyped-def]
    """Everything around the window, with a daemon's home in which there is none."""
    monkeypatch.setenv("STANDEE_HOME", str(own_places / "home"))
    from standee_desktop.services.daemon_link import DaemonLink
    from standee_desktop.shell.assembly import Assembly

    assembly = Assembly(person.window, DaemonLink(start=False))
    yield assembly
    assembly.close()


def test_a_model_of_another_size_offers_to_scale_the_canvas(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle
) -> None:
    assembly.link._told.emit(ConnectionState("connected", "daemon", MODELS))
    settle(lambda: assembly.link.connected)
    person.has(("cat", 64, 64, 128, 128))
    large = edits.with_sampling(person.document.composition, model="large")
    person.document.apply("Model", large)
    [row] = assembly.notice_bar.rows()
    assert "large paints best at about 1024 px" in row.notice.text
    row.fix.click()
    assert person.document.composition.canvas == Canvas(1024, 1024)
    assert person.rect("cat") == (256, 256, 512, 512)
    assert not assembly.notices
    person.chooses("undo")
    person.chooses("undo")
    assert person.document.composition.sampling.model == "mini"
    assert person.rect("cat") == (64, 64, 128, 128)


def test_a_scene_that_would_be_cut_offers_its_aspect_to_the_canvas(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle, tmp_path
) -> None:
    person.has(("cat", 64, 64, 128, 128))
    for name, size in (("square", (300, 300)), ("wide", (1200, 600))):
        Image.new("RGB", size, "teal").save(tmp_path / f"{name}.png")
    assembly.importer.set_scene(tmp_path / "square.png")
    settle(lambda: person.document.composition.scene is not None)
    assert not assembly.notices
    assembly.importer.set_scene(tmp_path / "wide.png")
    settle(lambda: assembly.notices)
    [row] = assembly.notice_bar.rows()
    assert "1200 × 600 px" in row.notice.text
    row.fix.click()
    assert person.document.composition.canvas == Canvas(368, 176)
    assert person.rect("cat") == (120, 24, 128, 128)
    assert not assembly.notices
    person.chooses("undo")
    assert person.document.composition.canvas == Canvas(256, 256)


def test_the_size_that_suits_a_model_is_offered_when_the_canvas_changes_too(  # type: ignore[no-untyped-def]
    person: Person, assembly
) -> None:
    assembly.link.contact = ConnectionState("connected", models=MODELS)
    big = edits.with_canvas(person.document.composition, 1536, 1024, 16)
    person.document.apply("Canvas size", big, "frame")  # its edge is being dragged
    assert len(assembly.notices) == 0
    person.document.end_gesture()
    [notice] = assembly.notices
    assert notice.text == "mini paints best at about 256 px; the canvas has 1536 × 1024 px."
    notice.act()
    assert fits(person.document.composition, 256)
    assert len(assembly.notices) == 0

"""LoRA list: adding, weighing and removing, each an undo step."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from standee.composition import Lora
from standee_desktop.model import edits
from standee_desktop.panels.lora_list import name_of


def loras(person) -> tuple[Lora, ...]:  # type: ignore[no-untyped-def]
    return person.document.composition.sampling.loras


def add(listed, path: str) -> None:  # type: ignore[no-untyped-def]
    QTest.keyClicks(listed.path, path)
    QTest.keyClick(listed.path, Qt.Key.Key_Return)


def test_what_is_typed_is_added_and_undo_takes_it_back(person, assembly, settle) -> None:  # type: ignore[no-untyped-def]
    listed = assembly.compose_panel.loras
    add(listed, "someone/some-lora")
    add(listed, "/loras/toon.safetensors")
    assert loras(person) == (Lora("someone/some-lora"), Lora("/loras/toon.safetensors"))
    assert [row.name.text() for row in listed.rows] == ["some-lora", "toon"]
    assert listed.path.text() == ""
    add(listed, "someone/some-lora")
    assert len(loras(person)) == 2, "once is enough"
    person.chooses("undo")
    assert loras(person) == (Lora("someone/some-lora"),)
    assert len(listed.rows) == 1
    person.chooses("redo")
    assert len(listed.rows) == 2


def test_a_weight_is_a_step_of_its_own_and_keeps_its_field(person, assembly, settle) -> None:  # type: ignore[no-untyped-def]
    listed = assembly.compose_panel.loras
    add(listed, "someone/some-lora")
    weight = listed.rows[0].weight
    assert weight.value() == 1.0
    weight.setFocus()
    QTest.keyClick(weight, Qt.Key.Key_Down)
    assert loras(person) == (Lora("someone/some-lora", 0.95),)
    assert listed.rows[0].weight is weight, "one can go on turning it"
    person.chooses("undo")
    assert loras(person) == (Lora("someone/some-lora", 1.0),)
    assert weight.value() == 1.0


def test_a_lora_is_removed_by_its_button(person, assembly, settle) -> None:  # type: ignore[no-untyped-def]
    listed = assembly.compose_panel.loras
    for path in ("a/one", "a/two"):
        add(listed, path)
    QTest.mouseClick(listed.rows[0].remove, Qt.MouseButton.LeftButton)
    settle()
    assert loras(person) == (Lora("a/two"),)
    assert [row.name.text() for row in listed.rows] == ["two"]


def test_a_file_is_chosen(person, assembly, settle, monkeypatch, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    file = str(tmp_path / "ink.safetensors")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (file, ""))
    listed = assembly.compose_panel.loras
    QTest.mouseClick(listed.browse, Qt.MouseButton.LeftButton)
    assert loras(person) == (Lora(file),)


def test_a_document_brings_its_loras_with_weights_as_fine_as_they_are(  # type: ignore[no-untyped-def]
    person, assembly, settle
) -> None:
    listed = assembly.compose_panel.loras
    given = tuple(Lora(f"a/{n}", 0.123 + n / 10) for n in range(8))
    person.document.apply("LoRAs", edits.with_sampling(person.document.composition, loras=given))
    assert [row.weight.value() for row in listed.rows] == [round(x.weight, 2) for x in given]
    assert loras(person) == given, "showing them changes nothing"
    assert not listed.path.isEnabled(), "a composition has eight at most"


def test_a_lora_is_called_by_the_end_of_its_path() -> None:
    assert name_of("C:\\loras\\ink.safetensors") == "ink"
    assert name_of("someone/some-lora") == "some-lora"

"""A whole piece of work in the editor: photographs cut out by clicks, turned, composed, kept, and out and in again."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDoubleSpinBox

pytest.importorskip("PySide6", reason="needs standee[desktop]")
pytest.importorskip("psd_tools", reason="needs standee[desktop]")

from support.desktop.editors import SUBJECTS
from support.desktop.person import ALT

pytest_plugins = "support.desktop.editor_fixtures"

GROUNDS = {"fox": (30, 90, 200), "mug": (40, 130, 60), "robot": (230, 200, 150)}


def test_three_photographs_become_a_picture_and_a_photoshop_file(artist, settle, tmp_path) -> None:
    document, photos = artist.document, []
    for name, ground in GROUNDS.items():
        photo = Image.new("RGB", (96, 96), ground)
        figure = Image.open(SUBJECTS / f"{name}.png").convert("RGBA").resize((64, 64))
        photo.paste(figure, (16, 16), figure)
        photos.append(tmp_path / f"{name}.png")
        photo.save(photos[-1])
    artist.drops(photos, 128, 128)
    settle(lambda: all(layer.mask for layer in document.composition.layers), 60)

    # Each is put beside the others, and what its cut-out has of the ground is clicked away.
    for index, layer in enumerate(document.composition.layers):
        artist.selects(layer.id)
        left_edge(artist).setValue(80 * index)
        settle(lambda layer=layer, x=80 * index: document.layer(layer.id).rect.x == x)
        rect = document.layer(layer.id).rect
        artist.chooses("tool-clicks")
        artist.clicks(rect.x + rect.w / 2, rect.y + rect.h / 2)
        artist.clicks(rect.x + 3, rect.y + 3, ALT)
        settle(lambda: artist.assembly.clicks_bar.done.isEnabled(), 60)
        artist.types(Qt.Key.Key_Return)
        settle(lambda: not artist.assembly.clicks_bar.isVisible(), 20)
        now = document.layer(layer.id)
        cutout = artist.canvas.pictures.cutout(now.picture, now.mask)
        assert cutout[48, 48] > 0.9
        assert cutout[:4, :4].mean() < 0.1

    # One is turned, and all are composed; a variation is kept.
    fox = document.composition.layers[0]
    artist.selects(fox.id)
    artist.chooses("turn-right")
    assert document.layer(fox.id).rotation == 90
    artist.says("a meadow")
    artist.assembly.compose_panel.steps.setValue(1)
    artist.composes()
    kept = artist.composes()
    assert len(artist.results) == 2

    # It goes out as a Photoshop file, and comes in again as the same arrangement.
    before = document.composition.layers
    places = [edges(artist, layer) for layer in before]
    file = tmp_path / "work.psd"
    artist.assembly.files.export_to(file, kept)
    artist.is_told("Exported work.psd")
    artist.saves(tmp_path / "work.standee")
    artist.assembly.files.new()
    settle(lambda: not document.composition.layers)
    artist.assembly.files.open(file)
    settle(lambda: len(document.composition.layers) >= 3, 20)
    settle(lambda: all(edges(artist, layer) for layer in document.composition.layers), 20)
    after = [layer for layer in document.composition.layers if layer.name in GROUNDS]
    assert [layer.name for layer in after] == [layer.name for layer in before]
    for place, layer in zip(places, after, strict=True):
        assert edges(artist, layer) == pytest.approx(place, abs=2)
    assert not artist.errors


def left_edge(artist) -> QDoubleSpinBox:
    """Return the number field of the selected layer's place."""
    fields = artist.window.findChildren(QDoubleSpinBox)
    [field] = [one for one in fields if one.accessibleName() == "Left edge, px"]
    return field


def edges(artist, layer) -> tuple[float, float, float, float] | None:
    """Return left, top, right and bottom of what shows of a layer, px of the canvas, once it is decoded."""
    cutout = artist.canvas.pictures.cutout(layer.picture, layer.mask)
    if cutout is None:
        return None
    if layer.rotation:
        assert layer.rotation == 90
        cutout = np.rot90(cutout, -1)
    rows, cols = (np.flatnonzero((cutout > 0.5).any(axis=axis)) for axis in (1, 0))
    rect, (height, width) = layer.rect, cutout.shape
    across, down = rect.w / width, rect.h / height
    return (
        rect.x + cols[0] * across,
        rect.y + rows[0] * down,
        rect.x + (cols[-1] + 1) * across,
        rect.y + (rows[-1] + 1) * down,
    )

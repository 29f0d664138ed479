"""Turned and transparent layers in Blender: their cells, their keys, and the document they come from."""

import bpy
import msgspec
import numpy as np
import pytest

from standee import Rect
from standee.arrangement import VisibleLayer, arrangement


@pytest.fixture
def disc(standee, subject):
    bpy.ops.standee.add_files(filepath=subject)
    layer = standee.active()
    layer.rect = Rect(64, 80, 112, 64)
    layer.fit = "stretch"
    return layer


@pytest.mark.parametrize("rotation", [0.0, 30.0, 90.0, -135.0])
def test_cells_are_those_of_the_engine(addon, standee, disc, rotation):
    disc.rotation, disc.opacity = rotation, 0.5
    looks = addon("viewport.layer_cache").layer_cache()
    seen = looks.now(disc)
    found = looks.cells(standee, [0], 16).arrangement.owner
    standing = VisibleLayer(
        seen.alpha, disc.rect, "stretch", False, seen.size, disc.rotation, disc.opacity
    )
    np.testing.assert_array_equal(found, arrangement([standing], standee.canvas(), 16).owner)
    disc.opacity = 0.0
    assert not (looks.cells(standee, [0], 16).arrangement.owner >= 0).any()


def test_rotation_and_opacity_are_keyed_and_composed_as_they_are_at_the_frame(addon, standee, disc):
    scene = bpy.context.scene
    for frame, rotation, opacity in ((1, 0.0, 1.0), (11, 90.0, 0.0)):
        scene.frame_set(frame)
        disc.rotation, disc.opacity = rotation, opacity
        bpy.ops.standee.layer_key()
    scene.frame_set(6)
    composition, _ = addon("scene.composition_io").composition_of(standee)
    [layer] = composition.layers
    assert layer.rotation == pytest.approx(45, abs=1)
    assert layer.opacity == pytest.approx(0.5, abs=0.02)


def test_a_document_comes_back_with_rotation_opacity_and_group(addon, standee, disc):
    io = addon("scene.composition_io")
    composition, blobs = io.composition_of(standee)
    [layer] = composition.layers
    turned = msgspec.structs.replace(layer, rotation=12.3, opacity=0.7, group="pair")
    given = msgspec.structs.replace(composition, layers=(turned,))
    io.load_into_scene(standee, given, blobs.__getitem__)
    assert io.composition_of(standee)[0].layers == (turned,)
    standee.active_layer = 0
    bpy.ops.standee.layer_duplicate()
    assert standee.active().rotation == pytest.approx(12.3)

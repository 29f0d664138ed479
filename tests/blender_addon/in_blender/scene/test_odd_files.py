"""Odd pictures and masks, which mean in Blender what they mean to the engine."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import bpy
import numpy as np
import pytest

from standee.arrangement import Backdrop, VisibleLayer, arrangement
from standee.composition import Rect
from standee.errors import BadPicture


def turned(png: bytes, orientation: int) -> bytes:
    """Say in a PNG's EXIF how it lies."""
    exif = b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0) + bytes(4)
    body = b"eXIf" + exif
    return (
        png[:33]
        + struct.pack(">I", len(exif))
        + body
        + struct.pack(">I", zlib.crc32(body))
        + png[33:]
    )


def pixels() -> np.ndarray:
    made = np.zeros((20, 40, 4), np.float32)
    made[..., 3] = 1
    made[:, :10, 0] = 1
    made[:5, :, 1] = 1
    return made


def test_a_picture_on_its_side_stands_upright(addon, standee, tmp_path: Path) -> None:
    images, png = addon("scene.image_datablocks"), addon("core.png")
    path = tmp_path / "rot.png"
    path.write_bytes(turned(png.encode(pixels()), 6))
    bpy.ops.standee.add_files(directory=str(tmp_path), files=[{"name": "rot.png"}])
    layer = standee.active()
    assert tuple(layer.picture.size) == (20, 40)
    assert layer.rect.h == pytest.approx(2 * layer.rect.w)
    found = images.pixels_of(layer.picture)
    np.testing.assert_allclose(found, np.rot90(pixels(), -1), atol=0.01)


def test_a_picture_of_a_document_is_seen_upright_and_sent_as_it_is(addon) -> None:
    images, png = addon("scene.image_datablocks"), addon("core.png")
    data = turned(png.encode(pixels()), 6)
    image = images.image_of(data, "rot")
    assert images.arrays_of(image).size == (20, 40)
    assert images.encode_image(image)[1] == data


@pytest.mark.parametrize("opaque", [True, False])
def test_a_mask_is_read_by_its_content(addon, opaque: bool) -> None:
    images, png = addon("scene.image_datablocks"), addon("core.png")
    shape = np.zeros((16, 16, 4), np.float32)
    shape[4:12, 4:12] = 1
    shape[..., 3] = 1 if opaque else shape[..., 0]
    shape[..., :3] = shape[..., :3] if opaque else 1
    mask = images.mask_of(images.new_image("mask", png.encode(shape)))
    assert mask[8, 8] == 1
    assert mask[0, 0] == 0


def test_labels_of_0_and_1_are_a_mask(addon) -> None:
    images, png = addon("scene.image_datablocks"), addon("core.png")
    labels = np.zeros((16, 16), np.float32)
    labels[4:12, 4:12] = 1 / 255
    mask = images.mask_of(images.new_image("mask", png.encode(labels)))
    assert (mask[8, 8], mask[0, 0]) == (1, 0)


def test_what_is_no_picture_is_one_sentence(addon, tmp_path: Path) -> None:
    path = tmp_path / "drawing.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n")
    with pytest.raises(BadPicture, match="drawing"):
        addon("scene.image_datablocks").load(str(path))


@pytest.mark.parametrize("masked", [False, True])
def test_cells_that_a_scene_keeps_are_those_of_the_one_arrangement(
    addon, standee, subject: str, masked: bool
) -> None:
    images, png = addon("scene.image_datablocks"), addon("core.png")
    picture = np.ones((60, 100, 4), np.float32)
    picture[:, 50:, 3] = 0
    mask = np.zeros((7, 9), np.float32)
    mask[2:] = 1
    bpy.ops.standee.add_files(filepath=subject)
    layer = standee.active()
    layer.rect = Rect(21, 43, 90, 70)
    standee.scene_blend_share = 0.06
    standee.scene_source = "PICTURE"
    standee.scene_picture = images.image_of(png.encode(picture), "scene")
    if masked:
        standee.scene_kept = images.image_of(png.encode(mask), "kept")
    looks = addon("viewport.layer_cache").layer_cache()
    seen = looks.now(layer)
    found = looks.cells(standee, [0], 16).arrangement.owner
    stays = mask if masked else picture[..., 3]
    backdrop = Backdrop(
        stays, (100, 60), standee.scene_rect(), standee.scene_fit, standee.scene_blend_share
    )
    standing = VisibleLayer(seen.alpha, layer.rect, layer.fit, layer.flip, seen.size)
    expected = arrangement([standing], standee.canvas(), 16, backdrop).owner
    assert {-1, 0, 1} <= set(expected.ravel().tolist())
    np.testing.assert_array_equal(found, expected)

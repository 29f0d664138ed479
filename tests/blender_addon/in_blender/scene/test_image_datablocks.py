"""Image datablocks: sent and drawn as the image shows them; the image stays as it is."""

import struct
import zlib
from pathlib import Path

import bpy
import numpy as np
import pytest

CASES = Path(__file__).resolve().parents[5] / "shared" / "cases"
COLOURS = [(200, 100, 50), (0, 128, 255)]
PAINTED = (0.5, 0.25, 0.75, 1.0)


def sent(addon, image):
    """The pixels that the daemon gets of an image, in 255ths."""
    images = addon("scene.image_datablocks")
    _, data = images.encode_image(image)
    return data, images.decode_pixels(data) * 255


def painted(name="painting", **more):
    image = bpy.data.images.new(name, 8, 8, alpha=True, **more)
    image.pixels = [*PAINTED] * 64
    image.update()
    return image


def test_a_painting_is_sent_and_stays(addon, standee):
    image = painted()
    bpy.ops.standee.add_image(name="painting")
    assert standee.active().picture == image
    composition, blobs = addon("scene.composition_io").composition_of(standee)
    data = blobs[composition.layers[0].picture]
    found = addon("scene.image_datablocks").decode_pixels(data)[0, 0]
    assert found == pytest.approx(PAINTED, abs=1.01 / 255)
    assert list(image.pixels[:4]) == pytest.approx(PAINTED, abs=1 / 255)
    assert image.is_dirty
    assert not image.packed_file


def test_a_subject_painted_over_is_sent_as_painted_and_stays(addon, standee, subject):
    bpy.ops.standee.add_files(filepath=subject)
    image = standee.active().picture
    image.pixels = [*PAINTED] * (64 * 64)
    image.update()
    data, pixels = sent(addon, image)
    assert data[:4] == b"\x89PNG"
    assert pixels[5, 5] == pytest.approx(np.array(PAINTED) * 255, abs=1)
    assert list(image.pixels[:4]) == pytest.approx(PAINTED, abs=1 / 255)
    image.pixels = [0, 1, 0, 1] * (64 * 64)
    assert sent(addon, image)[1][5, 5] == pytest.approx((0, 255, 0, 255), abs=1)


def test_generated_images_are_sent(addon, standee):
    image = bpy.data.images.new("red", 8, 8, alpha=True)
    image.generated_color = (1, 0, 0, 1)
    assert sent(addon, image)[1][0, 0] == pytest.approx((255, 0, 0, 255), abs=1)


def test_a_texture_on_disk_is_sent_and_not_packed(addon, standee, subject):
    image = bpy.data.images.load(subject)
    bpy.ops.standee.add_image(name=image.name)
    data, _ = sent(addon, image)
    assert data == Path(subject).read_bytes()
    assert not image.packed_file
    assert image.filepath == subject


def test_what_was_made_of_a_painting_is_recalled(addon, standee, daemon, until):
    image = painted()
    bpy.ops.standee.add_image(name="painting")
    bpy.ops.standee.compose()
    until(lambda: bpy.context.scene.standee.results)
    bpy.ops.standee.layer_remove()
    bpy.ops.standee.result_recall()
    assert standee.layers[0].picture == image


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("kind", [("OPEN_EXR", "exr"), ("TIFF", "tif"), ("HDR", "hdr")])
def test_a_float_file_is_sent_as_the_colours_it_shows(addon, standee, colour, kind, tmp_path):
    image = bpy.data.images.new("hdr", 8, 8, alpha=True, float_buffer=True)
    light = addon("core.color_space").srgb_to_linear(np.float32([[[*colour, 255]]]) / 255)[0, 0]
    image.pixels = list(light) * 64
    path = tmp_path / f"a.{kind[1]}"
    image.file_format, image.filepath_raw = kind[0], str(path)
    image.save()
    bpy.ops.standee.add_files(filepath=str(path))
    found = standee.active().picture
    data, pixels = sent(addon, found)
    assert data[:4] in (b"\x89PNG", b"II*\0")
    assert pixels[4, 4, :3] == pytest.approx(colour, abs=2 if kind[1] == "hdr" else 1)
    drawn = addon("scene.image_datablocks").arrays_of(found).pixels * 255
    assert drawn[4, 4, :3] == pytest.approx(colour, abs=2 if kind[1] == "hdr" else 1)
    composition, blobs = addon("scene.composition_io").composition_of(standee)
    assert blobs[composition.layers[0].picture] == data


def deep_png(values, way=1):
    """A PNG of 16 bits, RGBA, of (h, w, 4) values 0..1, that says how it lies."""
    height, width, _ = values.shape
    lines = np.rint(values * 65535).astype(">u2").reshape(height, -1)
    raw = b"".join(b"\0" + line.tobytes() for line in lines)

    def chunk(name, data):
        crc = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + crc

    header = struct.pack(">IIBBBBB", width, height, 16, 6, 0, 0, 0)
    exif = b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHH", 274, 3, 1, way, 0) + bytes(4)
    parts = chunk(b"IHDR", header) + chunk(b"eXIf", exif)
    parts += chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("alpha", [255, 128])
def test_a_png_of_16_bits_is_drawn_in_its_colours(addon, standee, colour, alpha, tmp_path):
    path = tmp_path / "deep.png"
    path.write_bytes(deep_png(np.tile(np.float32([*colour, alpha]) / 255, (8, 8, 1))))
    bpy.ops.standee.add_files(filepath=str(path))
    image = standee.active().picture
    look = addon("scene.image_datablocks").arrays_of(image)
    assert look.pixels[4, 4] * 255 == pytest.approx((*colour, alpha), abs=1)
    assert sent(addon, image)[0] == path.read_bytes()


def test_a_turned_png_of_16_bits_is_drawn_upright(addon, tmp_path):
    images = addon("scene.image_datablocks")
    values = np.ones((8, 16, 4), np.float32)
    values[:, :4, :3] = 0
    image = images.image_of(deep_png(values, way=6), "deep")
    assert images.size_of(image) == (8, 16)
    np.testing.assert_allclose(images.arrays_of(image).pixels, np.rot90(values, -1), atol=0.01)


def test_a_mask_of_16_bits_is_read_as_it_is(addon, standee, tmp_path):
    values = np.ones((8, 8, 4), np.float32)
    values[..., :3] = 0.5
    (tmp_path / "mask.png").write_bytes(deep_png(values))
    mask = bpy.data.images.load(str(tmp_path / "mask.png"))
    assert addon("scene.image_datablocks").mask_of(mask) == pytest.approx(0.5, abs=0.005)


def test_an_opaque_mask_is_read_by_its_luminance(addon, standee):
    image = bpy.data.images.new("mask", 8, 8, alpha=True)
    image.pixels = [0, 0, 0, 1] * 32 + [1, 1, 1, 1] * 32
    assert addon("scene.image_datablocks").mask_of(image).mean() == pytest.approx(0.5)


def test_numbers_that_are_no_colours_stay(addon, standee):
    for floats in (False, True):
        image = bpy.data.images.new("data", 8, 8, alpha=True, float_buffer=floats, is_data=True)
        image.pixels = [0.5, 0.5, 0.5, 1] * 64
        assert sent(addon, image)[1][0, 0] == pytest.approx((127.5, 127.5, 127.5, 255), abs=1)


def test_a_turned_photo_stands_upright(addon, standee):
    if not (CASES / "rot.jpg").is_file():
        pytest.skip("needs the cases that lie beside the checkout")
    bpy.ops.standee.add_files(filepath=str(CASES / "rot.jpg"))
    layer = standee.active()
    look = addon("scene.image_datablocks").arrays_of(layer.picture)
    assert look.size == (120, 200)
    assert look.pixels.shape[:2] == (200, 120)
    assert layer.rect.w / layer.rect.h == pytest.approx(0.6, abs=0.01)
    bpy.ops.standee.layer_fit()
    assert layer.rect.w / layer.rect.h == pytest.approx(0.6, abs=0.01)


def test_a_render_is_not_offered_and_not_taken(addon, standee, subject):
    scene = bpy.context.scene
    scene.render.resolution_x = scene.render.resolution_y = 16
    bpy.ops.render.render()
    bpy.data.images.load(subject)
    names = addon("operators.subjects")._pictures(None, bpy.context, "")
    assert names == ["disc.png"]
    with pytest.raises(RuntimeError, match=r"is what Blender rendered.*Save it as a PNG"):
        bpy.ops.standee.add_image(name="Render Result")


def test_what_cannot_be_sent_is_named_with_its_layer(addon, standee, subject, daemon, tmp_path):
    film = bpy.data.images.load(subject)
    film.source = "SEQUENCE"
    bpy.ops.standee.add_files(filepath=subject)
    standee.active().name = "The cat"
    standee.active().picture = film
    with pytest.raises(
        RuntimeError, match=r"picture of the subject 'The cat' cannot be sent.*film"
    ):
        bpy.ops.standee.compose()


def test_subjects_that_are_added_one_by_one_stand_aside(standee, subject, tmp_path, png):
    for index in range(3):
        (tmp_path / f"{index}.png").write_bytes(png(20 + index, 20))
        bpy.ops.standee.add_files(filepath=str(tmp_path / f"{index}.png"))
    middles = {
        (round(one.x + one.width / 2), round(one.y + one.height / 2)) for one in standee.layers
    }
    assert len(middles) == 3


def test_a_large_painting_becomes_a_file_in_small_steps(addon, standee, daemon, until):
    image = bpy.data.images.new("large", 1024, 512)
    painted = np.random.default_rng(1).random((512, 1024, 4)).astype(np.float32)
    painted[..., 3] = 1
    image.pixels.foreach_set(painted.ravel())
    wanted = addon("scene.image_datablocks").pixels_of(image)
    bpy.ops.standee.add_image(name="large")
    standee.active().mask = image
    submit = addon("jobs.submit")
    composition, blobs, later = submit.snapshot(bpy.context)
    assert len(later) == 1, "the picture, and the cut-out that is the same"
    steps = submit.complete_in_steps(bpy.context.scene, composition, blobs, later)
    assert sum(1 for _ in steps) >= 32
    composition, blobs = submit.complete_snapshot(bpy.context)
    [layer] = composition.layers
    assert layer.picture == layer.mask
    [(digest, data)] = blobs.items()
    assert digest == layer.picture
    assert np.array_equal(addon("scene.image_datablocks").decode_pixels(data), wanted)
    bpy.ops.standee.compose()
    image.pixels.foreach_set(np.zeros_like(painted).ravel())  # painted on: the job keeps what was
    until(lambda: daemon.specs)
    [spec] = daemon.specs.values()
    assert spec["layers"][0]["picture"] == digest


def test_previews_follow_each_other_in_one_datablock(addon, standee, png):
    images, seen = addon("scene.image_datablocks"), set()
    for size, colour in (
        ((8, 4), (1, 0, 0, 1)),
        ((16, 16), (0, 1, 0, 0.5)),
        ((8, 4), (0, 0, 1, 1)),
    ):
        found = images.decode_preview(png(*size, colour))
        assert found.shape == (*size[::-1], 4)
        assert found[0, 0] == pytest.approx(colour, abs=0.01)
        seen.add(bpy.data.images[images.PREVIEW].session_uid)
    assert images.decode_preview(b"not a picture") is None
    assert images.decode_preview(png(8, 8)) is not None
    assert len(seen) == 1
    assert not images.is_picture(bpy.data.images[images.PREVIEW]), "it is offered nowhere"
    images.forget_preview()
    assert images.PREVIEW not in bpy.data.images


def test_a_jobs_previews_leave_nothing(addon, ready, daemon, until):
    known = len(bpy.data.images)
    bpy.ops.standee.compose()
    link = addon("jobs.daemon_link").link()
    [job] = link.unfinished
    until(lambda: job.preview is not None)
    until(lambda: bpy.context.scene.standee.results and link.idle)
    assert len(bpy.data.images) == known + 1, "the result's"

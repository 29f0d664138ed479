"""Grease Pencil strokes as masks: of a subject's cut-out, and of what of the scene stays."""

import bpy
import numpy as np
import pytest
from mathutils import Vector

NEW = bpy.app.version >= (4, 3)


@pytest.fixture
def draw(addon, standee):
    """Makes a drawing of closed strokes, each given by its corners in canvas px (256 x 256)."""

    def stroke(drawing, points, material):
        if NEW:
            drawing.add_strokes([len(points)])
            made = drawing.strokes[-1]
            for point, at in zip(made.points, points, strict=True):
                point.position = at
        else:
            made = drawing.strokes.new()
            made.points.add(len(points))
            made.points.foreach_set("co", np.array(points).ravel())
        made.material_index = material

    def make(*outlines, holds_out=False, place=(0, 0, 0)):
        data = (bpy.data.grease_pencils_v3 if hasattr(bpy.data, "grease_pencils_v3")
                else bpy.data.grease_pencils).new("drawing")  # fmt: skip
        body = bpy.data.objects.new("drawing", data)
        body.location = place
        bpy.context.scene.collection.objects.link(body)
        for holdout in (False, True):
            ink = bpy.data.materials.new("ink")
            bpy.data.materials.create_gpencil_data(ink)
            ink.grease_pencil.use_fill_holdout = holdout
            data.materials.append(ink)
        layer = data.layers.new("lines")
        frame = layer.frames.new(bpy.context.scene.frame_current)
        drawing = frame.drawing if NEW else frame
        for corners in outlines:
            points = [Vector(one) - Vector(place) for one in world(corners)]
            stroke(drawing, points, int(holds_out))
        bpy.context.view_layer.update()
        return body

    return make


def world(corners, depth=5):
    """Where points of the 256 px canvas lie in the world, on a plane before the camera."""
    camera = bpy.context.scene.camera
    frame = camera.data.view_frame(scene=bpy.context.scene)
    size = Vector((frame[0].x - frame[2].x, frame[0].y - frame[2].y)) * (depth / -frame[0].z)
    return [
        camera.matrix_world @ Vector(((x / 256 - 0.5) * size.x, (0.5 - y / 256) * size.y, -depth))
        for x, y in corners
    ]


@pytest.fixture
def layer(standee, png, addon):
    """A subject of 64 px that stands at (64, 64), twice as large."""
    picture = addon("scene.image_datablocks").image_of(png(64, 64, (1, 0, 0, 1)), "red")
    bpy.ops.standee.add_image(name=picture.name)
    made = standee.active()
    made.x, made.y, made.width, made.height = 64, 64, 128, 128
    return made


def box(left, top, right, bottom):
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def mask_of(addon, image):
    return addon("scene.image_datablocks").mask_of(image)


def is_box(mask, left, top, right, bottom):
    wanted = np.zeros(mask.shape, np.float32)
    wanted[top:bottom, left:right] = 1
    return np.abs(mask - wanted).max() <= 0.26  # a quarter of a pixel of rounding at the edges


@pytest.mark.parametrize("place", [(0, 0, 0), (3, -1, 2)])
def test_what_a_stroke_encloses_is_the_cut_out(addon, layer, draw, place):
    drawing = draw(box(80, 96, 128, 160), place=place)
    bpy.ops.standee.cut_out_strokes()
    assert mask_of(addon, layer.mask).shape == (64, 64)
    assert is_box(mask_of(addon, layer.mask), 8, 16, 32, 48)
    assert drawing.hide_render, "it is no part of the scene"


def test_a_flipped_subject_is_cut_where_it_is_seen(addon, layer, draw):
    layer.flip = True
    drawing = draw(box(80, 96, 128, 160))
    bpy.ops.standee.cut_out_strokes(hide=False)
    assert is_box(mask_of(addon, layer.mask), 32, 16, 56, 48)
    assert not drawing.hide_render


def test_a_turned_subject_is_cut_where_it_is_seen(addon, layer, draw):
    layer.rotation = 90
    draw(box(80, 96, 128, 160))
    bpy.ops.standee.cut_out_strokes()
    assert is_box(mask_of(addon, layer.mask), 16, 32, 48, 56)


def test_strokes_add_to_the_cut_out_and_take_away(addon, layer, draw):
    first = draw(box(80, 96, 128, 160))
    bpy.ops.standee.cut_out_strokes()
    bpy.data.objects.remove(first)
    second = draw(box(128, 96, 160, 160))
    bpy.ops.standee.cut_out_strokes(how="ADD")
    assert is_box(mask_of(addon, layer.mask), 8, 16, 48, 48)
    bpy.data.objects.remove(second)
    draw(box(60, 60, 200, 128))
    bpy.ops.standee.cut_out_strokes(how="SUBTRACT")
    assert is_box(mask_of(addon, layer.mask), 8, 32, 48, 48)


def test_a_material_that_holds_out_cuts_a_hole(addon, layer, draw):
    draw(box(64, 64, 192, 192))
    draw(box(96, 96, 160, 160), holds_out=True)
    bpy.ops.standee.cut_out_strokes()
    mask = mask_of(addon, layer.mask)
    assert (mask[2:14, 2:62].min(), mask[18:46, 18:46].max()) == (1, 0)


def test_the_selected_drawing_is_meant(addon, layer, draw):
    for one in bpy.context.selected_objects:
        one.select_set(False)
    draw(box(64, 64, 192, 192))
    second = draw(box(80, 96, 128, 160))
    second.select_set(True)
    bpy.ops.standee.cut_out_strokes()
    assert is_box(mask_of(addon, layer.mask), 8, 16, 32, 48)


def test_hidden_lines_and_other_frames_do_not_count(addon, layer, draw):
    drawing = draw(box(80, 96, 128, 160))
    drawing.data.layers[0].hide = True
    bpy.context.view_layer.update()
    with pytest.raises(RuntimeError, match="sees no Grease Pencil strokes"):
        bpy.ops.standee.cut_out_strokes()
    drawing.data.layers[0].hide = False
    bpy.context.scene.frame_set(1)
    bpy.ops.standee.cut_out_strokes()


@pytest.mark.parametrize("keep", ["AROUND", "INSIDE"])
def test_strokes_say_what_of_the_scene_stays(addon, standee, layer, draw, keep):
    draw(box(32, 64, 96, 128))
    assert not bpy.ops.standee.scene_strokes.poll(), "there is no scene"
    standee.scene_source = "PICTURE"
    bpy.ops.standee.scene_strokes(keep=keep)
    kept = mask_of(addon, standee.scene_kept)
    assert kept.shape == (256, 256)
    assert is_box(kept if keep == "INSIDE" else 1 - kept, 32, 64, 96, 128)


def test_why_it_cannot_is_said(layer, draw, standee):
    assert not bpy.ops.standee.cut_out_strokes.poll()
    draw(box(2, 2, 20, 20))
    with pytest.raises(RuntimeError, match="beside the picture"):
        bpy.ops.standee.cut_out_strokes()
    assert layer.mask is None

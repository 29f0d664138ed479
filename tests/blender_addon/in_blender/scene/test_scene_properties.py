"""Properties: animation, undo, saving and loading, as with all of Blender's data."""

import bpy
import pytest


def layer(standee, name="Cat"):
    one = standee.add_layer(name)
    one.x, one.y, one.width, one.height = 10, 20, 30, 40
    return one


def test_the_canvas_follows_the_render_in_whole_cells(standee):
    render = bpy.context.scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = 1000, 500, 50
    canvas = standee.canvas()
    assert (canvas.width, canvas.height) == (496, 256)
    render.resolution_x, render.resolution_y, render.resolution_percentage = 3840, 2160, 100
    canvas = standee.canvas()
    assert (canvas.width, canvas.height) == (1024, 576)


def test_a_typed_canvas_is_rounded_to_cells(standee):
    standee.follow_render = False
    standee.canvas_width, standee.canvas_height = 250, 90
    assert (standee.canvas_width, standee.canvas_height) == (256, 96)


def test_numbers_have_limits(standee):
    one = layer(standee)
    one.fidelity, one.variation, one.width = 7, -3, -5
    assert (one.fidelity, one.variation) == (1, 0)
    assert one.width > 0


def test_a_new_layer_has_the_compositions_own_defaults(standee):
    from standee.composition import Layer, Rect

    one, usual = layer(standee), Layer(picture="0" * 64, rect=Rect(0, 0, 16, 16))
    for field in ("fit", "flip", "fidelity", "light", "variation", "sharing", "visible"):
        assert getattr(one, field) == getattr(usual, field), field


def test_layers_are_saved_with_the_file(standee, tmp_path):
    layer(standee)
    standee.prompt = "a cat on the beach"
    path = str(tmp_path / "scene.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=path)
    back = bpy.context.scene.standee
    assert back.prompt == "a cat on the beach"
    assert (back.layers[0].name, back.layers[0].rect.w) == ("Cat", 30)


def test_undo_takes_back_one_step(standee):
    layer(standee)
    bpy.ops.ed.undo_push(message="one layer")
    standee.layers[0].x = 99
    bpy.ops.ed.undo_push(message="moved")
    bpy.ops.ed.undo()
    assert bpy.context.scene.standee.layers[0].x == 10
    bpy.ops.ed.redo()
    assert bpy.context.scene.standee.layers[0].x == 99


@pytest.mark.parametrize("name", ["x", "fidelity", "variation", "width"])
def test_numbers_animate(standee, name):
    layer(standee)
    scene, path = bpy.context.scene, f"standee.layers[0].{name}"
    for frame, value in ((1, 0.25), (11, 0.75)):
        setattr(standee.layers[0], name, value)
        scene.keyframe_insert(path, frame=frame)
    scene.frame_set(6)
    assert getattr(standee.layers[0], name) == pytest.approx(0.5, abs=1e-3)


def test_visibility_animates(standee):
    layer(standee)
    scene = bpy.context.scene
    for frame, value in ((1, True), (5, False)):
        standee.layers[0].visible = value
        scene.keyframe_insert("standee.layers[0].visible", frame=frame)
    scene.frame_set(1)
    assert standee.layers[0].visible
    scene.frame_set(5)
    assert not standee.layers[0].visible

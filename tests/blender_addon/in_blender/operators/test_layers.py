"""Layer operators, and the animation curves that follow the layers."""

from types import SimpleNamespace

import bpy
import pytest


@pytest.fixture
def three(standee):
    for index, name in enumerate("abc"):
        layer = standee.add_layer(name)
        layer.x = index
    return standee


def names(standee):
    return "".join(layer.name for layer in standee.layers)


@pytest.mark.parametrize(
    ("direction", "expected"),
    [("FORWARD", "acb"), ("BACKWARD", "bac"), ("FRONT", "acb"), ("BACK", "bac")],
)
def test_layers_are_reordered(three, direction, expected):
    three.active_layer = 1
    bpy.ops.standee.layer_move(direction=direction)
    assert names(three) == expected
    assert three.active().name == "b"


def test_the_foremost_cannot_come_forward(three):
    three.active_layer = 2
    assert bpy.ops.standee.layer_move(direction="FORWARD") == {"CANCELLED"}


def test_a_layers_animation_moves_with_it(three):
    scene = bpy.context.scene
    three.layers[0].x = 50
    scene.keyframe_insert("standee.layers[0].x", frame=1)
    three.active_layer = 0
    bpy.ops.standee.layer_move(direction="FRONT")
    assert names(three) == "bca"
    scene.frame_set(3)
    scene.frame_set(1)
    assert [layer.x for layer in three.layers] == [1, 2, 50]


def test_removing_a_layer_removes_its_animation_only(three):
    scene = bpy.context.scene
    for index in range(3):
        scene.keyframe_insert(f"standee.layers[{index}].x", frame=1)
    three.active_layer = 1
    bpy.ops.standee.layer_remove()
    scene.frame_set(5)
    scene.frame_set(1)
    assert names(three) == "ac"
    assert [layer.x for layer in three.layers] == [0, 2]


def test_a_duplicate_is_another_layer(three):
    three.active_layer = 0
    bpy.ops.standee.layer_duplicate()
    assert names(three) == "abca"
    assert len({layer.layer_id for layer in three.layers}) == 4


def test_select_fit_centre_key_and_nudge(three, subject):
    bpy.ops.standee.add_files(filepath=subject)
    layer = three.active()
    layer.width, layer.height = 100, 50
    bpy.ops.standee.layer_fit()
    assert (layer.rect.w, layer.rect.h) == (50, 50)
    bpy.ops.standee.layer_center()
    assert (layer.rect.x, layer.rect.y) == (103, 103)
    bpy.ops.standee.nudge(x=5, y=-3)
    assert (layer.rect.x, layer.rect.y) == (108, 100)
    bpy.ops.standee.layer_key()
    assert bpy.context.scene.animation_data is not None
    bpy.ops.standee.layer_select(index=0)
    assert three.active().name == "a"
    with pytest.raises(RuntimeError, match="only 4"):
        bpy.ops.standee.layer_select(index=9)


def test_without_layers_the_buttons_say_why(standee):
    for name in ("layer_remove", "layer_move", "layer_duplicate", "layer_key", "unbind", "bind"):
        assert not getattr(bpy.ops.standee, name).poll()
    with pytest.raises(RuntimeError, match="Add a subject first"):
        bpy.ops.standee.layer_remove()


def test_the_tools_keys_are_for_the_subject_that_was_clicked(addon, standee, subject, monkeypatch):
    bpy.ops.standee.add_files(filepath=subject)
    view, focus = addon("viewport.view_state"), addon("scene.focus")
    frame = addon("core.projection").Frame(0, 0, 100, 100, standee.canvas())
    monkeypatch.setattr(view, "frame_under", lambda context: frame)
    assert view.keys_mean_subjects(bpy.context)
    focus.on_subject = False  # the pointer clicked a cube
    assert not view.keys_mean_subjects(bpy.context)
    key = SimpleNamespace(tool=True, execute=lambda context: {"FINISHED"})
    invoke = addon("operators.base").ToolKey.invoke  # without a window Blender invokes nothing
    assert invoke(key, bpy.context, None) == {"PASS_THROUGH"}
    standee.active_layer = 0  # a click in the list
    assert invoke(key, bpy.context, None) == {"FINISHED"}
    focus.on_subject, key.tool = False, False  # a button of the panel
    assert invoke(key, bpy.context, None) == {"FINISHED"}


def test_without_a_camera_view_the_tools_keys_are_blenders(addon, standee, subject):
    bpy.ops.standee.add_files(filepath=subject)
    assert not addon("viewport.view_state").keys_mean_subjects(bpy.context)


def test_every_key_of_the_tool_that_changes_a_subject_asks_what_was_clicked(addon):
    tool = addon("viewport.workspace_tool").StandeeTool
    for operator, event, more in tool.bl_keymap:
        pointer = event["type"] in ("LEFTMOUSE", "MOUSEMOVE")
        assert ("tool", True) in more["properties"] or pointer, operator

"""The operators on layers, and their curves that follow them."""

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

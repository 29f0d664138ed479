"""Object binding: following, depth order, occlusion."""

import bpy
import numpy as np
import pytest


@pytest.fixture
def looking_down(standee):
    """A camera at the origin's height that looks along +y; 256 px square, 90 degrees wide."""
    scene = bpy.context.scene
    for one in list(scene.objects):
        if one.type == "MESH":
            bpy.data.objects.remove(one)
    camera = scene.camera
    camera.location, camera.rotation_euler = (0, 0, 0), (np.pi / 2, 0, 0)
    camera.data.lens, camera.data.sensor_width = 18, 36
    bpy.context.view_layer.update()
    return scene


def cube(name, at, size=1.0):
    bpy.ops.mesh.primitive_cube_add(size=size, location=at)
    bpy.context.object.name = name
    return bpy.context.object


def bound(standee, body, subject):
    bpy.ops.standee.add_files(filepath=subject)
    bpy.context.view_layer.objects.active = body
    bpy.ops.standee.bind()
    return standee.active()


def test_a_layer_stands_where_its_object_is(looking_down, standee, subject):
    layer = bound(standee, cube("a", (0, 4.5, 0)), subject)
    # The near face is 1 unit wide at distance 4: 128 px per unit at distance 1, so 32 px.
    assert (layer.rect.x, layer.rect.y) == pytest.approx((112, 112), abs=0.01)
    assert (layer.rect.w, layer.rect.h) == pytest.approx((32, 32), abs=0.01)
    assert layer.distance == pytest.approx(4.5)


def test_it_follows_the_object_and_the_camera(looking_down, standee, subject):
    body = cube("a", (0, 4.5, 0))
    bound(standee, body, subject)
    body.location.x = 1
    bpy.context.view_layer.update()
    right = standee.layers[0].x + standee.layers[0].width
    assert right == pytest.approx(128 + 1.5 / 4 * 128, abs=0.01)
    looking_down.camera.location.x = 1
    bpy.context.view_layer.update()
    assert standee.layers[0].x == pytest.approx(112, abs=0.01)


def test_it_follows_an_animated_object(looking_down, standee, subject):
    body = cube("a", (0, 4.5, 0))
    bound(standee, body, subject)
    body.keyframe_insert("location", frame=1)
    body.location.x = 2
    body.keyframe_insert("location", frame=11)
    looking_down.frame_set(11)
    right = standee.layers[0].x + standee.layers[0].width
    assert right == pytest.approx(128 + 2.5 / 4 * 128, abs=0.01)


def test_the_farther_one_stands_behind(addon, looking_down, standee, subject):
    near, far = cube("near", (0, 4, 0)), cube("far", (0.5, 8, 0))
    bound(standee, near, subject)
    bound(standee, far, subject)
    order = addon("scene.object_binding").order
    assert order(standee.layers) == [1, 0]
    far.location.y = 2
    bpy.context.view_layer.update()
    assert order(standee.layers) == [0, 1]


def test_an_object_in_front_cuts_what_it_hides(addon, looking_down, standee, subject):
    bound(standee, cube("a", (0, 8, 0), 4), subject)
    cube("wall", (-2.5, 4, 0), 5)  # its right edge is in the middle of the view
    [mask] = addon("rendering.visibility").cut_masks(bpy.context.scene).values()
    values = addon("scene.image_datablocks").decode_pixels(mask)[..., 0]
    assert values[:, 40:].max() == 1
    assert values[:, :28].max() == 0


def test_what_is_behind_or_below_hides_nothing(addon, looking_down, standee, subject):
    bound(standee, cube("a", (0, 4, 0)), subject)
    cube("behind", (0, 12, 0), 6)
    bpy.ops.mesh.primitive_plane_add(size=40, location=(0, 0, -0.5))  # it stands on the ground
    assert addon("rendering.visibility").cut_masks(bpy.context.scene) == {}


def test_other_bound_objects_are_stand_ins_and_hide_nothing(addon, looking_down, standee, subject):
    bound(standee, cube("a", (0, 8, 0)), subject)
    bound(standee, cube("b", (0, 4, 0)), subject)
    assert addon("rendering.visibility").cut_masks(bpy.context.scene) == {}


def test_behind_the_camera_it_is_not_in_the_picture(looking_down, standee, subject):
    body = cube("a", (0, 4, 0))
    bound(standee, body, subject)
    body.location.y = -4
    bpy.context.view_layer.update()
    assert not standee.layers[0].shown
    assert standee.layers[0].visible


def test_a_collection_is_bound_as_a_whole(looking_down, standee, subject):
    home = bpy.data.collections.new("pair")
    looking_down.collection.children.link(home)
    for x in (-1, 1):
        body = cube("c", (x, 4.5, 0))
        looking_down.collection.objects.unlink(
            body
        ) if body.name in looking_down.collection.objects else [
            one.objects.unlink(body) for one in body.users_collection
        ]
        home.objects.link(body)
    bpy.ops.standee.add_files(filepath=subject)
    bpy.context.view_layer.objects.active = body
    bpy.ops.standee.bind(collection=True)
    rect = standee.layers[0].rect
    assert (rect.x, rect.w) == pytest.approx((80, 96), abs=0.01)


def test_unbinding_bakes_place_order_and_cut(addon, looking_down, standee, subject):
    far = cube("far", (0, 8, 0), 4)
    bound(standee, cube("near", (3, 3, 0)), subject)
    bound(standee, far, subject)
    cube("wall", (-2.5, 4, 0), 5)
    rect, layer_id = standee.layers[1].rect, standee.layers[1].layer_id
    bpy.ops.standee.unbind()
    assert [layer.layer_id == layer_id for layer in standee.layers] == [True, False]
    layer = standee.active()
    assert layer.layer_id == layer_id
    assert not layer.bound
    assert layer.rect == rect
    assert layer.mask is not None
    far.location.x = 5
    bpy.context.view_layer.update()
    assert standee.active().rect == rect


def test_a_bound_layer_cannot_be_nudged(looking_down, standee, subject):
    layer = bound(standee, cube("a", (0, 4, 0)), subject)
    x = layer.x
    assert bpy.ops.standee.nudge(x=5) == {"CANCELLED"}
    assert standee.layers[0].x == x

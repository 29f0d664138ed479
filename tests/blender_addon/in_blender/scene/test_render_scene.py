"""Temporary render scene: the bodies, light and look of F12, whatever the scene holds."""

import bpy
import numpy as np
import pytest
from tests.blender_addon.in_blender.f12 import as_rendered


def lamp(name, at, power=500.0):
    data = bpy.data.lights.new(name, "POINT")
    data.energy = power
    found = bpy.data.objects.new(name, data)
    found.location = at
    return found


def collection(scene, name, *objects):
    home = bpy.data.collections.new(name)
    scene.collection.children.link(home)
    for one in objects:
        home.objects.link(one)
    return bpy.context.view_layer.layer_collection.children[name]


def excluded(scene, stand):
    collection(scene, "off", lamp("off", (2, -2, 2))).exclude = True


def render_disabled(scene, stand):
    collection(scene, "off", lamp("off", (2, -2, 2))).collection.hide_render = True


def within_excluded(scene, stand):
    outer = collection(scene, "outer", lamp("off", (2, -2, 2)))
    inner = bpy.data.collections.new("inner")
    outer.collection.children.link(inner)
    inner.objects.link(lamp("on", (-2, -2, 2)))
    outer.exclude = True
    outer.children["inner"].exclude = False


def instances(scene, stand):
    home = bpy.data.collections.new("pair")
    bpy.ops.mesh.primitive_cube_add(size=1, location=(0, 0, 0))
    body = bpy.context.object
    scene.collection.objects.unlink(body) if body.name in scene.collection.objects else [
        one.objects.unlink(body) for one in body.users_collection
    ]
    home.objects.link(body)
    empty = bpy.data.objects.new("shown", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", home
    empty.location = (-1.5, 0, 0)
    scene.collection.objects.link(empty)


def light_linking(scene, stand):
    only = lamp("only", (2, -3, 2))
    scene.collection.objects.link(only)
    home = bpy.data.collections.new("receivers")
    bpy.ops.mesh.primitive_cube_add(size=1, location=(-1.5, 0, 0))
    home.objects.link(bpy.context.object)
    only.light_linking.receiver_collection = home


def held_out(scene, stand):
    bpy.ops.mesh.primitive_cube_add(size=1, location=(1.6, -0.6, 0.6))
    body = bpy.context.object
    for one in list(body.users_collection):
        one.objects.unlink(body)
    collection(scene, "hole", body).holdout = True


def only_indirect(scene, stand):
    bpy.ops.mesh.primitive_cube_add(size=1, location=(1.6, -0.6, 0.6))
    body = bpy.context.object
    for one in list(body.users_collection):
        one.objects.unlink(body)
    collection(scene, "bounce", body).indirect_only = True


def overridden(scene, stand):
    red = bpy.data.materials.new("red")
    red.use_nodes = True
    red.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (1, 0, 0, 1)
    bpy.context.view_layer.material_override = red


def second_view_layer(scene, stand):
    home = collection(scene, "some", lamp("some", (2, -2, 2)))
    other = scene.view_layers.new("other")
    other.layer_collection.children["some"].exclude = True
    scene.view_layers[0].use = True
    other.use = False
    assert not home.exclude


def fallen(scene, stand):
    bpy.ops.rigidbody.object_add()
    for frame in range(1, 8):
        scene.frame_set(frame)


def curves(scene, stand):
    view = scene.view_settings
    view.use_curve_mapping = True
    view.curve_mapping.curves[3].points.new(0.4, 0.7)
    view.curve_mapping.update()
    view.exposure = 0.5


SCENES = [
    excluded, render_disabled, within_excluded, instances, light_linking, held_out, only_indirect,
    overridden, second_view_layer, fallen, curves,
]  # fmt: skip


@pytest.mark.parametrize("change", SCENES, ids=lambda one: one.__name__)
def test_a_fresh_render_has_the_bodies_and_the_light_of_f12(
    addon, standee, stand, change, tmp_path
):
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = 2, False
    scene.render.resolution_x = scene.render.resolution_y = 64
    change(scene, stand)
    bpy.context.view_layer.update()
    standee.scene_source = "RENDER"
    bpy.ops.standee.scene_capture()
    found = addon("scene.image_datablocks").pixels_of(standee.scene_picture)
    wanted = as_rendered(tmp_path / "f12.png")
    assert np.ptp(wanted[..., :3]) > 0.1
    assert np.abs(found[..., :3] - wanted[..., :3]).max() <= 1.01 / 255


def test_a_light_that_no_render_shows_does_not_light_a_cut_out(addon, standee, stand):
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 2
    scene.render.resolution_x = scene.render.resolution_y = 64
    for one in [one for one in scene.objects if one.type == "LIGHT"]:
        bpy.data.objects.remove(one)
    scene.world = None
    excluded(scene, stand)
    stand.select_set(True)
    bpy.context.view_layer.objects.active = stand
    bpy.ops.standee.add_object(detail=1)
    pixels = addon("scene.image_datablocks").pixels_of(standee.active().picture)
    assert pixels[..., 3].max() > 0.9
    assert pixels[..., :3].max() < 0.02


def test_another_scene_is_rendered_at_its_own_frame(addon, standee, stand, tmp_path):
    scene = bpy.context.scene
    for frame, x in ((1, 0.8), (9, -0.8)):
        stand.location.x = x
        stand.keyframe_insert("location", frame=frame)
    scene.frame_set(9)
    wanted = as_rendered(tmp_path / "f12.png")
    other = bpy.data.scenes.new("Other")  # the artist went on in another one
    with bpy.context.temp_override(scene=other):
        slowly = addon("scene.render").scene_picture_in_steps(scene, "RENDER")
        data = addon("scene.object_binding").run_to_end(slowly)
    found = addon("scene.image_datablocks").decode_pixels(data)
    assert np.abs(found[..., :3] - wanted[..., :3]).max() <= 1.01 / 255


def test_the_artists_own_properties_reach_the_materials(addon, standee, stand):
    bpy.context.scene["warmth"] = 0.75
    with addon("scene.render_scene").temporary_render_scene(
        bpy.context.scene, addon("scene.render_scene").objects_only([stand])
    ) as target:
        assert target.scene["warmth"] == 0.75
        assert not target.scene.standee.layers

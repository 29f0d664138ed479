"""Occlusion of bound layers: what a render shows before the object, no more and no less."""

import bpy
import numpy as np
import pytest


@pytest.fixture
def before(standee, subject):
    """A wall that stands before the left half of a bound cube; returns it."""
    scene = bpy.context.scene
    for one in list(scene.objects):
        if one.type == "MESH":
            bpy.data.objects.remove(one)
    camera = scene.camera
    camera.location, camera.rotation_euler = (0, 0, 0), (np.pi / 2, 0, 0)
    camera.data.lens, camera.data.sensor_width = 18, 36
    bpy.ops.mesh.primitive_cube_add(size=4, location=(0, 8, 0))
    own = bpy.context.object
    bpy.ops.standee.add_files(filepath=subject)
    bpy.context.view_layer.objects.active = own
    bpy.ops.standee.bind()
    bpy.ops.mesh.primitive_cube_add(size=5, location=(-2.5, 4, 0))
    return bpy.context.object


def shader(kind, **inputs):
    def change(wall):
        material = bpy.data.materials.new("m")
        material.use_nodes = True
        tree = material.node_tree
        output = tree.get_output_node("ALL")
        if kind == "fog":
            tree.nodes.clear()
            output = tree.nodes.new("ShaderNodeOutputMaterial")
            fog = tree.nodes.new("ShaderNodeVolumePrincipled")
            tree.links.new(fog.outputs[0], output.inputs["Volume"])
        else:
            node = tree.nodes.new(kind)
            for name, value in inputs.items():
                node.inputs[name].default_value = value
            tree.links.new(node.outputs[0], output.inputs["Surface"])
        wall.data.materials.append(material)

    return change


def hide_render(wall):
    wall.hide_render = True


def camera_invisible(wall):
    wall.visible_camera = False


def hidden_curve(wall):
    bpy.data.objects.remove(wall)
    curve = bpy.data.curves.new("wall", "CURVE")
    curve.dimensions, curve.extrude = "2D", 2.5
    line = curve.splines.new("POLY")
    line.points.add(1)
    line.points[0].co, line.points[1].co = (-5, 0, 0, 1), (0, 0, 0, 1)
    body = bpy.data.objects.new("wall", curve)
    body.location = (0, 1.5, 0)
    bpy.context.scene.collection.objects.link(body)
    bpy.context.view_layer.update()
    body.hide_viewport = True


def excluded_but_instanced(wall):
    home = bpy.data.collections.new("walls")
    for one in list(wall.users_collection):
        one.objects.unlink(wall)
    home.objects.link(wall)
    empty = bpy.data.objects.new("walls", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", home
    bpy.context.scene.collection.objects.link(empty)


def indirect_only(wall):
    home = bpy.data.collections.new("bounce")
    for one in list(wall.users_collection):
        one.objects.unlink(wall)
    home.objects.link(wall)
    bpy.context.scene.collection.children.link(home)
    bpy.context.view_layer.layer_collection.children["bounce"].indirect_only = True


def hidden_in_viewport(wall):
    wall.hide_viewport = True


def hidden_by_the_eye(wall):
    wall.hide_set(True)


CLEAR = {
    "hide_render": hide_render,
    "camera_invisible": camera_invisible,
    "indirect_only": indirect_only,
    "glass": shader("ShaderNodeBsdfGlass"),
    "transparent": shader("ShaderNodeBsdfTransparent"),
    "alpha 0": shader("ShaderNodeBsdfPrincipled", Alpha=0.0),
    "fog": shader("fog"),
}
SOLID = {
    "plain": lambda wall: None,
    "principled": shader("ShaderNodeBsdfPrincipled", Alpha=1.0),
    "hidden in the viewport": hidden_in_viewport,
    "hidden by the eye": hidden_by_the_eye,
    "a curve hidden in the viewport": hidden_curve,
    "instanced": excluded_but_instanced,
}


def hidden(addon):
    """Shares of the left and the right half of the layer that are hidden."""
    bpy.context.view_layer.update()
    scene = bpy.context.scene
    samples, blocked = addon("scene.occlusion").hidden_part(
        scene, bpy.context.evaluated_depsgraph_get(), scene.standee.layers[0]
    )
    at, px = samples.inside(scene.standee.layers[0].rect)
    values = blocked[tuple(at.T)]
    return values[px[:, 0] < 126].mean(), values[px[:, 0] > 130].mean()


@pytest.mark.parametrize("name", CLEAR)
def test_what_a_render_does_not_show_hides_nothing(addon, before, name):
    CLEAR[name](before)
    assert hidden(addon) == (0.0, 0.0)


@pytest.mark.parametrize("name", SOLID)
def test_what_a_render_shows_hides(addon, before, name):
    SOLID[name](before)
    left, right = hidden(addon)
    assert left == 1.0
    assert right < 0.02


def test_an_empty_that_shows_a_collection_is_followed(addon, before, standee, subject):
    excluded_but_instanced(before)
    empty = bpy.data.objects["walls"]
    bpy.ops.standee.add_files(filepath=subject)
    bpy.context.view_layer.objects.active = empty
    bpy.ops.standee.bind()
    layer = standee.active()
    assert layer.in_view
    right = layer.x + layer.width
    assert right == pytest.approx(128, abs=0.1)
    empty.location.x = 1
    bpy.context.view_layer.update()
    assert standee.active().x + standee.active().width == pytest.approx(128 + 128 / 1.5, abs=0.1)
    assert hidden(addon) == (0.0, 0.0), "a stand-in hides no other"


def test_a_deleted_object_lets_its_layer_go(addon, before, standee):
    own = standee.layers[0].bound_object
    rect = standee.layers[0].rect
    for one in bpy.context.selected_objects:
        one.select_set(False)
    own.select_set(True)
    bpy.ops.object.delete()
    bpy.context.view_layer.update()
    addon("scene.object_binding").sync(bpy.context.scene, bpy.context.evaluated_depsgraph_get())
    assert not standee.layers[0].bound
    assert standee.layers[0].rect == rect


def test_a_stand_in_that_is_hidden_in_the_viewport_still_moves_its_layer(addon, before, standee):
    own = standee.layers[0].bound_object
    before = standee.layers[0].x
    own.hide_viewport = True
    own.location.x += 1
    bpy.context.view_layer.update()
    addon("scene.object_binding").sync(bpy.context.scene, bpy.context.evaluated_depsgraph_get())
    assert standee.layers[0].x > before + 10

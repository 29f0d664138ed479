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


def painted(alpha):
    """An image that says where the wall is."""

    def change(wall):
        image = bpy.data.images.new("leaf", 4, 4, alpha=True)
        image.pixels.foreach_set(np.full(64, alpha, np.float32))
        shader("ShaderNodeBsdfPrincipled")(wall)
        tree = wall.data.materials[0].node_tree
        texture, surface = tree.nodes.new("ShaderNodeTexImage"), tree.get_output_node("ALL")
        texture.image = image
        tree.links.new(
            texture.outputs["Alpha"], surface.inputs[0].links[0].from_node.inputs["Alpha"]
        )

    return change


def pane_of_a_house(wall):
    """One face of many is glass: that before the layer."""
    for material in range(2):
        wall.data.materials.append(bpy.data.materials.new(str(material)))
    shader("ShaderNodeBsdfGlass")(wall)
    for face in wall.data.polygons:
        face.material_index = 2 if abs(face.normal.y) > 0.5 else 0


def grown_in_renders(wall):
    """What only renders do to it brings it before the layer."""
    wall.location.x = -12
    array = wall.modifiers.new("more", "ARRAY")
    array.count, array.use_relative_offset, array.use_constant_offset = 2, False, True
    array.constant_offset_displace = (9.5, 0, 0)
    array.show_viewport = False


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
    "a clear texture": painted(0.0),
    "a pane of a house": pane_of_a_house,
}
SOLID = {
    "plain": lambda wall: None,
    "principled": shader("ShaderNodeBsdfPrincipled", Alpha=1.0),
    "a solid texture": painted(1.0),
    "hidden in the viewport": hidden_in_viewport,
    "hidden by the eye": hidden_by_the_eye,
    "a curve hidden in the viewport": hidden_curve,
    "a modifier of renders": grown_in_renders,
    "instanced": excluded_but_instanced,
}


def hidden(addon):
    """Shares of the left and the right half of the layer that are hidden in what is sent."""
    bpy.context.view_layer.update()
    layer = bpy.context.scene.standee.layers[0]
    images = addon("scene.image_datablocks")
    whole = images.arrays_of(layer.picture).alpha
    mask = addon("rendering.visibility").cut_masks(bpy.context.scene).get(layer.layer_id)
    left = whole if mask is None else images.decode_pixels(mask)[..., 0]
    middle, edge = whole.shape[1] // 2, 1  # a column on each side is neither
    halves = np.s_[:, : middle - edge], np.s_[:, middle + edge :]
    return tuple(1 - left[half].sum() / whole[half].sum() for half in halves)


def test_a_rectangle_of_words_is_cut_like_any_other(addon, before, standee):
    layer = standee.layers[0]
    layer.picture, layer.prompt = None, "a red boat"
    mask = addon("rendering.visibility").cut_masks(bpy.context.scene)[layer.layer_id]
    left = addon("scene.image_datablocks").decode_pixels(mask)[..., 0]
    middle = left.shape[1] // 2
    assert left[:, : middle - 1].max() == 0
    assert left[:, middle + 1 :].min() == 1
    composition, _ = addon("scene.composition_io").composition_of(standee)
    assert composition.layers[0].mask is None
    bpy.ops.standee.unbind()
    composition, blobs = addon("scene.composition_io").composition_of(standee)
    assert blobs[composition.layers[0].mask] == mask


@pytest.mark.parametrize("name", CLEAR)
def test_what_a_render_does_not_show_hides_nothing(addon, before, name):
    CLEAR[name](before)
    assert hidden(addon) == pytest.approx((0.0, 0.0), abs=0.01)


@pytest.mark.parametrize("name", SOLID)
def test_what_a_render_shows_hides(addon, before, name):
    SOLID[name](before)
    left, right = hidden(addon)
    assert left > 0.99
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


def test_a_stand_in_that_renders_do_not_show_is_cut_all_the_same(addon, before, standee):
    standee.layers[0].bound_object.hide_render = True
    bpy.ops.mesh.primitive_cube_add(size=3, location=(2.5, 7, 0))  # its near side is within the own
    left, right = hidden(addon)
    assert left > 0.99
    assert 0.1 < right < 0.9
    assert standee.layers[0].bound_object.hide_render


def test_nothing_is_left_of_what_was_rendered(addon, before):
    pane_of_a_house(before)
    before.hide_select = True
    kinds = ("scenes", "objects", "materials", "meshes", "collections", "cameras")

    def counts():
        return [len(getattr(bpy.data, kind)) for kind in kinds]

    known, slots = counts(), [slot.link for slot in before.material_slots]
    hidden(addon)
    assert counts() == known
    assert [slot.link for slot in before.material_slots] == slots

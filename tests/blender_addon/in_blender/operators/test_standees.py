"""Subjects from what lies in the Outliner, the Asset Browser and the scene."""

import bpy
import numpy as np
import pytest


@pytest.fixture
def picture(addon, png):
    """An image of the file, twice as wide as high."""
    return addon("scene.image_datablocks").image_of(png(64, 32, (0.2, 0.5, 0.3, 1)), "green")


@pytest.fixture
def before_camera(standee):
    """A camera at the origin that looks along y, 90 degrees wide, and nothing else in its scene."""
    scene = bpy.context.scene
    for one in list(scene.objects):
        if one.type != "CAMERA":
            bpy.data.objects.remove(one)
    camera = scene.camera
    camera.location, camera.rotation_euler = (0, 0, 0), (np.pi / 2, 0, 0)
    camera.data.lens, camera.data.sensor_width = 18, 36
    bpy.context.view_layer.update()
    return scene


def empty_of(image, at, size):
    """An image empty, as Blender makes of an image that is dropped on a view."""
    made = bpy.data.objects.new("dropped", None)
    made.empty_display_type, made.data, made.empty_display_size = "IMAGE", image, size
    made.empty_image_offset = (-0.5, -0.5)
    made.location, made.rotation_euler = at, (np.pi / 2, 0, 0)
    bpy.context.scene.collection.objects.link(made)
    bpy.context.view_layer.update()
    return made


def chosen(*ids):
    return bpy.context.temp_override(selected_ids=list(ids))


def test_an_image_of_the_outliner_becomes_a_subject(standee, picture):
    with chosen(picture):
        assert bpy.ops.standee.add_chosen() == {"FINISHED"}
    assert standee.active().picture == picture


def test_a_dropped_image_becomes_a_subject_where_it_was_dropped(before_camera, standee, picture):
    dropped = empty_of(picture, (1, 4, 0), 2)
    dropped.select_set(True)
    assert bpy.ops.standee.adopt_cards.poll()
    bpy.ops.standee.adopt_cards()
    layer = standee.active()
    assert layer.picture == picture
    # 2 wide and 1 high at distance 4, where the 256 px of the canvas are 8 wide
    assert (layer.x, layer.y) == pytest.approx((128, 112), abs=0.1)
    assert (layer.width, layer.height) == pytest.approx((64, 32), abs=0.1)
    assert "dropped" not in bpy.data.objects
    assert not bpy.ops.standee.adopt_cards.poll()


def test_an_object_of_the_outliner_becomes_a_picture_of_it(before_camera, standee):
    bpy.ops.mesh.primitive_cube_add(size=1, location=(0, 4, 0))
    cube = bpy.context.object
    before_camera.render.engine, before_camera.cycles.samples = "CYCLES", 1
    with chosen(cube):
        bpy.ops.standee.add_chosen()
    layer = standee.active()
    assert layer.name == cube.name
    assert layer.x + layer.width / 2 == pytest.approx(128, abs=1)
    assert 256 / 7 < layer.width < 256 / 7 + 8  # its front side is 3.5 away; a margin around it


def test_what_can_be_no_subject_is_refused(standee):
    with chosen(bpy.context.scene.camera), pytest.raises(RuntimeError, match="can be a subject"):
        bpy.ops.standee.add_chosen()
    with chosen(bpy.context.scene):
        assert not bpy.ops.standee.add_chosen.poll()
    assert not standee.layers


@pytest.mark.parametrize("kind", ["IMAGE", "OBJECT"])
def test_an_asset_of_a_library_becomes_a_subject(
    before_camera, standee, picture, tmp_path, kind, addon
):
    path = tmp_path / "library.blend"
    asset = picture
    if kind == "OBJECT":
        bpy.ops.standee.add_image(name=picture.name)
        bpy.ops.standee.stand_in_3d()
        asset = standee.active().bound_object
    asset.asset_mark()
    name = asset.name
    bpy.data.libraries.write(str(path), {asset})
    standee.layers.clear()
    for one in [one for one in bpy.data.objects if one.type == "MESH"]:
        bpy.data.objects.remove(one)
    bpy.data.images.remove(picture)
    bpy.ops.standee.add_asset(filepath=str(path), kind=kind, name=name)
    layer = standee.active()
    assert tuple(layer.picture.size) == (64, 32)
    assert (layer.bound_object is not None) == (kind == "OBJECT")
    with pytest.raises(RuntimeError, match="no asset named 'none'"):
        bpy.ops.standee.add_asset(filepath=str(path), kind=kind, name="none")
    with pytest.raises(RuntimeError, match="Check the asset library"):
        bpy.ops.standee.add_asset(filepath=str(tmp_path / "gone.blend"), kind=kind, name=name)


def test_an_asset_of_this_file_becomes_a_subject(standee, picture):
    bpy.ops.standee.add_asset(kind="IMAGE", name=picture.name)
    assert standee.active().picture == picture


def test_the_menus_have_it(addon, installed, standee):
    menus = addon("panels.context_menus").MENUS

    def entries():
        return [len(getattr(getattr(bpy.types, name).draw, "_draw_funcs", ())) for name in menus]

    during = entries()
    bpy.ops.preferences.addon_disable(module=installed)
    assert [a - b for a, b in zip(during, entries(), strict=True)] == [1, 1, 1]
    bpy.ops.preferences.addon_enable(module=installed)

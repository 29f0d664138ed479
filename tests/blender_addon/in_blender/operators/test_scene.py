"""Scene pictures: files, renders without the stand-ins, masks of objects."""

import bpy
import numpy as np
import pytest


@pytest.fixture
def cycles():
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 4
    scene.render.resolution_x = scene.render.resolution_y = 64
    return scene


def test_a_picture_becomes_the_scene(addon, standee, subject):
    bpy.ops.standee.scene_picture(filepath=subject)
    assert standee.scene_source == "PICTURE"
    composition, blobs = addon("scene.composition_io").composition_of(standee)
    assert composition.scene.picture in blobs
    with pytest.raises(RuntimeError, match="cannot be read"):
        bpy.ops.standee.scene_picture(filepath="/nowhere.png")


def test_a_fresh_render_lacks_the_stand_ins(addon, standee, subject):
    scene = bpy.context.scene
    body = next(one for one in scene.objects if one.type == "MESH")  # the default cube
    standee.scene_source = "RENDER"
    bpy.ops.standee.scene_capture()
    with_cube = addon("scene.image_datablocks").pixels_of(standee.scene_picture).copy()
    bpy.ops.standee.add_files(filepath=subject)
    bpy.context.view_layer.objects.active = body
    bpy.ops.standee.bind()
    bpy.ops.standee.scene_capture()
    without = addon("scene.image_datablocks").pixels_of(standee.scene_picture)
    assert with_cube.shape == without.shape == (256, 256, 4)
    assert np.abs(with_cube - without).max() > 0.1
    assert np.ptp(without[..., :3], axis=(0, 1)).max() < 0.2  # an empty world
    assert not body.hide_render


def test_without_a_render_the_result_says_what_to_do(standee):
    standee.scene_source = "RESULT"
    with pytest.raises(RuntimeError, match="F12"):
        bpy.ops.standee.scene_capture()


def test_the_viewport_needs_a_view(standee):
    standee.scene_source = "VIEWPORT"
    with pytest.raises(RuntimeError, match="no 3D view"):
        bpy.ops.standee.scene_capture()


def test_the_mask_of_an_object_is_where_it_is_seen(addon, cycles, standee, subject):
    scene = bpy.context.scene
    for one in list(scene.objects):
        if one.type == "MESH":
            bpy.data.objects.remove(one)
    scene.camera.location, scene.camera.rotation_euler = (0, 0, 10), (0, 0, 0)
    scene.camera.data.lens, scene.camera.data.sensor_width = 36, 36
    bpy.ops.mesh.primitive_cube_add(size=5, location=(2.5, 0, 2))
    bpy.context.object.select_set(False)
    bpy.ops.mesh.primitive_plane_add(size=5, location=(0, 0, 0))
    bpy.ops.standee.scene_picture(filepath=subject)
    bpy.ops.standee.scene_mask(keep="INSIDE")
    mask = addon("scene.image_datablocks").mask_of(standee.scene_kept)
    assert mask.shape == (64, 64)
    assert mask[32, 20] > 0.9  # the plane
    assert mask[32, 40] < 0.1  # the cube before it
    assert mask[5, 5] < 0.1  # neither
    bpy.ops.standee.scene_mask(keep="AROUND")
    assert addon("scene.image_datablocks").mask_of(standee.scene_kept)[32, 20] < 0.1
    bpy.ops.standee.scene_clear()
    assert standee.scene_kept is None


def test_the_mask_needs_a_scene_and_an_object(standee, subject):
    with pytest.raises(RuntimeError, match="no scene"):
        bpy.ops.standee.scene_mask()
    bpy.ops.standee.scene_picture(filepath=subject)
    bpy.ops.object.select_all(action="DESELECT")
    with pytest.raises(RuntimeError, match="surface"):
        bpy.ops.standee.scene_mask()
    with pytest.raises(RuntimeError, match="no collection"):
        bpy.ops.standee.scene_mask(collection="nothing")


def test_enlarging_keeps_the_scene_where_it_is(standee, subject):
    bpy.ops.standee.scene_picture(filepath=subject)
    bpy.ops.standee.enlarge(left=64, right=32, top=0, bottom=16)
    assert (standee.canvas().width, standee.canvas().height) == (352, 272)
    assert standee.use_scene_rect
    sides = (standee.scene_x, standee.scene_y, standee.scene_width, standee.scene_height)
    assert sides == (64, 0, 256, 256)
    bpy.ops.standee.enlarge(left=16, right=0, top=16, bottom=0)
    assert (standee.scene_x, standee.scene_y) == (80, 16)
    assert bpy.ops.standee.enlarge(left=0, right=0, top=0, bottom=0) == {"CANCELLED"}


def test_the_render_is_fitted_to_a_canvas_of_its_own(standee):
    standee.follow_render = False
    standee.canvas_width, standee.canvas_height = 320, 192
    bpy.ops.standee.render_size()
    render = bpy.context.scene.render
    assert (render.resolution_x, render.resolution_y) == (320, 192)


def test_what_a_hidden_collection_holds_is_not_in_a_fresh_render(addon, standee):
    scene = bpy.context.scene
    home = bpy.data.collections.new("spare")
    scene.collection.children.link(home)
    bpy.ops.mesh.primitive_cube_add()
    spare = bpy.context.object
    for one in list(spare.users_collection):
        one.objects.unlink(spare)
    home.objects.link(spare)
    visible = addon("scene.render_scene").visible
    assert spare in visible(scene, bpy.context.view_layer)
    bpy.context.view_layer.layer_collection.children["spare"].exclude = True
    assert spare not in visible(scene, bpy.context.view_layer)
    bpy.context.view_layer.layer_collection.children["spare"].exclude = False
    home.hide_render = True
    assert spare not in visible(scene, bpy.context.view_layer)


def staged_things():
    homes = (bpy.data.scenes, bpy.data.collections, bpy.data.objects, bpy.data.cameras)
    return [one.name for home in homes for one in home if one.name.startswith(".standee")]


def test_nothing_is_left_of_a_stage(addon, standee):
    standee.scene_source = "RENDER"
    bpy.ops.standee.scene_capture()
    assert not staged_things()


def test_a_stage_that_undo_brings_back_is_swept_away(addon, standee):
    scene, render_scene = bpy.context.scene, addon("scene.render_scene")
    with render_scene.temporary_render_scene(scene, render_scene.objects_only(scene.objects)):
        assert staged_things()
        bpy.ops.ed.undo_push(message="in mid-render")
    bpy.ops.ed.undo_push(message="after it")
    bpy.ops.ed.undo()
    assert not staged_things()


def test_a_fresh_scene_is_taken_after_the_button_returned(addon, standee, daemon, until):
    standee.scene_source, standee.prompt = "RENDER", "a beach"
    bpy.ops.standee.compose()
    [job] = addon("jobs.daemon_link").link().unfinished
    assert (job.state, job.text) == ("preparing", "Rendering the scene")
    assert not daemon.specs
    standee.prompt = "changed since"
    until(lambda: standee.results)
    [spec] = daemon.specs.values()
    assert spec["prompt"] == "a beach"
    assert len(spec["scene"]["picture"]) == 64


def test_a_job_is_cancelled_while_its_scene_is_still_taken(addon, standee, daemon, until):
    standee.scene_source = "RENDER"
    bpy.ops.standee.compose()
    [job] = addon("jobs.daemon_link").link().unfinished
    bpy.ops.standee.cancel()
    link = addon("jobs.daemon_link").link()
    until(lambda: not link._background_tasks)
    assert job.state == "cancelled"
    assert not daemon.specs
    assert not staged_things()


def test_a_scene_that_goes_away_while_it_is_taken_fails_its_job_alone(
    addon, standee, daemon, until
):
    standee.scene_source = "RENDER"
    bpy.ops.standee.compose()
    link = addon("jobs.daemon_link").link()
    [job] = link.unfinished
    bpy.context.scene.name = "another name"
    until(lambda: job.over)
    assert job.state == "failed"
    assert "no longer there" in link.notice.message

"""Fidelity of renders to F12, however camera, output and scene are set."""

import bpy
import numpy as np
import pytest
from mathutils import Matrix
from tests.blender_addon.in_blender.f12 import as_rendered

SIDE = 256


def box(alpha):
    """The (left, top, right, bottom) of what is solid."""
    ys, xs = np.nonzero(alpha > 0.5)
    return np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1])


def keyed_lens(scene):
    scene.camera.data.lens = 40
    scene.camera.data.keyframe_insert("lens", frame=1)
    scene.camera.data.lens = 90
    scene.camera.data.keyframe_insert("lens", frame=20)
    scene.frame_set(8)


def driven_lens(scene):
    scene.camera.data.driver_add("lens").driver.expression = "35 + 2"


def keyed_shift(scene):
    scene.camera.data.shift_x, scene.camera.data.shift_y = 0.1, -0.05
    for path in ("shift_x", "shift_y"):
        scene.camera.data.keyframe_insert(path, frame=1)


def driven_shift(scene):
    scene.camera.data.driver_add("shift_y").driver.expression = "0.12"


def markers(scene):
    scene.timeline_markers.new("cut", frame=1).camera = scene.camera
    spare = bpy.data.objects.new("spare", bpy.data.cameras.new("spare"))
    scene.collection.objects.link(spare)
    scene.timeline_markers.new("later", frame=50).camera = spare


def wide_pixels(scene):
    scene.render.pixel_aspect_x = 2.0


def tall_pixels(scene):
    scene.render.pixel_aspect_y = 1.5
    scene.camera.data.shift_y = 0.1


def pal(scene):
    scene.render.resolution_x, scene.render.resolution_y = 256, 208
    scene.render.pixel_aspect_x, scene.render.pixel_aspect_y = 16, 15
    scene.camera.data.sensor_fit = "VERTICAL"


def border(scene):
    scene.render.use_border = True
    scene.render.border_max_x = scene.render.border_max_y = 0.4


def stamp(scene):
    scene.render.use_stamp = True


def override(scene):
    scene.render.image_settings.color_management = "OVERRIDE"
    scene.render.image_settings.view_settings.view_transform = "Raw"


def orthographic(scene):
    scene.camera.data.type, scene.camera.data.ortho_scale = "ORTHO", 5
    scene.camera.data.keyframe_insert("ortho_scale", frame=1)


def tracked(scene):
    target = bpy.data.objects.new("target", None)
    target.location = (0.4, 0.2, 0.1)
    scene.collection.objects.link(target)
    constraint = scene.camera.constraints.new("TRACK_TO")
    constraint.target = target


def scaled_and_parented(scene):
    parent = bpy.data.objects.new("parent", None)
    scene.collection.objects.link(parent)
    scene.camera.parent = parent
    parent.location.z, parent.scale = 0.2, (1.5, 1.5, 1.5)


def no_whole_cells(scene):
    scene.render.resolution_x, scene.render.resolution_y = 250, 210


def linked_camera(scene, folder):
    path = folder / "camera.blend"
    bpy.data.libraries.write(str(path), {scene.camera})
    with bpy.data.libraries.load(str(path), link=True) as (source, target):
        target.objects = [source.objects[0]]
    old, scene.camera = scene.camera, target.objects[0]
    bpy.data.objects.remove(old)
    scene.collection.objects.link(scene.camera)


CAMERAS = [
    keyed_lens, driven_lens, keyed_shift, driven_shift, markers, wide_pixels, tall_pixels, pal,
    border, stamp, override, orthographic, tracked, scaled_and_parented, no_whole_cells,
    linked_camera,
]  # fmt: skip


@pytest.fixture(params=CAMERAS, ids=lambda one: one.__name__)
def camera(request, stand, tmp_path):
    """One way to set camera and output."""
    given = (tmp_path,) if request.param is linked_camera else ()
    request.param(bpy.context.scene, *given)
    bpy.context.view_layer.update()
    return request.param.__name__


def test_an_object_stands_where_f12_shows_it(addon, standee, stand, camera, tmp_path):
    scene = bpy.context.scene
    shown = box(as_rendered(tmp_path / "f12.png", transparent=True)[..., 3])
    stand.select_set(True)
    bpy.ops.standee.add_object(detail=1)
    rect = standee.active().rect
    alpha = addon("scene.image_datablocks").arrays_of(standee.active().picture).alpha
    part = box(alpha) + np.array([rect.x, rect.y, rect.x, rect.y])
    canvas, size = standee.canvas(), (scene.render.resolution_x, scene.render.resolution_y)
    scale = np.array([size[0] / canvas.width, size[1] / canvas.height] * 2)
    assert np.abs(part * scale - shown).max() <= 1.0
    layer = standee.active()
    layer.bound_object = stand
    addon("scene.object_binding").sync(scene, bpy.context.evaluated_depsgraph_get())
    rect = layer.rect
    edges = np.array([rect.x, rect.y, rect.x + rect.w, rect.y + rect.h]) * scale
    assert np.abs(edges - shown).max() <= 1.0


def test_a_fresh_render_is_that_of_f12(addon, standee, camera, tmp_path):
    if camera == "no_whole_cells":
        pytest.skip("the picture has another size than the render")
    standee.scene_source = "RENDER"
    bpy.ops.standee.scene_capture()
    found = addon("scene.image_datablocks").pixels_of(standee.scene_picture)
    wanted = as_rendered(tmp_path / "f12.png")
    assert np.abs(found[..., :3] - wanted[..., :3]).max() <= 1.01 / 255


def test_nothing_of_the_output_settings_is_changed(standee, camera):
    scene = bpy.context.scene
    render, settings = scene.render, scene.render.image_settings

    def state():
        return (
            render.use_stamp, render.use_border, render.filepath, settings.file_format,
            settings.color_management, len(scene.timeline_markers), scene.camera.data.lens,
        )  # fmt: skip

    before = state()
    standee.scene_source = "RENDER"
    bpy.ops.standee.scene_capture()
    assert state() == before


# -- the last render, and a wider frame ------------------------------------------------------------


def test_the_render_result_is_the_artists_last_render(addon, standee, stand, tmp_path):
    wanted = as_rendered(tmp_path / "f12.png")
    scene = bpy.context.scene
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.use_stamp = True
    standee.scene_source = "RENDER"
    bpy.ops.standee.scene_capture()  # a render of ours in between
    stand.location.x += 1
    standee.scene_source = "RESULT"
    bpy.ops.standee.scene_capture()
    found = addon("scene.image_datablocks").pixels_of(standee.scene_picture)
    assert np.abs(found[..., :3] - wanted[..., :3]).max() <= 1.01 / 255
    assert scene.render.image_settings.file_format == "OPEN_EXR"
    assert scene.render.use_stamp


def test_the_viewport_is_seen_as_the_camera_sees_it(addon, standee, stand, camera):
    if camera in ("linked_camera", "no_whole_cells"):
        pytest.skip("the same matrix as without")
    scene, module = bpy.context.scene, addon("scene.camera")
    depsgraph = bpy.context.evaluated_depsgraph_get()
    seen = Matrix(module.view_matrix(scene.camera.evaluated_get(depsgraph)))
    both = np.array(module.projection_of(scene, depsgraph) @ seen)
    assert both == pytest.approx(module.camera_matrix(scene, depsgraph), abs=1e-5)
    analytic = module.lens_of(scene, depsgraph).matrix() @ np.array(seen)
    assert both[:2] == pytest.approx(analytic[:2], rel=1e-4, abs=1e-4)


def test_what_is_hidden_for_the_viewport_is_selected_again(addon, standee, stand):
    context = bpy.context
    stand.select_set(True)
    context.view_layer.objects.active = stand
    with addon("scene.render").without_seeing(context, [stand]):
        assert stand.hide_get()
    assert not stand.hide_get()
    assert stand.select_get()
    assert context.view_layer.objects.active == stand


def test_a_wider_frame_stays_wide_at_every_key(standee, stand, tmp_path):
    scene = bpy.context.scene
    keyed_lens(scene)
    keyed_shift(scene)
    before = as_rendered(tmp_path / "before.png")
    scene.frame_set(20)
    later = as_rendered(tmp_path / "later.png")
    scene.frame_set(8)
    bpy.ops.standee.enlarge(left=32, right=64, top=16, bottom=0)
    for frame, wanted in ((20, later), (8, before)):
        scene.frame_set(frame)
        wider = as_rendered(tmp_path / "wider.png")
        assert wider.shape[:2] == (272, 352)
        inside = wider[16:, 32 : 32 + 256, :3]
        assert np.abs(inside - wanted[..., :3]).mean() < 0.004


def test_a_driven_lens_is_not_widened_in_vain(standee, stand):
    driven_lens(bpy.context.scene)
    with pytest.raises(RuntimeError, match="Drivers or action strips"):
        bpy.ops.standee.enlarge(left=32, right=0, top=0, bottom=0)


def test_a_lamp_to_look_through_is_named(standee, stand):
    scene = bpy.context.scene
    scene.camera = next(one for one in scene.objects if one.type == "LIGHT")
    stand.select_set(True)
    with pytest.raises(RuntimeError, match="looks through 'Light', which is no camera"):
        bpy.ops.standee.add_object()

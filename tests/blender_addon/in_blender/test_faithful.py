"""What Standee renders is what F12 shows, however the camera, the output and the scene are set."""

import bpy
import numpy as np
import pytest
from mathutils import Matrix

SIDE = 256


@pytest.fixture
def stand(addon, standee):
    """A sphere aside the middle, seen by the default camera; returns it."""
    for one in list(bpy.context.scene.objects):
        if one.type == "MESH":
            bpy.data.objects.remove(one)
    bpy.ops.mesh.primitive_uv_sphere_add(location=(0.8, 0.5, 0.3))
    return bpy.context.object


def as_rendered(path, transparent=False):
    """What F12 shows, as (h, w, 4): the whole frame, as the scene looks, without words in it."""
    scene = bpy.context.scene
    render, settings = scene.render, scene.render.image_settings
    saved = (render.use_border, render.use_stamp, settings.color_management, render.filepath)
    render.use_border = render.use_stamp = False
    settings.color_management = "FOLLOW_SCENE"
    settings.file_format, settings.color_mode, settings.color_depth = "PNG", "RGBA", "8"
    render.filepath, render.film_transparent = str(path), transparent
    bpy.ops.render.render(write_still=True)
    render.film_transparent = False
    render.use_border, render.use_stamp, settings.color_management, render.filepath = saved
    image = bpy.data.images.load(str(path), check_existing=False)
    width, height = image.size
    pixels = np.array(image.pixels[:], np.float32).reshape(height, width, 4)[::-1]
    bpy.data.images.remove(image)
    return pixels


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
    alpha = addon("scene.image_datablocks").look_of(standee.active().picture).alpha
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


# -- what stands in the scene, and what lights it --------------------------------------------------


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
        slowly = addon("scene.render").scene_picture_slowly(scene, "RENDER")
        data = addon("scene.object_binding").finished(slowly)
    found = addon("scene.image_datablocks").decoded(data)
    assert np.abs(found[..., :3] - wanted[..., :3]).max() <= 1.01 / 255


def test_the_artists_own_properties_reach_the_materials(addon, standee, stand):
    bpy.context.scene["warmth"] = 0.75
    with addon("scene.render_scene").staged(
        bpy.context.scene, addon("scene.render_scene").cast_only([stand])
    ) as stage:
        assert stage.scene["warmth"] == 0.75
        assert not stage.scene.standee.layers


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

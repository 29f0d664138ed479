"""Depth and normals beside a fresh render: those of 3D, to the pixel."""

import tempfile
from pathlib import Path

import bpy
import numpy as np
import pytest

from standee.composition import Composition, Control, Layer, Rect
from standee.errors import InvalidField
from standee.images import digest_of

WIDTH, HEIGHT = 256, 192


@pytest.fixture
def level(addon, standee):
    """A camera at (0, 0, 1) that looks along y; the scene is rendered."""
    scene = bpy.context.scene
    for one in list(scene.objects):
        if one.type == "MESH":
            bpy.data.objects.remove(one)
    scene.render.resolution_x, scene.render.resolution_y = WIDTH, HEIGHT
    camera = scene.camera
    camera.location, camera.rotation_euler = (0, 0, 1), (np.pi / 2, 0, 0)
    camera.data.lens, camera.data.sensor_width = 18, 36  # 1 to the side at distance 1
    standee.scene_source, standee.use_scene_geometry = "RENDER", True
    return scene


def ways(scene):
    """The (height, width, 3) directions that pixels look in, whose y is 1."""
    xs = (np.arange(WIDTH) + 0.5) / WIDTH * 2 - 1
    zs = (1 - (np.arange(HEIGHT) + 0.5) / HEIGHT * 2) * HEIGHT / WIDTH
    return np.stack(np.broadcast_arrays(xs[None], 1.0, zs[:, None]), axis=2)


def taken(addon, standee):
    """(depth, normals) as the images have them, the first row on top."""
    bpy.ops.standee.scene_capture()
    found = []
    for image in (standee.scene_depth, standee.scene_normals):
        assert image.is_float
        assert image.colorspace_settings.is_data
        width, height = image.size
        pixels = np.array(image.pixels[:], np.float32).reshape(height, width, -1)[::-1]
        found.append(pixels[..., :3])
    return found[0][..., 0], found[1]


def test_a_plane_is_as_far_as_it_is(addon, standee, level):
    bpy.ops.mesh.primitive_plane_add(size=100, location=(0, 0, 0))
    depth, normals = taken(addon, standee)
    way = ways(level)
    ground = way[..., 2] < -1 / 50
    assert depth[ground] == pytest.approx(-1 / way[..., 2][ground], rel=5e-4)
    assert not np.isfinite(depth[way[..., 2] > 0]).any()
    assert normals[ground] == pytest.approx(np.tile([0, 1, 0], (ground.sum(), 1)), abs=1e-5)
    assert not normals[way[..., 2] > 0].any()


def test_a_sphere_is_aligned_to_the_pixel(addon, standee, level):
    bpy.ops.mesh.primitive_uv_sphere_add(
        segments=256, ring_count=128, radius=1, location=(0.3, 4, 1.2)
    )
    bpy.ops.object.shade_smooth()
    depth, normals = taken(addon, standee)
    way, middle = ways(level), np.array([0.3, 4, 0.2])
    along = way @ middle / (way**2).sum(axis=2)
    under = along**2 - (middle @ middle - 1) / (way**2).sum(axis=2)
    inside, outside = under > 2e-4, under < -2e-4  # but for the rim, which has corners
    wanted = along - np.sqrt(np.maximum(under, 0))
    assert np.isfinite(depth[inside]).all()
    assert not np.isfinite(depth[outside]).any()
    assert np.abs(depth - wanted)[inside].max() < 2e-2
    assert np.abs(depth - wanted)[under > 2e-2].max() < 2e-3
    facing = way * wanted[..., None] - middle
    facing = facing[..., [0, 2, 1]] * np.array([1, 1, -1])  # x, y, z of the camera
    assert np.abs(normals - facing)[under > 2e-2].max() < 2e-2


def test_a_turned_camera_and_blur_change_nothing(addon, standee, level):
    bpy.ops.mesh.primitive_plane_add(size=100, location=(0, 5, 0), rotation=(np.pi / 2, 0, 0))
    camera = level.camera
    camera.rotation_euler = (np.pi / 2, 0.4, 0)  # it only rolls
    camera.data.dof.use_dof, camera.data.dof.aperture_fstop = True, 0.1
    level.render.use_motion_blur = True
    depth, normals = taken(addon, standee)
    assert depth == pytest.approx(np.full((HEIGHT, WIDTH), 5.0), rel=1e-4)
    assert np.abs(normals - [0, 0, 1]).max() < 1e-5


def test_they_show_what_the_picture_shows(addon, standee, level, subject):
    bpy.ops.mesh.primitive_cube_add(size=2, location=(0, 4, 1))
    cube = bpy.context.object
    wall = bpy.ops.mesh.primitive_plane_add(
        size=100, location=(0, 9, 0), rotation=(np.pi / 2, 0, 0)
    )
    assert wall == {"FINISHED"}
    depth, _ = taken(addon, standee)
    assert depth[96, 128] == pytest.approx(3)
    bpy.ops.standee.add_files(filepath=subject)
    standee.active().bound_object = cube
    bpy.context.view_layer.update()
    depth, _ = taken(addon, standee)
    assert depth == pytest.approx(np.full((HEIGHT, WIDTH), 9.0), rel=1e-4)


def test_without_being_asked_for_there_are_none(addon, standee, level):
    taken(addon, standee)
    assert bpy.data.images.get("Standee depth")
    standee.use_scene_geometry = False
    bpy.ops.standee.scene_capture()
    assert standee.scene_depth is None
    assert standee.scene_normals is None
    assert not bpy.data.images.get("Standee depth"), "the old one is of another moment"


def test_without_cycles_that_is_said(addon, standee, level):
    bpy.ops.preferences.addon_disable(module="cycles")
    try:
        with pytest.raises(RuntimeError, match=r"needs Cycles, which is switched off\. Enable"):
            bpy.ops.standee.scene_capture()
    finally:
        bpy.ops.preferences.addon_enable(module="cycles")
    assert standee.scene_picture is None
    assert not [one for one in bpy.data.scenes if one.name.startswith(".")]


def pixels_of(png):
    """The values (height, width, 3) of a PNG, the first row on top, as Blender reads them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "read.png"
        path.write_bytes(png)
        image = bpy.data.images.load(str(path))
        image.colorspace_settings.is_data = True
        width, height = image.size
        pixels = np.array(image.pixels[:], np.float32).reshape(height, width, -1)[::-1, :, :3]
        bpy.data.images.remove(image)
    return pixels


def test_a_picture_follows_the_depth_and_normals_of_the_scene(addon, standee, level):
    """Over a plane 1 below the camera inverse depth is the slope that a pixel looks down."""
    bpy.ops.mesh.primitive_plane_add(size=1000, location=(0, 0, 0))
    standee.scene_source, standee.scene_control = "NONE", "BOTH"
    standee.scene_control_strength, standee.scene_control_end = 0.7, 0.5
    submit = addon("jobs.submit")
    assert submit.renders_first(level)
    composition, blobs = submit.complete_snapshot(bpy.context)
    assert composition.scene is None
    depth, normal = composition.control
    assert (depth.kind, depth.strength, depth.start, depth.end) == ("depth", 0.7, 0, 0.5)
    assert (normal.kind, normal.layer) == ("normal", None)
    down = np.maximum(-ways(level)[..., 2], 0)
    seen = pixels_of(blobs[depth.picture])
    assert seen.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(seen - (down / down.max())[..., None]).max() < 0.006
    seen = pixels_of(blobs[normal.picture])
    assert np.abs(seen[-1] - [0.5, 1, 0.5]).max() < 0.006, "up"
    assert np.abs(seen[0] - [0.5, 0.5, 1]).max() < 0.006, "nothing"
    standee.scene_control = "NONE"
    assert submit.complete_snapshot(bpy.context)[0].control == ()


def test_the_depth_of_a_part_of_the_canvas_is_refused(addon, standee, level):
    standee.scene_control, standee.use_scene_rect = "DEPTH", True
    with pytest.raises(InvalidField, match="fills a part of the canvas") as caught:
        addon("jobs.submit").complete_snapshot(bpy.context)
    assert "Use Scene" in caught.value.fix


def test_control_pictures_of_a_document_come_back(addon, standee, subject):
    io = addon("scene.composition_io")
    data = Path(subject).read_bytes()
    digest = digest_of(data)
    layer = Layer(picture=digest, rect=Rect(0, 0, 64, 64), id="a")
    control = Control("depth", digest, 0.7, 0.1, 0.6), Control("pose", digest, layer="a")
    io.load_into_scene(standee, Composition(layers=(layer,), control=control), lambda _: data)
    composition, blobs = io.composition_of(standee)
    assert composition.control == control
    assert blobs[digest] == data
    standee.layers.clear()
    assert io.composition_of(standee)[0].control == control[:1]
    standee.controls[0].picture = None
    assert io.composition_of(standee)[0].control == ()

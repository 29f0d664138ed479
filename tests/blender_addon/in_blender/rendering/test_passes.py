"""Depth and normals beside a fresh render: those of 3D, to the pixel."""

import bpy
import numpy as np
import pytest

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

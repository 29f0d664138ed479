"""Billboards in the scene: where the subject was, in its own colours, casting its shadow."""

import bpy
import numpy as np
import pytest
from mathutils import Vector
from tests.blender_addon.in_blender.f12 import as_rendered

SUBJECT = (200, 100, 50)


@pytest.fixture
def ground(addon, standee):
    """A white floor, seen from above by the default camera, and a lamp; Cycles."""
    scene = bpy.context.scene
    for one in list(scene.objects):
        if one.type != "CAMERA":
            bpy.data.objects.remove(one)
    bpy.ops.mesh.primitive_plane_add(size=60)
    away = Vector((0, 1, -0.8)).to_track_quat("-Z", "Y").to_euler()  # aside of the camera's view
    bpy.ops.object.light_add(type="SUN", rotation=away)
    scene.render.engine, scene.view_settings.view_transform = "CYCLES", "Standard"
    scene.cycles.samples, scene.cycles.use_denoising = 4, False
    scene.cycles.max_bounces, scene.render.dither_intensity = 1, 0
    scene.cycles.pixel_filter_type, scene.cycles.filter_width = "BOX", 0.01  # no soft edges
    scene.render.resolution_x, scene.render.resolution_y = 128, 96
    return scene


@pytest.fixture
def disc(ground, standee, addon, tmp_path):
    """A subject: a disc of one colour in a wide picture, with air below it."""
    ys, xs = np.mgrid[:40, :60]
    pixels = np.zeros((40, 60, 4), np.float32)
    pixels[..., :3] = np.array(SUBJECT) / 255
    pixels[..., 3] = (xs - 20.5) ** 2 + (ys - 16.5) ** 2 < 14**2
    path = tmp_path / "disc.png"
    path.write_bytes(addon("core.png").encode(pixels))
    bpy.ops.standee.add_files(filepath=str(path))
    layer = standee.active()
    layer.x, layer.y, layer.width, layer.height = 40, 30, 48, 32
    return layer


def edges(rect):
    return np.array([rect.x, rect.y, rect.x + rect.w, rect.y + rect.h])


def stand(**options):
    bpy.ops.standee.stand_in_3d(**options)
    bpy.context.view_layer.update()
    return bpy.context.object


def solid(picture, tolerance=1):
    """Where a picture has the subject's own colour."""
    return np.abs(picture[..., :3] * 255 - SUBJECT).max(axis=2) <= tolerance


def as_drawn(addon, standee):
    """The canvas (h, w) that the active layer's disc covers, as the composition places it."""
    from standee.composition import Canvas
    from standee.geometry import fit_picture

    layer, canvas = standee.active(), standee.canvas()
    assert canvas == Canvas(128, 96)
    placed = fit_picture(60, 40, layer.rect, layer.fit)
    across = (np.arange(128) + 0.5 - placed.x) / placed.w * 60
    down = (np.arange(96) + 0.5 - placed.y) / placed.h * 40
    across = 60 - across if layer.flip else across
    left, top, right, bottom = edges(layer.rect)
    across = np.where(
        (left < np.arange(128) + 0.5) & (np.arange(128) + 0.5 < right), across, np.inf
    )
    down = np.where((top < np.arange(96) + 0.5) & (np.arange(96) + 0.5 < bottom), down, np.inf)
    return (across[None] - 21) ** 2 + (down[:, None] - 17) ** 2 < 14**2


def turned(scene):
    scene.camera.rotation_euler.z += 0.7
    scene.camera.location = (7, 1, 3)
    scene.camera.rotation_euler = (
        (Vector((0, 0, 0)) - scene.camera.location).to_track_quat("-Z", "Y").to_euler()
    )


def orthographic(scene):
    scene.camera.data.type, scene.camera.data.ortho_scale = "ORTHO", 9


def shifted(scene):
    scene.camera.data.shift_x, scene.camera.data.lens = 0.2, 35


def wide_pixels(scene):
    scene.render.pixel_aspect_x = 1.5


@pytest.mark.parametrize("upright", [True, False])
@pytest.mark.parametrize("camera", [turned, orthographic, shifted, wide_pixels])
def test_it_is_just_where_the_subject_was(addon, disc, standee, ground, tmp_path, camera, upright):
    camera(ground)
    bpy.context.view_layer.update()
    before, drawn = edges(disc.rect), as_drawn(addon, standee)
    body = stand(upright=upright)
    assert standee.active().bound_object == body
    assert np.abs(edges(standee.active().rect) - before).max() < 0.1
    seen = solid(as_rendered(tmp_path / "f12.png"))
    rows, cols = np.nonzero(seen)
    wanted_rows, wanted_cols = np.nonzero(drawn)
    most = 2 if upright else 1  # seen from above, what is upright narrows downwards
    for ours, theirs in ((rows, wanted_rows), (cols, wanted_cols)):
        assert abs(ours.min() - theirs.min()) <= most
        assert abs(ours.max() - theirs.max()) <= most
    assert (seen != drawn).mean() < 0.015


@pytest.mark.parametrize("change", ["flip", "cover", "stretch"])
def test_flip_and_fit_are_those_of_the_subject(addon, disc, standee, tmp_path, change):
    if change == "flip":
        disc.flip = True
    else:
        disc.fit, disc.height = change, 48
    drawn = as_drawn(addon, standee)
    stand()
    assert (as_drawn(addon, standee) != drawn).mean() < 0.015
    assert (solid(as_rendered(tmp_path / "f12.png")) != drawn).mean() < 0.02


def test_it_stands_with_its_feet_on_the_ground_upright(disc, ground):
    body = stand()
    assert body.matrix_world.translation.z == pytest.approx(0, abs=1e-5)
    up = body.matrix_world.to_3x3() @ Vector((0, 1, 0))
    assert tuple(up) == pytest.approx((0, 0, 1), abs=1e-5)
    aside = body.matrix_world.to_3x3() @ Vector((1, 0, 0))
    view = ground.camera.matrix_world.to_3x3() @ Vector((0, 0, 1))
    assert aside.dot(view) == pytest.approx(0, abs=1e-5)
    ys = [corner[1] for corner in body.bound_box]
    assert min(ys) < 0 < max(ys), "the air below its feet is below the ground"


def test_it_stands_on_what_is_there(disc, ground):
    bpy.ops.mesh.primitive_cube_add(size=2, location=(0, 0, 0.5))
    bpy.context.object.scale = (4, 4, 1)
    bpy.context.view_layer.update()
    assert stand().matrix_world.translation.z == pytest.approx(1.5, abs=1e-4)


def test_above_the_horizon_it_hovers_and_that_is_said(disc, ground, standee):
    ground.camera.location, ground.camera.rotation_euler = (0, -5, 1), (np.pi / 2, 0, 0)
    disc.y, before = 0, None
    before = edges(disc.rect)
    body = stand()
    assert body.matrix_world.translation.y == pytest.approx(0, abs=1e-4)  # where the cursor is
    assert np.abs(edges(standee.active().rect) - before).max() < 0.1


def test_from_straight_above_it_cannot_be_upright(disc, ground):
    ground.camera.location, ground.camera.rotation_euler = (0, 0, 8), (0, 0, 0)
    bpy.context.view_layer.update()
    images = len(bpy.data.images)
    with pytest.raises(RuntimeError, match="Turn off Upright"):
        stand()
    assert len(bpy.data.images) == images
    stand(upright=False)


def test_moving_it_moves_the_subject_and_its_place_in_the_stack(addon, disc, standee, subject):
    body = stand()
    bpy.ops.standee.add_files(filepath=subject)
    other = standee.active()
    other.x, other.y = 10, 40
    stand()
    x, order = standee.layers[0].x, addon("scene.object_binding").order
    toward = bpy.context.scene.camera.matrix_world.translation - body.location
    body.location += 0.5 * Vector((toward.x, toward.y, 0))
    bpy.context.view_layer.update()
    assert standee.layers[0].x != x
    assert order(standee.layers)[-1] == 0
    body.location -= 0.9 * Vector((toward.x, toward.y, 0))
    bpy.context.view_layer.update()
    assert order(standee.layers)[0] == 0


def test_it_turns_to_the_camera_that_is_chosen(disc, ground):
    body = stand()
    other = bpy.data.objects.new("other", bpy.data.cameras.new("other"))
    other.location, other.rotation_euler = (8, 0, 2), (1.3, 0, np.pi / 2)
    ground.collection.objects.link(other)
    ground.camera = other
    for _ in range(2):
        bpy.context.view_layer.update()
    across = body.matrix_world.to_3x3() @ Vector((1, 0, 0))
    assert tuple(across) == pytest.approx((0, 1, 0), abs=1e-5)


@pytest.mark.parametrize("transform", ["Standard", "AgX", "Filmic"])
def test_it_keeps_its_colours(disc, ground, tmp_path, transform):
    ground.world.node_tree.nodes["Background"].inputs[1].default_value = 5
    ground.view_settings.exposure = 0.7
    stand()
    ground.view_settings.view_transform = transform
    bpy.context.view_layer.update()
    assert solid(as_rendered(tmp_path / "f12.png")).sum() > 200


NEAREST = {
    "Standard": 1,
    "AgX": 7 if bpy.app.version >= (5, 0) else 25,
    "Filmic": 3,
    "Khronos PBR Neutral": 20,
}
"""Of 255: how near each view transform comes to (0, 128, 255). No light at all gives AgX's less than 6,
Filmic's 2, Khronos' 18; Blender 4 has an inverse of AgX that knows no light outside of Rec.709."""


@pytest.mark.parametrize("transform", NEAREST)
def test_a_colour_that_cannot_be_shown_is_the_nearest_and_that_is_said(
    ground, disc, addon, tmp_path, capfd, transform
):
    blue = np.zeros((40, 60, 4), np.float32)
    blue[..., :3], blue[..., 3] = np.array([0, 128, 255]) / 255, 1
    disc.picture = addon("scene.image_datablocks").image_of(addon("core.png").encode(blue), "blue")
    ground.view_settings.view_transform = transform
    body = stand()
    said = "cannot show all of its colours" in capfd.readouterr().out
    assert said == (NEAREST[transform] > 3)
    off = np.abs(as_rendered(tmp_path / "f12.png")[..., :3] * 255 - (0, 128, 255)).max(axis=2)
    assert (off <= NEAREST[transform] + 0.5).sum() > 200
    ground.view_settings.view_transform = "Standard"
    bpy.context.view_layer.update()
    off = np.abs(as_rendered(tmp_path / "f12.png")[..., :3] * 255 - (0, 128, 255)).max(axis=2)
    assert (off <= 1.01).sum() > 200
    assert np.array_equal(
        addon("scene.image_datablocks").pixels_of(addon("rendering.billboards").picture_on(body)),
        blue,
    )


def test_its_shadow_has_its_outline(disc, ground, tmp_path):
    without = as_rendered(tmp_path / "without.png")
    body = stand()
    with_it = as_rendered(tmp_path / "with.png")
    body.data.materials[0] = bpy.data.materials.new("whole")
    whole = as_rendered(tmp_path / "whole.png")

    def dark(picture):
        return (picture[..., :3].max(axis=2) < 0.7 * without[..., :3].max(axis=2)) & ~solid(picture)

    shadow = dark(with_it).sum()
    assert shadow > 30
    assert dark(whole).sum() > shadow, "a card without its alpha hides and shades more"


@pytest.mark.parametrize("shown", [True, False])
def test_a_fresh_render_has_its_shadow_and_not_itself(
    addon, disc, ground, standee, tmp_path, shown
):
    without = as_rendered(tmp_path / "without.png")
    stand()
    with_it = as_rendered(tmp_path / "with.png")
    card = solid(with_it)
    standee.active().visible = shown
    standee.scene_source = "RENDER"
    bpy.ops.standee.scene_capture()
    fresh = addon("scene.image_datablocks").pixels_of(standee.scene_picture)
    assert not solid(fresh).any()
    shadow = (with_it[..., :3].max(axis=2) < 0.7 * without[..., :3].max(axis=2)) & ~card
    assert shadow.sum() > 30
    like = with_it if shown else without
    assert np.abs(fresh - like)[shadow][..., :3].mean() < 0.03


def test_it_is_reflected_in_a_fresh_render(addon, disc, ground, standee):
    floor = next(one for one in ground.objects if one.type == "MESH")
    mirror = bpy.data.materials.new("mirror")
    mirror.use_nodes = True
    shader = mirror.node_tree.nodes["Principled BSDF"]
    shader.inputs["Metallic"].default_value, shader.inputs["Roughness"].default_value = 1, 0
    shader.inputs["Base Color"].default_value = (1, 1, 1, 1)
    floor.data.materials.append(mirror)
    stand()
    standee.scene_source = "RENDER"
    bpy.ops.standee.scene_capture()
    fresh = addon("scene.image_datablocks").pixels_of(standee.scene_picture)
    assert solid(fresh, 12).sum() > 100


def test_a_cut_out_is_in_the_card(addon, disc, standee, tmp_path):
    ys, xs = np.mgrid[:40, :60]
    mask = (((xs - 20.5) ** 2 + (ys - 16.5) ** 2 < 14**2) & (ys < 16)).astype(np.float32)
    disc.mask = addon("scene.image_datablocks").image_of(addon("core.png").encode(mask), "half")
    drawn = as_drawn(addon, standee)
    drawn[int(disc.y + disc.height * 0.4) :] = False
    stand()
    assert (solid(as_rendered(tmp_path / "f12.png")) != drawn).mean() < 0.015


def test_why_it_cannot_is_said(disc, standee):
    disc.rotation = 30
    with pytest.raises(RuntimeError, match="turned by 30 degrees, and cards stand straight"):
        bpy.ops.standee.stand_in_3d()
    disc.rotation = 0
    stand()
    assert not bpy.ops.standee.stand_in_3d.poll()
    bpy.ops.standee.unbind()
    assert bpy.ops.standee.stand_in_3d.poll()


def test_a_copy_of_a_card_becomes_a_subject_of_its_own(disc, standee, addon):
    disc.flip, disc.prompt = True, "a disc"
    body = stand()
    assert not bpy.ops.standee.adopt_cards.poll(), "its subject follows it already"
    copy = body.copy()
    copy.location.x += 1
    bpy.context.scene.collection.objects.link(copy)
    body.select_set(False)
    copy.select_set(True)
    bpy.ops.standee.adopt_cards()
    layer = standee.active()
    assert layer.bound_object == copy
    assert layer.flip
    assert layer.x != standee.layers[0].x
    alphas = [addon("scene.image_datablocks").alpha_of(one.picture) for one in standee.layers]
    assert np.array_equal(*alphas)


def test_a_card_of_another_file_turns_to_this_files_camera(disc, standee, tmp_path):
    body = stand()
    body.asset_mark()
    path = tmp_path / "assets.blend"
    bpy.data.libraries.write(str(path), {body})
    standee.layers.clear()
    bpy.data.objects.remove(body)
    with bpy.data.libraries.load(str(path)) as (source, target):
        target.objects = [name for name in source.objects if name == "disc"]
    [card] = target.objects
    scene = bpy.context.scene
    scene.collection.objects.link(card)
    card.select_set(True)
    bpy.ops.standee.adopt_cards()
    assert standee.active().bound_object == card
    assert card.constraints[0].target == scene.camera
    assert standee.active().in_view
    drawn = standee.active().picture.size[:]
    assert tuple(drawn) == (60, 40)

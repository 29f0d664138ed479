"""Projection by every kind of Blender's cameras."""

import itertools

import bpy
import numpy as np
import pytest
from mathutils import Vector

CAMERAS = list(
    itertools.product(
        ("PERSP", "ORTHO"),
        ("AUTO", "HORIZONTAL", "VERTICAL"),
        ((320, 240, 100), (240, 320, 100), (512, 256, 50)),
        ((0.0, 0.0), (0.15, -0.25)),
    )
)


@pytest.mark.parametrize(("kind", "fit", "size", "shift"), CAMERAS)
def test_the_camera_matrix_is_that_of_the_lens(addon, kind, fit, size, shift):
    scene = bpy.context.scene
    data = scene.camera.data
    data.type, data.sensor_fit, data.shift_x, data.shift_y = kind, fit, *shift
    data.sensor_width, data.sensor_height, data.lens, data.ortho_scale = 30, 20, 42, 7
    render = scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = size
    depsgraph = bpy.context.evaluated_depsgraph_get()
    binding = addon("scene.camera")
    lens = binding.lens_of(scene, depsgraph)
    analytic = lens.matrix() @ binding.view_matrix(scene.camera)
    found = binding.camera_matrix(scene, depsgraph)
    canvas = scene.standee.canvas()
    points = np.array([[0, 0, 0], [1, 0.5, -0.3], [-2, 1, 0.7]])
    to_canvas = addon("core.projection").to_canvas
    assert to_canvas(points, found, canvas) == pytest.approx(
        to_canvas(points, analytic, canvas), abs=1e-3
    )


def test_a_known_camera_shows_a_known_point(addon):
    scene = bpy.context.scene
    scene.camera.location, scene.camera.rotation_euler = (0, 0, 10), (0, 0, 0)
    scene.camera.data.lens, scene.camera.data.sensor_width = 50, 36
    depsgraph = bpy.context.evaluated_depsgraph_get()
    matrix = addon("scene.camera").camera_matrix(scene, depsgraph)
    [[x, y]] = addon("core.projection").to_canvas([[1.0, 2.0, 0.0]], matrix, scene.standee.canvas())
    px_per_unit = 50 / 36 * 256 / 10
    assert (x, y) == pytest.approx((128 + px_per_unit, 128 - 2 * px_per_unit), abs=1e-3)


def test_a_scaled_camera_sees_the_same(addon):
    scene, binding = bpy.context.scene, addon("scene.camera")
    before = binding.camera_matrix(scene, bpy.context.evaluated_depsgraph_get())
    scene.camera.scale = (3, 3, 3)
    bpy.context.view_layer.update()
    after = binding.camera_matrix(scene, bpy.context.evaluated_depsgraph_get())
    assert after == pytest.approx(before, abs=1e-4)


def test_the_frame_widens_and_nothing_moves(addon, standee):
    scene, binding = bpy.context.scene, addon("scene.camera")
    points, to_canvas = np.array([[0.3, 0.2, 0.1]]), addon("core.projection").to_canvas
    before = to_canvas(
        points,
        binding.camera_matrix(scene, bpy.context.evaluated_depsgraph_get()),
        standee.canvas(),
    )
    standee.add_layer("a").x = 10
    bpy.ops.standee.enlarge(left=64, right=0, top=32, bottom=16)
    after = to_canvas(
        points,
        binding.camera_matrix(scene, bpy.context.evaluated_depsgraph_get()),
        standee.canvas(),
    )
    assert (standee.canvas().width, standee.canvas().height) == (320, 304)
    assert after == pytest.approx(before + np.array([64, 32]), abs=1e-3)
    assert standee.layers[0].x == 74


def test_bounds_hold_every_vertex_of_a_modified_mesh(addon, standee):
    scene = bpy.context.scene
    bpy.ops.mesh.primitive_monkey_add()
    body = bpy.context.object
    body.modifiers.new("s", "SUBSURF").levels = 1
    layer = standee.add_layer("a")
    layer.bound_object = body
    depsgraph = bpy.context.evaluated_depsgraph_get()
    addon("scene.object_binding").sync(scene, depsgraph)
    mesh = body.evaluated_get(depsgraph).data
    world = np.array([body.matrix_world @ Vector(vertex.co) for vertex in mesh.vertices])
    matrix = addon("scene.camera").camera_matrix(scene, depsgraph)
    px = addon("core.projection").to_canvas(world, matrix, standee.canvas())
    low, high = px.min(axis=0), px.max(axis=0)
    rect = standee.layers[0].rect
    assert (rect.x, rect.y) == pytest.approx(tuple(low), abs=0.01)
    assert (rect.x + rect.w, rect.y + rect.h) == pytest.approx(tuple(high), abs=0.01)

"""Result operators: shown, recalled and saved."""

import json
from pathlib import Path

import bpy
import numpy as np
import pytest
from mathutils import Vector

from standee.document.receipt import embed


@pytest.fixture
def made(addon, standee, subject, daemon, until):
    """A scene with a result, which is shown."""
    bpy.ops.standee.add_files(filepath=subject)
    standee.prompt = "as it was"
    bpy.ops.standee.compose()
    link = addon("jobs.daemon_link").link()
    until(lambda: bpy.context.scene.standee.results and link.idle)
    return standee


def test_a_result_is_the_cameras_background(made):
    bpy.ops.standee.result_show(where="BACKGROUND")
    bpy.ops.standee.result_show(where="BACKGROUND")
    camera = bpy.context.scene.camera.data
    [background] = camera.background_images
    assert background.image == made.results[0].image
    assert camera.show_background_images


def test_a_result_is_drawn_in_the_camera_frame_unless_something_else_is_chosen(made):
    assert made.show_as == "FRAME"
    assert made.show_result
    assert made.shown_result() == made.results[0]
    made.show_result = False
    assert made.shown_result() is None
    bpy.ops.standee.result_show()
    assert made.shown_result() == made.results[0]


def test_where_no_image_editor_is_open_it_is_drawn_in_the_frame(made, until):
    made.show_as, made.show_result = "IMAGE_EDITOR", False
    bpy.ops.standee.compose()
    until(lambda: made.show_result)
    with pytest.raises(RuntimeError, match="No Image Editor is open"):
        bpy.ops.standee.result_show(where="IMAGE_EDITOR")


def test_the_background_of_a_linked_camera_is_refused(made, tmp_path):
    scene, path = bpy.context.scene, tmp_path / "camera.blend"
    bpy.data.libraries.write(str(path), {scene.camera})
    with bpy.data.libraries.load(str(path), link=True) as (source, target):
        target.objects = [source.objects[0]]
    scene.camera = target.objects[0]
    with pytest.raises(RuntimeError, match=r"linked from another file.*camera frame"):
        bpy.ops.standee.result_show(where="BACKGROUND")


@pytest.mark.parametrize("kind", ["PERSP", "ORTHO"])
@pytest.mark.parametrize("size", [(64, 64), (64, 32)])
def test_a_result_stands_in_3d_so_that_it_fills_the_frame(addon, made, kind, size, png):
    scene = bpy.context.scene
    scene.camera.data.type = kind
    scene.camera.data.shift_x = 0.1
    store = addon("results.store")
    store.add(scene, png(*size, (0, 1, 0, 1)), {}, "other", "")
    bpy.ops.standee.result_show(where="PLANE")
    plane = bpy.data.objects["Standee Result"]
    bpy.context.view_layer.update()
    matrix = addon("scene.camera").camera_matrix(scene, bpy.context.evaluated_depsgraph_get())
    half = np.array(size) / max(size) / 2 * plane.empty_display_size  # as Blender draws it
    corners = [Vector((x * half[0], y * half[1], 0)) for x in (-1, 1) for y in (-1, 1)]
    world = [list(plane.matrix_world @ corner) for corner in corners]
    px = addon("core.projection").to_canvas(world, matrix, made.canvas())
    assert px.min(axis=0) == pytest.approx([0, 0], abs=0.1)
    assert px.max(axis=0) == pytest.approx([256, 256], abs=0.1)
    bpy.ops.standee.result_show(where="PLANE")
    assert len([one for one in scene.objects if one.name.startswith("Standee Result")]) == 1


def test_a_result_in_3d_is_in_no_render_and_hides_nothing(addon, made, subject, tmp_path):
    scene = bpy.context.scene
    layer = made.active()
    layer.bound_object = bpy.data.objects["Cube"]
    made.scene_source = "RENDER"

    def seen():
        bpy.context.view_layer.update()
        bpy.ops.standee.scene_capture()
        fresh = addon("scene.image_datablocks").pixels_of(made.scene_picture)
        scene.render.filepath = str(tmp_path / "f12.png")
        bpy.ops.render.render(write_still=True)
        f12 = bpy.data.images.load(scene.render.filepath, check_existing=False)
        masks = addon("rendering.visibility").cut_masks(scene)
        bpy.ops.standee.scene_mask(keep="AROUND")
        kept = addon("scene.image_datablocks").mask_of(made.scene_kept)
        return fresh.copy(), np.array(f12.pixels[:]), masks, kept.copy()

    bpy.context.view_layer.objects.active.select_set(True)
    before = seen()
    bpy.ops.standee.result_show(where="PLANE")
    bpy.ops.standee.result_show(where="BACKGROUND")
    for was, now in zip(before, seen(), strict=True):
        assert np.array_equal(was, now) if isinstance(was, np.ndarray) else was == now


def test_a_composition_is_recalled(made, subject):
    layer_id, rect = made.layers[0].layer_id, made.layers[0].rect
    made.prompt, made.seed = "something else", 9
    made.layers[0].x = 3
    bpy.ops.standee.add_files(filepath=subject)
    bpy.ops.standee.result_recall()
    assert made.prompt == "as it was"
    assert made.seed == 0
    assert [(layer.layer_id, layer.rect) for layer in made.layers] == [(layer_id, rect)]


def test_a_result_without_receipt_says_so(made):
    made.results[0].receipt = "{}"
    with pytest.raises(RuntimeError, match="does not say"):
        bpy.ops.standee.result_recall()


def test_a_result_is_saved_with_its_receipt_and_its_mark(addon, made, daemon, tmp_path):
    path, receipt = tmp_path / "out.png", json.loads(made.results[0].receipt)
    bpy.ops.standee.result_save(filepath=str(path))
    assert path.read_bytes() == embed(daemon.picture, receipt)
    assert b"trainedAlgorithmicMedia" in path.read_bytes()
    chosen = addon("preferences").preferences()
    chosen.marked = False
    bpy.ops.standee.result_save(filepath=str(path))
    chosen.marked = True
    assert path.read_bytes() == embed(daemon.picture, receipt, marked=False)
    assert b"DigitalSourceType" not in path.read_bytes()
    with pytest.raises(RuntimeError, match="was not saved"):
        bpy.ops.standee.result_save(filepath="/nowhere/out.png")


def test_without_results_the_buttons_say_so(standee):
    for name in ("result_show", "result_discard", "result_recall"):
        with pytest.raises(RuntimeError, match="no result yet"):
            getattr(bpy.ops.standee, name)()


def test_presets(addon, made, tmp_path):
    bpy.ops.standee.preset_apply(name="New Pose")
    assert made.layers[0].variation == 0.5
    made.steps, made.layers[0].fidelity = 12, 0.75
    bpy.ops.standee.preset_save(name="Mine")
    made.steps, made.layers[0].fidelity = 4, 0.1
    bpy.ops.standee.preset_apply(name="Mine")
    assert (made.steps, made.layers[0].fidelity) == (12, 0.75)
    assert addon("operators.presets").names()[-1] == "Mine"
    bpy.ops.standee.preset_remove(name="Mine")
    for operator, name in (
        ("preset_apply", "Mine"),
        ("preset_remove", "Faithful"),
        ("preset_save", "../x"),
    ):
        with pytest.raises(RuntimeError, match=r"preset|name of its own"):
            getattr(bpy.ops.standee, operator)(name=name)


def test_presets_keep_loras(addon, made, tmp_path):
    bpy.ops.standee.lora_add(path="a/b")
    bpy.ops.standee.preset_apply(name="New Pose")
    assert len(made.loras) == 1, "a built-in one says nothing of them"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    bpy.ops.standee.lora_add(path="//toon.safetensors")
    standee = bpy.context.scene.standee
    standee.loras[1].weight = 0.5
    bpy.ops.standee.preset_save(name="Toon")
    standee.loras.clear()
    bpy.ops.standee.preset_save(name="Plain")
    bpy.ops.standee.preset_apply(name="Toon")
    listed = [(lora.path, lora.weight) for lora in standee.loras]
    assert listed == [("a/b", 1.0), (str(tmp_path / "toon.safetensors"), 0.5)]
    bpy.ops.standee.preset_apply(name="Plain")
    assert len(standee.loras) == 0


def test_presets_lie_in_the_extensions_own_folder(addon, made):
    bpy.ops.standee.preset_save(name="Mine")
    [file] = addon("storage").own_folder("presets").glob("*.json")
    assert json.loads(file.read_text())["sampling"]["count"] == 1
    assert ".user" in str(Path(file))


def test_the_next_picture_goes_on_from_a_result(addon, made, subject, daemon, until):
    standee = made
    standee.use_scene_rect = True
    assert bpy.ops.standee.result_apply() == {"FINISHED"}
    assert standee.scene_picture == standee.results[0].image
    assert not standee.layers[0].visible
    bpy.ops.standee.add_files(filepath=subject)
    composition, blobs = addon("scene.composition_io").composition_of(standee)
    assert blobs[composition.scene.picture] == daemon.picture
    assert composition.scene.rect is None
    assert [layer.visible for layer in composition.layers] == [False, True]
    bpy.ops.standee.result_discard()
    assert standee.scene_picture is not None  # it is the scene: nothing takes it away

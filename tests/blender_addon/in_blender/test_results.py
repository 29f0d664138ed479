"""Results are shown, recalled and saved."""

import json
from pathlib import Path

import bpy
import pytest


@pytest.fixture
def made(standee, subject, daemon, until):
    """A scene with a result."""
    bpy.ops.standee.add_files(filepath=subject)
    standee.prompt = "as it was"
    bpy.ops.standee.compose()
    until(lambda: bpy.context.scene.standee.results)
    return standee


def test_a_result_is_the_cameras_background(made):
    bpy.ops.standee.result_show(where="BACKGROUND")
    bpy.ops.standee.result_show(where="BACKGROUND")
    camera = bpy.context.scene.camera.data
    [background] = camera.background_images
    assert background.image == made.results[0].image
    assert camera.show_background_images


@pytest.mark.parametrize("kind", ["PERSP", "ORTHO"])
def test_a_result_is_a_plane_that_fills_the_frame(addon, made, kind):
    scene = bpy.context.scene
    scene.camera.data.type = kind
    bpy.ops.standee.result_show(where="PLANE")
    plane = bpy.data.objects["Standee Result"]
    depsgraph = bpy.context.evaluated_depsgraph_get()
    matrix = addon("scene.camera").camera_matrix(scene, depsgraph)
    world = [list(plane.matrix_world @ vertex.co) for vertex in plane.data.vertices]
    px = addon("core.projection").to_canvas(world, matrix, made.canvas())
    assert px.min(axis=0) == pytest.approx([0, 0], abs=0.1)
    assert px.max(axis=0) == pytest.approx([256, 256], abs=0.1)
    bpy.ops.standee.result_show(where="PLANE")
    assert len([one for one in scene.objects if one.name.startswith("Standee Result")]) == 1


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


def test_a_result_is_saved_byte_for_byte(made, daemon, tmp_path):
    path = tmp_path / "out.png"
    bpy.ops.standee.result_save(filepath=str(path))
    assert path.read_bytes() == daemon.picture
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

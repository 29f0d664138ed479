"""Batch composing, and scripts that wait for their pictures."""

import json
import re
import runpy
import sys
from pathlib import Path

import bpy
import numpy as np
import pytest

from standee.document.receipt import extract


@pytest.fixture
def ready(ready):
    """A layer that follows the cube."""
    bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
    bpy.ops.standee.bind()
    ready.prompt = "a disc"
    return ready


def other_camera(at):
    camera = bpy.data.objects.new("Other", bpy.data.cameras.new("Other"))
    camera.location, camera.rotation_euler = at, (np.pi / 2, 0, 0)
    bpy.context.scene.collection.objects.link(camera)
    return camera


def test_compose_waits_for_its_results(ready, daemon):
    ready.count = 2
    assert bpy.ops.standee.compose(wait=True) == {"FINISHED"}
    assert len(ready.results) == 2
    assert len(daemon.released) == 1


def test_what_fails_while_a_script_waits_is_raised(ready, daemon):
    from standee.errors import OutOfMemory

    daemon.fail_with = OutOfMemory("The device has too little memory.", fix="Compose smaller.")
    with pytest.raises(RuntimeError, match=r"too little memory.*Compose smaller"):
        bpy.ops.standee.compose(wait=True)


def test_a_script_does_not_wait_for_ever(addon, ready, daemon, monkeypatch):
    monkeypatch.setattr(addon("jobs.waiting"), "PATIENCE", 0.3)
    daemon.stop()
    with pytest.raises(RuntimeError, match=r"No daemon answers.*standee serve"):
        bpy.ops.standee.compose(wait=True)


def test_without_a_window_composing_says_that_it_has_to_be_waited_for(ready, daemon, capfd):
    bpy.ops.standee.compose()
    assert "until you call it with wait=True" in capfd.readouterr().out


def test_several_are_handed_in_and_waited_for_at_once(ready, daemon):
    for seed in (1, 2):
        ready.seed = seed
        bpy.ops.standee.compose()
    assert not ready.results
    bpy.ops.standee.wait()
    assert len(ready.results) == 2


def test_each_markers_camera_is_composed_and_all_is_as_it_was(ready, daemon):
    scene = bpy.context.scene
    first, second = scene.camera, other_camera((0, -8, 0))
    for frame, camera in ((30, second), (10, first)):
        scene.timeline_markers.new(camera.name, frame=frame).camera = camera
    rect = ready.layers[0].rect
    bpy.ops.standee.compose_batch(wait=True)
    assert [one.name for one in ready.results] == ["Camera", "Other"]
    rects = [spec["layers"][0]["rect"] for spec in daemon.specs.values()]
    assert rects[0] != rects[1]
    assert (scene.camera, scene.frame_current) == (first, 1)
    assert ready.layers[0].rect == rect


def test_a_batch_over_seeds_and_view_layers(ready, daemon):
    scene = bpy.context.scene
    scene.render.engine = "BLENDER_WORKBENCH"
    other = scene.view_layers.new("Empty")
    other.layer_collection.children[0].exclude = True
    ready.scene_source, ready.seed = "RENDER", 7
    ready.layers[0].bound_object = None
    bpy.ops.standee.compose_batch(cameras=False, view_layers=True, seeds=2, wait=True)
    names = sorted(one.name for one in ready.results)
    assert names == [f"{name}, Seed {n}" for name in ("Empty", "ViewLayer") for n in (7, 8)]
    specs = list(daemon.specs.values())
    assert sorted(spec["sampling"]["seed"] for spec in specs) == [7, 7, 8, 8]
    assert len({spec["scene"]["picture"] for spec in specs}) == 2


def test_the_very_same_picture_is_composed_once(ready, daemon):
    scene = bpy.context.scene
    for frame in (10, 20):
        scene.timeline_markers.new("again", frame=frame).camera = scene.camera
    bpy.ops.standee.compose_batch(wait=True)
    assert len(daemon.specs) == 1


def test_without_marker_cameras_a_batch_says_so(ready, daemon):
    with pytest.raises(RuntimeError, match=r"No timeline marker has a camera.*Bind"):
        bpy.ops.standee.compose_batch()


def test_a_batchs_receipts_say_what_each_was_made_of(ready, daemon):
    bpy.ops.standee.compose_batch(cameras=False, seeds=3, wait=True)
    seeds = [json.loads(one.receipt)["composition"]["sampling"]["seed"] for one in ready.results]
    assert seeds == [0, 1, 2]


def test_the_script_in_the_docs_makes_its_picture(standee, subject, daemon, tmp_path):
    text = (Path(__file__).resolve().parents[4] / "docs/blender.md").read_text(encoding="utf-8")
    [script] = re.findall(r"```python[^\n]*\n(.*?)```", text, re.DOTALL)
    out = tmp_path / "result.png"
    script = script.replace("/pictures/cat.png", subject).replace("/pictures/result.png", str(out))
    exec(compile(script, "docs/blender.md", "exec"), {})
    assert extract(out.read_bytes())["composition"]["prompt"] == "a cat on the beach"
    [spec] = daemon.specs.values()
    assert (spec["prompt"], spec["layers"][0]["rect"]["y"]) == ("a cat on the beach", 96)


def test_the_example_composes_two_cameras(standee, subject, daemon, tmp_path, monkeypatch):
    scene = bpy.context.scene
    first = scene.camera
    second = bpy.data.objects.new("Second", bpy.data.cameras.new("Second"))
    second.location, second.rotation_euler = (-7, -7, 5), (1.1, 0, -0.8)
    scene.collection.objects.link(second)
    example = Path(__file__).resolve().parents[4] / "examples" / "blender_cameras.py"
    monkeypatch.setattr(sys, "argv", ["blender", "-b", "--", subject, str(tmp_path)])
    runpy.run_path(str(example), run_name="__main__")
    pictures = [(tmp_path / f"{one.name}.png").read_bytes() for one in (first, second)]
    rects = [extract(one)["composition"]["layers"][0]["rect"] for one in pictures]
    scenes = [extract(one)["composition"]["scene"]["picture"] for one in pictures]
    assert rects[0] != rects[1]
    assert scenes[0] != scenes[1]
    assert len(daemon.specs) == 2

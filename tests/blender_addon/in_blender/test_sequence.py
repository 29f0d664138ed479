"""A range of frames composes, is interrupted, and goes on where it stopped."""

import json

import bpy
import pytest


@pytest.fixture
def moving(standee, subject, daemon, tmp_path):
    """A subject bound to a cube that moves over frames 1 to 8."""
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, 8
    body = bpy.data.objects["Cube"]
    bpy.ops.standee.add_files(filepath=subject)
    bpy.context.view_layer.objects.active = body
    bpy.ops.standee.bind()
    for frame, x in ((1, -1), (8, 1)):
        body.location.x = x
        body.keyframe_insert("location", frame=frame)
    standee.range_folder = str(tmp_path / "frames")
    scene.frame_set(3)
    return standee


def files(tmp_path):
    return sorted(path.name for path in (tmp_path / "frames").glob("*.png"))


def written(tmp_path):
    """When each file was written."""
    return {name: (tmp_path / "frames" / name).stat().st_mtime_ns for name in files(tmp_path)}


def over(addon):
    return addon("jobs.frame_range").current.over


def test_every_frame_is_composed_with_the_same_noise(addon, moving, daemon, until, tmp_path):
    bpy.ops.standee.compose_range()
    until(lambda: over(addon))
    assert files(tmp_path) == [f"{frame:04d}.png" for frame in range(1, 9)]
    specs = list(daemon.specs.values())
    lefts = [spec["layers"][0]["rect"]["x"] for spec in specs]
    assert lefts == sorted(lefts)
    assert len(set(lefts)) == 8
    assert len({json.dumps(spec["sampling"]) for spec in specs}) == 1
    assert len({spec["layers"][0]["id"] for spec in specs}) == 1
    assert bpy.context.scene.frame_current == 3
    assert not moving.results  # frames are files, not results


def test_a_stopped_range_goes_on_with_what_is_missing(addon, moving, daemon, until, tmp_path):
    bpy.ops.standee.compose_range()
    until(lambda: len(files(tmp_path)) >= 3)
    bpy.ops.standee.stop_range()
    until(lambda: over(addon))
    before = written(tmp_path)
    assert 3 <= len(before) < 8
    bpy.ops.standee.compose_range()
    until(lambda: over(addon))
    after = written(tmp_path)
    assert len(after) == 8
    assert before.items() <= after.items()


def test_a_range_goes_on_after_blender_was_killed(addon, moving, daemon, until, tmp_path):
    daemon.hold.set()
    bpy.ops.standee.compose_range()
    until(lambda: len(daemon.specs) == 2)
    addon("jobs.daemon_link").drop()
    addon("jobs.frame_range").current = None
    link = addon("jobs.daemon_link").link()
    link.on_result, link.on_over = addon("handlers").keep_result, addon("jobs.frame_range").over
    daemon.hold.clear()
    link.resume()
    until(lambda: len(files(tmp_path)) == 2)
    bpy.ops.standee.compose_range()
    until(lambda: over(addon))
    assert len(files(tmp_path)) == 8
    assert len(daemon.specs) == 8


def test_only_changed_frames_are_made_again(addon, moving, daemon, until):
    scene = bpy.context.scene
    bpy.ops.standee.compose_range()
    until(lambda: over(addon))
    scene.frame_set(5)
    bpy.ops.standee.prompt_add(prompt="at night")
    made = len(daemon.specs)
    bpy.ops.standee.compose_range()
    until(lambda: over(addon))
    again = list(daemon.specs.values())[made:]
    assert [spec["prompt"] for spec in again] == ["at night"] * 4


def test_frames_before_a_fresh_render_are_not_made_again(addon, moving, daemon, until):
    moving.scene_source = "RENDER"
    bpy.context.scene.frame_end = 2
    bpy.ops.standee.compose_range()
    until(lambda: over(addon))
    made = len(daemon.specs)
    bpy.ops.standee.compose_range()
    until(lambda: over(addon))
    assert made == len(daemon.specs) == 2


def test_prompts_change_at_markers(addon, moving):
    scene = bpy.context.scene
    moving.prompt = "at noon"
    scene.frame_set(5)
    bpy.ops.standee.prompt_add(prompt="at night")
    prompt_now = addon("jobs.submit").prompt_now
    shown = []
    for frame in (4, 5, 6):
        scene.frame_set(frame)
        shown.append(prompt_now(scene))
    assert shown == ["at noon", "at night", "at night"]
    bpy.ops.standee.prompt_add(prompt="at dusk")
    assert [entry.prompt for entry in moving.prompts] == ["at night", "at dusk"]
    bpy.ops.standee.prompt_remove()
    assert prompt_now(scene) == "at night"


def test_the_frames_become_a_strip(addon, moving, until):
    with pytest.raises(RuntimeError, match="Compose it first"):
        bpy.ops.standee.add_strip()
    bpy.ops.standee.compose_range()
    until(lambda: over(addon))
    bpy.ops.standee.add_strip()
    editor = bpy.context.scene.sequence_editor
    [strip] = editor.strips if hasattr(editor, "strips") else editor.sequences
    assert (strip.frame_start, strip.frame_final_duration) == (1, 8)
    assert [one.filename for one in strip.elements][-1] == "0008.png"


def test_a_frame_that_fails_stops_the_range_and_says_which(addon, moving, daemon, until):
    from standee.errors import OutOfMemory

    daemon.fail_with = OutOfMemory("The device has too little memory.", fix="Compose smaller.")
    bpy.ops.standee.compose_range()
    until(lambda: over(addon))
    assert addon("jobs.frame_range").current.text.startswith("Frame 1: The device has")
    assert addon("jobs.daemon_link").link().notice.fix == "Compose smaller."


def test_opening_another_file_stops_the_range(addon, moving, daemon, until, tmp_path):
    daemon.hold.set()
    bpy.ops.standee.compose_range()
    until(lambda: len(daemon.specs) == 2)
    bpy.ops.wm.read_homefile(use_empty=False)
    until(lambda: over(addon))


def test_a_relative_folder_needs_a_saved_file(addon, moving):
    moving.range_folder = "//frames/"
    with pytest.raises(RuntimeError, match="Save the file first"):
        bpy.ops.standee.compose_range()

"""Frame ranges: composed, interrupted, resumed."""

import json

import bpy
import numpy as np
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


def files(tmp_path, take=1):
    return sorted(path.name for path in (tmp_path / "frames" / f"take_{take:03d}").glob("*.png"))


def written(tmp_path):
    """When each file of the first take was written."""
    folder = tmp_path / "frames" / "take_001"
    return {name: (folder / name).stat().st_mtime_ns for name in files(tmp_path)}


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


def strips():
    """The strips of the range's own scene: (first frame, frames that it is seen, its files)."""
    editor = bpy.data.scenes["Standee Range"].sequence_editor
    found = editor.strips if hasattr(editor, "strips") else editor.sequences
    return sorted(
        (one.frame_final_start, one.frame_final_duration, [f.filename for f in one.elements])
        for one in found
    )


def test_the_frames_become_a_strip_in_a_scene_of_their_own(addon, moving, until):
    with pytest.raises(RuntimeError, match="Compose it first"):
        bpy.ops.standee.add_strip()
    bpy.ops.standee.compose_range()
    until(lambda: over(addon))
    bpy.ops.standee.add_strip()
    assert strips() == [(1, 8, [f"{frame:04d}.png" for frame in range(1, 9)])]
    own = bpy.context.scene.sequence_editor
    assert own is None or not (own.strips if hasattr(own, "strips") else own.sequences)
    shown = bpy.data.scenes["Standee Range"]
    assert (shown.frame_start, shown.frame_end) == (1, 8)


def test_frames_that_are_not_there_leave_a_gap(addon, moving, until, tmp_path):
    bpy.ops.standee.compose_range()
    until(lambda: over(addon))
    for frame in (3, 4, 7, 8):
        (tmp_path / "frames" / "take_001" / f"{frame:04d}.png").unlink()
    bpy.ops.standee.add_strip()
    assert strips() == [(1, 2, ["0001.png", "0002.png"]), (5, 2, ["0005.png", "0006.png"])]


def test_every_second_frame_is_seen_for_two(addon, moving, until):
    bpy.context.scene.frame_step = 2
    bpy.ops.standee.compose_range()
    until(lambda: over(addon))
    bpy.ops.standee.add_strip()
    assert strips() == [(frame, 2, [f"{frame:04d}.png"]) for frame in (1, 3, 5, 7)]


@pytest.mark.parametrize("view", ["Standard", "AgX", "Filmic"])
@pytest.mark.parametrize("colour", [(200, 100, 50), (0, 128, 255)])
def test_a_strip_keeps_its_colours_and_leaves_f12_alone(
    addon, moving, daemon, png, until, tmp_path, colour, view
):
    scene = bpy.context.scene
    scene.view_settings.view_transform = view
    scene.frame_end = 1
    daemon.picture = png(32, 32, (*(np.array(colour) / 255), 1))

    def rendered(one):
        one.render.filepath = str(tmp_path / "out.png")
        one.render.image_settings.file_format = "PNG"
        with bpy.context.temp_override(scene=one):  # whose frame it is
            bpy.ops.render.render(write_still=True, scene=one.name)
        image = bpy.data.images.load(one.render.filepath, check_existing=False)
        return np.array(image.pixels[:], np.float32).reshape(*image.size, -1) * 255

    before = rendered(scene)
    bpy.ops.standee.compose_range(wait=True)
    bpy.ops.standee.add_strip()
    assert np.array_equal(rendered(scene), before)
    shown = rendered(bpy.data.scenes["Standee Range"])
    assert shown[128, 128, :3] == pytest.approx(colour, abs=1)


def test_a_take_is_never_overwritten(addon, moving, daemon, until, tmp_path):
    scene = bpy.context.scene
    bpy.ops.standee.compose_range(wait=True)
    before = written(tmp_path)
    scene.frame_set(5)
    bpy.ops.standee.prompt_add(prompt="at night")
    bpy.ops.standee.compose_range(wait=True)
    assert written(tmp_path) == before
    assert files(tmp_path, take=2) == files(tmp_path)
    assert len(daemon.specs) == 12
    bpy.ops.standee.compose_range(wait=True)
    assert len(daemon.specs) == 12
    assert not files(tmp_path, take=3)


def test_identical_frames_are_computed_once(addon, standee, subject, daemon, tmp_path):
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, 6
    bpy.ops.standee.add_files(filepath=subject)
    for frame, x in ((1, 0), (3, 0), (4, 64)):
        standee.layers[0].x = x
        standee.layers[0].keyframe_insert("x", frame=frame)
    standee.range_folder = str(tmp_path / "frames")
    bpy.ops.standee.compose_range(wait=True)
    assert len(files(tmp_path)) == 6
    assert len(daemon.specs) == 2
    scene.frame_end = 9  # more of the same
    bpy.ops.standee.compose_range(wait=True)
    assert len(files(tmp_path)) == 9
    assert len(daemon.specs) == 2


@pytest.mark.parametrize("folder", ["/proc", "/proc/standee", "FILE/frames"])
def test_a_folder_that_cannot_be_written_is_refused_before_the_first_frame(
    addon, moving, daemon, tmp_path, folder
):
    (tmp_path / "a file").write_text("")
    moving.range_folder = folder.replace("FILE", str(tmp_path / "a file"))
    with pytest.raises(RuntimeError, match="No pictures can be written into"):
        bpy.ops.standee.compose_range()
    assert not daemon.specs
    assert addon("jobs.frame_range").current is None


def test_a_folder_that_goes_bad_stops_the_range_and_keeps_the_picture(
    addon, moving, daemon, until, tmp_path
):
    daemon.hold.set()
    bpy.ops.standee.compose_range()
    until(lambda: len(daemon.specs) == 2)
    folder = tmp_path / "frames" / "take_001"
    folder.rmdir()
    folder.write_text("in the way")
    daemon.hold.clear()
    until(lambda: over(addon))
    link = addon("jobs.daemon_link").link()
    until(lambda: link.idle)
    assert "cannot be kept" in link.notice.message
    assert not daemon.released
    folder.unlink()
    bpy.ops.standee.connect()  # room was made
    until(lambda: len(files(tmp_path)) == 2)
    until(lambda: len(daemon.released) == 2)
    bpy.ops.standee.compose_range(wait=True)
    assert len(files(tmp_path)) == 8


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


def test_a_range_plays_back_in_the_frame(addon, standee, png, tmp_path):
    scene, playback = bpy.context.scene, addon("jobs.range_playback")
    scene.frame_start, scene.frame_end, scene.frame_step = 1, 6, 2
    standee.range_folder = str(tmp_path)
    with pytest.raises(RuntimeError, match="Compose it first"):
        bpy.ops.standee.show_range()
    for take, level in ((1, 0.0), (2, 0.5)):
        folder = tmp_path / f"take_{take:03d}"
        folder.mkdir()
        for frame in (1, 3):
            data = png(8, 8, (level + frame / 10, 0, 0, 1))
            (folder / f"{frame:04d}.png").write_bytes(data)
    scene.frame_set(1)
    bpy.ops.standee.show_range()

    def seen():
        image = playback.frame_image(scene)
        return None if image is None else round(image.pixels[0], 1)

    found = []
    for frame in range(1, 7):
        scene.frame_set(frame)
        found.append(seen())
    assert found == [0.6, 0.6, 0.8, 0.8, None, None], "of the newest take; the fifth is not there"
    assert not bpy.ops.standee.add_image.poll(), "it is no image of the artist's"
    scene.frame_set(3)
    bpy.ops.standee.show_range()
    assert seen() is None

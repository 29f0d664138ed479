"""Scene identity: a result lands in the scene and file it was made for, and in no copy of them."""

from pathlib import Path

import bpy
import pytest


@pytest.fixture
def compose(ready, until):
    """Composes once in the context's scene, and waits for the result."""

    def once():
        count = len(bpy.context.scene.standee.results)
        bpy.ops.standee.compose()
        until(lambda: len(bpy.context.scene.standee.results) > count)

    return once


@pytest.fixture
def settle(addon):
    """Lets whatever is to come back come back."""

    def ticks():
        for _ in range(40):
            addon("jobs.daemon_link").link().tick()

    return ticks


def counts():
    return {scene.name: len(scene.standee.results) for scene in bpy.data.scenes}


def test_a_full_copy_of_the_scene_has_results_of_its_own(addon, compose, settle):
    compose()
    original = bpy.context.scene
    copy = original.copy()
    copy.name = "Copy"
    identity = addon("scene.identity").identity
    assert identity(copy) != identity(original)
    assert addon("scene.identity").scene_of(identity(original)) == original
    window = bpy.context.window
    if window is not None:
        window.scene = copy
    with bpy.context.temp_override(scene=copy):
        bpy.ops.standee.compose()
    link = addon("jobs.daemon_link").link()
    while not link.idle:
        link.tick()
    settle()
    assert counts() == {"Scene": 1, "Copy": 2}


def test_a_new_version_of_the_file_is_another_one(addon, compose, settle, tmp_path):
    v1, v2 = str(tmp_path / "v1.blend"), str(tmp_path / "v2.blend")
    bpy.ops.wm.save_as_mainfile(filepath=v1)
    compose()
    bpy.ops.wm.save_as_mainfile(filepath=v1)
    bpy.ops.wm.save_as_mainfile(filepath=v2)
    compose()
    compose()
    bpy.ops.wm.open_mainfile(filepath=v1)
    settle()
    assert counts() == {"Scene": 1}
    bpy.ops.wm.open_mainfile(filepath=v2)
    settle()
    assert counts() == {"Scene": 3}, "unsaved ones come back to the file that they were made in"


def test_a_job_under_way_follows_the_file_to_its_new_name(addon, ready, daemon, until, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "v1.blend"))
    daemon.hold.set()
    bpy.ops.standee.compose()
    [job] = addon("jobs.daemon_link").link().unfinished
    until(lambda: job.state == "queued")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "v2.blend"))
    daemon.hold.clear()
    until(lambda: bpy.context.scene.standee.results)


def test_a_saved_copy_is_another_file(addon, compose, settle, tmp_path):
    own, copy = str(tmp_path / "own.blend"), str(tmp_path / "copy.blend")
    compose()
    bpy.ops.wm.save_as_mainfile(filepath=own)
    before = addon("scene.identity").identity(bpy.context.scene)
    bpy.ops.wm.save_as_mainfile(filepath=copy, copy=True)
    assert bpy.context.scene.standee.uid == before
    compose()
    bpy.ops.wm.open_mainfile(filepath=copy)
    settle()
    assert counts() == {"Scene": 1}
    bpy.ops.wm.open_mainfile(filepath=own)
    settle()
    assert counts() == {"Scene": 2}


def test_a_file_that_was_copied_by_hand_is_another_and_a_moved_one_is_not(
    addon, compose, settle, tmp_path
):
    own = tmp_path / "own.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(own))
    addon("scene.identity").identity(bpy.context.scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(own))
    compose()
    (tmp_path / "copied.blend").write_bytes(own.read_bytes())
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "copied.blend"))
    settle()
    assert counts() == {"Scene": 0}
    own.rename(tmp_path / "moved.blend")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "moved.blend"))
    settle()
    assert counts() == {"Scene": 1}


def test_new_files_from_a_startup_file_share_nothing(addon, compose, settle):
    compose()
    before = bpy.context.scene.standee.uid
    startup = Path(bpy.utils.user_resource("CONFIG")) / "startup.blend"
    startup.parent.mkdir(parents=True, exist_ok=True)
    try:
        bpy.ops.wm.save_homefile()
        assert bpy.context.scene.standee.uid == before
        seen = set()
        for _ in range(2):
            bpy.ops.wm.read_homefile(use_empty=False)
            assert not bpy.context.scene.standee.uid
            seen.add(addon("scene.identity").identity(bpy.context.scene))
            settle()
            assert counts() == {"Scene": 1}, "what the startup file itself holds"
        assert len(seen | {before}) == 3
    finally:
        startup.unlink(missing_ok=True)


def test_what_is_said_of_one_file_is_not_said_of_the_next(addon, ready):
    link = addon("jobs.daemon_link").link()
    link.show_error(addon("jobs.frame_range").InvalidField("This scene is odd."))
    bpy.ops.wm.read_homefile(use_empty=False)
    assert link.notice is None

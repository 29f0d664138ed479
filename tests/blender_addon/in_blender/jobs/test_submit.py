"""Composing through a daemon: uploads, progress, results, cancel, and what it refuses."""

import json

import bpy
import pytest

from standee.errors import InvalidField
from standee.files import not_saved
from standee.wire.events import Progress
from standee.wire.messages import Download


def link_of(addon):
    return addon("jobs.daemon_link").link()


def test_a_composition_becomes_a_result(addon, ready, daemon, until):
    bpy.ops.standee.compose()
    until(lambda: bpy.context.scene.standee.results)
    [result] = ready.results
    assert result.name == "a red disc"
    assert tuple(result.image.size) == (64, 64)
    assert bytes(result.image.packed_file.data) == daemon.picture
    [spec] = daemon.specs.values()
    assert spec["canvas"] == {"width": 256, "height": 256}
    assert spec["layers"][0]["name"] == "disc"
    assert spec["layers"][0]["picture"] in daemon.blobs
    until(lambda: daemon.released)
    assert not link_of(addon).unfinished


def test_a_download_is_asked_about_and_begins_with_a_yes(addon, ready, daemon, until):
    daemon.lacks = (Download("someone/flux", 3 << 30, "apache-2.0"),)
    bpy.ops.standee.compose()
    until(lambda: link_of(addon).notice is not None and link_of(addon).notice.download)
    notice = link_of(addon).notice
    assert "someone/flux (3.0 GiB)" in notice.message
    assert "apache-2.0" in notice.fix
    assert not ready.results
    bpy.ops.standee.compose(download=True)
    until(lambda: bpy.context.scene.standee.results)


def test_several_pictures_are_several_results(ready, daemon, until):
    ready.count = 3
    bpy.ops.standee.compose()
    until(lambda: len(bpy.context.scene.standee.results) == 3)
    seeds = [json.loads(one.receipt)["composition"]["sampling"]["seed"] for one in ready.results]
    assert seeds == [0, 1, 2]


def test_a_picture_is_sent_once(ready, daemon, until):
    bpy.ops.standee.compose()
    until(lambda: len(bpy.context.scene.standee.results) == 1)
    sent = len(daemon.blobs)
    bpy.ops.standee.compose()
    until(lambda: len(bpy.context.scene.standee.results) == 2)
    assert len(daemon.blobs) == sent


def test_progress_and_preview_are_there_meanwhile(addon, ready, daemon, until):
    daemon.hold.set()
    bpy.ops.standee.compose()
    [job] = link_of(addon).unfinished
    until(lambda: job.state == "queued")
    daemon.hold.clear()
    until(lambda: job.step == 3)
    assert job.text.startswith("Composing 3/3")
    assert job.part == 1.0
    assert job.notes == (daemon.note,), "kept, though only the first progress says it"
    until(lambda: job.over)


def test_what_comes_before_the_steps_does_not_fill_the_bar(addon, ready, daemon, until):
    daemon.hold.set()
    bpy.ops.standee.compose()
    [job] = link_of(addon).unfinished
    job.take(Progress(job=job.id, seq=2, stage="fitting", step=1, of=1))
    assert job.part == 0.0
    assert addon("viewport.view_state").progress_of(ready).part == 0.0


def test_a_job_is_cancelled(addon, ready, daemon, until):
    daemon.hold.set()
    bpy.ops.standee.compose()
    [job] = link_of(addon).unfinished
    until(lambda: job.state == "queued")
    bpy.ops.standee.cancel(job=job.id)
    until(lambda: job.state == "cancelled")
    assert not ready.results
    with pytest.raises(RuntimeError, match="Nothing is being composed"):
        bpy.ops.standee.cancel()


def test_a_result_survives_undo(addon, ready, until):
    bpy.ops.ed.undo_push(message="before")
    ready.prompt = "another"
    bpy.ops.ed.undo_push(message="changed")
    bpy.ops.standee.compose()
    until(lambda: bpy.context.scene.standee.results)
    bpy.ops.ed.undo()
    until(lambda: bpy.context.scene.standee.results)
    [result] = bpy.context.scene.standee.results
    assert tuple(result.image.size) == (64, 64)
    assert bpy.context.scene.standee.prompt == "a red disc"


def test_a_discarded_result_stays_away(addon, ready, until):
    bpy.ops.standee.compose()
    until(lambda: bpy.context.scene.standee.results)
    bpy.ops.ed.undo_push(message="result")
    image = ready.results[0].image.name
    bpy.ops.standee.result_discard()
    assert not ready.results
    assert image not in bpy.data.images
    addon("results.store").restore()
    for _ in range(20):
        link_of(addon).tick()
    assert not ready.results


def test_a_result_that_arrives_in_another_file_waits_for_its_own(
    addon, ready, daemon, until, tmp_path
):
    addon("scene.identity").identity(bpy.context.scene)
    path = str(tmp_path / "own.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    daemon.hold.set()
    bpy.ops.standee.compose()
    [job] = link_of(addon).unfinished
    until(lambda: job.state == "queued")
    bpy.ops.wm.read_homefile(use_empty=False)
    daemon.hold.clear()
    until(lambda: job.over and not link_of(addon).unfinished)
    for _ in range(50):
        link_of(addon).tick()
    assert not bpy.context.scene.standee.results
    bpy.ops.wm.open_mainfile(filepath=path)
    until(lambda: bpy.context.scene.standee.results)


def test_a_result_is_saved_with_the_file(ready, until, tmp_path, daemon):
    bpy.ops.standee.compose()
    until(lambda: bpy.context.scene.standee.results)
    path = str(tmp_path / "own.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    [result] = bpy.context.scene.standee.results
    assert bytes(result.image.packed_file.data) == daemon.picture


def test_a_result_that_cannot_be_written_waits_at_the_daemon(
    addon, ready, daemon, until, monkeypatch
):
    store, full = addon("results.store"), [True]
    write = store.write_atomically

    def on_a_full_disk(path, data):
        if full[0] and path.suffix == ".png":
            raise not_saved(path, OSError(28, "No space left on device"))
        write(path, data)

    monkeypatch.setattr(store, "write_atomically", on_a_full_disk)
    bpy.ops.standee.compose()
    [job] = link_of(addon).jobs.values()
    until(lambda: job.state == "failed")
    assert "the disk is full" in link_of(addon).notice.message
    until(lambda: link_of(addon).idle)
    assert not daemon.released
    full[0] = False
    bpy.ops.standee.connect()
    until(lambda: ready.results)
    until(lambda: daemon.released)


def test_what_the_daemon_refuses_is_shown(addon, ready, daemon, until):
    daemon.fail_with = InvalidField("The canvas is odd.", fix="Use 256.", path="$.canvas")
    bpy.ops.standee.compose()
    until(lambda: link_of(addon).notice is not None)
    notice = link_of(addon).notice
    assert (notice.message, notice.fix) == ("The canvas is odd.", "Use 256.")
    bpy.ops.standee.dismiss()
    assert link_of(addon).notice is None
    assert not link_of(addon).jobs


def test_an_empty_scene_says_what_is_missing(standee):
    with pytest.raises(RuntimeError, match="Add a subject or write a prompt"):
        bpy.ops.standee.compose()
    standee.add_layer("Bare")
    with pytest.raises(RuntimeError, match="'Bare' has neither a picture nor words"):
        bpy.ops.standee.compose()

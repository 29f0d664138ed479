"""Composing through a daemon: uploads, progress, results, cancel, and what can go wrong."""

import json
import sys
import time

import bpy
import pytest

from standee.errors import InvalidField
from standee.files import not_saved
from standee.wire.messages import Download


@pytest.fixture
def ready(standee, subject, daemon):
    """A scene with one subject, and a daemon."""
    bpy.ops.standee.add_files(filepath=subject)
    standee.prompt = "a red disc"
    return standee


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
    assert job.notes == (daemon.note,), "kept, though only the first progress says it"
    until(lambda: job.over)


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


def test_jobs_of_an_earlier_blender_are_taken_up(addon, installed, ready, daemon, until):
    daemon.hold.set()
    bpy.ops.standee.compose()
    [job] = link_of(addon).unfinished
    until(lambda: job.state == "queued")
    addon("jobs.daemon_link").drop()  # Blender is gone
    link = link_of(addon)
    link.on_result, link.on_over = addon("handlers").keep_result, addon("jobs.frame_range").over
    link.resume()
    assert [one.id for one in link.unfinished] == [job.id]
    daemon.hold.clear()
    until(lambda: bpy.context.scene.standee.results)


def test_a_daemon_that_dies_in_mid_job_is_waited_for(addon, ready, daemon, until, monkeypatch):
    monkeypatch.setattr(addon("jobs.daemon_link"), "PATIENCE", 0.2)
    daemon.hold.set()
    bpy.ops.standee.compose()
    [job] = link_of(addon).unfinished
    until(lambda: job.state == "queued")
    daemon.stop()
    until(lambda: link_of(addon).notice is not None)
    assert "Your job goes on" in link_of(addon).notice.message
    assert "standee serve" in link_of(addon).notice.fix
    daemon.hold.clear()
    daemon.start()
    until(lambda: bpy.context.scene.standee.results)
    assert link_of(addon).notice is None


def test_no_daemon_is_said_once_with_what_to_do(
    addon, standee, subject, monkeypatch, until, tmp_path
):
    monkeypatch.setattr(addon("jobs.daemon_link"), "PATIENCE", 0.1)
    preferences = addon("preferences").preferences()
    preferences.connection_file = str(tmp_path / "none.json")
    bpy.ops.standee.add_files(filepath=subject)
    bpy.ops.standee.compose()
    until(lambda: link_of(addon).notice is not None)
    assert "No daemon answers" in link_of(addon).notice.message
    assert link_of(addon).unfinished


def test_an_unreadable_connection_file_is_named(addon, standee, subject, tmp_path):
    file = tmp_path / "connection.json"
    file.write_text("{not json")
    file.chmod(0o600)
    addon("preferences").preferences().connection_file = str(file)
    bpy.ops.standee.add_files(filepath=subject)
    with pytest.raises(RuntimeError, match="not a connection file"):
        bpy.ops.standee.compose()
    assert link_of(addon).notice.fix
    file.chmod(0o644)
    with pytest.raises(RuntimeError, match="chmod 600"):
        bpy.ops.standee.compose()


def test_another_version_says_what_to_install(addon, ready, daemon):
    text = daemon.file.read_text()
    data = json.loads(text) | {"protocol": [9, 0]}
    daemon.file.write_text(json.dumps(data))
    with pytest.raises(RuntimeError, match="same version"):
        bpy.ops.standee.compose()


def test_an_offline_blender_reaches_this_computer_only(addon, ready, daemon, monkeypatch):
    data = json.loads(daemon.file.read_text()) | {"endpoint": "tcp://192.0.2.7:4000"}
    daemon.file.write_text(json.dumps(data))
    if bpy.app.online_access:
        pytest.skip("this Blender may go online")
    with pytest.raises(RuntimeError, match="stay offline"):
        bpy.ops.standee.compose()


def test_jobs_outlive_a_daemon_of_another_version(addon, ready, daemon, until):
    daemon.protocol = (9, 0)
    bpy.ops.standee.compose()
    link = link_of(addon)
    [job] = link.unfinished
    until(lambda: not link.looking)
    assert "another version" in link.notice.message
    assert not job.over
    daemon.protocol = (1, 0)
    bpy.ops.standee.connect()
    until(lambda: ready.results)
    assert link.notice is None


def test_what_was_cancelled_before_it_was_sent_is_cancelled_at_the_daemon_too(
    addon, ready, daemon, until
):
    daemon.stop()
    daemon.hold.set()
    bpy.ops.standee.compose()
    link = link_of(addon)
    [job] = link.unfinished
    until(lambda: job.state == "sending")
    bpy.ops.standee.cancel(job=job.id)
    assert job.over
    daemon.start()
    until(lambda: daemon.cancelled == [job.id])
    daemon.hold.clear()
    until(lambda: link.idle)
    assert job.state == "cancelled"
    assert not ready.results


def test_a_script_does_not_wait_for_a_daemon_of_another_version(addon, ready, daemon):
    daemon.protocol = (9, 0)
    with pytest.raises(RuntimeError, match="another version"):
        bpy.ops.standee.compose(wait=True)


@pytest.fixture
def startable(addon, monkeypatch):
    """The preferences allow to start a daemon, and none is installed."""
    from standee.client import launch

    monkeypatch.delenv("STANDEE_PYTHON", raising=False)
    monkeypatch.setattr(launch.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(launch.shutil, "which", lambda name: None)
    addon("preferences").preferences().start_daemon = True


def test_a_slow_redraw_is_no_daemon_that_is_away(addon, ready, daemon, until, startable):
    bpy.ops.standee.compose()
    link = link_of(addon)
    until(lambda: link._client_tasks)
    for _ in range(4):
        time.sleep(0.8)  # what Blender draws, between two ticks
        link.tick()
    assert link.notice is None
    until(lambda: ready.results)


def test_a_daemon_that_cannot_be_started_here_is_waited_for(addon, ready, daemon, until, startable):
    daemon.stop()
    daemon.file.unlink()
    bpy.ops.standee.compose()
    link = link_of(addon)
    [job] = link.unfinished
    until(lambda: link.notice is not None)
    assert "backend is not installed here" in link.notice.message
    assert not job.over
    daemon.start()  # by hand, in a terminal
    until(lambda: ready.results)
    assert link.notice is None


def test_a_remote_daemon_is_never_started_here(addon, ready, daemon, monkeypatch, startable):
    preferences, asked = addon("preferences"), []
    client = addon("jobs.begin_client").Client
    monkeypatch.setattr(preferences, "require_online", lambda connection: None)
    for name in ("begin_connect", "reconnect"):
        look = getattr(client, name)
        monkeypatch.setattr(
            client,
            name,
            lambda *its, look=look, **more: asked.append(more["start"]) or look(*its, **more),
        )
    data = json.loads(daemon.file.read_text())
    paired = daemon.file.with_name("studio.json")
    for endpoint, file, start in (
        (data["endpoint"], daemon.file, True),
        ("tcp://192.0.2.7:4000", daemon.file, False),
        ("tcp://192.0.2.7:4000", paired, False),
        (None, paired, False),
    ):
        file.unlink(missing_ok=True)
        if endpoint:
            file.write_text(json.dumps(data | {"endpoint": endpoint}))
            file.chmod(0o600)
        preferences.preferences().connection_file = str(file)
        link_of(addon).connect()
        assert asked.pop() is start, (endpoint, file)


def test_another_connection_file_is_another_daemon(addon, ready, daemon, until, tmp_path, png):
    bpy.ops.standee.connect()
    until(lambda: link_of(addon).connected)
    second = type(daemon)(tmp_path / "second", png(16, 16, (1, 1, 0, 1))).start()
    try:
        addon("preferences").preferences().connection_file = str(second.file)
        bpy.ops.standee.compose()
        until(lambda: ready.results)
        assert not daemon.specs
        assert len(second.specs) == 1
    finally:
        second.stop()


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
    with pytest.raises(RuntimeError, match="'Bare' has no picture"):
        bpy.ops.standee.compose()


def test_connect_finds_the_daemon_and_its_models(addon, standee, daemon, until):
    bpy.ops.standee.connect()
    until(lambda: link_of(addon).models)
    assert [model.name for model in link_of(addon).models] == ["mini", "other"]


def test_a_tick_keeps_to_its_budget(addon, ready, daemon, until, png):
    daemon.picture = png(512, 512, (0.2, 0.4, 0.6, 1))
    bpy.ops.standee.compose()
    longest, began = 0.0, time.perf_counter()
    while not ready.results and time.perf_counter() - began < 20:
        before = time.thread_time()  # what other programs take meanwhile is not ours
        link_of(addon).tick()
        longest = max(longest, time.thread_time() - before)
        time.sleep(0.002)
    assert ready.results
    assert longest < 0.1


def test_the_timer_ticks_within_an_operator_where_writing_is_always_allowed(addon, standee):
    link, within = link_of(addon), []

    def task():
        within.append([one.f_code.co_name for one in frames()])
        yield 7.0

    def frames():
        frame = sys._getframe()
        while frame is not None:
            yield frame
            frame = frame.f_back

    link.run_in_background(task())
    assert addon("jobs.daemon_link")._tick() == link.pause
    assert "execute" in within[0]


def test_a_background_task_that_fails_is_said_and_stops_no_other(addon, standee):
    link, done = link_of(addon), []

    def broken():
        yield
        raise ZeroDivisionError("by zero")

    def fine():
        yield 0.01
        done.append(True)

    link.run_in_background(broken())
    link.run_in_background(fine())
    end = time.monotonic() + 5
    while not done and time.monotonic() < end:
        link.tick()
    assert done
    assert "by zero" in link.notice.message

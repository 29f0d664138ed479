"""Connection to the daemon: absent, restarted, of another version, remote; and the tick's budget."""

import json
import sys
import time

import bpy
import pytest


def link_of(addon):
    return addon("jobs.daemon_link").link()


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

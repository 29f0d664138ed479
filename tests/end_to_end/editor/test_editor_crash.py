"""kill -9 the editor, kill -9 the daemon: nothing is lost, and what was under way goes on."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("PySide6", reason="needs standee[desktop]")

from standee import Client, StandeeError
from standee.composition import from_json
from standee.connection import connection_file, read_connection
from support.desktop.editors import SUBJECTS, close_editor, open_editor

pytest_plugins = "support.desktop.editor_fixtures"


TESTS = Path(__file__).resolve().parents[2]
EDITOR = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from support.desktop.editors import SUBJECTS, open_editor, settler
from standee.composition import to_json
from standee_desktop.shell.application import make_application

settle = settler(make_application("en"), False)
artist = open_editor(settle, Path(os.environ["STANDEE_HOME"]))
artist.drops([SUBJECTS / "fox.png", SUBJECTS / "mug.png"], 100, 100)
artist.says("a fox that was never saved")
artist.assembly.compose_panel.steps.setValue(8)
if "compose" in sys.argv:
    settle(lambda: artist.assembly.link.connected, 60)
    artist.presses(artist.assembly.compose_panel.button)
    settle(lambda: artist.assembly.composer.jobs.current.state == "running", 60)
print(to_json(artist.document.composition).decode(), flush=True)
print("READY", flush=True)
settle(lambda: False, 600)
"""


def killed_editor(home: Path, *words: str) -> tuple[str, float]:
    """Let an editor work, kill it two seconds after its last change; return its composition."""
    process = subprocess.Popen(
        [sys.executable, "-c", EDITOR, str(TESTS), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"STANDEE_HOME": str(home), "QT_QPA_PLATFORM": "offscreen"},
    )
    lines = []
    for line in process.stdout:
        if line.strip() == "READY":
            break
        lines.append(line)
    time.sleep(2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return "".join(lines), time.monotonic()


@pytest.fixture
def opened(settle, monkeypatch):
    """Opens editors on a home, and closes them at the end."""
    artists = []

    def open_on(home: Path, **how):
        monkeypatch.setenv("STANDEE_HOME", str(home))
        artists.append(open_editor(settle, home, **how))
        return artists[-1]

    yield open_on
    for artist in artists:
        close_editor(artist)


def test_all_but_the_last_two_seconds_of_a_killed_editor_come_back(
    settle,
    opened,
    tmp_path,
) -> None:
    text, _ = killed_editor(tmp_path)
    wanted = from_json(text)
    assert len(wanted.layers) == 2
    artist = opened(tmp_path)
    artist.is_told("ended before “Untitled” was saved")
    [row] = artist.assembly.notice_bar.rows()
    artist.presses(row.fix)
    settle(lambda: artist.document.composition == wanted)
    assert not artist.document.document.missing()
    assert artist.document.modified
    assert not artist.assembly.notices
    # It is this editor's unsaved work now: left behind once more, not twice.
    recovery = tmp_path / "editor" / "recovery"
    settle(lambda: len(list(recovery.glob("*/state.json"))) == 1)


def test_work_that_is_discarded_is_not_offered_again(settle, opened, tmp_path) -> None:
    killed_editor(tmp_path)
    artist = opened(tmp_path)
    notice = artist.is_told("ended before")
    notice.other_act()
    settle(lambda: not list((tmp_path / "editor" / "recovery").glob("*/state.json")))


def test_a_job_of_a_killed_editor_brings_its_result_to_the_next_one(
    settle, opened, studio, tmp_path
) -> None:
    """The daemon is everyone's, the home nobody else's."""
    shutil.copy(studio.file, connection_file(tmp_path))
    killed_editor(tmp_path, "compose")
    artist = opened(tmp_path)
    notice = artist.is_told("was still being composed when Standee ended")
    [row] = [row for row in artist.assembly.notice_bar.rows() if row.notice is notice]
    artist.presses(row.fix)
    settle(lambda: artist.results, 120)
    [name] = artist.results
    receipt = artist.document.document.results[name].receipt
    assert receipt["composition"]["prompt"] == "a fox that was never saved"


def test_the_result_arrives_although_the_daemon_was_killed_in_mid_job(
    settle,
    opened,
    tmp_path,
) -> None:
    """The editor starts the daemon, and after kill -9 starts it again; the job goes on."""
    artist = opened(tmp_path, start_daemon=True)
    connection = artist.assembly.connection
    try:
        artist.drops([SUBJECTS / "robot.png"], 120, 120)
        artist.assembly.compose_panel.steps.setValue(6)
        settle(lambda: connection.text() == "Ready", 60)
        artist.presses(artist.assembly.compose_panel.button)
        jobs = artist.assembly.composer.jobs
        settle(lambda: jobs.current.step >= 2, 120)
        os.kill(read_connection(connection_file()).pid, signal.SIGKILL)
        settle(lambda: "away" in connection.text(), 10)
        artist.says("the artist goes on meanwhile")
        settle(lambda: connection.text() == "Ready", 60)
        settle(lambda: artist.results, 240)
        assert not artist.errors
    finally:
        with Client.connect() as client:
            client.shutdown()


def test_the_daemon_is_restarted_by_a_button(settle, opened, tmp_path) -> None:
    artist = opened(tmp_path, start_daemon=True)
    try:
        settle(lambda: artist.assembly.link.connected, 60)
        before = read_connection(connection_file()).pid
        artist.assembly.link.restart()
        settle(lambda: read_connection_or_none() not in (None, before), 40)
        settle(lambda: artist.assembly.link.connected, 40)
        assert not artist.errors
    finally:
        with Client.connect() as client:
            client.shutdown()


def read_connection_or_none() -> int | None:
    try:
        return read_connection(connection_file()).pid
    except StandeeError:
        return None

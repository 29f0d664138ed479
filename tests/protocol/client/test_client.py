"""The client without a daemon: what it says when nobody is there, and what it refuses to send."""

import subprocess
import sys
import time

import pytest

from standee import Client, Composition, Layer, Rect, connection, pairing
from standee.client import launch
from standee.errors import InvalidField, MissingDependency, NotConnected


@pytest.fixture
def alone(tmp_path):
    """A client of a home without a daemon."""
    with Client.begin_connect(connection_file=tmp_path / "connection.json") as client:
        yield client


def test_without_a_daemon_connecting_fails_in_time_and_says_how_to_start_one(tmp_path):
    began = time.monotonic()
    with pytest.raises(NotConnected, match="standee serve"):
        Client.connect(connection_file=tmp_path / "connection.json", timeout=0.3)
    assert time.monotonic() - began < 2


def test_a_daemon_that_left_its_file_behind_does_not_answer(tmp_path):
    file = tmp_path / "connection.json"
    keys = pairing.new_keys()
    connection.write_connection(
        file, connection.Connection("tcp://127.0.0.1:9", keys.public, pairing.new_keys())
    )
    with pytest.raises(NotConnected, match=r"127\.0\.0\.1:9"):
        Client.connect(connection_file=file, timeout=0.5)


def test_polling_without_a_daemon_is_quick_and_quiet(alone):
    task = alone.begin_models()
    began = time.monotonic()
    assert [alone.poll() for _ in range(10)] == [[]] * 10
    assert time.monotonic() - began < 0.5
    assert not task.done
    assert not alone.connected


def test_an_unfinished_task_has_no_result_yet(alone):
    with pytest.raises(RuntimeError, match="poll"):
        alone.begin_status().result()


def test_a_wrong_composition_is_refused_before_anything_is_sent(alone):
    layer = Layer(picture="0" * 64, rect=Rect(0, 0, float("nan"), 4))
    with pytest.raises(InvalidField) as caught:
        alone.submit(Composition(layers=(layer,)))
    assert caught.value.path == "$.layers[0].rect.w"


def test_a_wrong_job_id_is_refused_before_anything_is_sent(alone):
    with pytest.raises(InvalidField) as caught:
        alone.submit(Composition(), job_id="no")
    assert caught.value.path == "$.job"


def test_where_the_backend_is_not_installed_starting_says_what_to_install(monkeypatch):
    monkeypatch.delenv("STANDEE_PYTHON", raising=False)
    monkeypatch.setattr(launch.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(launch.shutil, "which", lambda name: None)
    with pytest.raises(MissingDependency, match=r"pip install .standee\[backend\]"):
        launch.command()


def _poll(client, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        client.poll()
        time.sleep(0.05)


def test_a_host_that_was_busy_did_not_wait_for_the_daemon(tmp_path, monkeypatch):
    monkeypatch.delenv("STANDEE_PYTHON", raising=False)
    monkeypatch.setattr(launch.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(launch.shutil, "which", lambda name: None)
    keys = pairing.new_keys()
    file = tmp_path / "connection.json"
    connection.write_connection(
        file, connection.Connection("tcp://127.0.0.1:9", pairing.new_keys().public, keys)
    )
    with Client.begin_connect(start=True, connection_file=file) as client:
        for _ in range(2):
            client.poll()
            time.sleep(1.0)  # a slow redraw: nobody looked meanwhile
        with pytest.raises(MissingDependency):
            _poll(client, 5)


def test_a_daemon_that_cannot_start_says_why(tmp_path):
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'no such thing as a daemon' >&2\nexit 3\n")
    broken.chmod(0o755)
    with pytest.raises(NotConnected, match="no such thing as a daemon"):
        Client.connect(
            start=True,
            connection_file=tmp_path / "home" / "connection.json",
            timeout=5,
            python=str(broken),
        )


def test_the_package_itself_is_light():
    code = "import standee, sys; standee.Rect; print([m for m in sys.modules if m in HEAVY])"
    heavy = "HEAVY = ('zmq', 'numpy', 'torch', 'sqlite3'); "
    done = subprocess.run([sys.executable, "-c", heavy + code], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"

"""A lock on a file is held by one at a time, and whoever waits for it can do something else, or give up."""

import subprocess
import sys

import pytest

from standee_backend.storage import file_lock
from standee_backend.storage.file_lock import locked

HOLDER = """
import sys
from pathlib import Path
from standee_backend.storage.file_lock import locked
with locked(Path(sys.argv[1]), lambda: None):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that has the lock until it is told to go on."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "lock")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline().strip() == b"held"
    yield process
    process.kill()
    process.communicate()


def test_a_lock_waits_for_its_holder_to_end_however_it_ends(holder, tmp_path, monkeypatch):
    monkeypatch.setattr(file_lock, "AGAIN", 0.01)
    waited = []

    def meanwhile():
        waited.append(True)
        holder.kill()

    with locked(tmp_path / "lock", meanwhile):
        assert waited


def test_whoever_waits_may_give_up(holder, tmp_path):
    def give_up():
        raise InterruptedError

    with pytest.raises(InterruptedError), locked(tmp_path / "lock", give_up):
        pass

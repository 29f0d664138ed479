"""A daemon that is started on demand is its own: neither the caller's folder nor its modules matter."""

import os
import sys
from pathlib import Path

from standee.client.client import Client
from standee.client.launch import environment


def test_modules_beside_the_caller_are_not_the_daemons(tmp_path, monkeypatch):
    folder = tmp_path / "shadow"
    folder.mkdir()
    for name in ("random", "numpy", "zmq"):
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / name)!r}, 'w').close()\n")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("STANDEE_PYTHON", sys.executable)
    file = tmp_path / "home" / "connection.json"
    with Client.connect(start=True, connection_file=file, timeout=60) as client:
        status = client.status()
        if sys.platform == "linux":
            assert Path(f"/proc/{status.pid}/cwd").resolve() == file.parent.resolve()
        client.shutdown()
    assert not [name for name in ("random", "numpy", "zmq") if (tmp_path / name).exists()]


def test_a_path_that_is_relative_to_the_callers_folder_is_not_the_daemons(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", ".", "src", str(tmp_path)]))
    assert environment(tmp_path)["PYTHONPATH"] == str(tmp_path)

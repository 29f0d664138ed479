"""Terminals of any encoding and files of any editor: nothing that a person reads or writes ends a command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.command_line import FakeClient, Run

BOM = b"\xef\xbb\xbf"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "gbk", "utf-8"])
def test_a_terminal_without_the_letters_shows_question_marks(encoding: str, tmp_path: Path) -> None:
    name = "猫 ☕.json"
    (tmp_path / name).write_text('{"prompt": 1}')
    done = subprocess.run(
        [sys.executable, "-m", "standee_cli.main", "compose", name],
        cwd=tmp_path,
        env=os.environ | {"PYTHONIOENCODING": encoding, "STANDEE_HOME": str(tmp_path / "home")},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    said = done.stderr.decode(encoding, "replace")
    assert "$.prompt" in said
    assert "unforeseen" not in said
    assert ("☕" in said) == (encoding == "utf-8")


def test_a_composition_with_a_byte_order_mark_is_read(
    standee: Run, daemon: type[FakeClient]
) -> None:
    Path("scene.json").write_bytes(BOM + b'{"prompt": "a cat"}')
    assert standee("compose", "scene.json", "-q").code == 0
    assert daemon.calls[0][1].prompt == "a cat"


def test_a_broken_list_of_models_is_said_by_who_lists_them(
    standee: Run, daemon: type[FakeClient], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("standee_backend.catalog.model_card", exc_type=ImportError)
    monkeypatch.setattr(FakeClient, "models", lambda self: (), raising=False)
    (tmp_path / "home").mkdir()
    path = tmp_path / "home" / "models.toml"
    path.write_bytes(BOM + b'[models.toon]\npath = "/models/toon"\n')
    assert "Warning" not in standee("models").err
    path.write_text("[models.toon\n")
    ran = standee("models")
    assert ran.code == 0
    assert str(path) in ran.err

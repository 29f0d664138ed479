"""The command line without a daemon: what it refuses, how it says so, and what it does by itself."""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from standee.wire.messages import ModelInfo
from standee_cli.commands import compose, jobs
from standee_cli.main import cli
from support.command_line import PNG, FakeClient, Run

# ---------------------------------------------------------------------------- help


@pytest.mark.parametrize("name", list(cli.commands))
def test_every_command_has_help_and_the_options_that_all_have(standee: Run, name: str) -> None:
    ran = standee(name, "--help")
    assert ran.code == 0
    for option in ("--json", "--debug", "--help"):
        assert option in ran.out


def test_the_help_lists_every_command_by_a_whole_sentence(standee: Run) -> None:
    ran = standee("--help")
    for name in cli.commands:
        assert re.search(rf"^  {name} +[A-Z].*\.$", ran.out, re.MULTILINE)
        assert "..." not in ran.out.split("Commands:")[1]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_each_shell(standee: Run, shell: str) -> None:
    assert "_STANDEE_COMPLETE" in standee("completion", shell).out


def test_the_tab_key_completes_commands() -> None:
    words = {"_STANDEE_COMPLETE": "bash_complete", "COMP_WORDS": "standee com", "COMP_CWORD": "1"}
    command = [sys.executable, "-m", "standee_cli.main"]
    ran = subprocess.run(command, env=os.environ | words, capture_output=True, text=True)
    assert ran.stdout.split() == ["plain,compose", "plain,completion"]


# ---------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["paint"],
        ["compose"],
        ["compose", "nowhere.standee"],
        ["compose", "."],
        ["compose", "text.txt"],
        ["compose", "scene.json", "--size", "big"],
        ["compose", "scene.json", "--size", "0"],
        ["compose", "scene.json", "--size", "99999"],
        ["compose", "scene.json", "--seed", "-1"],
        ["compose", "scene.json", "--steps", "0"],
        ["compose", "scene.json", "--count", "1000"],
        ["compose", "scene.json", "--pictures", "nowhere"],
        ["cutout", "text.txt"],
        ["cutout", "cat.png", "--box", "1,2,3"],
        ["cutout", "cat.png", "--box", "1,2,3,nan"],
        ["cancel"],
        ["pair", "laptop"],
        ["pair", "laptop", "192.168.1.20"],
        ["pair", "stranger", "--remove"],
        ["completion", "tcsh"],
        ["status", "--colour"],
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(standee: Run, arguments: list[str]) -> None:
    Path("scene.json").write_text("{}")
    Path("text.txt").write_text("hello")
    Path("cat.png").write_bytes(PNG)
    ran = standee(*arguments)
    if arguments:
        assert (ran.code, ran.out) == (2, "")
        assert re.fullmatch(r"Error: [^\n]+\n", ran.err)


@pytest.mark.parametrize("command", [["status"], ["jobs"], ["jobs", "1a"], ["cancel", "--all"]])
def test_without_a_daemon_the_exit_code_is_3_and_the_error_says_what_to_do(
    standee: Run, command: list[str]
) -> None:
    ran = standee(*command)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == "Error: No daemon is running. Start one with `standee serve`.\n"


@pytest.mark.parametrize("arguments", [("status", "--json"), ("--json", "status")])
def test_for_programs_an_error_is_json_on_stdout(standee: Run, arguments: tuple[str, ...]) -> None:
    ran = standee(*arguments)
    assert json.loads(ran.out)["error"]["code"] == "not-connected"
    assert ran.err.startswith("Error: No daemon")


@pytest.mark.parametrize(
    ("command", "extra"), [("demo", "backend"), ("serve", "backend"), ("edit", "desktop")]
)
def test_what_is_not_installed_is_named_with_the_command_that_installs_it(
    standee: Run, monkeypatch: pytest.MonkeyPatch, command: str, extra: str
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    ran = standee(command)
    assert ran.code == 5
    assert f"Run `standee doctor --fix {extra}`." in ran.err


def test_a_bug_is_one_line_too_and_debug_shows_where(
    standee: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compose, "load_document", lambda *_: 1 / 0)
    ran = standee("compose", "scene.json")
    assert ran.code == 1
    assert re.fullmatch(r"Error: Something unforeseen [^\n]+ZeroDivisionError[^\n]+\n", ran.err)
    assert "Traceback" in standee("compose", "scene.json", "--debug").err


def test_a_place_that_cannot_be_written_is_refused_before_the_work(
    standee: Run, daemon: type[FakeClient]
) -> None:
    Path("scene.json").write_text("{}")
    for option in ("-o", "--save"):
        ran = standee("compose", "scene.json", option, "no/where.png")
        assert ran.code == 1
        assert "does not exist" in ran.err
    assert daemon.calls == []


# ---------------------------------------------------------------------------- this machine


def test_pairing_writes_a_private_file_and_can_be_undone(standee: Run) -> None:
    assert standee("pair", "laptop", "tcp://192.168.1.20:5580").code == 0
    made = json.loads(Path("laptop.json").read_text())
    assert made["endpoint"] == "tcp://192.168.1.20:5580"
    assert stat.S_IMODE(Path("laptop.json").stat().st_mode) == 0o600
    assert standee("pair").out == "laptop\n"
    assert standee("pair", "laptop", "--remove").code == 0
    assert standee("pair").out == ""


def test_pairing_leaves_the_folder_that_it_writes_into_as_it_is(standee: Run) -> None:
    Path.cwd().chmod(0o755)
    standee("pair", "laptop", "tcp://192.168.1.20:5580")
    assert stat.S_IMODE(Path.cwd().stat().st_mode) == 0o755


def test_doctor_tells_what_is_there(standee: Run, tmp_path: Path) -> None:
    found = {one["what"]: one for one in json.loads(standee("doctor", "--json").out)}
    assert found["Python"]["value"].startswith(f"{sys.version_info.major}.")
    assert "msgspec" in found["Packages"]["value"]
    assert str(tmp_path / "home") in found["Home"]["value"]
    assert "no daemon has run yet" in found["Connection"]["value"]


def test_a_table_for_another_program_has_no_padding(
    standee: Run, daemon: type[FakeClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = ModelInfo("mini", "FLUX.1", "small", "/models/mini"), ModelInfo("a-longer-name")
    monkeypatch.setattr(FakeClient, "models", lambda self: found, raising=False)
    lines = standee("models").out.splitlines()
    assert len(lines) == 3
    assert lines[0].split() == ["Name", "Family", "Description", "Where"]
    assert [line for line in lines if line != line.rstrip()] == []


def test_an_empty_queue_is_said_and_no_table(standee: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "connect", lambda context: SimpleNamespace(jobs=list))
    ran = standee("jobs")
    assert (ran.code, ran.out, ran.err) == (0, "", "There are no jobs.\n")
    assert standee("jobs", "--json").out == "[]\n"


def test_serve_answers_a_wrong_option_as_other_commands_do(standee: Run) -> None:
    pytest.importorskip("standee_backend.daemon.main", exc_type=ImportError)
    ran = standee("serve", "--json", "--device", "rocm")
    assert ran.code == 2
    assert json.loads(ran.out)["error"]["path"] == "$.device"
    assert standee("serve", "--log", "loud").code == 2
    assert standee("serve", "--listen", "127.0.0.1:99999").code == 2


def test_the_editor_needs_a_display_and_says_so(
    standee: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("PySide6")
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    ran = standee("edit", "--language", "zh_CN")
    assert ran.code == 5
    assert "display" in ran.err

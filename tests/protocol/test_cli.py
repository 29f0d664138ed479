"""The command line without a daemon: what it refuses, how it says so, and what it asks for."""

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from standee import client, composing
from standee.cli import cli, main
from standee.composing import a_lora, changed
from standee.composition import Composition, Lora, Rect
from standee.document import Document
from standee.errors import InvalidField, JobCancelled, MissingBlob, StandeeError
from standee.messages import Point, Result
from standee.receipt import embed, extract

PNG = b"\x89PNG\r\n\x1a\n" + b"".join(bytes(4) + kind + b"crc." for kind in (b"IHDR", b"IEND"))


@dataclass
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def standee(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Run:
    """Run a command in an empty folder, as a user who never ran a daemon."""
    monkeypatch.setenv("STANDEE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("STANDEE_CONNECTION", raising=False)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")

    def run(*arguments: str | Path) -> Ran:
        code = main([str(argument) for argument in arguments])
        return Ran(code, *capsys.readouterr())

    return run


class FakeClient:
    """A daemon that answers each job with one picture, or with `error`."""

    error: ClassVar[BaseException | None] = None
    calls: ClassVar[list[tuple[str, Any]]] = []

    def submit(self, spec: Any, blobs: Any, *, job_id: str, priority: int) -> str:
        self.calls.append(("submit", spec))
        return job_id

    def wait(self, job: str, on_event: Any) -> list[Result]:
        self.calls.append(("wait", job))
        if self.error:
            raise self.error
        receipt = {"composition": {}, "model": {"fingerprint": "1"}}
        return [
            Result(job=job, index=n, of=2, seed=n, width=1, height=1, receipt=receipt, data=PNG)
            for n in range(2)
        ]

    def cancel(self, job: str) -> None:
        self.calls.append(("cancel", job))

    def release(self, job: str) -> None:
        self.calls.append(("release", job))

    def __enter__(self) -> "FakeClient":
        return self

    def __exit__(self, *_: Any) -> None:
        pass


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> type[FakeClient]:
    """Put `FakeClient` in the place of the client."""
    monkeypatch.setattr(FakeClient, "calls", [])
    monkeypatch.setattr(client.Client, "connect", lambda **_: FakeClient())
    return FakeClient


# ---------------------------------------------------------------------------- help


@pytest.mark.parametrize("name", [name for name in cli.commands if name != "serve"])
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
    command = [sys.executable, "-m", "standee.cli"]
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


def test_for_programs_an_error_is_json_on_stdout(standee: Run) -> None:
    ran = standee("status", "--json")
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
    assert f"Run `pip install 'standee[{extra}]'`." in ran.err


def test_a_bug_is_one_line_too_and_debug_shows_where(
    standee: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composing, "open_input", lambda *_: 1 / 0)
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


# ---------------------------------------------------------------------------- composing


def test_compose_writes_numbered_pictures_with_their_receipts(
    standee: Run, daemon: type[FakeClient]
) -> None:
    Path("scene.json").write_text('{"prompt": "a cat"}')
    ran = standee("compose", "scene.json", "-o", "out.png", "--count", "2", "-q")
    assert (ran.code, ran.out) == (0, "out-1.png\nout-2.png\n")
    assert extract(Path("out-2.png").read_bytes())["model"] == {"fingerprint": "1"}
    assert [name for name, _ in daemon.calls] == ["submit", "wait", "release"]
    assert sorted(map(str, Path().iterdir())) == ["out-1.png", "out-2.png", "scene.json"]


def test_for_programs_compose_answers_what_it_made(standee: Run, daemon: type[FakeClient]) -> None:
    Path("scene.json").write_text("{}")
    made = json.loads(standee("compose", "scene.json", "--json").out)["results"]
    assert [(one["path"], one["seed"]) for one in made] == [("scene-1.png", 0), ("scene-2.png", 1)]


def test_saving_keeps_the_results_in_the_document(
    standee: Run, daemon: type[FakeClient], saved: Path
) -> None:
    ran = standee("compose", saved, "--prompt", "a dog", "--save", saved, "-q")
    assert ran.code == 0
    with Document.open(saved) as document:
        assert document.composition.prompt == "a dog"
        assert list(document.results) == ["001", "cat-0", "cat-1"]


def test_saving_into_another_document_loses_nothing_in_it(
    standee: Run, daemon: type[FakeClient], saved: Path
) -> None:
    Path("scene.json").write_text('{"prompt": "a dog"}')
    assert standee("compose", "scene.json", "--save", saved, "-q").code == 0
    with Document.open(saved) as document:
        assert document.composition.prompt == "a dog"
        assert list(document.results) == ["001", "scene-0", "scene-1"]
    Path("notes.standee").write_text("not a document")
    ran = standee("compose", "scene.json", "--save", "notes.standee", "-q")
    assert ran.code == 2
    assert Path("notes.standee").read_text() == "not a document"


def test_a_picture_made_again_is_not_written_over_the_first(
    standee: Run, daemon: type[FakeClient]
) -> None:
    Path("out.png").write_bytes(embed(PNG, {"composition": {}, "model": {"fingerprint": "2"}}))
    ran = standee("compose", "out.png", "-q")
    assert ran.out == "out-again-1.png\nout-again-2.png\n"
    assert "the model has changed" in ran.err


def test_ctrl_c_cancels_the_job_and_says_so(
    standee: Run, daemon: type[FakeClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("scene.json").write_text("{}")
    monkeypatch.setattr(daemon, "error", KeyboardInterrupt())
    ran = standee("compose", "scene.json", "-q")
    assert (ran.code, ran.err) == (4, "Cancelled. The daemon has stopped the job.\n")
    assert [name for name, _ in daemon.calls] == ["submit", "wait", "cancel"]


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (JobCancelled("It was cancelled."), 4, "It was cancelled.\n"),
        (StandeeError("It failed."), 1, "Error: It failed.\n"),
    ],
)
def test_a_job_that_ends_without_a_picture_is_released_and_told(
    standee: Run,
    daemon: type[FakeClient],
    monkeypatch: pytest.MonkeyPatch,
    error: StandeeError,
    code: int,
    said: str,
) -> None:
    Path("scene.json").write_text("{}")
    monkeypatch.setattr(daemon, "error", error)
    ran = standee("compose", "scene.json", "-q")
    assert (ran.code, ran.err) == (code, said)
    assert daemon.calls[-1][0] == "release"


def test_a_missing_picture_asks_where_it_is(
    standee: Run, daemon: type[FakeClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("scene.json").write_text("{}")
    monkeypatch.setattr(daemon, "error", MissingBlob("A picture is missing."))
    ran = standee("compose", "scene.json", "-q")
    assert (ran.code, ran.err) == (
        2,
        "Error: A picture is missing. Say where it is: --pictures FOLDER.\n",
    )


def test_a_cut_out_is_asked_for_and_its_mask_written(
    standee: Run, daemon: type[FakeClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("cat.png").write_bytes(PNG)
    monkeypatch.setattr(
        daemon, "wait", lambda *_: [Result(job="12345678", width=3, height=2, data=PNG)]
    )
    ran = standee("cutout", "cat.png", "--box", "1,2,30,40", "-q")
    assert (ran.code, ran.out) == (0, "cat-mask.png\n")
    assert Path("cat-mask.png").read_bytes() == PNG
    [(_, spec)] = [call for call in daemon.calls if call[0] == "submit"]
    assert spec.box == Rect(1, 2, 30, 40)


def test_a_cut_out_is_asked_for_by_words_and_points(
    standee: Run, daemon: type[FakeClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("table.png").write_bytes(PNG)
    monkeypatch.setattr(
        daemon, "wait", lambda *_: [Result(job="12345678", width=3, height=2, data=PNG)]
    )
    asked = ("--words", "a red mug", "--inside", "3,4", "--inside", "5,6", "--outside", "7.5,8")
    ran = standee("cutout", "table.png", *asked, "--model", "a/sam", "--finder", "b/dino", "-q")
    assert ran.code == 0, ran.err
    [(_, spec)] = [call for call in daemon.calls if call[0] == "submit"]
    assert (spec.words, spec.model, spec.finder) == ("a red mug", "a/sam", "b/dino")
    assert spec.points == (Point(3, 4), Point(5, 6), Point(7.5, 8, inside=False))
    ran = standee("cutout", "table.png", "--inside", "here")
    assert ran.code == 2
    assert "x,y" in ran.err


def test_options_override_the_composition() -> None:
    composition = changed(
        Composition(), prompt="a dog", size=(512, 384), seed=5, steps=8, count=3, guidance=None
    )
    assert composition.prompt == "a dog"
    assert (composition.canvas.width, composition.canvas.height) == (512, 384)
    sampling = composition.sampling
    assert (sampling.seed, sampling.steps, sampling.count, sampling.guidance) == (5, 8, 3, None)
    with pytest.raises(InvalidField) as caught:
        changed(Composition(), steps=201)
    assert caught.value.path == "$.sampling.steps"


def test_a_models_folder_is_named_so_that_the_daemon_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/model_index.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert changed(Composition(), model="mine").sampling.model == str(tmp_path / "mine")
    assert changed(Composition(), model="mini").sampling.model == "mini"
    hub = "black-forest-labs/FLUX.1-dev"
    assert changed(Composition(), model=hub).sampling.model == hub


def test_loras_come_with_weights_and_replace_those_of_the_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("toon.safetensors").touch()
    given = ("toon.safetensors:0.5", "someone/some-lora", "C:\\loras\\ink.safetensors:-1")
    composition = changed(Composition(), loras=tuple(a_lora(text) for text in given))
    assert composition.sampling.loras == (
        Lora(str(tmp_path / "toon.safetensors"), 0.5),
        Lora("someone/some-lora", 1.0),
        Lora("C:\\loras\\ink.safetensors", -1.0),
    )
    assert a_lora("C:\\loras\\ink.safetensors") == Lora("C:\\loras\\ink.safetensors", 1.0)
    assert changed(composition, steps=3).sampling.loras == composition.sampling.loras
    assert changed(composition, no_loras=True).sampling.loras == ()
    with pytest.raises(InvalidField) as caught:
        changed(Composition(), loras=(a_lora("toon.safetensors:9"),))
    assert caught.value.path == "$.sampling.loras[0].weight"


def test_a_lora_without_a_path_is_refused(standee: Run) -> None:
    ran = standee("compose", "scene.json", "--lora", ":0.5")
    assert ran.code == 2
    assert "PATH:WEIGHT" in ran.err


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

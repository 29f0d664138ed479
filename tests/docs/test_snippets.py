"""The pages' snippets: commands and programs are run, files are read, and what is not run is listed here.

A fence's title says what its snippet is: the name of a file that is written before what follows, or why it is
not run. What is not run names commands, options and targets that exist all the same.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec
import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from standee.connection import Connection
from standee.document.document import Document
from standee.document.load import load_document
from standee.wire.events import Problem
from standee_backend.catalog.model_card import configuration
from standee_cli.main import cli
from support.daemons import Running
from support.gateway import processes
from support.pages.forked_commands import ForkedCommands

ROOT = Path(__file__).resolve().parents[2]
CARD = ROOT / "backend/standee_backend/models/mini/README.md"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", CARD, *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]

NOT_RUN = {
    "CONTRIBUTING.md": {"takes minutes": 1},
    "README.md": {"takes minutes": 1, "on Windows": 1},
    "backend/standee_backend/models/mini/README.md": {"takes minutes": 1},
    "docs/blender.md": {"in Blender": 1},
    "docs/cli.md": {
        "needs a network": 1,
        "needs a second machine": 1,
        "needs weights": 1,
        "opens a window": 1,
        "takes minutes": 1,
    },
    "docs/cluster.md": {"needs a second machine": 2},
    "docs/files.md": {"removes things": 1},
    "docs/first-picture.md": {"needs weights": 1, "takes minutes": 1},
    "docs/gateway.md": {"runs until it is stopped": 1},
    "docs/gpu-work.md": {"needs a GPU": 4},
    "docs/models.md": {"needs weights": 1},
    "docs/tutorials/editor.md": {"opens a window": 1},
}
"""The snippets that are not run here, by page and reason.

Blender's is run by tests/blender_addon/in_blender/jobs/test_batch.py.
"""

VARIABLE = r"\bSTANDEE_(?!COMPLETE)[A-Z]+(?:_[A-Z]+)*\b"

LISTING = "text"
"""The language of fences that show something: output, a layout, how a command is written."""


@dataclass(frozen=True)
class Snippet:
    """A fenced block of a page."""

    line: int
    language: str
    title: str
    text: str

    @property
    def file(self) -> str:
        """The file that it is the content of; "" where it is none."""
        return self.title if "." in self.title else ""

    @property
    def runs(self) -> bool:
        return self.language in ("sh", "python") and not self.title


def snippets(page: Path) -> list[Snippet]:
    text = page.read_text("utf-8")
    form = r'^( *)```([a-z]*)(?: title="([^"]*)")?\n(.*?)^\1```$'
    found = re.finditer(form, text, re.MULTILINE | re.DOTALL)
    made = [
        Snippet(text.count("\n", 0, one.start()) + 1, one[2], one[3] or "", textwrap.dedent(one[4]))
        for one in found
    ]
    fences = re.findall(r"^ *```", text, re.MULTILINE)
    assert len(fences) == 2 * len(made), f"{page.name} has a fence that is not understood"
    return made


@pytest.mark.parametrize("name", NAMES)
def test_what_a_page_does_not_run_is_listed_with_its_reason(name: str) -> None:
    found = snippets(ROOT / name)
    for one in found:
        assert one.language, f"{name}:{one.line} does not say in which language it is"
        told = one.language in ("sh", "python", LISTING) or one.title
        assert told, f"{name}:{one.line} says neither its file nor why it is not run"
    reasons = Counter(one.title for one in found if one.title and not one.file)
    assert reasons == NOT_RUN.get(name, {})


# -- running ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the pages speak of: pictures, a document, a LoRA, the repository's examples."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copytree(ROOT / "examples", folder / "examples")  # a page may write where it reads
    shutil.copytree(ROOT / "examples/subjects", folder / "subjects")
    shutil.copy(ROOT / "examples/subjects/robot.png", folder)
    Image.new("RGB", (320, 320), "white").save(folder / "cat.jpg")
    with Document.open(ROOT / "protocol/standee/samples/three_friends.standee") as document:
        document.save(folder / "scene.standee")
    save_file({"x.lora_A.weight": np.zeros((1, 1), np.float32)}, folder / "toon.safetensors")
    (folder / ".config/fish/completions").mkdir(parents=True)
    return folder


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory, daemon: Running) -> Path:
    """A folder with the program `standee`."""
    folder = tmp_path_factory.mktemp("bin")
    commands = ForkedCommands(folder, daemon.environment)
    yield folder
    commands.stop()


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Running:
    """A daemon whose pictures are grey."""
    with Running(
        tmp_path_factory.mktemp("daemon") / "home", worker="pages/picture_worker.py"
    ).serving() as running:
        yield running


@pytest.fixture(scope="module")
def gateway(daemon: Running) -> dict[str, str]:
    """A gateway to that daemon: its `url` and `token`."""
    for needed in ("starlette", "uvicorn", "python_multipart", "mcp"):
        pytest.importorskip(needed, reason="needs standee[gateway]")
    process = processes.start(daemon)
    yield processes.said(process)
    process.terminate()
    process.communicate()


RUNS = [name for name in NAMES if any(one.runs for one in snippets(ROOT / name))]


@pytest.mark.skipif(os.name == "nt", reason="the pages' commands are for a POSIX shell")
@pytest.mark.parametrize("name", RUNS)
def test_a_pages_commands_and_programs_run(
    name: str, desk: Path, programs: Path, daemon: Running, request: pytest.FixtureRequest
) -> None:
    """All of a page in its order: one shell, one Python."""
    found = snippets(ROOT / name)
    for one in found:
        if one.file:
            (desk / one.file).write_text(one.text, "utf-8")
    for language, program in (("sh", ["bash", "-euo", "pipefail"]), ("python", [sys.executable])):
        text = "".join(one.text for one in found if one.language == language and one.runs)
        token = ""
        if "STANDEE_GATEWAY_TOKEN" in text:
            there = request.getfixturevalue("gateway")
            text, token = text.replace("http://127.0.0.1:5590", there["url"]), there["token"]
        script = desk / f"page.{language}"
        script.write_text(text, "utf-8")
        environment = daemon.environment | {
            "HOME": str(desk),
            "STANDEE_GATEWAY_TOKEN": token,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "STANDEE_HOME": str(daemon.home),
        }
        ran = subprocess.run(
            [*program, *(["-x"] if language == "sh" else []), str(script)],
            cwd=desk,
            env=environment,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert ran.returncode == 0, ran.stderr[-2000:]


# -- reading ---------------------------------------------------------------------------------------

FILES = [
    pytest.param(name, one, id=f"{name}:{one.line}")
    for name in NAMES
    for one in snippets(ROOT / name)
    if one.file
]


@pytest.mark.parametrize(("name", "snippet"), FILES)
def test_files_on_a_page_can_be_read(
    name: str, snippet: Snippet, desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if snippet.file == "models.toml":
        monkeypatch.setenv("STANDEE_HOME", str(tmp_path))
        (tmp_path / "models.toml").write_text(snippet.text)
        said = configuration()
        assert said.models or said.cutout.model
    elif snippet.file == "connection.json":
        msgspec.json.decode(snippet.text, type=Connection)
    elif snippet.file == "error.json":
        assert msgspec.json.decode(snippet.text, type=Problem).exception().code == "missing-blob"
    elif snippet.file == "mcp.json":  # what programs that start servers of tools are told
        [server] = json.loads(snippet.text)["mcpServers"].values()
        assert server["command"] == "standee"
        assert not unknown_words(server["args"])
    else:
        (desk / snippet.file).write_text(snippet.text)
        with load_document(desk / snippet.file, None) as document:
            assert document.composition.layers
            assert document.composition.digests() <= set(document.blobs)


# -- what is named ---------------------------------------------------------------------------------


def lines_of(name: str) -> list[str]:
    """All that a page says to type: the lines of its fences, and what stands in backticks."""
    page = (ROOT / name).read_text("utf-8")
    lines = [line for one in snippets(ROOT / name) for line in one.text.splitlines()]
    prose = re.sub(r"^ *```.*?^ *```", "", page, flags=re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`([^`]+)`", prose)
    return [" ".join(line.split()) for line in (*lines, *inline)]


@pytest.mark.parametrize("name", NAMES)
def test_commands_on_a_page_exist_with_their_options(name: str) -> None:
    for line in lines_of(name):
        found = re.match(r"(?:\.venv/bin/)?standee ([a-z].*)", line)
        if found:
            words = shlex.split(found[1], comments=True)
            unknown = unknown_words(words)
            assert not unknown, f"{name}: `{line}` names {unknown}"


def unknown_words(words: list[str]) -> list[str]:
    """What a command line names that `standee` does not have: a command, or options."""
    command: click.Command = cli
    rest = list(words)
    while isinstance(command, click.Group) and rest and rest[0] in command.commands:
        command = command.commands[rest.pop(0)]
    if command is cli:
        return words[:1]
    options = {"-h", "--help"}
    for parameter in command.get_params(click.Context(command)):
        options |= {*parameter.opts, *parameter.secondary_opts}
    given = [word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)]
    return [word for word in given if word not in options]


@pytest.mark.parametrize("name", NAMES)
def test_targets_and_programs_on_a_page_exist(name: str) -> None:
    made = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    for line in lines_of(name):
        target = re.match(r"make ([a-z-]+)", line)
        assert not target or target[1] in made, f"{name}: `{line}`"
        program = re.match(r"(?:\S*python3?) ((?:benchmarks|docs|examples|scripts)/\S+\.py)", line)
        assert not program or (ROOT / program[1]).is_file(), f"{name}: `{line}`"


def test_all_environment_variables_are_told() -> None:
    """Those of the code are on a page, and those of the pages are in the code."""
    files = [ROOT / "scripts/setup.py"]
    for folder in ("protocol", "backend/standee_backend", "desktop_app/standee_desktop"):
        files += (ROOT / folder).rglob("*.py")
    read = {name for file in files for name in re.findall(VARIABLE, file.read_text("utf-8"))}
    told = set(re.findall(VARIABLE, (ROOT / "docs/files.md").read_text("utf-8")))
    for parameter in cli.commands["serve"].get_params(click.Context(cli.commands["serve"])):
        record = parameter.get_help_record(click.Context(cli))
        told |= set(re.findall(VARIABLE, record[1] if record else ""))
    assert read <= told, "docs/files.md says what each does"
    for name in NAMES:
        on_page = set(re.findall(VARIABLE, (ROOT / name).read_text("utf-8")))
        assert on_page <= told, name


def test_the_checks_of_this_file_can_fail() -> None:
    assert unknown_words(["compose", "x.standee", "--sed", "4"]) == ["--sed"]
    assert unknown_words(["composit", "x.standee"]) == ["composit"]
    assert unknown_words(["models", "download", "x", "--yes"]) == []
    assert json.loads(json.dumps(NOT_RUN)) == NOT_RUN

"""A document and a command line for the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from standee.client import client
from standee.composition import Composition, Layer, Rect, Scene
from standee.document.document import Document
from standee_cli.main import main
from support.command_line import FakeClient, Ran, Run

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def document() -> Iterator[Document]:
    """A cat before a scene with a mug, and one result."""
    with Document() as document:
        cat = Layer(picture=document.add_picture(PNG + b"a cat"), rect=Rect(0, 0, 64, 64), id="cat")
        scene = Scene(picture=document.add_picture(PNG + b"a mug"))
        document.composition = Composition(prompt="a cat", layers=(cat,), scene=scene)
        document.add_result(PNG + b"a result", {"seed": 7, "composition": {"prompt": "a cat"}})
        yield document


@pytest.fixture
def saved(document: Document, tmp_path: Path) -> Path:
    """The file of `document`."""
    path = tmp_path / "cat.standee"
    document.save(path)
    return path


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


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> type[FakeClient]:
    """Put `FakeClient` in the place of the client."""
    monkeypatch.setattr(FakeClient, "calls", [])
    monkeypatch.setattr(client.Client, "connect", lambda **_: FakeClient())
    return FakeClient

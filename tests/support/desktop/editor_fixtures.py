"""Fixtures of the end-to-end tests of the editor; their modules name this one in `pytest_plugins`."""

import os

import pytest

from support.desktop.editors import close_editor, open_editor, settler


@pytest.fixture(scope="session")
def app(request):
    """The application, without a screen unless `--headed`."""
    if not request.config.getoption("--headed"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from standee_desktop.shell.application import make_application

    return make_application("en")


@pytest.fixture
def settle(app, request):
    """Let the application run until something is true."""
    return settler(app, request.config.getoption("--headed"))


@pytest.fixture
def artist(settle, studio, monkeypatch):
    """An artist with a daemon that has the bundled model."""
    monkeypatch.setenv("STANDEE_HOME", str(studio.home))
    artist = open_editor(settle, studio.home)
    artist.document.look(snap_canvas=False, snap_layers=False, snap_tokens=False)
    settle(lambda: artist.assembly.link.connected, 30)
    yield artist
    close_editor(artist)


@pytest.fixture
def alone(settle, tmp_path, monkeypatch):
    """An artist without a daemon."""
    monkeypatch.setenv("STANDEE_HOME", str(tmp_path / "home"))
    artist = open_editor(settle, tmp_path / "home")
    yield artist
    close_editor(artist)

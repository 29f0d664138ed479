"""Fixtures of the editor's tests: one application, a window as an artist has it, pictures."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

pytest.importorskip("PySide6", reason="needs standee[desktop]")


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the user's own settings, library, cache or recovery files."""
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    return tmp_path


@pytest.fixture(scope="session")
def app(request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    """The application, without a screen unless `--headed`."""
    if not request.config.getoption("--headed"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from standee_desktop.shell.application import make_application

    return make_application("en")


@pytest.fixture
def settle(app, request: pytest.FixtureRequest) -> Callable[..., None]:  # type: ignore[no-untyped-def]
    """Let the application run until something is true; without a condition, until it is idle."""
    headed = request.config.getoption("--headed")

    def run(until: Callable[[], object] | None = None, seconds: float = 10.0) -> None:
        end = time.monotonic() + seconds
        least = time.monotonic() + (0.25 if headed else 0.0)
        for _ in range(3):
            app.processEvents()
        while (until is not None and not until()) or time.monotonic() < least:
            app.processEvents()
            time.sleep(0.002)
            assert time.monotonic() < end, "it did not happen in time"
        app.processEvents()

    return run


@pytest.fixture
def picture() -> Callable[..., bytes]:
    """Returns the PNG of a disc on nothing."""

    def draw(size: tuple[int, int] = (64, 64), colour: str = "tomato") -> bytes:
        image = Image.new("RGBA", size)
        ImageDraw.Draw(image).ellipse((0, 0, size[0] - 1, size[1] - 1), fill=colour)
        out = io.BytesIO()
        image.save(out, "PNG")
        return out.getvalue()

    return draw


@pytest.fixture
def window(app, settle: Callable[..., None]) -> Iterator[object]:  # type: ignore[no-untyped-def]
    """The main window with the canvas showing and nothing on it."""
    from standee_desktop.shell.window import MainWindow
    from support.desktop.editors import small_document

    shown = MainWindow(small_document())
    shown.show()
    shown.activateWindow()
    settle()
    yield shown
    shown.may_close = lambda: True
    shown.close()
    shown.deleteLater()
    settle()


@pytest.fixture
def person(window, settle, picture):  # type: ignore[no-untyped-def]
    """Someone in front of the window."""
    from support.desktop.person import Person

    return Person(window, settle, picture)


@pytest.fixture
def assembly(window, own_places, monkeypatch, settle):  # type: ignore[no-untyped-def]
    """Everything around the window, with a daemon's home in which there is none."""
    monkeypatch.setenv("STANDEE_HOME", str(own_places / "home"))
    from standee_desktop.services.daemon_link import DaemonLink
    from standee_desktop.shell.assembly import Assembly

    assembly = Assembly(window, DaemonLink(start=False))
    assembly.begin()
    window.show_welcome(False)
    settle()
    yield assembly
    assembly.close()

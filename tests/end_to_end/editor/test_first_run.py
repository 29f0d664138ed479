"""First run: a model is chosen on the welcome page, comes beside the work, and is composed with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("PySide6", reason="needs standee[desktop]")

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from standee_backend.catalog.catalog import MINI
from standee_backend.catalog.known_models import KNOWN
from support.daemons import Running
from support.desktop.editors import close_editor, open_editor
from support.hub_server import Hub, hub_without_weights

pytest_plugins = "support.desktop.editor_fixtures"

NAME = "FLUX.2-klein-4B"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    served = hub_without_weights(KNOWN[NAME].path, MINI)
    for name, value in {"HF_ENDPOINT": served.endpoint, "HF_HOME": str(tmp_path / "hf")}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    yield served
    served.close()


def test_a_model_comes_by_two_presses_and_is_chosen_by_a_third(  # type: ignore[no-untyped-def]
    settle, hub: Hub, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("STANDEE_HOME", str(tmp_path / "home"))
    running = Running(tmp_path / "home").start()
    with running.client() as client:
        [model] = [one for one in client.known_models().models if one.name == NAME]
    if model.fits is False:
        running.stop()
        pytest.skip(f"{NAME} is too large for this machine: {model.reason}")
    artist = open_editor(settle, tmp_path / "home")
    artist.window.show_welcome(True)
    models = artist.window.welcome.models
    settle(models.isVisible, 30)
    row = models.row(NAME)

    def press() -> None:
        QTest.mouseClick(row.go, Qt.MouseButton.LeftButton)

    press()
    settle(lambda: "apache-2.0" in row.said.text())
    assert not any(file.endswith(".safetensors") for file, _ in hub.ranges)
    press()
    settle(lambda: row.model.state == "here")
    settle(lambda: NAME in [one.name for one in artist.assembly.link.contact.models])
    press()
    settle(lambda: not artist.window.welcoming)
    assert artist.document.composition.sampling.model == NAME
    close_editor(artist)
    running.stop()

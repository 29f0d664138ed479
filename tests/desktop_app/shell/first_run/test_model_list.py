"""Models of the first run: what they take is shown before anything comes, and the way there has no dead end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.structs import replace
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtTest import QTest

from standee.errors import StandeeError, UnknownModel
from standee.wire.events import Problem
from standee.wire.known_models import KnownModel
from standee.wire.messages import Download, KnownModels
from standee_desktop.shell.first_run import known_models
from standee_desktop.shell.first_run.known_models import ModelDownloads
from standee_desktop.shell.first_run.model_list import FIRST, ModelList

GIB = 2**30
OFFER = Download("a/small", 15 * GIB, "apache-2.0", "https://example.com/licence")


@dataclass
class Daemon:
    """What a daemon answers, at once; `asked` is what it was asked for."""

    models: dict[str, KnownModel]
    offer: Any = (OFFER,)
    refusal: StandeeError | None = None
    asked: list[tuple[str, bool]] = field(default_factory=list)

    def begin_known_models(self) -> KnownModels:
        return KnownModels(models=tuple(self.models.values()), device="cuda")

    def begin_downloads(self, spec: Any) -> Any:
        return self.offer

    def begin_download_model(self, name: str, stop: bool) -> object:
        self.asked.append((name, stop))
        if self.refusal is not None:
            return self.refusal
        state = "absent" if stop else "downloading"
        self.models[name] = KnownModel(name, state=state, fits=True, done=3, size=12)
        return None


class Link(QObject):
    """Stands where the link to the daemon is, for answers that come in the same turn."""

    contact_changed = Signal(object)

    def __init__(self, daemon: Daemon) -> None:
        super().__init__()
        self.daemon, self.connected, self.looked = daemon, True, 0

    def ask(self, begin: Callable[[Any], Any], done: Callable[[Any], None]) -> None:
        done(begin(self.daemon))

    def look_for_models(self) -> None:
        self.looked += 1


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_models, "LOOK_AFTER_MS", 0)
    monkeypatch.setattr(known_models, "FOLLOW_MS", 20)


@pytest.fixture
def daemon() -> Daemon:
    fitting = {"preset": {}, "need": 8 * GIB, "room": 11 * GIB, "fits": True}
    models = [
        KnownModel("large", weights=60 * GIB, fits=False, reason="It needs 76 GiB."),
        KnownModel("middle", weights=30 * GIB, **fitting),
        KnownModel("small", "Four steps.", "Apache-2.0", "a/small", weights=15 * GIB, **fitting),
        KnownModel("unknown"),
        KnownModel("mini", state="bundled", fits=True),
    ]
    return Daemon({one.name: one for one in models})


@pytest.fixture
def shown(settle, daemon: Daemon):  # type: ignore[no-untyped-def]
    link = Link(daemon)
    downloads = ModelDownloads(link)  # type: ignore[arg-type]
    models = ModelList()
    models.follow(downloads)
    models.resize(900, 700)
    models.want(True)
    settle(lambda: not models.isHidden())
    yield models
    models.want(False)
    downloads._timer.stop()
    models.deleteLater()


def press(button) -> None:  # type: ignore[no-untyped-def]
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_the_bundled_one_comes_first_then_what_the_machine_can_carry(shown) -> None:  # type: ignore[no-untyped-def]
    column = [shown._column.itemAt(at).widget().model.name for at in range(5)]
    assert column == ["mini", "small", "middle", "unknown", "large"]
    assert [shown.row(name).isHidden() for name in column] == [False] * FIRST + [True]
    press(shown.all)
    assert not shown.row("large").isHidden()
    assert "8.0 GiB of 11.0 GiB" in shown.row("small").takes.text()
    assert "Apache-2.0" in shown.row("small").takes.text()


def test_the_time_of_a_picture_is_told_once_one_was_made(shown, daemon: Daemon) -> None:  # type: ignore[no-untyped-def]
    row = shown.row("mini")
    assert "picture" not in row.takes.text()
    row.show_model(replace(daemon.models["mini"], seconds=29.4))
    assert "about 29 s a picture, measured here" in row.takes.text()


def test_what_does_not_fit_says_so_and_offers_nothing(shown) -> None:  # type: ignore[no-untyped-def]
    row = shown.row("large")
    assert row.go.isHidden()
    assert "Too large" in row.state.text()
    assert row.takes.toolTip() == "It needs 76 GiB."


def test_size_and_licence_are_shown_before_anything_is_downloaded(shown, daemon: Daemon) -> None:  # type: ignore[no-untyped-def]
    row = shown.row("small")
    press(row.go)
    assert daemon.asked == []
    assert "15.0 GiB" in row.said.text()
    assert "https://example.com/licence" in row.said.text()
    press(row.no)
    assert row.said.isHidden()
    press(row.go)
    press(row.go)
    assert daemon.asked == [("small", False)]
    assert not row.bar.isHidden()
    assert row.bar.value() * 4 == row.bar.maximum()
    press(row.go)
    assert daemon.asked[1:] == [("small", True)]
    assert row.bar.isHidden()
    assert row.go.isEnabled()


def test_a_model_that_has_come_can_be_used(shown, daemon: Daemon, settle) -> None:  # type: ignore[no-untyped-def]
    row, wanted = shown.row("small"), []
    shown.use_wanted.connect(wanted.append)
    press(row.go)
    press(row.go)
    daemon.models["small"] = KnownModel("small", state="here", fits=True)
    settle(lambda: row.model.state == "here")  # it is followed by itself
    press(row.go)
    assert wanted == ["small"]


def test_the_compose_panel_learns_of_a_model_that_has_come(app, daemon: Daemon, settle) -> None:  # type: ignore[no-untyped-def]
    link = Link(daemon)
    downloads = ModelDownloads(link)  # type: ignore[arg-type]
    downloads.want(True)
    downloads.begin("small")
    assert link.looked == 0
    daemon.models["small"] = KnownModel("small", state="here")
    settle(lambda: link.looked == 1)


def test_why_a_download_cannot_be_had_is_said_and_it_can_be_tried_again(  # type: ignore[no-untyped-def]
    shown, daemon: Daemon
) -> None:
    row, offline = shown.row("small"), UnknownModel("Standee works offline.", fix="Go online.")
    daemon.offer = offline
    press(row.go)
    assert row.said.text() == "Standee works offline. Go online."
    assert row.go.isEnabled()
    daemon.offer, daemon.refusal = (OFFER,), UnknownModel("The <licence> has to be accepted.")
    press(row.go)
    press(row.go)
    assert "&lt;licence&gt;" in row.said.text()
    assert row.go.isEnabled()
    broken = Problem.of(StandeeError("The disk is full."))
    row.show_offer(None)
    row.show_model(KnownModel("small", fits=True, error=broken))
    assert "The disk is full." in row.said.text()
    assert row.go.isEnabled()


def test_who_leaves_the_page_at_once_has_nobody_asked(app, daemon: Daemon, settle) -> None:  # type: ignore[no-untyped-def]
    downloads = ModelDownloads(Link(daemon))  # type: ignore[arg-type]
    told: list[object] = []
    downloads.changed.connect(told.append)
    downloads.want(True)
    downloads.want(False)
    settle(lambda: not downloads._timer.isActive())
    assert told == []


def test_without_an_answer_there_is_no_empty_section(settle, daemon: Daemon) -> None:  # type: ignore[no-untyped-def]
    daemon.begin_known_models = lambda: StandeeError("An older daemon.")  # type: ignore[assignment,return-value]
    models, downloads = ModelList(), ModelDownloads(Link(daemon))  # type: ignore[arg-type]
    models.follow(downloads)
    models.want(True)
    settle(lambda: not downloads._timer.isActive())
    assert models.isHidden()

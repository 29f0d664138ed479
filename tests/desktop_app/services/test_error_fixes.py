"""Fix buttons of error notices."""

from __future__ import annotations

from PySide6.QtWidgets import QPushButton

from standee.errors import DownloadFailed, DownloadNeeded, OutOfMemory, StandeeError, UnknownModel
from standee.wire.events import Failed, Problem
from standee.wire.messages import Download
from standee_desktop.model import edits
from standee_desktop.services import error_fixes
from support.desktop.person import Person


def failed_job(assembly, error: StandeeError) -> QPushButton:  # type: ignore[no-untyped-def]
    """Let a job fail and return the button that the bar offers."""
    assembly.composer.compose()
    [job] = assembly.composer.jobs
    assembly.composer._happened(Failed(job=job.id, seq=9, error=Problem.of(error)))
    [row] = assembly.notice_bar.rows()
    assert row.notice.text == error.message
    return row.fix  # type: ignore[no-any-return]


def test_out_of_memory_offers_to_try_again_and_leaves_the_daemon_as_it_is(  # type: ignore[no-untyped-def]
    assembly, settle, monkeypatch
) -> None:
    """The daemon has tried every way to load a model that takes less, before it gives up."""
    restarts: list[bool] = []
    monkeypatch.setattr(assembly.link, "restart", lambda: restarts.append(True))
    button = failed_job(assembly, OutOfMemory("Too little memory.", fix="Close other programs."))
    assert button.text() == "Try again"
    button.click()
    assert restarts == []
    assert len(assembly.composer.jobs) == 2


def test_a_model_that_is_not_there_gives_way_to_the_bundled_one(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle
) -> None:
    gone = edits.with_sampling(person.document.composition, model="gone")
    person.document.apply("Model", gone)
    button = failed_job(assembly, UnknownModel("There is no model gone."))
    button.click()
    assert person.document.composition.sampling.model == "mini"
    assert [job.composition.sampling.model for job in assembly.composer.jobs] == ["mini", "mini"]


def test_a_download_that_broke_off_is_tried_again_with_the_same_model(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle
) -> None:
    hub = edits.with_sampling(person.document.composition, model="someone/some-flux")
    person.document.apply("Model", hub)
    button = failed_job(
        assembly, DownloadFailed("It broke off.", path="$.sampling.model", fix="Try again.")
    )
    assert button.text() == "Try again"
    button.click()
    assert person.document.composition.sampling.model == "someone/some-flux"
    assert len(assembly.composer.jobs) == 2


def test_a_licence_to_accept_is_a_button_away(  # type: ignore[no-untyped-def]
    person: Person, assembly, monkeypatch
) -> None:
    from PySide6.QtGui import QDesktopServices

    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    fix = "Accept it on https://huggingface.co/someone/some-flux, and log in."
    button = failed_job(assembly, UnknownModel("Its licence has to be accepted.", fix=fix))
    assert button.text() == "Open the page"
    assert assembly.notice_bar.findChild(QPushButton, "fix-bundled-model") is not None
    button.click()
    assert opened == ["https://huggingface.co/someone/some-flux"]


def test_a_download_is_offered_with_its_size_and_licence_and_begins_with_a_yes(  # type: ignore[no-untyped-def]
    person: Person, assembly, monkeypatch
) -> None:
    submitted: list[bool] = []
    offer = Download("someone/flux", 3 << 30, "apache-2.0", "https://example.com/licence")
    link = assembly.link
    monkeypatch.setattr(link, "ask", lambda begin, done=None: done and done((offer,)))
    monkeypatch.setattr(link, "submit", lambda *_, **more: submitted.append(more["download"]))
    assembly.composer.compose()
    [job] = assembly.composer.jobs
    error = DownloadNeeded("someone/flux is not on this machine.", fix="Say yes.")
    assembly.composer._happened(Failed(job=job.id, seq=9, error=Problem.of(error)))
    [row] = assembly.notice_bar.rows()
    assert "someone/flux (3.0 GiB)" in row.notice.text
    assert "apache-2.0" in row.notice.hint
    assert row.fix.text() == "Download"
    assert submitted == [False]
    row.fix.click()
    assert submitted == [False, True]
    assert [one.to_json()["download"] for one in assembly.composer.jobs] == [False, True]


def test_why_the_engine_could_not_be_installed_is_told_as_the_installer_says_it(  # type: ignore[no-untyped-def]
    assembly, settle, monkeypatch
) -> None:
    says = "print('Downloading torch'); print('Error: The disk is full. Free 3 GB.'); exit(5)"
    monkeypatch.setattr(error_fixes, "INSTALL", ("-c", says))
    assembly.error_fixes.install()
    settle(lambda: assembly.notice_bar.rows()[0].notice.level == "error")
    assert assembly.notice_bar.rows()[0].notice.hint == "The disk is full. Free 3 GB."

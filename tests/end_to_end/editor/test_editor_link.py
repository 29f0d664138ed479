"""The editor's line to the daemon: every job ends for certain, whatever becomes of the daemon."""

import pytest

pytest.importorskip("PySide6", reason="needs standee[desktop]")

import msgspec

from standee.composition import Composition, Layer, Rect, Sampling
from standee.wire.events import Cancelled, Failed, Result, Started
from support.daemons import Running

pytest_plugins = "support.desktop.editor_fixtures"


@pytest.fixture
def away(tmp_path):
    """A daemon's home in which none runs yet."""
    running = Running(tmp_path / "home")
    yield running
    if running.process is not None:
        running.check()
        running.stop()


@pytest.fixture
def link(app, away):
    from standee_desktop.services.daemon_link import DaemonLink

    link = DaemonLink(start=False, connection_file=away.file)
    link.start()
    yield link
    link.stop()


class Told:
    """The events of one job."""

    def __init__(self) -> None:
        self.events: list = []

    def __call__(self, event) -> None:
        self.events.append(event)

    def __getitem__(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]


def test_a_job_waits_for_the_daemon_and_survives_its_death(link, away, settle) -> None:
    told = Told()
    composition = Composition(prompt="slow", sampling=Sampling(steps=40, count=2))
    link.submit(composition, {}, told)
    settle(lambda: link.contact.state == "looking")
    away.start()
    settle(lambda: link.connected and told[Started])
    away.kill()
    settle(lambda: link.contact.state == "away")
    away.start()
    settle(lambda: len(told[Result]) == 2, 30)
    assert [result.index for result in told[Result]] == [0, 1]
    assert all(result.data for result in told[Result])
    seqs = [event.seq for event in told.events]
    assert seqs == sorted(set(seqs))


def test_a_job_cancelled_on_its_way_is_over_at_once_and_never_runs(link, away, settle) -> None:
    told = Told()
    job = link.submit(Composition(prompt="slow", sampling=Sampling(steps=200)), {}, told)
    settle()
    link.cancel(job)
    settle(lambda: told[Cancelled])
    away.start()
    settle(lambda: link.connected)
    seen = []
    link.ask(lambda client: client.begin_jobs(), lambda jobs: seen.extend(jobs))
    settle(lambda: (seen and seen[-1].state == "cancelled") or _ask_again(link, seen), 20)
    assert len(told.events) == 1


def _ask_again(link, seen: list) -> bool:
    link.ask(lambda client: client.begin_jobs(), lambda jobs: seen.extend(jobs))
    return False


def test_a_refusal_comes_as_a_failure_that_names_the_field(link, away, settle) -> None:
    away.start()
    lacking = Composition(layers=(Layer(Rect(0, 0, 64, 64), "0" * 64),))
    wrong = msgspec.structs.replace(Composition(), prompt="x" * 3000)
    for composition, path in ((lacking, "$.layers[0].picture"), (wrong, "$.prompt")):
        told = Told()
        link.submit(composition, {}, told)
        settle(lambda told=told: told[Failed])
        assert told[Failed][0].error.path == path


def test_the_same_job_handed_in_again_brings_all_its_events(link, away, settle) -> None:
    away.start()
    first, second = Told(), Told()
    job = link.submit(Composition(prompt="once"), {}, first)
    settle(lambda: first[Result])
    link.submit(Composition(prompt="once"), {}, second, job_id=job)
    settle(lambda: second[Result])
    assert second[Result][0].digest == first[Result][0].digest
    link.release(job)


def test_what_is_asked_without_a_daemon_is_asked_when_it_is_there(link, away, settle) -> None:
    answers: list = []
    link.ask(lambda client: client.begin_status(), answers.append)
    settle()
    assert not answers
    away.start()
    settle(lambda: answers)
    assert answers[0].pid == away.process.pid


def test_a_wrong_key_is_told_and_a_right_one_connects(app, away, settle, tmp_path) -> None:
    from standee.connection import write_connection
    from standee.pairing import new_keys
    from standee_desktop.services.daemon_link import DaemonLink

    away.start()
    good = away.connection
    file = tmp_path / "other" / "connection.json"
    write_connection(file, msgspec.structs.replace(good, client=new_keys()))
    link = DaemonLink(start=False, connection_file=file)
    link.start()
    try:
        settle(lambda: link.contact.state == "failed", 20)
        assert link.contact.error.code == "unauthorised"
        write_connection(file, good)
        settle(lambda: link.connected, 20)
        assert link.contact.error is None
    finally:
        link.stop()

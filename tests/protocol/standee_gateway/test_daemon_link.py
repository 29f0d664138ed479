"""The gateway's connection: a daemon that is away, that comes back, and that lets it in no more."""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import zmq

from standee import Composition, Layer, Rect, Sampling
from standee.client import transport
from standee.connection import read_connection, write_connection
from standee.errors import MissingBlob, NotConnected, Unauthorised, UnknownJob
from standee.images import digest_of
from standee.wire.events import Failed, Progress, Result
from standee_gateway.daemon_link import DaemonLink
from support.daemons import Running


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Running]:
    """A daemon of one test alone."""
    running = Running(tmp_path / "home").start()
    yield running
    running.stop()


def link(file: Path, patience: float = 20.0) -> DaemonLink:
    return DaemonLink(connection_file=file, start=False, patience=patience)


def test_a_daemon_that_is_not_there_is_said_in_time(tmp_path: Path) -> None:
    async def ask() -> None:
        async with link(tmp_path / "connection.json", 0.2) as away:
            assert not away.connected
            started = time.monotonic()
            with pytest.raises(NotConnected, match="No daemon answers"):
                await away.ask(lambda client: client.begin_status())
            with pytest.raises(NotConnected):
                await away.submit(Composition(), {})
            with pytest.raises(NotConnected):
                await away.feed("some-job-of-old")
            assert time.monotonic() - started < 3

    asyncio.run(ask())


def test_a_job_is_followed_over_a_restart_of_the_daemon(own: Running) -> None:
    async def follow() -> None:
        async with link(own.file) as there:
            slow = Composition(prompt="slow", sampling=Sampling(steps=6))
            job = await there.submit(slow, {})
            feed = await there.feed(job)
            kinds, first = [], own.process
            async for event in feed.events():
                kinds.append(type(event))
                if Progress in kinds and own.process is first:
                    own.kill()
                    await asyncio.to_thread(own.start)
            assert kinds[-1] is Result
            assert feed.status.attempt == 2
            assert len(feed.results) == 1

    asyncio.run(asyncio.wait_for(follow(), 30))


def test_a_daemon_that_was_stopped_is_started_when_it_is_needed_and_not_before(
    own: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched = []

    class Launched:
        def __init__(self, folder: Path, python: str | None) -> None:
            launched.append(folder)

        def check(self) -> None:
            pass

    monkeypatch.setattr(transport, "LaunchedDaemon", Launched)
    monkeypatch.setattr(transport, "START_AFTER", 0.1)
    monkeypatch.setattr(transport, "LOOK_AGAIN", 0.05)

    async def ask() -> None:
        async with DaemonLink(connection_file=own.file, start=True, patience=3.0) as there:
            await there.ask(lambda client: client.begin_status())
            await asyncio.to_thread(own.stop)
            await asyncio.sleep(0.5)
            assert (there.connected, launched) == (False, [])
            with pytest.raises(NotConnected):
                await there.ask(lambda client: client.begin_status())
            assert launched == [own.home]

    asyncio.run(asyncio.wait_for(ask(), 20))


def test_a_key_that_is_not_known_is_said_and_the_right_one_is_taken_later(
    daemon: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("standee_gateway.daemon_link.LOOK_AGAIN", 0.1)
    right = read_connection(daemon.file)
    file = tmp_path / "connection.json"
    public, secret = (key.decode() for key in zmq.curve_keypair())
    stranger = msgspec.structs.replace(right.client, public=public, secret=secret)
    write_connection(file, msgspec.structs.replace(right, client=stranger))

    async def ask() -> None:
        async with link(file) as there:
            with pytest.raises(Unauthorised):
                await there.ask(lambda client: client.begin_status())
            write_connection(file, right)
            status = None
            while status is None:
                try:
                    status = await there.ask(lambda client: client.begin_status())
                except Unauthorised:
                    await asyncio.sleep(0.05)
            assert status.pid == daemon.process.pid

    asyncio.run(asyncio.wait_for(ask(), 20))


def test_a_submission_that_is_given_up_while_its_pictures_travel_ends_its_job(
    daemon: Running,
) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + os.urandom(6 << 20)
    layer = Layer(picture=digest_of(picture), rect=Rect(0, 0, 64, 64))
    slow = Composition(prompt="slow", layers=(layer,), sampling=Sampling(steps=200))

    async def give_up() -> None:
        async with link(daemon.file) as there:
            before = await there.ask(lambda client: client.begin_jobs())
            submitting = asyncio.create_task(
                there.submit(slow, {digest_of(picture): picture}, job="given-up-job")
            )
            await asyncio.sleep(0.01)
            assert not submitting.done()
            submitting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await submitting
            state = ""
            while state != "cancelled":
                found = await there.ask(lambda client: client.begin_jobs())
                assert len(found) <= len(before) + 1
                state = next((one.state for one in found if one.job == "given-up-job"), "")

    asyncio.run(asyncio.wait_for(give_up(), 10))


def test_listeners_of_a_job_that_is_refused_are_told(daemon: Running) -> None:
    async def listen() -> None:
        async with link(daemon.file) as there:
            await there.ask(lambda client: client.begin_status())
            lacking = Composition(layers=(Layer(picture="0" * 64, rect=Rect(0, 0, 64, 64)),))
            submitting = asyncio.create_task(there.submit(lacking, {}, job="refused-job"))
            await asyncio.sleep(0)
            feed = await there.feed("refused-job")
            told = [event async for event in feed.events()]
            assert [type(event) for event in told] == [Failed]
            with pytest.raises(MissingBlob):
                await submitting
            with pytest.raises(UnknownJob):
                await there.feed("refused-job")

    asyncio.run(asyncio.wait_for(listen(), 10))


def test_what_is_remembered_of_finished_jobs_is_bounded(
    daemon: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("standee_gateway.daemon_link.MOST_FINISHED", 1)

    async def compose() -> None:
        async with link(daemon.file) as there:
            jobs = [await there.submit(Composition(prompt=f"cat {n}"), {}) for n in range(3)]
            for job in jobs:
                feed = await there.feed(job)
                assert await feed.finished(10)
            assert len(there._feeds) <= 2
            again = await there.feed(jobs[0])
            assert (again.status.state, len(again.results)) == ("done", 1)
            await there.release(jobs[0])
            with pytest.raises(UnknownJob):
                await there.feed(jobs[0])

    asyncio.run(asyncio.wait_for(compose(), 20))

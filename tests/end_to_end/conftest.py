"""Daemons as they run for people: own processes, own home, real sockets."""

import pytest

from standee import Client
from standee.connection import write_connection
from standee.pairing import pair
from support.daemons import Running


@pytest.fixture
def daemon(tmp_path):
    """A daemon with a toy worker, held to its invariants at the end."""
    with Running(tmp_path / "home").serving() as running:
        yield running


@pytest.fixture
def client(daemon):
    with daemon.client() as client:
        yield client


@pytest.fixture(scope="module")
def everyones(tmp_path_factory):
    """A daemon with a toy worker, held to its invariants at the end."""
    with Running(tmp_path_factory.mktemp("everyones") / "home").serving() as running:
        yield running


@pytest.fixture
def guest(everyones, tmp_path):
    """A client with an owner of its own, who finds everyone's daemon as new, and leaves it idle."""
    file = tmp_path / "guest.json"
    endpoint = everyones.connection.endpoint
    write_connection(file, pair(everyones.home, tmp_path.name, endpoint))
    with Client.connect(connection_file=file, timeout=20) as client:
        yield client
        for job in client.jobs():
            if job.state in ("queued", "running"):
                client.cancel(job.job)


@pytest.fixture(scope="session")
def studio(tmp_path_factory):
    """A daemon with the bundled model, shared by the tests that make real pictures."""
    with Running(tmp_path_factory.mktemp("studio") / "home", toy=False).serving() as running:
        yield running

"""Daemons as they run for people: own processes, own home, real sockets."""

import pytest

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


@pytest.fixture(scope="session")
def studio(tmp_path_factory):
    """A daemon with the bundled model, shared by the tests that make real pictures."""
    with Running(tmp_path_factory.mktemp("studio") / "home", toy=False).serving() as running:
        yield running

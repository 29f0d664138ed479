"""A daemon with a toy worker and a gateway before it, shared by the tests of this folder."""

import signal
from collections.abc import Iterator

import pytest

from support.daemons import Running
from support.gateway.processes import Asked, said, start


@pytest.fixture(scope="package")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A daemon with a toy worker, for all tests of this folder."""
    with Running(tmp_path_factory.mktemp("gateway") / "home").serving() as running:
        yield running


@pytest.fixture(scope="package")
def gateway(daemon: Running) -> Iterator[Asked]:
    """A gateway as it starts by itself, with a token of its own; it takes requests of 1 MiB at most."""
    process = start(daemon, "--max-body", "1")
    told = said(process)
    try:
        yield Asked(told["url"], told["token"])
    finally:
        process.send_signal(signal.SIGINT)
        rest, log = process.communicate(timeout=15)
    assert (process.returncode, rest, log) == (0, "", ""), (
        "the token is told once, and all went well"
    )

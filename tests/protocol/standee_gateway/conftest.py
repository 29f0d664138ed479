"""A daemon with a toy worker and a gateway before it, shared by the tests of this folder."""

import signal
from collections.abc import Iterator

import pytest

from support.daemons import Running
from support.gateway.processes import TOKEN, Asked, said, start

for needed in ("starlette", "uvicorn", "python_multipart", "mcp"):
    pytest.importorskip(needed, reason="the gateway's extra is not installed")


@pytest.fixture(scope="package")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A daemon with a toy worker, for all tests of this folder."""
    running = Running(tmp_path_factory.mktemp("gateway") / "home").start()
    yield running
    try:
        running.check()
    finally:
        running.stop()


@pytest.fixture(scope="package")
def gateway(daemon: Running) -> Iterator[Asked]:
    """A gateway that knows `TOKEN`, and takes requests of 1 MiB at most."""
    process = start(daemon, "--max-body", "1", STANDEE_GATEWAY_TOKEN=TOKEN)
    try:
        yield Asked(said(process)["url"])
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 0, process.communicate()[1]
        assert "Traceback" not in (process.communicate()[1] or "")

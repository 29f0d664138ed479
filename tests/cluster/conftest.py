"""Machines of a Ray cluster, all on this one, shared by the tests."""

import sys

import pytest

pytest.importorskip("ray", reason="needs Ray: pip install standee[cluster]")
if sys.platform == "win32":
    pytest.skip("kills process trees as Linux has them", allow_module_level=True)

from support.clusters import ClusterDaemon, Machines

NAMES = ("alpha", "beta", "gamma")


@pytest.fixture(scope="session")
def machines(tmp_path_factory):
    """Three machines with a card each, and a head."""
    machines = Machines(tmp_path_factory.mktemp("cluster"))
    for name in NAMES:
        machines.add(name)
    yield machines
    machines.stop()


@pytest.fixture(scope="session")
def shared_daemon(machines, tmp_path_factory):
    with ClusterDaemon(
        tmp_path_factory.mktemp("daemon") / "home", machines.address
    ).serving() as running:
        yield running


@pytest.fixture
def daemon(machines, shared_daemon):
    """The daemon, with a toy worker, once two machines at least are there and idle."""
    for name in NAMES:
        if len(machines.nodes) < 2:
            machines.add(name)
    shared_daemon.wait_for(machines.nodes)
    return shared_daemon


@pytest.fixture
def client(daemon):
    with daemon.client() as client:
        yield client

"""Jobs of a daemon whose machine is no part of the cluster: it reaches the head through Ray's client."""

import signal
import time

import pytest

pytest.importorskip("grpc", reason="needs Ray's client: pip install standee[cluster]")

from standee import Composition, Sampling
from standee.errors import JobCancelled
from standee.wire.events import Progress, Result
from support.clusters import ClusterDaemon

LONG = Sampling(steps=200)


def until(true, seconds=40):
    """Wait until something is true, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def test_a_daemon_outside_the_cluster_computes_there_and_outlives_a_silent_head(machines, tmp_path):
    with (
        machines.client_server() as (address, server),
        # Processors, so that its slots stand beside those of the other tests' daemon.
        ClusterDaemon(tmp_path / "home", address, gpus=0.0).serving() as daemon,
        daemon.client() as client,
    ):
        job = client.submit(Composition(prompt="a cat", sampling=Sampling(steps=20)))
        seen = list(client.events(job))
        assert [event.step for event in seen if isinstance(event, Progress)][-1] == 20
        assert isinstance(seen[-1], Result)

        job = client.submit(Composition(prompt="slow", sampling=LONG))
        next(event for event in client.events(job) if isinstance(event, Progress))
        served = [server, *server.children(recursive=True)]
        for process in served:
            process.send_signal(signal.SIGSTOP)
        until(lambda: set(daemon.states(client).values()) == {"lost"})
        for process in served:
            process.send_signal(signal.SIGCONT)
        until(lambda: "busy" in daemon.states(client).values())
        [running] = [each for each in client.jobs() if each.job == job]
        assert running.attempts == 2

        began = time.monotonic()
        client.cancel(job)
        with pytest.raises(JobCancelled):
            client.wait(job)
        assert time.monotonic() - began < 1.0

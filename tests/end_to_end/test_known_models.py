"""Known models: what each takes on this machine, and their downloads beside the jobs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from standee import Client
from standee.errors import UnknownModel
from standee.wire.known_models import KnownModel
from standee_backend.catalog.catalog import MINI
from standee_backend.catalog.known_models import BUILT_LIKE, KNOWN
from standee_backend.hardware.machine import published
from support.daemons import Running
from support.hub_server import Hub, hub_without_weights

NAME = "Z-Image-Turbo"


@pytest.fixture
def hub() -> Iterator[Hub]:
    served = hub_without_weights(KNOWN[NAME].path, MINI)
    yield served
    served.close()


@pytest.fixture
def daemon(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    for name, value in {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "hf")}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    running = Running(tmp_path / "home").start()
    yield running
    running.stop()


def until(client: Client, true: Callable[[KnownModel], object]) -> KnownModel:
    deadline = time.monotonic() + 30
    while True:
        [model] = [one for one in client.known_models().models if one.name == NAME]
        if true(model):
            return model
        assert time.monotonic() < deadline, model
        time.sleep(0.02)


def test_a_known_model_is_told_of_downloaded_stopped_and_goes_on(hub, daemon) -> None:
    hub.pause = 0.2
    with daemon.client() as client:
        known = {one.name: one for one in client.known_models().models}
        assert list(known) == ["mini", *KNOWN]
        assert known["mini"].state == "bundled"
        assert {one.state for one in known.values()} == {"bundled", "absent"}
        assert hub.headers == [], "the hub is not asked for what is only shown"
        for name, one in list(known.items())[1:]:
            footprint = published()[BUILT_LIKE.get(name, name)]
            assert one.weights > footprint.transformer["none"].whole
            assert one.licence == KNOWN[name].licence
            assert one.fits == (one.reason == "") == bool(one.preset)
            assert (one.need or 0) <= (one.room or 0) * 1.1
        with pytest.raises(UnknownModel, match="none of the known models"):
            client.download_model("someone/else")

        client.download_model(NAME)
        going = until(client, lambda one: one.done)
        assert going.state == "downloading"
        assert going.done <= going.size
        client.download_model(NAME, stop=True)
        stopped = until(client, lambda one: one.state == "absent")
        assert stopped.error is None

        hub.pause, hub.token = 0.0, "hf_secret"
        client.download_model(NAME)
        refused = until(client, lambda one: one.error is not None)
        assert refused.state == "absent"
        assert "has to be accepted" in refused.error.message

        hub.token = None
        client.download_model(NAME)
        here = until(client, lambda one: one.state == "here")
        assert here.error is None
        assert NAME in [one.name for one in client.models()], "at once, not some seconds later"

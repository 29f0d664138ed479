"""Known models: what each takes on pretended machines, and where `models.toml` says that they are."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from pathlib import Path

import pytest

from standee.wire.messages import KnownModels
from standee_backend.catalog.catalog import MINI
from standee_backend.catalog.known_models import KNOWN
from standee_backend.daemon.known_models import KnownModelRequests
from standee_backend.hardware import machine
from standee_backend.hardware.machine import Machine
from standee_backend.hardware.options import Options
from standee_backend.storage.disk_thread import DiskThread

CARD = Machine(device="cuda", memory=12.0, ram=64.0, bitsandbytes=True)


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STANDEE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch):
    """Return what the daemon of a machine tells."""

    def look(
        found: Machine | None, options: Options | None = None, took: dict[str, float] | None = None
    ) -> KnownModels:
        async def speeds() -> dict[str, float]:
            return took or {}

        monkeypatch.setattr(machine, "survey_apart", lambda stop: found)
        files = DiskThread("files")
        requests = KnownModelRequests(files, options or Options(), lambda: None, speeds)
        try:
            return asyncio.run(requests.listed())
        finally:
            requests.close()
            files.close()

    return look


def test_a_card_carries_what_a_smaller_one_does_not(listed) -> None:
    def fitting(found: Machine) -> set[str]:
        known = listed(found)
        assert known.device == "cuda"
        return {one.name for one in known.models if one.fits}

    small, large = fitting(CARD), fitting(Machine(device="cuda", memory=96.0, ram=128.0))
    assert small < large == {"mini", *KNOWN}
    assert "FLUX.1-schnell" in small, "it takes what FLUX.1-dev does"


def test_the_options_of_the_daemon_count(listed) -> None:
    def need(options: Options) -> int | None:
        return next(one for one in listed(CARD, options).models if one.name == "Z-Image").need

    assert need(Options(memory=5.0)) < need(Options())
    assert listed(CARD, Options(device="cpu")).device == "cpu"


def test_without_torch_the_models_are_told_of_all_the_same(listed) -> None:
    known = listed(None)
    assert known.device == ""
    assert [one.name for one in known.models] == ["mini", *KNOWN]
    assert {one.fits for one in known.models[1:]} == {None}
    assert all(one.weights and one.licence for one in known.models[1:])


def test_a_model_that_models_toml_has_elsewhere_is_here(listed, own_places: Path) -> None:
    said = f'[models."FLUX.1-schnell"]\npath = {json.dumps(str(MINI))}\n'
    (own_places / "models.toml").write_text(said)
    states = {one.name: one.state for one in listed(CARD).models}
    assert states["FLUX.1-schnell"] == "here"
    assert states["FLUX.1-dev"] == "absent"


def test_looking_at_the_machine_ends_at_once_with_the_daemon() -> None:
    stop = threading.Event()
    stop.set()
    began = time.monotonic()
    assert machine.survey_apart(stop) is None
    assert time.monotonic() - began < 1.0


def test_what_a_picture_took_is_told_of_models_that_have_made_one(listed) -> None:
    took = {one.name: one.seconds for one in listed(CARD, took={"Z-Image": 29.0}).models}
    assert took["Z-Image"] == 29.0
    assert took["mini"] is None

"""Families over which LoRAs are laid."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from standee_backend.catalog import catalog
from standee_backend.engine.families.base import Family
from standee_backend.engine.loading.load import load
from standee_backend.hardware.options import Options


@pytest.fixture(scope="module", params=["flux", "klein", "z-image"])
def kind(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def families(tiny_flux, tiny_model) -> Callable[[str], Family]:
    loaded: dict[str, Family] = {}

    def family(kind: str) -> Family:
        folder = tiny_flux if kind == "flux" else tiny_model(kind)
        if kind not in loaded:
            loaded[kind] = load(catalog.find(str(folder)), Options(device="cpu"))
        return loaded[kind]

    return family


@pytest.fixture(scope="module")
def family(kind, families) -> Family:
    return families(kind)

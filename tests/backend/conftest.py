"""The bundled model, pictures to compose, and the folder of a tiny random FLUX.1."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageColor, ImageDraw

from standee_backend.catalog import catalog
from standee_backend.engine.families.base import Family
from standee_backend.engine.loading import load as loading
from standee_backend.engine.loading.load import load
from standee_backend.hardware.options import Options


class Shelf:
    """Pictures by digest, as the engine reads them."""

    def __init__(self) -> None:
        self.data: dict[str, bytes] = {}

    def read(self, digest: str) -> bytes:
        return self.data[digest]

    def add_bytes(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        self.data[digest] = data
        return digest

    def add(self, picture: Image.Image | np.ndarray) -> str:
        if isinstance(picture, np.ndarray):
            picture = Image.fromarray(picture)
        out = io.BytesIO()
        picture.save(out, "PNG")
        return self.add_bytes(out.getvalue())

    def flat(self, colour: str, width: int, height: int | None = None) -> str:
        """Add an opaque picture of one colour."""
        return self.add(Image.new("RGB", (width, height or width), colour))

    def disc(self, colour: str, side: int, ground: str | None = None) -> str:
        """Add a disc, as a cut-out or on a ground."""
        clear = (*ImageColor.getrgb(colour), 0)
        picture = Image.new("RGBA", (side, side), clear if ground is None else ground)
        ImageDraw.Draw(picture).ellipse((0, 0, side - 1, side - 1), fill=colour)
        return self.add(picture if ground is None else picture.convert("RGB"))


@pytest.fixture
def shelf() -> Shelf:
    """An empty shelf of pictures."""
    return Shelf()


@pytest.fixture(scope="session")
def mini() -> Family:
    """The bundled model, loaded once."""
    torch.manual_seed(0)
    return load(catalog.find("mini"), Options(device="cpu"))


@pytest.fixture(scope="session")
def tiny_flux(tiny_model: Callable[[str], Path]) -> Path:
    """The folder of a checkpoint like FLUX.1 dev. Tests do not write into it."""
    return tiny_model("flux")


@pytest.fixture
def quantize_on_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lift diffusers' demand for a GPU: bitsandbytes itself has kernels for the CPU."""
    pytest.importorskip("bitsandbytes")
    from diffusers.quantizers.bitsandbytes import bnb_quantizer

    for bits in (4, 8):
        quantizer = getattr(bnb_quantizer, f"BnB{bits}BitDiffusersQuantizer")
        monkeypatch.setattr(quantizer, "validate_environment", lambda self, *a, **k: None)
        monkeypatch.setattr(quantizer, "update_device_map", lambda self, _: {"": "cpu"})
    cpu = torch.device("cpu"), torch.float32
    monkeypatch.setattr(loading, "resolve", lambda options: cpu)

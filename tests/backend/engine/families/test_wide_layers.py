"""On a processor without 16-bit arithmetic 16-bit weights compute in 32 bits; on any other as they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from standee import Canvas, Composition, Control, Layer, Rect, Sampling
from standee_backend.catalog import catalog
from standee_backend.engine.families import wide_layers
from standee_backend.engine.loading.control_nets import lay_control_nets
from standee_backend.engine.loading.load import load
from standee_backend.hardware.load_presets import PROCESSOR, Preset
from standee_backend.hardware.options import Options
from support.composing import compose

FULL, HALF, QUARTER = PROCESSOR
aten = torch.ops.aten
LAYERS = {aten.addmm, aten.mm, aten.linear, aten.convolution, aten.mkldnn_convolution}


class LayerTypes(TorchDispatchMode):
    """Inside its `with` block: `seen` are the types of numbers in which layers compute."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[torch.dtype] = set()

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if function.overloadpacket in LAYERS:
            self.seen.add(args[-1 if function.overloadpacket is aten.mm else 1].dtype)
        return function(*args, **(kwargs or {}))


@pytest.fixture
def composed(shelf, tiny_model) -> Callable[[str, Preset], tuple[np.ndarray, set[torch.dtype]]]:
    """Return `make(kind, preset)`: a small picture of a tiny model, and in which types its layers computed."""
    layer = Layer(picture=shelf.disc("red", 64), rect=Rect(32, 32, 64, 64))
    composition = Composition(
        canvas=Canvas(128, 96), prompt="a cat", layers=(layer,), sampling=Sampling(steps=3)
    )

    def make(kind: str, preset: Preset) -> tuple[np.ndarray, set[torch.dtype]]:
        family = load(catalog.find(str(tiny_model(kind))), Options(device="cpu"), preset)
        with LayerTypes() as types:
            made = compose(family, composition, shelf.read, seed=1)
        return np.asarray(made, float), types.seen

    return make


@pytest.mark.parametrize("preset", [HALF, QUARTER], ids=lambda preset: preset.name)
@pytest.mark.parametrize("kind", ["flux", "klein-base", "qwen-edit", "z-image"])
def test_without_16_bits_all_layers_compute_in_32(monkeypatch, composed, kind, preset) -> None:
    monkeypatch.setattr(wide_layers, "has_16_bits", lambda: False)
    picture, types = composed(kind, preset)
    assert types == {torch.float32}
    assert np.abs(picture - composed(kind, FULL)[0]).mean() < 4


def test_with_16_bits_layers_compute_in_16(monkeypatch, composed) -> None:
    monkeypatch.setattr(wide_layers, "has_16_bits", lambda: True)
    assert torch.bfloat16 in composed("flux", HALF)[1]


def test_control_nets_compute_as_their_model_does(
    monkeypatch, tiny_flux: Path, tiny_net, shelf
) -> None:
    monkeypatch.setattr(wide_layers, "has_16_bits", lambda: False)
    family = load(catalog.find(str(tiny_flux)), Options(device="cpu"), HALF)
    lay_control_nets(family, {"depth": tiny_net("flux")}, HALF, tiny_flux)
    depth = Control("depth", shelf.flat("grey", 128, 96))
    composition = Composition(canvas=Canvas(128, 96), control=(depth,), sampling=Sampling(steps=2))
    with LayerTypes() as types:
        compose(family, composition, shelf.read, seed=1)
    assert types.seen == {torch.float32}

"""Devices: every family and every way of offloading keeps its tensors apart, on a pretended GPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from standee import Canvas, Composition, Control, Layer, Rect, Sampling, Scene
from standee_backend.catalog import catalog
from standee_backend.engine.compose import Step
from standee_backend.engine.loading.control_nets import lay_control_nets
from standee_backend.engine.loading.load import load
from standee_backend.engine.preview import encode_preview
from standee_backend.engine.token_cache.cache import TokenCache
from standee_backend.hardware.load_presets import Preset
from standee_backend.hardware.options import Options
from support.composing import compose
from support.pretended_cuda import pretended_cuda

FAMILIES = ["flux", "klein", "z-image", "qwen-image", "qwen-edit", "kontext", "flux2-dev", "krea2"]

PRESETS = (Preset("none", dtype="fp32"), Preset("group", "group", "fp8", "fp8"))
"""Everything on the device; and every way for weights to come and go at once: in blocks, layers and 8 bits."""


@pytest.fixture(scope="module")
def folder_of(tiny_flux, tiny_model):
    return lambda kind: Path(tiny_flux if kind == "flux" else tiny_model(kind))


@pytest.fixture
def composition(shelf) -> Composition:
    """A scene and two subjects, one of which varies and is shared in part."""
    return Composition(
        canvas=Canvas(96, 64),
        prompt="a cat",
        scene=Scene(picture=shelf.flat("green", 96, 64)),
        layers=(
            Layer(picture=shelf.disc("red", 32), rect=Rect(0, 0, 32, 48), id="a", variation=0.5),
            Layer(picture=shelf.disc("blue", 32), rect=Rect(16, 16, 32, 48), id="b", sharing=0.5),
        ),
        sampling=Sampling(steps=3, guidance=3.0),
    )


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
@pytest.mark.parametrize("kind", FAMILIES)
def test_no_operation_mixes_devices(folder_of, composition, shelf, kind: str, preset) -> None:
    info = catalog.find(str(folder_of(kind)))
    with pretended_cuda() as device:
        family = load(info, Options(device="cuda"), preset)
        cache, reads = TokenCache(2**28), []

        def on_step(step: Step) -> None:
            reads.append(device.reads.total())
            encode_preview(family, step.predicted, 4, 6)

        first = compose(family, composition, shelf.read, seed=1, on_step=on_step, cache=cache)
        if preset.dtype == "fp32":
            again = compose(family, composition, shelf.read, seed=1, cache=cache)
            assert (first == again).all()
            assert cache.hits
        family.release()
    if preset.dtype == "fp32":
        assert reads[-1] - reads[-2] == 1, "only the preview is read while the loop goes on"
        on_cpu = compose(load(info, Options(device="cpu")), composition, shelf.read, seed=1)
        assert np.abs(first.astype(int) - on_cpu).max() <= 1


@pytest.mark.parametrize(
    "preset", [*PRESETS, Preset("model", "model", "fp8", "fp8")], ids=lambda p: p.name
)
@pytest.mark.parametrize(
    ("kind", "net"),
    [("flux", "flux"), ("flux-depth", ""), ("qwen-image", "qwen-image"), ("z-image", "z-image")],
)
def test_control_pictures_are_where_the_model_is(
    folder_of, tiny_net, composition, shelf, kind: str, net: str, preset: Preset
) -> None:
    depth = shelf.flat("grey", 96, 64)
    control = Control("depth", depth), Control("depth", depth, layer="a")
    composition = replace(composition, control=control)
    info, nets = catalog.find(str(folder_of(kind))), {"depth": tiny_net(net)} if net else {}
    with pretended_cuda():
        family = load(info, Options(device="cuda"), preset)
        lay_control_nets(family, nets, preset, folder_of(kind))
        made = compose(family, composition, shelf.read, seed=1)
        family.release()
    if preset.dtype == "fp32":
        family = load(info, Options(device="cpu"))
        lay_control_nets(family, nets, preset, folder_of(kind))
        assert (
            np.abs(made.astype(int) - compose(family, composition, shelf.read, seed=1)).max() <= 1
        )

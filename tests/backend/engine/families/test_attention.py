"""Attention is computed by what is installed and asked for, and the picture stays the same."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers.models.attention_dispatch import AttentionBackendName

from standee import Canvas, Composition, Layer, Rect, Sampling
from standee.errors import InvalidField, MissingDependency
from standee_backend.catalog import catalog
from standee_backend.engine.families.attention import PACKAGES, choose
from standee_backend.engine.families.base import Family
from standee_backend.engine.loading.load import load
from standee_backend.hardware.options import Options
from support.composing import compose

CPU = torch.device("cpu")


@pytest.fixture(params=["flux", "klein-base", "z-image", "qwen-image"])
def folder(request, tiny_model, tiny_flux) -> Path:
    return tiny_flux if request.param == "flux" else tiny_model(request.param)


def loaded(folder: Path, attention: str = "auto") -> Family:
    return load(catalog.find(str(folder)), Options(device="cpu", attention=attention))


@pytest.mark.parametrize("sharing", [1.0, 0.5])
def test_torch_s_own_kernels_paint_the_same_picture(folder: Path, shelf, sharing: float) -> None:
    """With the flash kernel too, which takes no bias: it is not asked to where sharing is weighed."""
    layer = Layer(picture=shelf.disc("red", 64), rect=Rect(16, 16, 48, 48), sharing=sharing)
    composition = Composition(
        canvas=Canvas(80, 64), prompt="a cat", layers=(layer,), sampling=Sampling(steps=3)
    )
    pictures = [
        compose(loaded(folder, attention), composition, shelf.read, seed=0).astype(int)
        for attention in ("native", "_native_math", "_native_flash")
    ]
    for other in pictures[1:]:
        assert np.abs(other - pictures[0]).max() <= 1


def test_every_site_attends_as_it_was_told(folder: Path, monkeypatch) -> None:
    family = loaded(folder, "_native_math")
    backends = {processor._attention_backend for processor in family.processors}
    assert backends == {AttentionBackendName("_native_math")}
    assert family.attend_by("auto") == "native"
    backends = {processor._attention_backend for processor in family.processors}
    assert backends == {AttentionBackendName("native")}


@pytest.mark.parametrize("name", sorted(PACKAGES))
def test_a_backend_that_is_not_installed_is_refused_with_what_it_needs(tiny_flux, name) -> None:
    if find_spec(PACKAGES[name][0]):
        pytest.skip(f"{name} is installed here")
    with pytest.raises(MissingDependency) as caught:
        loaded(tiny_flux, name)
    assert caught.value.path == "$.attention"
    assert PACKAGES[name][1] in caught.value.message
    assert "auto" in caught.value.fix


def test_a_backend_that_cannot_run_here_is_refused_with_the_reason(tiny_flux: Path) -> None:
    with pytest.raises(InvalidField, match="cpu") as caught:
        loaded(tiny_flux, "_native_cudnn")
    assert caught.value.path == "$.attention"
    assert caught.value.fix


def test_without_a_graphics_card_torch_s_own_choice_is_the_best() -> None:
    assert choose("auto", CPU, torch.float32, 16) == "native"

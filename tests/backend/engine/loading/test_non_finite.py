"""A picture of no numbers is no picture: its job fails, and the error names the likeliest cause."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from standee import Canvas, Composition, Sampling
from standee.errors import JobFailed
from standee_backend.catalog import catalog
from standee_backend.engine.families.base import Family
from standee_backend.engine.loading.load import load
from standee_backend.hardware.options import Options
from support import tiny
from support.composing import compose


@pytest.fixture(scope="module", params=["klein", "z-image", "flux"])
def folder(request, tiny_flux, tiny_model) -> Path:
    return tiny_flux if request.param == "flux" else tiny_model(request.param)


def refusal(family: Family) -> JobFailed:
    composition = Composition(canvas=Canvas(32, 32), prompt="a cat", sampling=Sampling(steps=2))
    with pytest.raises(JobFailed, match="no numbers") as caught:
        compose(family, composition, lambda _: b"", seed=1)
    assert caught.value.fix
    return caught.value


def overflow(family: Family) -> None:
    """Have the transformer give what no weight explains."""
    family.transformer.proj_out.register_forward_hook(lambda *_: torch.full_like(_[2], torch.nan))


def test_a_weight_of_the_model_is_named(folder) -> None:
    family = load(catalog.find(str(folder)), Options(device="cpu"))
    name, weight = next(
        (name, weight) for name, weight in family.transformer.named_parameters() if weight.ndim == 2
    )
    weight.data[0, 0] = torch.nan
    error = refusal(family)
    assert f"its weight transformer.{name} holds some" in error.message
    assert error.path == "$.sampling.model"


def test_the_strongest_lora_is_named(folder, tmp_path) -> None:
    family = load(catalog.find(str(folder)), Options(device="cpu"))
    files = [tmp_path / "mild.safetensors", tmp_path / "wild.safetensors"]
    for index, file in enumerate(files):
        tiny.save_lora(file, folder, targets=r".*\.to_q", seed=index)
    weights = {name: weight * 1e30 for name, weight in load_file(files[1]).items()}
    save_file(weights, files[1])
    family.adapters.lay([(files[0], 0.5), (files[1], 2.0)])
    error = refusal(family)
    assert "The LoRA wild.safetensors at weight 2 is the likeliest cause" in error.message
    assert error.path == "$.sampling.loras[1].path"
    family.adapters.lay([])
    composition = Composition(canvas=Canvas(32, 32), prompt="a cat", sampling=Sampling(steps=2))
    assert compose(family, composition, lambda _: b"", seed=1).any(), "the model goes on"


@pytest.mark.parametrize(("dtype", "path"), [("bf16", "$.dtype"), ("fp32", "$.sampling.model")])
def test_else_the_precision_is_named_or_the_model(tiny_flux, dtype, path) -> None:
    family = load(catalog.find(str(tiny_flux)), Options(device="cpu", dtype=dtype))
    overflow(family)
    error = refusal(family)
    assert error.path == path
    assert {"bf16": "bfloat16", "fp32": "float32"}[dtype] in error.message

"""Compiled blocks: no graph breaks, and one set of graphs for all layouts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tiny_models
import torch
from torch._dynamo.utils import counters

from standee import Canvas, Composition, Layer, Rect, Sampling
from standee_backend import catalog
from standee_backend.engine.compose import compose
from standee_backend.engine.families.base import Family
from standee_backend.engine.loading import load
from standee_backend.hardware import Options

LAYOUTS = 20


@pytest.fixture(params=["flux", "klein-base", "z-image"])
def folder(request, tiny_model, tiny_flux) -> Path:
    return tiny_flux if request.param == "flux" else tiny_model(request.param)


@pytest.fixture
def compiled(folder: Path) -> Iterator[Family]:
    """Blocks traced as for a real compiler, and run as they are."""
    torch._dynamo.reset()
    counters.clear()
    family = load(catalog.find(str(folder)), Options(device="cpu"))
    family.transformer.compile_repeated_blocks(backend="eager")
    with torch._dynamo.config.patch(recompile_limit=32):
        yield family


def layouts(shelf, number: int) -> list[Composition]:
    """Return pictures of one size with a subject of any size anywhere, prompted in more or fewer words."""
    chance, picture = random.Random(0), shelf.disc("red", 64)
    made = []
    for index in range(number):
        width, height = (16 * chance.randint(2, 4) for _ in range(2))
        rect = Rect(16 * chance.randint(0, 3), 16 * chance.randint(0, 2), width, height)
        made.append(
            Composition(
                canvas=Canvas(96, 80),
                prompt="cat " * (1 + index % 4),
                layers=(Layer(picture=picture, rect=rect),),
                sampling=Sampling(steps=3, guidance=3.0),
            )
        )
    return made


def test_new_layouts_need_no_new_graphs_and_pictures_stay_the_same(compiled, folder, shelf) -> None:
    graphs = []
    for composition in layouts(shelf, LAYOUTS):
        made = compose(compiled, composition, shelf.read, seed=0)
        graphs.append(counters["stats"]["unique_graphs"])
    assert not counters["graph_break"]
    assert graphs[2] > 0
    assert set(graphs[2:]) == {graphs[2]}, "after three layouts of several sizes"
    plain = load(catalog.find(str(folder)), Options(device="cpu"))
    theirs = compose(plain, composition, shelf.read, seed=0)
    assert np.abs(made.astype(int) - theirs).max() <= 1


@pytest.mark.parametrize("folder", ["flux"], indirect=True)
def test_a_lora_over_compiled_blocks_counts_and_goes_again(
    compiled, folder, shelf, tmp_path
) -> None:
    """Its layers are traced once; switching it off and on again finds the graphs that there are."""
    composition = Composition(canvas=Canvas(64, 48), prompt="cat", sampling=Sampling(steps=2))

    def paint() -> np.ndarray:
        return compose(compiled, composition, shelf.read, seed=0)

    targets = r".*(attn|attention)\.(to_q|to_qkv_mlp_proj)"
    lora = tiny_models.save_lora(tmp_path / "lora.safetensors", folder, targets=targets)
    plain = paint()
    pictures, graphs = [], []
    for loras in [[(lora, 1.0)], []] * 2:
        compiled.adapters.lay(loras, ["$.sampling.loras[0].path"] * len(loras))
        pictures.append(paint())
        graphs.append(counters["stats"]["unique_graphs"])
    assert not counters["graph_break"]
    assert not np.array_equal(pictures[0], plain)
    for laid, without in zip(pictures[::2], pictures[1::2], strict=True):
        assert np.array_equal(laid, pictures[0])
        assert np.abs(without.astype(int) - plain).max() <= 1
    assert graphs[-1] == graphs[1]

"""Compiled blocks: no graph breaks, and one set of graphs for all layouts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.fx.experimental._config as SHAPES
from torch._dynamo.utils import counters

from standee import Canvas, Composition, Layer, Rect, Sampling
from standee_backend.catalog import catalog
from standee_backend.engine.families.base import Family
from standee_backend.engine.loading.load import compile_blocks, load
from standee_backend.engine.token_cache.cache import TokenCache
from standee_backend.hardware.options import Options
from support import tiny
from support.composing import compose

FEW = [[(0.0, 0.5), (1.0, 0.5), (0.5, 1.0)], [(0.5, 1.0)]]
"""Fidelity and sharing of subjects that together use all that a site can do: replace, match, share and weigh."""

KINDS = [
    *FEW,
    *([(1.0, 1.0)], [(0.0, 0.5)], [(0.5, 0.5)]),
    *([(0.0, 1.0), (1.0, 1.0)], [(0.5, 1.0), (1.0, 1.0)]),
]
"""Every combination. What is half free is surely shared; what is free only where it resembles the picture, which random
weights may see nowhere."""

LAYOUTS = 8
"""So many follow that must need nothing new, after each kind was met once."""


@pytest.fixture(
    params=[
        *("flux", "klein-base", "z-image", "krea2"),
        pytest.param("qwen-image", marks=pytest.mark.slow),
    ]
)
def folder(request, tiny_model, tiny_flux) -> Path:
    return tiny_flux if request.param == "flux" else tiny_model(request.param)


@pytest.fixture
def compiled(folder: Path) -> Iterator[Family]:
    """Blocks traced as for a real compiler, and run as they are."""
    torch._dynamo.reset()
    counters.clear()
    family = load(catalog.find(str(folder)), Options(device="cpu"))
    with torch._dynamo.config.patch(recompile_limit=8), SHAPES.patch(use_duck_shape=True):
        compile_blocks(family.transformer, backend="eager")
        yield family


def anywhere(chance: random.Random, number: int) -> Rect:
    """Return a rectangle of one to four cells each way: none covers one with a lower number, or not all of it."""
    width, height = (16 * chance.randint(1, 4) for _ in range(2))
    left, top = 32 * number + 16 * chance.randint(0, 1), 16 * chance.randint(0, 2)
    return Rect(left, top, width, height)


def layouts(shelf, kinds: list, number: int) -> list[Composition]:
    """Return a picture of each kind, then so many with one's subjects anywhere, in more or fewer words."""
    chance, picture = random.Random(0), shelf.disc("red", 64)
    made = []
    for index in range(len(kinds) + number):
        first = index < len(kinds)
        layers = [
            Layer(
                picture=picture,
                rect=Rect(32 * n, 16, 32, 32) if first else anywhere(chance, n),
                fidelity=fidelity,
                sharing=sharing,
                fit="stretch",
            )
            for n, (fidelity, sharing) in enumerate(kinds[index] if first else chance.choice(kinds))
        ]
        made.append(
            Composition(
                canvas=Canvas(96, 80),
                prompt="cat " * (1 + index % 4),
                layers=tuple(layers),
                sampling=Sampling(steps=3, guidance=3.0),
            )
        )
    return made


def test_new_layouts_need_no_new_graphs_and_pictures_stay_the_same(compiled, folder, shelf) -> None:
    graphs, cache = [], TokenCache(2**30)
    kinds = KINDS if compiled.name == "krea2" else FEW  # one sort of block has half of the graphs
    for composition in layouts(shelf, kinds, LAYOUTS):
        made = compose(compiled, composition, shelf.read, seed=0, cache=cache)
        graphs.append(counters["stats"]["unique_graphs"])
    met = graphs[len(kinds) - 1 :]
    assert not counters["graph_break"]
    assert met == [met[0]] * (1 + LAYOUTS)
    assert met[0] > 0
    assert cache.hits, "some of the tokens were found and not captured"
    plain = load(catalog.find(str(folder)), Options(device="cpu"))
    theirs = compose(plain, composition, shelf.read, seed=0)
    assert np.abs(made.astype(int) - theirs).max() <= 1


@pytest.mark.parametrize("folder", ["flux", "klein-base", "krea2"], indirect=True)
def test_other_rectangles_of_words_need_no_new_graphs(compiled, folder, shelf) -> None:
    graphs = []
    for count, length in [(1, 2), (1, 3), (1, 8), (2, 4)]:
        words = tuple(
            Layer(rect=Rect(48 * index, 0, 16 + 4 * length, 32), prompt="mug " * length)
            for index in range(count)
        )
        given = Composition(Canvas(96, 80), "cat", words, sampling=Sampling(steps=3))
        made = compose(compiled, given, shelf.read, seed=0)
        graphs.append(counters["stats"]["unique_graphs"])
    assert not counters["graph_break"]
    assert graphs == [graphs[0]] * 4
    plain = load(catalog.find(str(folder)), Options(device="cpu"))
    theirs = compose(plain, given, shelf.read, seed=0)
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
    lora = tiny.save_lora(tmp_path / "lora.safetensors", folder, targets=targets)
    plain = paint()
    pictures, graphs = [], []
    for loras in [[(lora, 1.0)], []] * 2:
        compiled.adapters.lay(loras)
        pictures.append(paint())
        graphs.append(counters["stats"]["unique_graphs"])
    assert not counters["graph_break"]
    assert not np.array_equal(pictures[0], plain)
    for laid, without in zip(pictures[::2], pictures[1::2], strict=True):
        assert np.array_equal(laid, pictures[0])
        assert np.abs(without.astype(int) - plain).max() <= 1
    assert graphs[-1] == graphs[1]

"""Blocks are skipped where little changes: in the picture's forwards alone, and the picture stays much the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from standee import Canvas, Composition, Layer, Rect, Sampling
from standee_backend.catalog import catalog
from standee_backend.engine.families.base import Family
from standee_backend.engine.injection import Injection, capture, inject
from standee_backend.engine.loading.load import load
from standee_backend.engine.references import gaussian
from standee_backend.hardware.options import Options
from support.composing import compose

STEPS = 8


@pytest.fixture(params=["flux", "klein-base", "z-image", "qwen-image"])
def folder(request, tiny_model, tiny_flux) -> Path:
    return tiny_flux if request.param == "flux" else tiny_model(request.param)


@pytest.fixture
def composition(shelf) -> Composition:
    layer = Layer(picture=shelf.disc("red", 64), rect=Rect(16, 16, 48, 48))
    sampling = Sampling(steps=STEPS, guidance=3.0)
    return Composition(canvas=Canvas(80, 64), prompt="a cat", layers=(layer,), sampling=sampling)


def loaded(folder: str | Path, threshold: float = 0.0, **options: str) -> Family:
    given = Options(device="cpu", step_cache=threshold, **options)
    return load(catalog.find(str(folder)), given)


def count(family: Family) -> Callable[[], list[int]]:
    """Count from now on how often the first and the last site attend."""
    calls = [0, 0]
    for index, attention in enumerate((family.attentions[0], family.attentions[-1])):

        def seen(*_: object, index: int = index) -> None:
            calls[index] += 1

        attention.register_forward_hook(seen)
    return lambda: calls


def test_without_a_threshold_nothing_is_laid_around_the_blocks(folder: Path) -> None:
    assert loaded(folder).step_cache is None


def test_a_threshold_that_nothing_falls_below_changes_nothing(folder, composition, shelf) -> None:
    family = loaded(folder, 1e-12)
    made = compose(family, composition, shelf.read, seed=0)
    plain = compose(loaded(folder), composition, shelf.read, seed=0)
    assert np.array_equal(made, plain)


def test_blocks_are_skipped_and_each_picture_begins_anew(folder, composition, shelf) -> None:
    family = loaded(folder, 1.0)
    calls = count(family)
    first = compose(family, composition, shelf.read, seed=0)
    begun, ended = calls()
    assert 0 < ended < begun
    assert np.array_equal(compose(family, composition, shelf.read, seed=0), first)
    assert calls() == [2 * begun, 2 * ended]


def test_references_run_whole(folder, composition, shelf, monkeypatch) -> None:
    family, whole = loaded(folder, 1.0), []
    calls, velocity = count(family), family.velocity

    def watched(*given):
        of_a_crop, before = family.sites[0].mode == "capture", list(calls())
        made = velocity(*given)
        if of_a_crop:
            whole.append([after - earlier for after, earlier in zip(calls(), before, strict=True)])
        return made

    monkeypatch.setattr(family, "velocity", watched)
    exact = tuple(msgspec.structs.replace(layer, fidelity=1.0) for layer in composition.layers)
    compose(family, msgspec.structs.replace(composition, layers=exact), shelf.read, seed=0)
    assert whole == [[1, 1]] * (STEPS - 1)  # the first step is without


def test_guidance_s_two_forwards_remember_their_own(tiny_model, composition, shelf) -> None:
    family = loaded(tiny_model("klein-base"), 1.0)
    names = set()
    cache = family.step_cache
    block = cache.block

    def watched(*given):
        names.update(cache._memories)
        return block(*given)

    cache.block = watched
    compose(family, composition, shelf.read, seed=0)
    assert names == {"prompted", "unprompted"}
    assert not cache._memories


def test_a_step_with_other_tokens_runs_whole(folder, shelf) -> None:
    family = loaded(folder, 1.0)
    calls, prompt = count(family), family.encode_prompt("a cat", 0.0)
    ids, sigma = family.grid_ids(4, 4), torch.tensor(0.5)
    noise = gaussian(0, (1, 16, family.channels))
    with capture(family.sites, torch.tensor([5, 6])) as tokens:
        family.velocity(noise, sigma, prompt, ids)
    replacing = Injection(replace=tokens, put=torch.tensor([0, 1]))
    ended = []
    with family.picture():
        for injection in (Injection(), Injection(), replacing, replacing, Injection(share=tokens)):
            before = calls()[1]
            with inject(family.sites, injection):
                family.velocity(noise, sigma, prompt, ids)
            ended.append(calls()[1] - before)
    assert ended == [1, 0, 1, 0, 1]


def test_a_step_with_words_of_a_region_runs_whole(folder) -> None:
    family = loaded(folder, 1.0)
    calls, prompt = count(family), family.encode_prompt("a cat", 0.0)
    ids, sigma = family.grid_ids(4, 4), torch.tensor(0.5)
    noise, ended = gaussian(0, (1, 16, family.channels)), []
    region, part = (
        prompt.with_region(prompt.trimmed(4), torch.tensor([0, 1]), weight, torch.zeros(2, 2))
        for weight in (1, 0.5)
    )
    with family.picture():
        for told in (prompt, prompt, region, region, part, prompt):
            before = calls()[1]
            family.velocity(noise, sigma, told, ids)
            ended.append(calls()[1] - before)
    assert ended == [1, 0, 1, 0, 1, 1]


@pytest.mark.parametrize("offload", ["model", "group"])
def test_offloaded_blocks_are_skipped_too(tiny_flux, composition, shelf, offload: str) -> None:
    family = loaded(tiny_flux, 1.0, offload=offload)
    plain = compose(loaded(tiny_flux, 1.0), composition, shelf.read, seed=0)
    for _ in range(2):
        assert np.array_equal(compose(family, composition, shelf.read, seed=0), plain)
        family.release()


def test_the_bundled_model_paints_much_the_same_with_fewer_blocks(shelf) -> None:
    layer = Layer(picture=shelf.disc("red", 64), rect=Rect(16, 16, 64, 64))
    composition = Composition(canvas=Canvas(96, 96), prompt="a red disc", layers=(layer,))
    plain, cached = loaded("mini"), loaded("mini", 0.1)
    calls = count(cached)
    made = compose(cached, composition, shelf.read, seed=0).astype(int)
    theirs = compose(plain, composition, shelf.read, seed=0)
    begun, ended = calls()
    assert ended < begun
    assert np.abs(made - theirs).mean() < 2

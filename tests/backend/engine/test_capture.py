"""Captured tokens from one picture to the next: the same pictures, fewer forwards, and keys that tell what differs."""

from __future__ import annotations

import random
from dataclasses import replace

import msgspec
import pytest
import torch

from standee import Canvas, Composition, Layer, Method, Rect, Sampling, Scene
from standee_backend.catalog import catalog
from standee_backend.engine.capture import identity
from standee_backend.engine.compose import compose, encode_prompts
from standee_backend.engine.families.base import Family
from standee_backend.engine.layout import stage
from standee_backend.engine.loading.load import load
from standee_backend.engine.references import Reference, subject_references
from standee_backend.engine.settings import resolve
from standee_backend.engine.token_cache.cache import TokenCache
from standee_backend.engine.token_cache.disk import TokenFiles
from standee_backend.hardware.options import Options

EDITS = 50


@pytest.fixture(scope="module")
def tiny(tiny_flux) -> Family:
    return load(catalog.find(str(tiny_flux)), Options(device="cpu"))


@pytest.fixture
def three(shelf) -> Composition:
    """Three subjects side by side, two of one size."""
    layers = (
        Layer(id="a", picture=shelf.disc("red", 32), rect=Rect(0, 0, 32, 32), prompt="cat"),
        Layer(id="b", picture=shelf.disc("blue", 32), rect=Rect(32, 32, 32, 32)),
        Layer(id="c", picture=shelf.flat("green", 48, 32), rect=Rect(48, 0, 48, 32)),
    )
    sampling = Sampling(steps=4, guidance=3.0)
    return Composition(canvas=Canvas(96, 80), prompt="beach", layers=layers, sampling=sampling)


def edited(given: Composition, chance: random.Random) -> Composition:
    """Return a picture with one thing moved, re-ordered, re-prompted, or held to more or less strictly."""
    layers, kind = list(given.layers), chance.randrange(4)
    index = chance.randrange(len(layers))
    layer = layers[index]
    if kind == 0:
        x, y = 16 * chance.randint(0, 3), 16 * chance.randint(0, 3)
        layers[index] = msgspec.structs.replace(layer, rect=replace_corner(layer.rect, x, y))
    elif kind == 1:
        chance.shuffle(layers)
    elif kind == 2:
        words = " ".join(chance.choices(["a", "dog", "on", "snow"], k=chance.randint(1, 4)))
        return msgspec.structs.replace(given, prompt=words)
    else:
        fidelity = chance.choice([0.2, 0.5, 0.8])
        sharing = chance.choice([0.5, 1.0])
        layers[index] = msgspec.structs.replace(layer, fidelity=fidelity, sharing=sharing)
    return msgspec.structs.replace(given, layers=tuple(layers))


def replace_corner(rect: Rect, x: float, y: float) -> Rect:
    """Return a rectangle moved to (x, y), or as far as the canvas goes."""
    return Rect(min(x, 96 - rect.w), min(y, 80 - rect.h), rect.w, rect.h)


@pytest.mark.parametrize(("kind", "edits"), [("flux", EDITS), ("klein-base", 12), ("z-image", 12)])
def test_edits_need_no_new_tokens_and_no_pixel_tells_the_cache(
    kind, edits, tiny, tiny_model, three, shelf
) -> None:
    family = tiny
    if kind != "flux":
        family = load(catalog.find(str(tiny_model(kind))), Options(device="cpu"))
    cache, chance, given = TokenCache(2**30), random.Random(0), three
    compose(family, given, shelf.read, seed=0, cache=cache)
    captured = cache.misses
    assert captured == 3 * 4
    for _ in range(edits):
        given = edited(given, chance)
        found = compose(family, given, shelf.read, seed=0, cache=cache)
        fresh = compose(family, given, shelf.read, seed=0)
        assert (found == fresh).all()
    assert cache.misses == captured
    assert cache.hits > edits * 4


def test_a_cache_too_small_for_a_picture_changes_no_pixel(tiny, three, shelf) -> None:
    fresh = compose(tiny, three, shelf.read, seed=0)
    whole = TokenCache(2**30)
    compose(tiny, three, shelf.read, seed=0, cache=whole)
    cache = TokenCache(whole.bytes // 2)
    for _ in range(2):
        assert (compose(tiny, three, shelf.read, seed=0, cache=cache) == fresh).all()
    assert 0 < cache.hits < cache.misses
    assert cache.bytes <= cache.limit


def test_eight_bit_tokens_make_the_same_picture_found_or_fresh(tiny, three, shelf) -> None:
    cache = TokenCache(2**30, "fp8")
    first, again = (compose(tiny, three, shelf.read, seed=0, cache=cache) for _ in range(2))
    assert cache.hits == cache.misses
    assert (first == again).all()


@pytest.mark.parametrize("precision", ["model", "fp8"])
def test_tokens_on_disk_serve_the_next_process_to_the_last_bit(
    tiny, three, shelf, tmp_path, precision
) -> None:
    files = TokenFiles(tmp_path, 2**30)
    first = TokenCache(2**30, precision, files)
    made = compose(tiny, three, shelf.read, seed=0, cache=first)
    files.flush()
    moved = edited(three, random.Random(1))
    fresh = compose(tiny, moved, shelf.read, seed=0, cache=TokenCache(2**30, precision))
    for limit in (2**30, first.bytes // 2, 0):
        later = TokenCache(limit, precision, TokenFiles(tmp_path, 2**30))
        assert (compose(tiny, three, shelf.read, seed=0, cache=later) == made).all()
        assert (compose(tiny, moved, shelf.read, seed=0, cache=later) == fresh).all()
        assert (later.misses, later.hits) == (0, 2 * first.misses)
        assert later.read >= first.misses


def test_tokens_in_another_precision_are_captured_again(tiny, three, shelf, tmp_path) -> None:
    whole, small = (TokenCache(2**30, p, TokenFiles(tmp_path, 2**30)) for p in ("model", "fp8"))
    for cache in (whole, small):
        compose(tiny, three, shelf.read, seed=0, cache=cache)
    assert small.misses == whole.misses


def test_a_kept_scene_is_captured_once_whatever_stands_before_it(tiny, three, shelf) -> None:
    scene = Scene(picture=shelf.flat("gray", 96, 80), blend=0)
    given, cache = msgspec.structs.replace(three, scene=scene), TokenCache(2**30)
    compose(tiny, given, shelf.read, seed=0, cache=cache)
    bare = msgspec.structs.replace(given, layers=())
    before = cache.misses
    found = compose(tiny, bare, shelf.read, seed=0, cache=cache)
    assert cache.misses == before
    assert (found == compose(tiny, bare, shelf.read, seed=0)).all()


def with_layer(given: Composition, **changes) -> Composition:
    """Return the picture with its first layer changed."""
    first, *others = given.layers
    layers = (msgspec.structs.replace(first, **changes), *others)
    return msgspec.structs.replace(given, layers=layers)


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda g, s: with_layer(g, picture=s.disc("pink", 32)), id="picture"),
        pytest.param(lambda g, s: with_layer(g, mask=s.disc("white", 8, "black")), id="cut-out"),
        pytest.param(lambda g, s: with_layer(g, rect=Rect(0, 0, 48, 32)), id="size"),
        pytest.param(lambda g, s: with_layer(g, rect=Rect(-16, 0, 32, 32)), id="crop"),
        pytest.param(lambda g, s: with_layer(g, prompt="dog"), id="words"),
        pytest.param(lambda g, s: msgspec.structs.replace(g, method=Method(gamma=0.5)), id="gamma"),
        pytest.param(
            lambda g, s: msgspec.structs.replace(g, sampling=Sampling(steps=5, guidance=3.0)),
            id="sigmas",
        ),
        pytest.param(
            lambda g, s: msgspec.structs.replace(g, sampling=Sampling(steps=4, guidance=2.0)),
            id="guidance",
        ),
    ],
)
def test_what_tokens_depend_on_is_captured_again(tiny, three, shelf, edit) -> None:
    cache = TokenCache(2**30)
    compose(tiny, three, shelf.read, seed=0, cache=cache)
    before, given = cache.misses, edit(three, shelf)
    found = compose(tiny, given, shelf.read, seed=0, cache=cache)
    assert cache.misses > before
    assert (found == compose(tiny, given, shelf.read, seed=0)).all()


@pytest.mark.parametrize("kind", ["klein", "klein-base", "z-image"])
def test_guidance_by_a_second_forward_captures_nothing_again(
    kind, tiny_model, three, shelf
) -> None:
    family = load(catalog.find(str(tiny_model(kind))), Options(device="cpu"))
    cache, given = TokenCache(2**30), three
    compose(family, given, shelf.read, seed=0, cache=cache)
    before = cache.misses
    for guidance in (5.0, 0.0):
        given = msgspec.structs.replace(three, sampling=Sampling(steps=4, guidance=guidance))
        found = compose(family, given, shelf.read, seed=0, cache=cache)
        assert cache.misses == before
        assert (found == compose(family, given, shelf.read, seed=0)).all()


def test_another_seed_or_model_is_captured_again(tiny, three, shelf) -> None:
    cache = TokenCache(2**30)
    compose(tiny, three, shelf.read, seed=0, cache=cache)
    captured = cache.misses
    compose(tiny, three, shelf.read, seed=1, cache=cache)
    assert (cache.hits, cache.misses) == (0, 2 * captured)
    cache.model = "another"
    compose(tiny, three, shelf.read, seed=0, cache=cache)
    assert (cache.hits, cache.misses) == (0, 3 * captured)


@pytest.fixture
def reference(tiny, three, shelf) -> Reference:
    settings = resolve(tiny, three, 0, 30)
    staged = stage(three, shelf.read, tiny.patch, tiny.latent_px)
    prompts = encode_prompts(tiny, three, settings)
    return subject_references(tiny, staged, None, prompts, settings)[0]


@pytest.mark.parametrize("part", ["x0", "noise", "cells", "text", "pooled"])
def test_the_key_changes_with_every_part_of_what_a_reference_is(reference, part) -> None:
    own = reference.conditioning if part in ("text", "pooled") else reference
    tensor = getattr(own, part).clone()
    tensor.view(-1)[-1] += 1
    changed = replace(own, **{part: tensor})
    if own is not reference:
        changed = replace(reference, conditioning=changed)
    assert identity(changed, "model", True) != identity(reference, "model", True)


def test_the_key_changes_with_the_length_of_the_text_the_shape_and_the_model(reference) -> None:
    words = reference.conditioning
    padded = torch.cat([words.text, torch.zeros_like(words.text[:, :1])], dim=1)
    rows, cols = reference.size
    changed = [
        replace(reference, conditioning=replace(words, text=padded)),
        replace(reference, conditioning=replace(words, guidance=words.guidance + 1)),
        replace(reference, size=(rows * cols, 1)),
    ]
    keys = {identity(r, "model", True) for r in (reference, *changed)}
    assert len(keys | {identity(reference, "other", True)}) == 5


@pytest.mark.parametrize("changes", [{"tau": 0.9}, {"sharing": 0.3}, {"anchor_tau": 0.9}], ids=str)
def test_the_key_does_not_change_with_how_tokens_are_used(reference, changes) -> None:
    hidden = replace(reference, owned=torch.zeros_like(reference.owned), put=reference.put + 1)
    assert identity(replace(hidden, **changes), "m", True) == identity(reference, "m", True)

"""Captured tokens from one picture to the next: the same pictures, fewer forwards, and keys that tell what differs."""

from __future__ import annotations

import random
from dataclasses import replace

import msgspec
import pytest
import torch

from standee import Canvas, Composition, Layer, Method, Rect, Sampling, Scene
from standee_backend.catalog import catalog
from standee_backend.engine.capture import TokenCapture, identity
from standee_backend.engine.families.base import Family
from standee_backend.engine.layout import lay_out
from standee_backend.engine.loading.load import load
from standee_backend.engine.prompts import encode_prompts
from standee_backend.engine.references import Crop, subject_references
from standee_backend.engine.schedule import Schedule
from standee_backend.engine.settings import resolve
from standee_backend.engine.token_cache.cache import TokenCache
from standee_backend.engine.token_cache.disk import TokenFiles
from standee_backend.hardware.options import Options
from support.composing import compose

EDITS = 24


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


@pytest.mark.parametrize(
    ("kind", "edits"), [("flux", EDITS), ("klein-base", 12), ("z-image", 12), ("qwen-image", 4)]
)
def test_edits_need_no_new_tokens_and_no_pixel_tells_the_cache(
    kind, edits, tiny, tiny_model, three, shelf
) -> None:
    family = tiny
    if kind != "flux":
        family = load(catalog.find(str(tiny_model(kind))), Options(device="cpu"))
    cache, chance, given = TokenCache(2**30), random.Random(0), three
    exact = [msgspec.structs.replace(layer, fidelity=1.0) for layer in three.layers]
    compose(
        family, msgspec.structs.replace(three, layers=tuple(exact)), shelf.read, seed=0, cache=cache
    )
    captured = cache.misses
    assert captured == 3 * 3  # the first of the four steps is without them
    for _ in range(edits):
        given = edited(given, chance)
        found = compose(family, given, shelf.read, seed=0, cache=cache)
        fresh = compose(family, given, shelf.read, seed=0)
        assert (found == fresh).all()
    assert cache.misses == captured
    assert cache.hits > edits * 2


def test_a_subject_is_run_at_no_noise_level_whose_tokens_nothing_wants(tiny, three, shelf) -> None:
    """Eight steps: the first without subjects, three that replace, then two blocks that look at tokens."""
    one = msgspec.structs.replace(
        three,
        canvas=Canvas(512, 512),
        layers=three.layers[:1],
        sampling=Sampling(steps=8, guidance=3.0),
    )
    forwards: list[tuple[int, int]] = []
    hook = tiny.transformer.register_forward_pre_hook(
        lambda _, __, given: forwards.append(tuple(given["hidden_states"].shape[:2])),
        with_kwargs=True,
    )
    try:
        compose(tiny, one, shelf.read, seed=0)
    finally:
        hook.remove()
    picture = (512 // 16) ** 2
    assert [count for count, cells in forwards if cells == picture] == [1] * 8
    assert [count for count, cells in forwards if cells != picture] == [1, 2, 1]


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
    """Where it comes in by its tokens alone."""
    scene = Scene(picture=shelf.flat("gray", 96, 80), blend=0)
    given = msgspec.structs.replace(three, scene=scene, method=Method(anchor=0.0))
    cache = TokenCache(2**30)
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


def test_another_seed_finds_its_tokens_and_another_model_none(tiny, three, shelf) -> None:
    cache = TokenCache(2**30)
    compose(tiny, three, shelf.read, seed=0, cache=cache)
    captured = cache.misses
    found = compose(tiny, three, shelf.read, seed=1, cache=cache)
    assert (cache.hits, cache.misses) == (captured, captured)
    assert (found == compose(tiny, three, shelf.read, seed=1)).all()
    cache.model = "another"
    compose(tiny, three, shelf.read, seed=0, cache=cache)
    assert (cache.hits, cache.misses) == (captured, 2 * captured)


@pytest.fixture
def crop(tiny, three, shelf) -> Crop:
    settings = resolve(tiny, three)
    schedule = Schedule.of(tiny.sigmas(4, 30))
    layout = lay_out(three, shelf.read, tiny.patch, tiny.latent_px)
    prompts = encode_prompts(tiny, three, settings).layers
    return subject_references(tiny, layout, prompts, schedule, settings, 0)[0].crop


@pytest.mark.parametrize("part", ["cells", "text", "pooled"])
def test_the_key_changes_with_every_part_of_what_a_crop_is(crop, part) -> None:
    own = crop.conditioning if part in ("text", "pooled") else crop
    tensor = getattr(own, part).clone()
    tensor.view(-1)[-1] += 1
    changed = replace(own, **{part: tensor})
    if own is not crop:
        changed = replace(crop, conditioning=changed)
    assert identity(changed, "model", True) != identity(crop, "model", True)


def test_the_key_changes_with_the_length_of_the_text_the_pixels_and_the_model(crop) -> None:
    words = crop.conditioning
    padded = torch.cat([words.text, torch.zeros_like(words.text[:, :1])], dim=1)
    changed = [
        replace(crop, conditioning=replace(words, text=padded)),
        replace(crop, conditioning=replace(words, guidance=words.guidance + 1)),
        replace(crop, digest="others"),
    ]
    keys = {identity(c, "model", True) for c in (crop, *changed)}
    assert len(keys | {identity(crop, "other", True)}) == 5


def test_a_blocks_late_steps_look_at_the_same_tokens_whose_keys_are_made_once(
    tiny, three, shelf
) -> None:
    """Eight steps, the first without subjects: steps 4 to 6 look at the tokens of step 1, and step 7 at its own."""
    made: list[int] = []
    layer = tiny.transformer.single_transformer_blocks[0].attn.to_k
    hook = layer.register_forward_hook(lambda _, given, __: made.append(given[0].shape[1]))
    given = msgspec.structs.replace(three, sampling=Sampling(steps=8, guidance=3.0))
    try:
        compose(tiny, given, shelf.read, seed=0, cache=(cache := TokenCache(2**30)))
        made.clear()
        compose(tiny, given, shelf.read, seed=1, cache=cache)
    finally:
        hook.remove()
    picture, shared = max(made), min(made)
    assert sorted(made) == [shared] * 2 + [picture] * 8


def test_noise_levels_in_one_forward_give_the_tokens_of_each_alone(
    tiny_flux, shelf, monkeypatch
) -> None:
    family = load(catalog.find(str(tiny_flux)), Options(device="cpu"))
    layer = Layer(picture=shelf.flat("red", 48), rect=Rect(32, 32, 48, 48), fidelity=1.0)
    given = Composition(
        canvas=Canvas(512, 512), layers=(layer,), sampling=Sampling(steps=6, guidance=3.0)
    )
    schedule, settings = Schedule.of(family.sigmas(6, 1024)), resolve(family, given)
    layout = lay_out(given, shelf.read, family.patch, family.latent_px)
    prompts = encode_prompts(family, given, settings).layers
    references = subject_references(family, layout, prompts, schedule, settings, 0)
    sizes = []
    velocity = family.velocity
    monkeypatch.setattr(
        family,
        "velocity",
        lambda tokens, *more: sizes.append(len(tokens)) or velocity(tokens, *more),
    )
    together = TokenCapture(family, references, schedule, cells=1024, start=1)
    apart = TokenCapture(family, references, schedule, cells=256, start=1)
    for step in range(1, 6):
        ours, theirs = (c.injection(step).replace.at_site for c in (together, apart))
        for one, other in zip(ours, theirs, strict=True):
            torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)
    assert sorted(sizes) == [1] * 7 + [3]  # the model's own threshold parts a block

"""Guidance by a second forward without the prompt: when it runs, and what it gives."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
import torch

from standee import Canvas, Composition, Layer, Rect, Sampling
from standee.errors import InvalidField
from standee_backend.catalog import catalog
from standee_backend.engine.families.base import Family
from standee_backend.engine.loading.load import load
from standee_backend.engine.prompts import encode_prompts
from standee_backend.engine.references import gaussian
from standee_backend.engine.settings import resolve
from standee_backend.hardware.options import Options
from support.composing import compose


@pytest.fixture(scope="module", params=["klein-base", "z-image", "qwen-image", "krea2"])
def family(request, tiny_model) -> Family:
    opened = load(catalog.find(str(tiny_model(request.param))), Options(device="cpu"))
    assert isinstance(opened, Family)
    return opened


def test_velocity_moves_away_from_the_empty_prompt(family) -> None:
    tokens, sigma, ids = (
        gaussian(0, (1, 12, family.channels)),
        torch.tensor(0.5),
        family.grid_ids(3, 4),
    )
    guided = replace(family.encode_prompt("a cat", 4.0), negative=family.encode_prompt("", 4.0))
    with_words, without = (
        family.velocity(tokens, sigma, family.encode_prompt(prompt, 0.0), ids)
        for prompt in ("a cat", "")
    )
    weight = (
        5.0 if family.name in ("z_image", "krea2") else 4.0
    )  # which count from the prompted velocity
    expected = without + weight * (with_words - without)
    if family.name == "qwen_image":  # whose tokens stay as long as the prompted ones
        expected *= (with_words**2).sum(-1, keepdim=True).sqrt()
        expected /= ((without + weight * (with_words - without)) ** 2).sum(-1, keepdim=True).sqrt()
    torch.testing.assert_close(family.velocity(tokens, sigma, guided, ids), expected)


@pytest.mark.parametrize(
    ("kind", "prompt", "guidance"),
    [
        ("klein-base", "a cat", 1.0),
        ("klein-base", "", 4.0),
        ("klein", "a cat", 4.0),
        ("flux2-dev", "a cat", 4.0),
        ("z-image", "a cat", 0.0),
        ("z-image", "", 4.0),
        ("qwen-image", "a cat", 1.0),
    ],
)
def test_where_it_would_change_nothing_it_does_not_run(tiny_model, kind, prompt, guidance) -> None:
    family = load(catalog.find(str(tiny_model(kind))), Options(device="cpu"))
    given = Composition(prompt=prompt, sampling=Sampling(guidance=guidance))
    assert encode_prompts(family, given, resolve(family, given)).picture.negative is None


@pytest.mark.parametrize("kind", ["klein-base", "z-image"])
def test_a_negative_prompt_is_what_the_picture_is_guided_away_from(tiny_model, kind, shelf) -> None:
    family = load(catalog.find(str(tiny_model(kind))), Options(device="cpu"))
    given = Composition(
        canvas=Canvas(96, 80), prompt="a cat", sampling=Sampling(steps=2, guidance=4.0)
    )
    negative = msgspec.structs.replace(given.sampling, negative="a dog")
    other = msgspec.structs.replace(given, sampling=negative)
    prompts = encode_prompts(family, other, resolve(family, other))
    assert torch.equal(prompts.picture.negative.text, prompts.layers["a dog"].text)
    plain, guided = (compose(family, each, shelf.read, seed=0) for each in (given, other))
    assert (plain != guided).any()


@pytest.mark.parametrize("kind", ["klein", "z-image-turbo"])
def test_a_model_that_has_no_use_for_a_negative_prompt_says_so(tiny_model, kind, shelf) -> None:
    family = load(catalog.find(str(tiny_model(kind))), Options(device="cpu"))
    given = Composition(prompt="a cat", sampling=Sampling(guidance=0.0, negative="a dog"))
    with pytest.raises(InvalidField) as caught:
        compose(family, given, shelf.read, seed=0)
    assert caught.value.path == "$.sampling.negative"


def test_a_reference_costs_one_forward_and_the_picture_two(family, shelf, monkeypatch) -> None:
    layer = Layer(picture=shelf.disc("red", 48), rect=Rect(16, 16, 48, 48), prompt="a mug")
    composition = Composition(
        canvas=Canvas(96, 80),
        prompt="a cat",
        layers=(layer,),
        sampling=Sampling(steps=3, guidance=4.0),
    )
    runs = []
    run = family.run
    monkeypatch.setattr(family, "run", lambda *given: runs.append(given) or run(*given))
    compose(family, composition, shelf.read, seed=0)
    assert len(runs) == 3 * 2 + 1  # all that later steps look at was captured with the second

"""References: their noise, and the tokens that their crops give."""

from __future__ import annotations

import pytest
import torch

from standee import Canvas, Composition, Layer, Rect, Sampling
from standee_backend.engine.capture import Captures
from standee_backend.engine.compose import encode_prompts
from standee_backend.engine.layout import stage
from standee_backend.engine.references import own_noise, subject_references
from standee_backend.engine.settings import resolve, threshold


def test_each_subject_gives_the_tokens_that_it_gives_alone(mini, shelf) -> None:
    wide = Layer(picture=shelf.flat("red", 64, 32), rect=Rect(16, 16, 64, 32))
    tall = Layer(picture=shelf.flat("blue", 32, 64), rect=Rect(80, 48, 32, 64))
    same = Layer(picture=shelf.flat("green", 32, 64), rect=Rect(16, 48, 32, 64))
    references = _references(mini, shelf, wide, tall, same)
    sigmas = torch.tensor([0.7, 0.0])
    together = Captures(mini, references, sigmas).tokens(references, sigmas[0])
    apart = [Captures(mini, [r], sigmas).tokens([r], sigmas[0]) for r in references]
    for site, tokens in enumerate(together.at_site):
        assert torch.equal(tokens, torch.cat([part.at_site[site] for part in apart]))


def test_a_subject_is_the_same_wherever_it_stands(mini, shelf) -> None:
    picture = shelf.flat("red", 64, 64)
    one, other = (
        _references(mini, shelf, Layer(picture=picture, rect=Rect(x, x, 64, 64)))[0]
        for x in (16, 48)
    )
    assert torch.equal(one.noise, other.noise)
    assert torch.equal(one.x0, other.x0)
    assert not torch.equal(one.put, other.put)


def test_noise_differs_by_picture_and_by_seed() -> None:
    shape = (4, 8)
    assert torch.equal(own_noise("a" * 64, 1, shape), own_noise("a" * 64, 1, shape))
    assert not torch.equal(own_noise("a" * 64, 1, shape), own_noise("b" * 64, 1, shape))
    assert not torch.equal(own_noise("a" * 64, 1, shape), own_noise("a" * 64, 2, shape))


@pytest.mark.parametrize(
    ("fidelity", "expected"), [(0.0, 1.0), (0.25, 0.8), (0.5, 0.6), (0.75, 0.3), (1.0, 0.0)]
)
def test_fidelity_runs_from_never_over_the_familys_own_to_always(fidelity, expected) -> None:
    assert threshold(fidelity, 0.6) == pytest.approx(expected)


def _references(mini, shelf, *layers):
    composition = Composition(canvas=Canvas(128, 128), layers=layers, sampling=Sampling(steps=4))
    staged = stage(composition, shelf.read, mini.patch, mini.latent_px)
    settings = resolve(mini, composition, 0, 64)
    prompts = encode_prompts(mini, composition, settings)
    return subject_references(mini, staged, None, prompts, settings)

"""Subjects shown to a model as the reference pictures that it was trained to take."""

from __future__ import annotations

import diffusers
import msgspec
import numpy as np
import pytest
import torch

from standee import Canvas, Composition, Layer, Rect, Sampling, Scene
from standee.composition import Method
from standee.errors import InvalidField
from standee_backend.catalog import catalog
from standee_backend.engine.families.base import Family
from standee_backend.engine.families.conditioning import ReferenceTokens
from standee_backend.engine.loading.load import load
from standee_backend.engine.references import gaussian
from standee_backend.hardware.options import Options
from support.composing import compose

CELLS, FIRST, SECOND = (5, 6), (4, 3), (2, 5)


@pytest.fixture(scope="module", params=["klein", "klein-base"])
def folder(request, tiny_model) -> str:
    return str(tiny_model(request.param))


@pytest.fixture(scope="module")
def family(folder: str) -> Family:
    opened = load(catalog.find(folder), Options(device="cpu"))
    assert isinstance(opened, Family)
    return opened


def two_subjects(shelf, **method) -> Composition:
    """Return two cut-outs, whose crops are of 17 x 17 and 16 x 16 cells."""
    layers = (
        Layer(picture=shelf.disc("red", 48), rect=Rect(16, 16, 48, 48), prompt="a mug"),
        Layer(picture=shelf.disc("blue", 32), rect=Rect(64, 32, 32, 32)),
    )
    return Composition(
        canvas=Canvas(128, 96),
        prompt="a cat",
        layers=layers,
        sampling=Sampling(steps=3, guidance=3.0),
        method=Method(**method),
    )


def test_they_lie_beside_the_picture_where_diffusers_lays_them(family, folder) -> None:
    pipeline = diffusers.Flux2KleinPipeline.from_pretrained(folder)
    prompt, sigma = family.encode_prompt("a cat", 0.0), torch.tensor(0.7)
    picture, *pair = (
        gaussian(n, (1, rows * cols, family.channels))
        for n, (rows, cols) in enumerate((CELLS, FIRST, SECOND))
    )
    maps = [
        tokens.transpose(1, 2).reshape(1, -1, *size)
        for tokens, size in zip(pair, (FIRST, SECOND), strict=True)
    ]
    ids = torch.cat(
        [
            pipeline._prepare_latent_ids(torch.zeros(1, 1, *CELLS)),
            pipeline._prepare_image_ids(maps),
        ],
        1,
    )
    with torch.no_grad():
        theirs = pipeline.transformer(
            hidden_states=torch.cat([picture, *pair], dim=1),
            timestep=sigma.expand(1),
            encoder_hidden_states=prompt.text,
            txt_ids=pipeline._prepare_text_ids(prompt.text),
            img_ids=ids,
            return_dict=False,
        )[0][:, : picture.shape[1]]
    beside = ReferenceTokens(
        torch.cat(pair, dim=1),
        torch.cat([family.reference_ids(i, *size) for i, size in enumerate((FIRST, SECOND))]),
    )
    grid = family.grid_ids(*CELLS)
    ours = family.velocity(picture, sigma, prompt, grid, beside)
    assert (ours - theirs).abs().max() / theirs.std() < 1e-4
    assert (ours - family.velocity(picture, sigma, prompt, grid)).abs().max() > 1e-3


def test_the_picture_sees_every_subject_once_its_place_is_found(family, shelf, monkeypatch) -> None:
    lengths = []
    run = family.run
    monkeypatch.setattr(
        family, "run", lambda tokens, *given: lengths.append(tokens.shape[1]) or run(tokens, *given)
    )
    compose(family, two_subjects(shelf, share_by="input", inject=False), shelf.read, seed=0)
    twice = 1 + family.guided_by_negative(3.0)
    assert lengths == [6 * 8] * twice + [6 * 8 + 17 * 17 + 16 * 16] * 2 * twice


def test_the_picture_sees_what_is_kept_of_its_scene(family, shelf, monkeypatch) -> None:
    lengths = []
    run = family.run
    monkeypatch.setattr(
        family, "run", lambda tokens, *given: lengths.append(tokens.shape[1]) or run(tokens, *given)
    )
    given = two_subjects(shelf, share_by="input", inject=False)
    kept = np.zeros((96, 128), np.uint8)
    kept[:, 96:] = 255  # 6 x 2 cells, beside both subjects
    scene = Scene(picture=shelf.flat("green", 128, 96), kept=shelf.add(kept), blend=0.0)
    compose(family, msgspec.structs.replace(given, scene=scene), shelf.read, seed=0)
    twice = 1 + family.guided_by_negative(3.0)
    assert lengths[-1] == 6 * 8 + 17 * 17 + 16 * 16 + 6 * 2
    assert lengths[:twice] == [6 * 8] * twice


def test_a_subject_that_shares_nothing_is_not_shown(family, shelf) -> None:
    given = two_subjects(shelf, share_by="input", sharing=False)
    without = two_subjects(shelf, share_by="attention", sharing=False)
    shown = two_subjects(shelf, share_by="input", sharing=True)
    pictures = [compose(family, each, shelf.read, seed=0) for each in (given, without, shown)]
    assert (pictures[0] == pictures[1]).all()
    assert (pictures[0] != pictures[2]).any()


def test_a_model_that_takes_none_says_so(tiny_flux, shelf) -> None:
    flux = load(catalog.find(str(tiny_flux)), Options(device="cpu"))
    with pytest.raises(InvalidField, match="reference") as caught:
        compose(flux, two_subjects(shelf, share_by="input"), shelf.read, seed=0)
    assert caught.value.path == "$.method.share_by"

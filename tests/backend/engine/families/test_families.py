"""Every family against diffusers' own classes, with tokens put in by hand, in plain Python.

The oracle is the same checkpoint without anything of ours: hooks on its projections note and replace the rows of Q, K
and V, and a softmax written out attends to shared tokens.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from msgspec.structs import replace
from torch import Tensor

from standee import Canvas, Composition, Sampling
from standee_backend.catalog import catalog
from standee_backend.engine.compose import denoise
from standee_backend.engine.families.base import Family
from standee_backend.engine.injection import Injection, Tokens, capture, inject
from standee_backend.engine.loading.load import load
from standee_backend.engine.references import Crop, Reference, gaussian
from standee_backend.engine.schedule import Schedule
from standee_backend.hardware.options import Options
from support.composing import compose, own_pipeline
from support.family_pair import LAYERS, PUT, Pair
from support.word_regions import kinds_of_tokens, seen

KINDS = [
    *("flux", "kontext", "flux2-dev", "klein", "klein-base", "z-image", "z-image-turbo"),
    *("qwen-image", "qwen-edit", "krea2", "krea2-turbo"),
]
ROWS, COLS = 5, 6
CELLS = ROWS * COLS
TAKE = torch.tensor([4, 5, 7, 8, 10])
"""The cells of a crop of 4 x 3 whose tokens the cells `PUT` are given."""


@pytest.fixture(scope="module", params=KINDS)
def pair(request, tiny_model, tiny_flux) -> Pair:
    folder = tiny_flux if request.param == "flux" else tiny_model(request.param)
    info = catalog.find(str(folder))
    return Pair(load(info, Options(device="cpu")), own_pipeline(folder))


@pytest.fixture
def scene(pair: Pair) -> SimpleNamespace:
    """A picture and a crop, with a prompt each, and the crop's tokens as hooks find them."""
    family = pair.ours
    prompt, words = family.encode_prompt("a cat", 0.0), family.encode_prompt("a mug", 0.0)
    pair.text_tokens = prompt.text.shape[1]
    picture, crop = gaussian(1, (1, CELLS, family.channels)), gaussian(2, (1, 12, family.channels))
    sigma, tokens = torch.tensor(0.7), {}

    def note(site: int, _: Any, image: Tensor) -> None:
        tokens[site] = image[0, TAKE]

    with torch.no_grad(), pair.hooked(note):
        pair.forward(crop, sigma, words, (4, 3))
    theirs = [tokens[site] for site in range(len(pair.projections))]
    with capture(family.sites, TAKE) as captured:
        family.velocity(crop, sigma, words, family.grid_ids(4, 3))
    return SimpleNamespace(
        prompt=prompt, picture=picture, sigma=sigma, theirs=theirs, ours=captured.at_site
    )


def test_its_own_forward_is_diffusers(pair: Pair, scene) -> None:
    with torch.no_grad():
        theirs = pair.forward(scene.picture, scene.sigma, scene.prompt, (ROWS, COLS))
    close(velocity(pair.ours, scene), theirs)


def test_captured_tokens_are_what_enters_the_projections(pair: Pair, scene) -> None:
    assert len(scene.ours) == len(scene.theirs)
    for ours, theirs in zip(scene.ours, scene.theirs, strict=True):
        close(ours, theirs)


def test_replaced_tokens_change_q_k_and_v_and_nothing_else(pair: Pair, scene) -> None:
    def put(site: int, projection: Any, image: Tensor) -> Tensor:
        if projection.out_features > 3 * image.shape[-1]:  # Q, K, V and the MLP's input
            return torch.nn.functional.linear(scene.theirs[site], projection.weight)[:, : 3 * 64]
        return torch.nn.functional.linear(scene.theirs[site], projection.weight, projection.bias)

    with torch.no_grad(), pair.hooked(put):
        theirs = pair.forward(scene.picture, scene.sigma, scene.prompt, (ROWS, COLS))
    injection = Injection(replace=Tokens(scene.ours), put=PUT)
    ours = velocity(pair.ours, scene, injection)
    close(ours, theirs)
    assert not torch.allclose(ours, velocity(pair.ours, scene), atol=1e-2)


@pytest.mark.parametrize(
    ("weight", "looking"), [(1.0, None), (0.5, None), (0.5, torch.arange(4, CELLS))]
)
def test_shared_tokens_are_more_keys_and_values_at_their_cells(
    pair: Pair, scene, weight: float, looking: Tensor | None, monkeypatch
) -> None:
    """For all queries, or for those of some cells."""
    calls = iter(pair.attention_calls)

    def attend(query: Tensor, key: Tensor, value: Tensor, **_: Any) -> Tensor:
        logits = dot(query, key)
        if (site := next(calls)) not in (None, LAYERS):
            more_key, more_value = pair.key_and_value(site, scene.theirs[site])
            more_key = turned(pair, more_key, PUT)
            more = dot(query, more_key) + np.log(weight)
            if looking is not None:
                first = 0 if pair.ours.name == "z_image" else pair.text_tokens
                others = torch.ones(query.shape[1], dtype=torch.bool)
                others[first + looking] = False
                more = more.masked_fill(others[:, None], -np.inf)
            logits = torch.cat([logits, more], -1)
            value = torch.cat([value, more_value], 1)
        return torch.einsum("bhqk,bkhd->bqhd", logits.softmax(-1), value)

    with monkeypatch.context() as patch, torch.no_grad():
        module = sys.modules[type(pair.theirs.transformer).__module__]
        patch.setattr(module, "dispatch_attention_fn", attend)
        theirs = pair.forward(scene.picture, scene.sigma, scene.prompt, (ROWS, COLS))
    bias = None if weight == 1 else torch.full((len(TAKE),), weight).log()
    share = Tokens(scene.ours)
    injection = Injection(share=share, share_at=PUT, share_bias=bias, looking=looking)
    ours = velocity(pair.ours, scene, injection)
    close(ours, theirs)
    share.at_site[:] = [torch.full_like(tokens, torch.nan) for tokens in share.at_site]
    close(velocity(pair.ours, scene, injection), theirs)  # their keys are made once
    assert not torch.allclose(ours, velocity(pair.ours, scene), atol=1e-3)


@pytest.mark.parametrize(("weight", "at_corners"), [(1.0, False), (0.25, False), (1.0, True)])
def test_words_of_regions_and_their_cells_see_each_other_alone(
    pair: Pair, scene, weight: float, at_corners: bool, monkeypatch
) -> None:
    """Three kinds of text: of all, of a region that counts in part, and of one that counts whole."""
    family = pair.ours
    monkeypatch.setattr(family, "defaults", replace(family.defaults, words_at_corners=at_corners))
    words = [family.encode_prompt(said, 0.0).trimmed(4) for said in ("a mug", "a dog")]
    cells = torch.tensor([3, 4, 9]), torch.tensor([17, 29])
    told = scene.prompt.with_region(words[0], cells[0], weight, gaussian(3, (2, 2)))
    told = told.with_region(words[1], cells[1], 1.0, gaussian(4, (2, 2)))
    text, picture = kinds_of_tokens(told, CELLS)
    calls = iter(pair.attention_calls)

    def sequence() -> list[Any]:
        """What the tokens of the next attention are: a text's number, a cell of a region, or padding."""
        site = next(calls)
        if not isinstance(pair.theirs, diffusers.ZImagePipeline):
            return [0, 0] if site == LAYERS else text if site is None else [*text, *picture]
        image, said = (part + ["pad"] * (-len(part) % 32) for part in (picture, text))
        refiners = len(pair.theirs.transformer.noise_refiner)
        return said if site is None else image if site < refiners else [*image, *said]

    def attend(query: Tensor, key: Tensor, value: Tensor, **_: Any) -> Tensor:
        kinds = sequence()
        share = torch.tensor([[seen(who, what, weight) for what in kinds] for who in kinds])
        logits = dot(query, key) + share.log()
        return torch.einsum("bhqk,bkhd->bqhd", logits.softmax(-1), value)

    with monkeypatch.context() as patch, torch.no_grad():
        module = sys.modules[type(pair.theirs.transformer).__module__]
        patch.setattr(module, "dispatch_attention_fn", attend)
        theirs = pair.forward(scene.picture, scene.sigma, told, (ROWS, COLS))
    ours = family.velocity(scene.picture, scene.sigma, told, family.grid_ids(ROWS, COLS))
    close(ours, theirs)
    plain = velocity(family, scene)
    assert not torch.allclose(ours, plain, atol=1e-3)
    close(velocity(family, scene), plain)  # nothing of it is left behind


def test_tokens_are_replaced_in_part(pair: Pair, scene) -> None:
    """By half is the mean of what enters the projections, and by nothing is nothing."""
    own = [tokens.clone() for tokens in scene.ours]
    half, none = (torch.full((len(PUT),), part) for part in (0.5, 0.0))
    plain = velocity(pair.ours, scene)
    whole = velocity(pair.ours, scene, Injection(replace=Tokens(own), put=PUT))
    mixed = velocity(pair.ours, scene, Injection(replace=Tokens(own), put=PUT, weight=half))
    close(velocity(pair.ours, scene, Injection(replace=Tokens(own), put=PUT, weight=none)), plain)
    for other in (plain, whole):
        assert not torch.allclose(mixed, other, atol=1e-3)


def test_tokens_are_replaced_and_others_shared_in_one_forward(pair: Pair, scene) -> None:
    replaced, shared = Tokens(scene.ours), Tokens([tokens.flip(0) for tokens in scene.ours])
    nothing = Tokens([tokens[:0] for tokens in scene.ours])
    both = Injection(replace=replaced, put=PUT, share=shared, share_at=PUT)
    for other in (Injection(replace=replaced, put=PUT), Injection(share=shared, share_at=PUT)):
        ours, theirs = (velocity(pair.ours, scene, given) for given in (both, other))
        assert not torch.allclose(ours, theirs, atol=1e-3)
    close(
        velocity(
            pair.ours, scene, Injection(replace=replaced, put=PUT, share=nothing, share_at=PUT[:0])
        ),
        velocity(pair.ours, scene, Injection(replace=replaced, put=PUT)),
    )


def test_tokens_of_a_site_are_watched_before_they_are_replaced(pair: Pair, scene) -> None:
    tokens: dict[int, Tensor] = {}

    def note(site: int, _: Any, image: Tensor) -> None:
        tokens[site] = image[0, PUT]

    with torch.no_grad(), pair.hooked(note):
        pair.forward(scene.picture, scene.sigma, scene.prompt, (ROWS, COLS))
    injection = Injection(replace=Tokens(scene.ours), put=PUT, watch=0, watched=PUT)
    with inject(pair.ours.sites, injection) as seen:
        ids = pair.ours.grid_ids(ROWS, COLS)
        pair.ours.velocity(scene.picture, scene.sigma, scene.prompt, ids)
    close(seen[0], tokens[0])


def test_a_subjects_own_tokens_put_in_place_change_nothing(pair: Pair) -> None:
    family = pair.ours
    prompt, ids = family.encode_prompt("", 0.0), family.grid_ids(ROWS, COLS)
    noise = gaussian(1, (1, CELLS, family.channels))
    sigmas = family.sigmas(4, CELLS)
    schedule = Schedule.of(sigmas)
    alone = [noise[0]]
    denoise(family, noise, prompt, ids, schedule, on_step=lambda s: alone.append(s.latents[0]))
    everything = torch.arange(CELLS)

    class Recorded(Crop):
        """A crop whose trajectory is the one that it takes when it is sampled alone."""

        def at(self, sigmas: Tensor) -> Tensor:
            return torch.stack([alone[schedule.levels.index(float(sigma))] for sigma in sigmas])

    crop = Recorded((ROWS, COLS), prompt, everything, "", lambda: (alone[-1], noise[0]))
    reference = Reference(crop, everything, everything, tau=0.0, sharing=0.0)
    together = [noise[0]]
    denoise(
        family, noise, prompt, ids, schedule, [reference],
        on_step=lambda s: together.append(s.latents[0]),
    )  # fmt: skip
    assert len(together) == 5
    for one, other in zip(alone, together, strict=True):
        assert (one - other).abs().max() / one.std() < 1e-4


@pytest.mark.parametrize("guided", [True, False], ids=["guided", "unguided"])
def test_without_subjects_it_is_the_pipelines_own_picture(pair: Pair, guided: bool) -> None:
    guidance = 3.0 if guided else pair.ours.guidance_of_none
    given = Composition(
        canvas=Canvas(96, 80), prompt="a cat", sampling=Sampling(steps=3, guidance=guidance)
    )
    made = compose(pair.ours, given, lambda digest: b"", seed=3)
    latents = gaussian(3, (1, CELLS, pair.ours.channels))
    if pair.ours.name in ("flux2", "z_image"):
        latents = latents.transpose(1, 2).reshape(1, -1, ROWS, COLS)  # the pipeline packs them
    if pair.ours.name == "z_image":
        latents = torch.nn.functional.pixel_shuffle(latents, 2)
    pipeline, words = pair.theirs, {"prompt": "a cat", "guidance_scale": guidance}
    if isinstance(pipeline, diffusers.FluxKontextPipeline):
        words["max_area"] = 96 * 80
    if pair.ours.name == "qwen_image":
        words = {"prompt": "a cat", "negative_prompt": "", "true_cfg_scale": guidance}
        parts = {name: part for name, part in pipeline.components.items() if name != "processor"}
        pipeline = diffusers.QwenImagePipeline(**parts)  # Edit's own has no picture without another
        for name in ("prompt_template_encode", "prompt_template_encode_start_idx"):
            setattr(pipeline, name, getattr(pair.theirs, name))
    theirs = pipeline(
        **words,
        height=80,
        width=96,
        num_inference_steps=3,
        max_sequence_length=pair.ours.text_limit,
        latents=latents,
        output_type="np",
    ).images[0]
    assert np.abs(made / 255 - theirs).max() < 2 / 255
    assert made.std() > 1


def close(ours: Tensor, theirs: Tensor) -> None:
    assert (ours - theirs).abs().max() / theirs.std() < 1e-4


def dot(query: Tensor, key: Tensor) -> Tensor:
    return torch.einsum("bqhd,bkhd->bhqk", query, key) / query.shape[-1] ** 0.5


def turned(pair: Pair, key: Tensor, at: Tensor) -> Tensor:
    """Rotate keys (1, m, heads, dims) as those of the picture's cells `at` (m,)."""
    ids = pair.ours.grid_ids(ROWS, COLS)[at]
    if pair.ours.name == "z_image":
        ids = ids.clone()
        ids[:, 0] = 33  # the image stands behind its text, which is padded to 32
    cosine, sine = (part[None, :, None].to(key.dtype) for part in pair.ours.rotation(ids))
    even, odd = key[..., 0::2], key[..., 1::2]
    across = torch.stack([-odd, even], dim=-1).flatten(-2)
    return key * cosine + across * sine


def velocity(family: Family, scene, injection: Injection | None = None) -> Tensor:
    with inject(family.sites, injection or Injection()):
        ids = family.grid_ids(ROWS, COLS)
        return family.velocity(scene.picture, scene.sigma, scene.prompt, ids)

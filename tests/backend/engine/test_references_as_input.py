"""Subjects shown to a model as the reference pictures that it was trained to take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit_plus
from PIL import Image
from torch import Tensor

from standee import Canvas, Composition, Layer, Rect, Sampling, Scene
from standee.composition import Method
from standee.errors import InvalidField
from standee_backend.catalog import catalog
from standee_backend.engine.anchor import subject_anchors
from standee_backend.engine.compose import denoise
from standee_backend.engine.families.base import Family
from standee_backend.engine.families.conditioning import ReferenceTokens
from standee_backend.engine.injection import Injection, inject
from standee_backend.engine.layout import Layout, lay_out
from standee_backend.engine.loading.load import load
from standee_backend.engine.pixels.images import to_tensor
from standee_backend.engine.prompts import encode_prompts
from standee_backend.engine.references import (
    Crop,
    Reference,
    ShownReferences,
    gaussian,
    subject_references,
)
from standee_backend.engine.schedule import Schedule
from standee_backend.engine.settings import FREE, resolve
from standee_backend.hardware.options import Options
from support.composing import PictureProcessor, compose, own_pipeline, with_places

CELLS, SIZES = (5, 6), ((4, 6), (6, 4))
"""Rows and columns of the picture and of two references."""


@pytest.fixture(scope="module", params=["kontext", "flux2-dev", "klein", "klein-base", "qwen-edit"])
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


def test_they_are_shown_as_diffusers_own_pipeline_shows_them(family, folder, monkeypatch) -> None:
    """From noise to pixels, with two references of other sizes than the picture; Kontext's own takes one."""
    chance = np.random.default_rng(0)
    sizes = SIZES[:1] if family.name == "flux" else SIZES
    photos = [chance.integers(0, 255, (rows * 16, cols * 16, 3), np.uint8) for rows, cols in sizes]
    given = Composition(prompt="a cat", sampling=Sampling(guidance=3.0))
    prompts = encode_prompts(family, given, resolve(family, given))
    prompt, references = prompts.picture, []
    for photo, size in zip(photos, sizes, strict=True):
        pixels = photo.astype(np.float32) / 255
        clean = family.encode_latents(to_tensor(pixels))[0]
        cells = torch.arange(len(clean))
        crop = Crop(size, prompt, cells, "", lambda clean=clean: (clean, clean), pixels)
        references.append(Reference(crop, cells, cells, tau=FREE, sharing=1.0))
    noise = gaussian(1, (1, CELLS[0] * CELLS[1], family.channels))
    schedule = Schedule.of(family.sigmas(3, noise.shape[1]))
    grid = family.grid_ids(*CELLS)
    latents, _ = denoise(
        family, noise, prompt, grid, schedule, references, share_by="input", seeing=prompts.seeing
    )
    ours = family.decode_latents(latents, *CELLS)[0].permute(1, 2, 0).numpy() / 2 + 0.5
    theirs = edited(
        family, folder, noise, [Image.fromarray(photo) for photo in photos], monkeypatch
    )
    assert np.abs(ours - theirs).max() < 1e-3
    alone, _ = denoise(family, noise, prompt, grid, schedule)
    assert (alone - latents).abs().max() > 1e-3


def edited(family: Family, folder: str, noise: Tensor, photos: list, monkeypatch) -> np.ndarray:
    """Return the picture (height, width, 3) of diffusers' own pipeline with reference pictures."""
    words = {"prompt": "a cat", "guidance_scale": 3.0, "max_sequence_length": family.text_limit}
    if family.name == "flux2":
        noise = noise.transpose(1, 2).reshape(1, -1, *CELLS)  # the pipeline packs it
    if family.name == "flux":
        words |= {"max_area": CELLS[0] * CELLS[1] * 256, "_auto_resize": False}
    if family.name == "qwen_image":
        monkeypatch.setattr(pipeline_qwenimage_edit_plus, "VAE_IMAGE_SIZE", 64 * 96)
        words = {"prompt": "a cat", "negative_prompt": "", "true_cfg_scale": 3.0}
    pipeline = own_pipeline(Path(folder))
    if family.name == "qwen_image":
        pipeline.processor = PictureProcessor(pipeline.tokenizer, pipeline.processor)
        with_places(pipeline)
    size = {"height": CELLS[0] * 16, "width": CELLS[1] * 16}
    given = words | size | {"latents": noise, "num_inference_steps": 3, "output_type": "np"}
    return pipeline(image=photos, **given).images[0]


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


def test_fidelity_decides_when_each_is_shown_and_the_freest_comes_first(
    family, shelf, monkeypatch
) -> None:
    """Three steps: the first without subjects; then one is shown at once, another after its tokens, one never."""
    given = two_subjects(shelf, anchor=0.0)
    back, front = given.layers
    exact = Layer(picture=shelf.disc("green", 32), rect=Rect(96, 64, 32, 32), fidelity=1.0)
    layers = (
        msgspec.structs.replace(back, fidelity=0.8),  # of 17 x 17 cells, down to the time .2
        msgspec.structs.replace(front, fidelity=0.0),
        exact,
    )
    given = msgspec.structs.replace(given, layers=layers, sampling=Sampling(steps=4, guidance=1.0))
    runs = []
    run = family.run
    monkeypatch.setattr(family, "run", lambda *given: runs.append(given) or run(*given))
    compose(family, given, shelf.read, seed=0)
    pictures = [(tokens.shape[1], ids) for tokens, _, _, ids in runs if len(ids) >= 6 * 8]
    pictures = [(count, ids) for count, ids in pictures if count not in (17 * 17, 16 * 16)]
    assert [count for count, _ in pictures] == [48, 48 + 256, 48 + 256, 48 + 256 + 289]
    last = pictures[-1][1]
    assert torch.equal(last[48:304], family.reference_ids(0, 16, 16))
    assert torch.equal(last[304:], family.reference_ids(1, 17, 17))


def test_a_reference_counts_by_its_weight(family) -> None:
    """Shown twice at half of its weight it is shown once; at next to nothing it is not there."""
    prompt, sigma = family.encode_prompt("a cat", 3.0), torch.tensor(0.6)
    grid, tokens = family.grid_ids(*CELLS), gaussian(0, (1, 30, family.channels))
    clean, at = gaussian(1, (1, 12, family.channels)), family.reference_ids(0, 4, 3)

    def velocity(beside: ReferenceTokens | None) -> Tensor:
        with inject(family.sites, Injection()):
            return family.velocity(tokens, sigma, prompt, grid, beside)

    once = velocity(ReferenceTokens(clean, at))
    half = torch.full((24,), 0.5).log()
    twice = velocity(ReferenceTokens(clean.repeat(1, 2, 1), at.repeat(2, 1), half))
    nearly = velocity(ReferenceTokens(clean, at, torch.full((12,), -30.0)))
    torch.testing.assert_close(twice, once, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(nearly, velocity(None), atol=1e-4, rtol=1e-4)
    assert (once - nearly).abs().max() > 1e-3


def test_fidelity_has_no_step_where_another_door_opens(family, shelf) -> None:
    """At half of four steps, where tokens cease to be replaced for a whole step more."""
    given = two_subjects(shelf)
    steps = msgspec.structs.replace(given, sampling=Sampling(steps=4, guidance=1.0))
    made = [
        compose(family, with_fidelity(steps, part), shelf.read, seed=0).astype(int)
        for part in (0.499, 0.501, 0.6)
    ]
    near, far = (np.abs(one - made[0]).mean() for one in made[1:])
    assert near < 0.2 * far


@pytest.mark.parametrize(("name", "sign"), [("fidelity", 1), ("variation", -1)])
def test_fidelity_and_variation_open_and_shut_both_doors_evenly(
    family, shelf, name: str, sign: int
) -> None:
    """Every tenth counts: more is replaced and held, and less seen; of ten steps the first is without subjects."""
    given = two_subjects(shelf)
    levels = [
        doors(family, with_all(given, **{name: tenth / 10}), shelf, range(1, 10))
        for tenth in range(11)
    ]
    replaced, seen, held = (np.array(door) for door in zip(*levels, strict=True))
    assert (sign * np.diff(replaced) > 0).all()
    assert (sign * np.diff(seen) < 0).all()
    assert (sign * np.diff(held) > 0).all()
    np.testing.assert_allclose(replaced + seen, 2 * 9)  # no step counts twice or not at all


def doors(family: Family, given: Composition, shelf, steps: range) -> tuple[float, float, float]:
    """Return for how many steps tokens of subjects are replaced, seen and held, each as far as it counts."""
    settings, schedule = resolve(family, given), Schedule.of(family.sigmas(10, 48))
    layout = lay_out(given, shelf.read, family.patch, family.latent_px, 0)
    words = family.encode_prompts(["", "a mug"], settings.guidance)
    begin = schedule.time(steps[0])
    references = []
    for one in subject_references(family, layout, words, schedule, settings, 0, begin):
        nothing = torch.zeros(one.crop.size[0] * one.crop.size[1], family.channels)
        crop = replace(one.crop, ends=lambda nothing=nothing: (nothing, nothing))
        references.append(replace(one, crop=crop))
    anchors = subject_anchors(family, layout, torch.zeros(48, family.channels), settings, begin)
    shown = ShownReferences(family, references, schedule, steps)
    return (
        sum(schedule.share_above(step, one.tau) for one in references for step in steps),
        sum(sum(shown.weights(step)) for step in steps),
        sum(
            one.strength * schedule.share_above(step, one.tau) for one in anchors for step in steps
        ),
    )


def with_all(given: Composition, **fields: float) -> Composition:
    layers = (msgspec.structs.replace(layer, **fields) for layer in given.layers)
    return msgspec.structs.replace(given, layers=tuple(layers))


def with_fidelity(given: Composition, fidelity: float) -> Composition:
    return with_all(given, fidelity=fidelity)


def test_the_collage_is_the_first_reference_and_the_subjects_the_further_ones(
    family, shelf, monkeypatch
) -> None:
    given = with_fidelity(two_subjects(shelf, collage=True), 0.0)
    given = msgspec.structs.replace(given, sampling=Sampling(steps=3, guidance=1.0))
    runs, encoded = [], []
    run, encode = family.run, family.encode_latents
    monkeypatch.setattr(family, "run", lambda *given: runs.append(given) or run(*given))
    monkeypatch.setattr(
        family, "encode_latents", lambda pixels: encoded.append(encode(pixels)) or encoded[-1]
    )
    collages = []
    paste = Layout.collage
    monkeypatch.setattr(
        Layout, "collage", lambda *given: collages.append(paste(*given)) or collages[-1]
    )
    compose(family, given, shelf.read, seed=0)
    tokens, _, _, ids = runs[-1]
    crops = [289, 256] if family.takes_several else []
    assert [len(given[3]) for given in runs] == [48, *[48 + 48 + sum(crops)] * 2]
    assert torch.equal(ids[48:96], family.reference_ids(0, 6, 8))
    [collage] = collages
    torch.testing.assert_close(tokens[:, 48:96], encode(to_tensor(collage)))
    plain = compose(family, msgspec.structs.replace(given, method=Method()), shelf.read, seed=0)
    assert (compose(family, given, shelf.read, seed=0) != plain).any()


def test_what_is_exact_needs_no_collage(family, shelf) -> None:
    given = with_fidelity(two_subjects(shelf), 1.0)
    collage = msgspec.structs.replace(given, method=Method(collage=True))
    made = [compose(family, each, shelf.read, seed=0) for each in (given, collage)]
    assert (made[0] == made[1]).all()


def test_a_collage_where_subjects_are_not_shown_says_so(tiny_flux, shelf) -> None:
    flux = load(catalog.find(str(tiny_flux)), Options(device="cpu"))
    with pytest.raises(InvalidField, match="collage") as caught:
        compose(flux, two_subjects(shelf, collage=True), shelf.read, seed=0)
    assert caught.value.path == "$.method.collage"

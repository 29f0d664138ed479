"""Collage, then edit: the subjects are pasted, and the model goes over them in its own way."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
import torch

from standee import Canvas, Composition, Layer, Rect, Sampling, Scene
from standee.composition import Method
from standee_backend.catalog import catalog
from standee_backend.engine.compose import Step, denoise
from standee_backend.engine.layout import lay_out
from standee_backend.engine.loading.load import load
from standee_backend.engine.pixels import images
from standee_backend.engine.prompts import encode_prompts
from standee_backend.engine.references import Crop, Reference, gaussian
from standee_backend.engine.schedule import Schedule
from standee_backend.engine.settings import FREE, resolve
from standee_backend.hardware.options import Options
from support.composing import compose


@pytest.fixture
def composition(shelf) -> Composition:
    """A disc on a place that the prompt names."""
    layer = Layer(picture=shelf.disc("red", 48), rect=Rect(32, 16, 48, 48), id="disc")
    return Composition(
        canvas=Canvas(128, 96),
        prompt="a meadow at noon",
        layers=(layer,),
        sampling=Sampling(steps=4),
        method=Method(mode="edit"),
    )


def test_a_model_without_references_samples_half_of_the_way_again(mini, composition, shelf) -> None:
    steps: list[Step] = []
    edited = compose(mini, composition, shelf.read, seed=1, on_step=steps.append)
    assert len(steps) == 4 + 2, "the place, then half of the steps over the collage"
    plain = compose(mini, msgspec.structs.replace(composition, layers=()), shelf.read, seed=1)
    layout = lay_out(composition, shelf.read, mini.patch, mini.latent_px)
    pasted = images.to_uint8(layout.collage(plain.astype(np.float32) / 255))
    disc = (pasted != plain).any(axis=2)
    apart = [np.abs(edited[disc].astype(int) - one[disc]).mean() for one in (pasted, plain)]
    assert 1 < apart[0] < 0.7 * apart[1], "near the collage, and not the same"


def test_a_model_with_references_is_shown_collage_and_subjects(
    tiny_model, composition, shelf
) -> None:
    family = load(catalog.find(str(tiny_model("klein"))), Options(device="cpu"))
    scene = Scene(picture=shelf.flat("green", 128, 96), kept=shelf.flat("black", 128, 96))
    composition = msgspec.structs.replace(composition, scene=scene)
    made = compose(family, composition, shelf.read, seed=1)

    layout = lay_out(composition, shelf.read, family.patch, family.latent_px)
    settings = resolve(family, composition)
    schedule = Schedule.of(family.sigmas(settings.steps, 6 * 8))
    prompt = encode_prompts(family, composition, settings).picture
    assert layout.scene is not None
    none = torch.zeros(0, dtype=torch.long)
    references = []
    for pixels in (layout.collage(layout.scene.pixels), *layout.crops):
        size = pixels.shape[0] // 16, pixels.shape[1] // 16
        clean = family.encode_latents(images.to_tensor(pixels))[0]
        crop = Crop(size, prompt, none, "", lambda clean=clean: (clean, clean))
        references.append(Reference(crop, none, none, FREE, 1.0))
    noise = gaussian(1, (1, 48, family.channels))
    latents, _ = denoise(
        family, noise, prompt, family.grid_ids(6, 8), schedule, references, share_by="input"
    )
    expected = images.to_uint8(images.from_tensor(family.decode_latents(latents, 6, 8)))
    assert np.abs(made.astype(int) - expected).max() <= 1


def test_what_a_scene_keeps_stays_identical(mini, composition, shelf) -> None:
    scene = Scene(picture=shelf.flat("green", 128, 96), blend=0)
    steps: list[Step] = []
    given = msgspec.structs.replace(composition, scene=scene)
    made = compose(mini, given, shelf.read, seed=1, on_step=steps.append)
    assert len(steps) == 2, "the place is given"
    assert (made[:, :16] == (0, 128, 0)).all()
    assert not (made[32:48, 48:64] == (0, 128, 0)).all()

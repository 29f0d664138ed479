"""Checkpoints of the other families are loaded, placed and quantized like FLUX.1's, and compose."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from standee import Canvas, Composition, Layer, Rect, Sampling
from standee_backend.catalog import catalog
from standee_backend.engine.families.base import Family
from standee_backend.engine.loading.load import load
from standee_backend.engine.preview import encode_preview
from standee_backend.hardware.options import Options
from support.composing import compose

CPU = Options(device="cpu")


@pytest.fixture(scope="module", params=["klein-base", "z-image", "qwen-image", "krea2"])
def folder(request, tiny_model) -> Path:
    return tiny_model(request.param)


@pytest.fixture(scope="module")
def plain(folder: Path) -> Family:
    return load_folder(folder)


def load_folder(folder: Path, options: Options = CPU) -> Family:
    return load(catalog.find(str(folder)), options)


@pytest.fixture
def paint(shelf):
    """Compose one subject into a small picture, in steps that replace and one that shares."""
    layer = Layer(picture=shelf.disc("red", 64), rect=Rect(32, 32, 64, 64), variation=0.3)
    composition = Composition(
        canvas=Canvas(128, 96),
        prompt="a cat",
        layers=(layer,),
        sampling=Sampling(steps=4, guidance=3.0),
    )

    def compose_it(family: Family) -> NDArray[np.uint8]:
        pixels = compose(family, composition, shelf.read, seed=1)
        family.release()
        return pixels

    return compose_it


def test_pictures_survive_packing_and_the_autoencoders_normalisation(plain) -> None:
    pixels = torch.rand(1, 3, 80, 96, generator=torch.Generator().manual_seed(0)) * 2 - 1
    tokens = plain.encode_latents(pixels)
    assert tokens.shape == (1, 30, plain.channels)
    assert torch.equal(plain.pack(plain.unpack(tokens, 5, 6)), tokens)
    vae = plain.pipeline.vae
    of_video = plain.name in ("qwen_image", "krea2")
    latents = vae.encode(pixels.unsqueeze(2) if of_video else pixels).latent_dist.mode()
    expected = vae.decode(latents).sample.clamp(-1, 1)
    expected = expected.squeeze(2) if of_video else expected
    torch.testing.assert_close(plain.decode_latents(tokens, 5, 6), expected, atol=1e-4, rtol=0)


def test_a_preview_is_a_small_picture(plain) -> None:
    assert encode_preview(plain, torch.randn(1, 30, plain.channels), 5, 6).startswith(b"\xff\xd8")


@pytest.mark.parametrize("offload", ["text", "model", "group"])
def test_offloading_does_not_change_the_picture(folder, plain, paint, offload) -> None:
    offloaded = load_folder(folder, Options(device="cpu", offload=offload))
    difference = np.abs(paint(offloaded).astype(int) - paint(plain))
    assert difference.max() <= 1  # weights that moved may lie otherwise in memory, and round so
    assert offloaded.fingerprint() == plain.fingerprint()


def test_half_precision_gives_nearly_the_same_picture(folder, plain, paint) -> None:
    half = load_folder(folder, Options(device="cpu", dtype="bf16"))
    assert half.transformer.dtype == torch.bfloat16
    assert 0 < np.abs(paint(half).astype(int) - paint(plain)).mean() < 3


@pytest.mark.usefixtures("quantize_on_cpu")
def test_quantized_weights_are_smaller_and_give_nearly_the_same_picture(
    folder, plain, paint
) -> None:
    packed = load_folder(folder, Options(quantization="int8"))
    assert 0 < np.abs(paint(packed).astype(int) - paint(plain)).mean() < 3
    for part in ("transformer", "text_encoder"):
        models = [getattr(family.pipeline, part) for family in (packed, plain)]
        # A language model's tower for pictures is hardly any of it, but for the tiny one's.
        languages = [getattr(getattr(m, "model", m), "language_model", m) for m in models]
        sizes = [one.get_memory_footprint() for one in languages]
        assert sizes[0] < 0.6 * sizes[1]


def test_another_normalisation_is_another_model(tiny_model) -> None:
    first, second = (load_folder(tiny_model("klein-base")) for _ in range(2))
    second.pipeline.vae.bn.running_mean += 1
    assert first.fingerprint() != second.fingerprint()

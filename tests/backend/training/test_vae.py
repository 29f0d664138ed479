from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderDC

from training import scenes, vae
from training.pca import psnr
from training.presets import PRESETS

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def stocked(work: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder with one chunk of pictures that no autoencoder has seen."""
    folder = tmp_path_factory.mktemp("stocked") / "work"
    shutil.copytree(work, folder)
    scenes.extend(folder, None, 1, CPU)
    assert not scenes.load_chunks(folder)
    return folder


def test_a_taken_up_autoencoder_keeps_its_encoder(
    mini: Path, stocked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vae, "HELD_OUT", 1)
    before = AutoencoderDC.from_pretrained(mini / "vae", torch_dtype=torch.float32)
    before.save_pretrained(stocked / "vae")
    made: list[AutoencoderDC] = []
    vae.train(stocked, PRESETS["cpu"], CPU, 0.001, made.append)
    spent = torch.load(stocked / "vae.pt")["spent"]
    vae.train(stocked, PRESETS["cpu"], CPU, spent / 60 + 0.001, made.append)  # it goes on
    for after in made:
        for name, weight in before.encoder.state_dict().items():
            assert torch.equal(weight, after.encoder.state_dict()[name]), name
        assert after.config.scaling_factor == before.config.scaling_factor
    decoders = [model.decoder.conv_out.conv.weight for model in (before, *made)]
    assert not torch.equal(decoders[0], decoders[1])
    assert not torch.equal(decoders[1], decoders[2])


def test_a_fresh_autoencoder_begins_as_the_linear_compression(stocked: Path) -> None:
    pictures = [picture for chunk in scenes.load_pictures(stocked) for picture in chunk]
    pca, fresh = vae.fit_pca(pictures, CPU), vae.build(PRESETS["cpu"])
    vae.start_from_pca(fresh, pca)
    shown = np.stack(pictures[:2])[:, :128, :128]
    linear, learned = vae.compare(fresh, pca, shown, CPU)
    assert linear > 25
    assert learned > linear - 1
    noise = np.random.default_rng(0).integers(0, 256, shown.shape).astype(np.uint8)
    assert psnr(vae.reconstruct(fresh, noise, CPU), noise) < 20, "it is a compression"

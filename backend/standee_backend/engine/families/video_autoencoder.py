"""Qwen-Image's autoencoder of videos, which others have too: a picture is one frame."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class VideoAutoencoder:
    """What a family with such an autoencoder has in the place of `Family`'s own: a fifth axis, means and deviations."""

    pipeline: Any
    device: torch.device

    def normalisation(self) -> tuple[Tensor, Tensor]:
        """Return shift and scale (channels,) of the packed tokens, from the means and deviations of the latents."""
        config = self.pipeline.vae.config
        mean, deviation = (
            torch.tensor(numbers, device=self.device).repeat_interleave(4)
            for numbers in (config.latents_mean, config.latents_std)
        )
        return mean, 1 / deviation

    def _encode(self, pixels: Tensor) -> Tensor:
        encoded = self.pipeline.vae.encode(pixels.unsqueeze(2), return_dict=False)[0]
        return encoded.mode().squeeze(2)

    def _decode(self, latents: Tensor) -> Tensor:
        return self.pipeline.vae.decode(latents.unsqueeze(2), return_dict=False)[0].squeeze(2)

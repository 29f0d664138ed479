"""Linear compression of 8x8 patches: the VAE's first teacher and the mark that it must beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

PATCH = 8
COMPONENTS = 16
WHITENING = 0.5  # a latent channel's deviation is its component's to the power 1 - WHITENING


@dataclass(frozen=True)
class Pca:
    """Coefficients c = (patch - mean) @ basis, partly whitened into latents z = c / gain."""

    mean: torch.Tensor  # (192,)
    basis: torch.Tensor  # (192, 16), orthonormal columns
    gain: torch.Tensor  # (16,)

    @staticmethod
    def fit(pictures: torch.Tensor) -> Pca:
        """Fit to (N, 3, H, W) pictures in -1..1. Latents have unit variance on average."""
        patches = _patches(pictures).reshape(-1, 3 * PATCH * PATCH)
        mean = patches.mean(0)
        values, vectors = torch.linalg.eigh(torch.cov(patches.T))
        values, basis = values.flip(0)[:COMPONENTS], vectors.flip(1)[:, :COMPONENTS]
        deviation = values.sqrt()
        gain = deviation**WHITENING
        gain = gain * (deviation / gain).square().mean().sqrt()
        return Pca(mean, basis.contiguous(), gain)

    def encode(self, pictures: torch.Tensor) -> torch.Tensor:
        """(N, 3, H, W) to latents (N, 16, H/8, W/8)."""
        latents = (_patches(pictures) - self.mean) @ self.basis / self.gain
        return latents.permute(0, 3, 1, 2)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Latents (N, 16, h, w) to pictures (N, 3, 8h, 8w)."""
        patches = (latents.permute(0, 2, 3, 1) * self.gain) @ self.basis.T + self.mean
        count, rows, columns, _ = patches.shape
        patches = patches.reshape(count, rows, columns, 3, PATCH, PATCH)
        return patches.permute(0, 3, 1, 4, 2, 5).reshape(count, 3, rows * PATCH, columns * PATCH)


def _patches(pictures: torch.Tensor) -> torch.Tensor:
    """(N, 3, H, W) to (N, H/8, W/8, 192)."""
    count, channels, height, width = pictures.shape
    rows, columns = height // PATCH, width // PATCH
    grid = pictures.reshape(count, channels, rows, PATCH, columns, PATCH)
    return grid.permute(0, 2, 4, 1, 3, 5).reshape(count, rows, columns, -1)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Decibels over all pixels of two uint8 arrays."""
    error = float(np.mean((a.astype(np.float32) - b.astype(np.float32)) ** 2))
    return float(10 * np.log10(255**2 / max(error, 1e-9)))

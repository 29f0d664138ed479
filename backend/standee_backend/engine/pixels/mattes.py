"""Soft cut-outs on the latent pixels: each subject's own, and what others in front leave of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from standee.arrangement import reduce_mask
from standee.composition import Layer
from standee.geometry import Cells, coverage, coverage_turned, fit_picture, snap

from .images import Array, Picture


def matte_of(picture: Picture, layer: Layer, crop: Cells, patch: int, latent_px: int) -> Array:
    """Return a subject's cut-out on the latent pixels of its crop. `layer` is upright (see `images.stand`)."""
    k = patch // latent_px
    rect = snap(layer.rect, patch).rect(patch)
    mask = reduce_mask(picture.stencil)
    fine = Cells(crop.row * k, crop.col * k, crop.rows * k, crop.cols * k)
    placed = fit_picture(*picture.size, rect, layer.fit)
    soft = coverage_turned(mask, placed, rect, layer.rotation, fine, latent_px)
    if not layer.rotation:
        soft = soft * coverage(np.ones((1, 1)), rect, fine, latent_px)
    return soft.astype(np.float32)


def hide_covered(
    mattes: Sequence[Array],
    opacities: Sequence[float],
    crops: Sequence[Cells],
    grid: Cells,
    k: int,
) -> tuple[list[Array], Array, Array]:
    """Composite cut-outs front to back, on `k` latent pixels a cell.

    Returns how much each shows, what no cut-out covers, and what shows through those that cover it.
    """
    free, bare = np.ones((2, grid.rows * k, grid.cols * k), np.float32)
    visible = [np.zeros_like(matte) for matte in mattes]
    for n in reversed(range(len(mattes))):
        part = crops[n].clip(grid)
        here = _scaled(part.within(crops[n]), k)
        there = _scaled(part.within(grid), k)
        own = mattes[n][here]
        visible[n][here] = opacities[n] * own * free[there]
        free[there] *= 1 - opacities[n] * own
        bare[there] *= 1 - own
    return visible, bare, np.maximum(free - bare, 0)


def _scaled(part: tuple[slice, slice], k: int) -> tuple[slice, slice]:
    return slice(part[0].start * k, part[0].stop * k), slice(part[1].start * k, part[1].stop * k)

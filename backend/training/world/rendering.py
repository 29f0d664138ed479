"""Chunks of rendered scenes, by one process or several. Chunk k depends on (seed, k) alone."""

from __future__ import annotations

import functools
import multiprocessing
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

from training.world import data

TRAINING_SEED = 1
CHUNK = 24  # scenes of one canvas


def render_chunks(
    work: Path, indices: Iterable[int], jobs: int = 1
) -> Iterator[tuple[np.ndarray, list[data.Told]]]:
    """Pixels (CHUNK, H, W, 3) uint8 and what is told of the scenes of each chunk, in order, by `jobs` processes."""
    tarball = data.download(work)
    if jobs == 1:
        yield from (_render(tarball, index) for index in indices)
        return
    context = multiprocessing.get_context("forkserver")
    with context.Pool(jobs, cv2.setNumThreads, (1,)) as pool:
        yield from pool.imap(functools.partial(_render, tarball), indices)


def _render(tarball: Path, index: int) -> tuple[np.ndarray, list[data.Told]]:
    return render_chunk(index, _training_figures(tarball))


@functools.cache
def _training_figures(tarball: Path) -> list[data.Figure]:
    """Once a process."""
    return data.split(data.load_figures(tarball))[0]


def render_chunk(index: int, figures: list[data.Figure]) -> tuple[np.ndarray, list[data.Told]]:
    """Pixels (CHUNK, H, W, 3) uint8 and what is told of the scenes of chunk `index`; the first is no close-up."""
    rng = np.random.default_rng((TRAINING_SEED, index))
    before, after = (int(count * data.CLOSE_CHUNKS) for count in (index, index + 1))
    if after > before:
        side = sorted(data.CLOSE_UPS)[before % len(data.CLOSE_UPS)]
        scenes = [data.render_close_up(rng, figures, side) for _ in range(CHUNK)]
    else:
        canvases, weights = list(data.CANVASES), np.array(list(data.CANVASES.values()))
        canvas = canvases[rng.choice(len(canvases), p=weights / weights.sum())]
        scenes = [data.render(rng, figures, canvas) for _ in range(CHUNK)]
    return np.stack([scene.pixels for scene in scenes]), [scene.told for scene in scenes]

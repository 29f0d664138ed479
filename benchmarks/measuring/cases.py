"""Cases of the fidelity benchmark: a figure in a place, a kept scene, three figures that overlap."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from PIL import Image

from standee.composition import Canvas, Composition, Layer, Method, Rect, Sampling, Scene
from standee_backend.bench import measures
from standee_backend.bench.measures import Array, Bools
from standee_backend.bench.scores import outlines
from standee_backend.engine.compose import compose
from standee_backend.engine.families.base import Family
from standee_backend.engine.layout import Layout, lay_out
from standee_backend.engine.pixels import images
from standee_backend.engine.token_cache.cache import TokenCache
from standee_backend.layout_picture import paste


@dataclass
class Blobs:
    """Pictures by digest."""

    data: dict[str, bytes] = field(default_factory=dict)

    def add(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        self.data[digest] = data
        return digest

    def add_array(self, pixels: Array) -> str:
        return self.add(images.encode_png(images.to_uint8(pixels)))

    def read(self, digest: str) -> bytes:
        return self.data[digest]


@dataclass
class Bench:
    """One loaded model and the settings of the run."""

    family: Family
    canvas: Canvas
    sampling: Sampling
    tokens: TokenCache
    blobs: Blobs = field(default_factory=Blobs)

    def run(self, composition: Composition, method: Method) -> Array:
        composition = msgspec.structs.replace(composition, method=method)
        seed = composition.sampling.seed
        return as_floats(
            compose(
                self.family, composition, self.blobs.read, seed=seed, cache=self.tokens
            ).finish()
        )

    def lay_out(self, composition: Composition) -> Layout:
        return lay_out(composition, self.blobs.read, self.family.patch, self.family.latent_px)


def measure_kept(bench: Bench) -> dict[str, float]:
    """Return the largest difference, of 255, inside the kept region after inpainting and outpainting."""
    width, height = bench.canvas.width, bench.canvas.height
    ramp = np.linspace(0, 1, width, dtype=np.float32)
    scene = np.stack(
        [np.tile(ramp, (height, 1)), np.full((height, width), 0.6), np.tile(1 - ramp, (height, 1))],
        2,
    )
    noise = np.random.default_rng(0).random(scene.shape) * 0.2
    scene = np.clip(scene * 0.8 + noise, 0, 1).astype(np.float32)
    hole = np.zeros((height, width), bool)
    hole[height // 4 : height // 2, width // 4 : width * 3 // 4] = True
    mask = np.repeat(~hole[..., None], 3, 2).astype(np.float32)
    picture = bench.blobs.add_array(scene)
    inner = Rect(width // 4, height // 4, width // 2, height // 2)
    inpaint = Scene(picture=picture, kept=bench.blobs.add_array(mask))
    outpaint = Scene(picture=bench.blobs.add_array(scene[: height // 2, : width // 2]), rect=inner)
    result: dict[str, float] = {}
    for name, given in (("inpaint", inpaint), ("outpaint", outpaint)):
        composition = Composition(
            canvas=bench.canvas, prompt="a meadow", scene=given, sampling=bench.sampling
        )
        layout = bench.lay_out(composition)
        assert layout.scene is not None
        made = bench.run(composition, Method())
        kept = layout.scene.kept > 0
        result[name] = float(np.abs(made - layout.scene.pixels)[kept].max() * 255)
        expected = ~hole if name == "inpaint" else _rectangle(inner, height, width)
        assert (kept == expected).all()
    return result


def measure_overlap(bench: Bench, figures: list[Path]) -> dict[str, Any]:
    """Compose three overlapping figures: each one's identity where it is seen, and what was injected."""
    third = bench.canvas.width // 8
    rects = [Rect(third * k, third * (1 + k), third * 4, third * 4) for k in range(3)]
    layers = tuple(
        Layer(picture=bench.blobs.add(figure.read_bytes()), rect=rect)
        for figure, rect in zip(figures, rects, strict=True)
    )
    composition = Composition(
        canvas=bench.canvas, prompt="a meadow", layers=layers, sampling=bench.sampling
    )
    layout = bench.lay_out(composition)
    injected = _watch_injected(bench.family)
    made = bench.run(composition, Method())
    placed = as_floats(np.asarray(paste(layout, as_image(made))))
    owner = layout.arrangement.owner
    free = np.flatnonzero(owner.ravel() < 0)
    twice = max((np.bincount(put).max() for put in injected if len(put)), default=0) > 1
    return {
        "psnr": [measures.psnr(made, placed, outlines(layout, s)[1]) for s in layout.subjects],
        "hidden cells": int(sum(layout.arrangement.hidden(i).sum() for i in range(3))),
        "hidden tokens injected": int(twice or any(np.isin(free, put).any() for put in injected)),
    }


def one_figure(bench: Bench, figure: Path, index: int, prompt: str) -> Composition:
    random = np.random.default_rng(index)
    side = bench.canvas.width * random.uniform(0.4, 0.6)
    room = bench.canvas.width - side
    rect = Rect(random.uniform(0.05, 0.95) * room, random.uniform(0.5, 0.95) * room, side, side)
    layer = Layer(picture=bench.blobs.add(figure.read_bytes()), rect=rect, id="figure")
    return Composition(
        canvas=bench.canvas,
        prompt=prompt,
        layers=(layer,),
        sampling=msgspec.structs.replace(bench.sampling, seed=index),
    )


def _watch_injected(family: Family) -> list[np.ndarray]:
    """Note, at every forward, the cells whose tokens are replaced."""
    seen: list[np.ndarray] = []
    velocity = family.velocity

    def watched(*args: Any) -> torch.Tensor:
        put = family.sites[0].put
        seen.append(np.array([], int) if put is None else put.cpu().numpy())
        return velocity(*args)

    family.velocity = watched  # type: ignore[method-assign]
    return seen


def _rectangle(rect: Rect, height: int, width: int) -> Bools:
    mask = np.zeros((height, width), bool)
    mask[int(rect.y) : int(rect.y + rect.h), int(rect.x) : int(rect.x + rect.w)] = True
    return mask


def as_floats(pixels: np.ndarray) -> Array:
    return pixels.astype(np.float32) / 255


def as_image(pixels: Array) -> Image.Image:
    return Image.fromarray(images.to_uint8(pixels))

"""Costs of composing against plain text to picture, in one run: seconds, forwards, peak memory.

    python benchmarks/cost.py [--model mini] [--repeats 3] [--json cost.json]
    python benchmarks/cost.py --family flux --size real      (`MODELS` has the names; needs a GPU of 80 GB)
    python benchmarks/cost.py --family flux --size tiny      (the same table, on any machine)

`plain` is diffusers' own pipeline. Rows of N subjects are given as ratios to it: `first` captures the subjects' tokens,
`cached` finds them in the token cache, `another seed` does too, `published` is the schedule of the published code: an
inversion pass per subject and step, then full-frame batches of N + 1. `scene` fills a hole in a scene. `--family`
measures random weights, which cost what trained ones do.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from measuring.cases import Blobs
from measuring.cost_meter import Meter, Row, judge, print_rows, summarise
from measuring.random_weights import CANVAS, MODELS, open_random
from torch import Tensor

from standee.composition import Canvas, Composition, Layer, Rect, Sampling, Scene
from standee_backend.catalog import catalog
from standee_backend.engine.compose import compose
from standee_backend.engine.families.base import Family
from standee_backend.engine.families.conditioning import Conditioning
from standee_backend.engine.loading.load import compile_blocks, load
from standee_backend.engine.token_cache.cache import TokenCache
from standee_backend.hardware.options import Options, resolve

COUNTS = (1, 3, 5)
"""How many subjects are composed; a model on a CPU is asked for three alone, which the goals are for."""
WORDS = "a meadow"
HOST = 96 * 2**30
"""Bytes that the token cache may take: five subjects of 576 cells over 28 steps of FLUX.1 are 28 GB."""

SAMPLE = 4
"""The published schedule, whose steps all cost the same, is run for so many of its steps."""


def main() -> int:
    """Run the benchmark; exit status 1 when a goal is missed."""
    given = _arguments()
    family, side = _open(given)
    meter, rows = Meter(family), []
    for compiled in (False, True) if given.compiled else (False,):
        if compiled:
            compile_blocks(family.transformer)
        rows += measure(family, side, given, meter, compiled)
    print_rows(rows)
    met = judge(rows, given.family, given.size)
    if given.json:
        given.json.write_text(json.dumps([row.said() for row in rows], indent=2) + "\n")
    return 0 if met else 1


def measure(
    family: Family, side: int, given: argparse.Namespace, meter: Meter, compiled: bool
) -> list[Row]:
    """Time every kind of run in turn, `repeats` times after a warm-up, and weigh each once."""
    runs = make_runs(family, side, given)
    runs["plain"]()
    if compiled:
        for run in runs.values():
            run()
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in runs}
    for _ in range(given.repeats):
        for name, run in runs.items():
            taken[name].append(meter.time(run))
    peaks: dict[str, float | None] = {}
    for name, run in runs.items():
        weighed = family.device.type == "cuda" or (
            not compiled and name.endswith(("plain", "first"))
        )
        peaks[name] = meter.weigh(run) if weighed else None
    return summarise(taken, peaks, compiled)


def make_runs(
    family: Family, side: int, given: argparse.Namespace
) -> dict[str, Callable[[], object]]:
    """Return the runs by name, the plain one first."""
    blobs, host = Blobs(), HOST if family.device.type == "cuda" else 2**30
    figures = [
        path.read_bytes() for path in sorted(given.subjects.glob("*.*"))[: max(given.counts)]
    ]
    runs: dict[str, Callable[[], object]] = {"plain": lambda: plain(family, side)}
    for count in given.counts:
        asked, kept = composition(side, figures[:count], blobs), TokenCache(host)

        def first(asked: Composition = asked) -> object:
            return compose(family, asked, blobs.read, seed=0, cache=TokenCache(host)).finish()

        def cached(asked: Composition = asked, kept: TokenCache = kept) -> object:
            return compose(family, asked, blobs.read, seed=0, cache=kept).finish()

        def reseeded(asked: Composition = asked, kept: TokenCache = kept) -> object:
            return compose(family, asked, blobs.read, seed=1, cache=kept).finish()

        cached()
        runs[f"N = {count}, first"], runs[f"N = {count}, cached"] = first, cached
        runs[f"N = {count}, another seed"] = reseeded
    filled = hole(side, blobs)
    runs["scene"] = lambda: compose(family, filled, blobs.read, seed=0).finish()
    for count in given.counts:
        runs[f"N = {count}, published"] = lambda count=count: published(family, side, count)
    return runs


def plain(family: Family, side: int) -> object:
    """Make a picture with diffusers' own pipeline."""
    return family.pipeline(
        prompt=WORDS,
        height=side,
        width=side,
        num_inference_steps=family.defaults.steps,
        guidance_scale=family.defaults.guidance,
        max_sequence_length=family.text_limit,
        output_type="np",
    ).images


def composition(side: int, figures: list[bytes], blobs: Blobs) -> Composition:
    """Stand figures of three eighths of the canvas in a row, each overlapping the one before."""
    size = side * 3 / 8
    layers = tuple(
        Layer(
            picture=blobs.add(figure), rect=Rect(index * side / 7, side / 3 + index * 8, size, size)
        )
        for index, figure in enumerate(figures)
    )
    return Composition(
        canvas=Canvas(side, side), prompt=WORDS, layers=layers, sampling=Sampling(seed=0)
    )


def hole(side: int, blobs: Blobs) -> Composition:
    """Fill a hole of half the canvas' sides in a scene."""
    pixels, kept = np.full((side, side, 3), 0.5, np.float32), np.ones((side, side))
    kept[side // 4 : side * 3 // 4, side // 4 : side * 3 // 4] = 0
    scene = Scene(picture=blobs.add_array(pixels), kept=blobs.add_array(kept))
    return Composition(
        canvas=Canvas(side, side), prompt=WORDS, scene=scene, sampling=Sampling(seed=0)
    )


def published(family: Family, side: int, count: int) -> dict[str, float]:
    """Run the published schedule's forwards on noise, and decode: its cost does not depend on content.

    Returns by how much the cost of its steps is to be multiplied, of which only some were run.
    """
    cells = side // family.patch
    sigmas = family.sigmas(family.defaults.steps, cells * cells)[:-1]
    chosen = sigmas[:SAMPLE]
    prompt = family.encode_prompt(WORDS, family.defaults.guidance)
    ids = family.grid_ids(cells, cells)
    tokens = torch.randn(count + 1, cells * cells, family.channels).to(family.device)
    for sigma in chosen.flip(0):
        for row in tokens[:count]:
            family.velocity(row[None], sigma, prompt, ids)
    batch = _repeated(prompt, count + 1)
    for sigma in chosen:
        family.velocity(tokens, sigma, batch, ids)
    _decode(family, tokens[-1:], cells)
    return {"times": len(sigmas) / len(chosen)}


def _repeated(prompt: Conditioning, times: int) -> Conditioning:
    """Return a prompt for a batch, whose rows all have it."""
    text, pooled = (part.expand(times, *part.shape[1:]) for part in (prompt.text, prompt.pooled))
    negative = prompt.negative and _repeated(prompt.negative, times)
    return replace(prompt, text=text, pooled=pooled, negative=negative)


def _decode(family: Family, tokens: Tensor, cells: int) -> Tensor:
    return family.decode_latents(tokens, cells, cells)


def _open(given: argparse.Namespace) -> tuple[Family, int]:
    if given.family:
        device, _ = resolve(Options())
        family, side = open_random(given.family, given.size, device), CANVAS[given.size]
    else:
        loaded = load(catalog.find(given.model), Options())
        assert isinstance(loaded, Family)
        family, side = loaded, 512
    family.pipeline.set_progress_bar_config(disable=True)
    return family, given.canvas or side


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model", default="mini", help="a name, a folder or a hub id")
    parser.add_argument("--family", choices=tuple(MODELS), help="instead of a model")
    parser.add_argument("--size", choices=tuple(CANVAS), default="tiny", help="of the family")
    parser.add_argument("--weights", choices=("random",), default="random", help="of the family")
    parser.add_argument("--canvas", type=int, help="its sides in px")
    parser.add_argument("--subjects", type=Path, default=catalog.MINI / "subjects")
    parser.add_argument("--compiled", action=argparse.BooleanOptionalAction)
    parser.add_argument("--counts", type=int, nargs="+", help="of subjects")
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    real = bool(given.family) and given.size == "real"
    given.size = given.size if given.family else None
    given.counts = given.counts or (COUNTS if given.family else COUNTS[1:2])
    given.repeats = given.repeats or (1 if real else 3)
    given.compiled = real if given.compiled is None else given.compiled
    return given


if __name__ == "__main__":
    sys.exit(main())

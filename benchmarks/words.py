"""Rectangles of words: whether a named figure comes inside its rectangle, and hardly without one.

    python benchmarks/words.py [--figures 50] [--work ~/.cache/standee-training] [--sheet words.png] [--json words.json]

Each figure is one whose name the model was trained to know, named as its captions name it. A place is painted with a
rectangle of these words, without it, with the words in the prompt alone, and with a subject that stands in front of
all of it. Two judges look: the matched filter, which finds the figure's own picture at the place in any of several
sizes, and change, which tells that anything stands there that does not without the words. Exit status 1 where a
mark is missed. The figures come with the npm client, as they do for training, and are kept in the work folder.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import torch
from measuring.cases import Bench
from PIL import Image, ImageOps

from standee.composition import Canvas, Composition, Layer, Method, Rect, Sampling
from standee_backend.bench.measures import Array
from standee_backend.catalog import catalog
from standee_backend.engine.loading.load import load
from standee_backend.engine.token_cache.cache import TokenCache
from standee_backend.hardware.options import Options
from training.world import data
from training.world.names import KNOWN_BY_NAME

PLACES = ("a meadow at noon", "a beach at noon", "snow at noon", "a desert at noon")
SIZES = (0.5, 0.65, 0.8, 0.95)
"""Sides of the figure that the filter tries, as shares of the rectangle's shorter side."""
FOUND = 0.55
"""The correlation from which on the filter says that the figure is there."""
STANDS, OF = 0.08, 0.15
"""A px that differs by the first from the place without words has changed; where this share of the rectangle has,
something stands there."""
INSIDE, WITHOUT = 0.70, 0.15
"""The marks: shares of figures that come with a rectangle, at least, and without, at most."""


def main() -> int:
    """Run the benchmark; exit status 1 when a mark is missed."""
    arguments = _arguments()
    torch.manual_seed(0)
    bench = Bench(
        load(catalog.find(arguments.model), Options()),
        Canvas(arguments.size, arguments.size),
        Sampling(model=arguments.model),
        TokenCache(2**30),
    )
    seen, held_out = data.split(data.load_figures(data.download(arguments.work)))
    figures = [figure for figure in seen if figure.name in KNOWN_BY_NAME][: arguments.figures]
    front = held_out[0].picture
    rows, found = [], []
    for index, figure in enumerate(figures):
        made = paint(bench, figure.name, index, front)
        rect = rectangle(index, arguments.size)
        found.append(
            {
                "figure": figure.name,
                "filter": {
                    name: correlation(one, figure.picture, rect) for name, one in made.items()
                },
                "change": {name: change(one, made["without"], rect) for name, one in made.items()},
            }
        )
        rows.append(np.concatenate(list(made.values()), axis=1))
        print(f"\r{index + 1}/{len(figures)} figures", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    report = {"model": arguments.model, "figures": found, "shares": shares(found)}
    report["marks"] = marks(report["shares"])
    for name, value in report["shares"].items():
        print(f"{name:40}{value:6.2f}")
    for mark, met in report["marks"].items():
        print(f"{'met   ' if met else 'MISSED'} {mark}")
    pixels = (np.concatenate(rows[:12]) * 255).astype(np.uint8)
    Image.fromarray(pixels).save(arguments.sheet)
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0 if all(report["marks"].values()) else 1


def rectangle(index: int, side: int) -> Rect:
    """Return the rectangle of a figure: at the left and at the right in turns, on the ground."""
    return Rect(side / 32 + (index % 2) * side * 7 / 16, side * 5 / 16, side / 2, side * 9 / 16)


def paint(bench: Bench, name: str, index: int, front: Image.Image) -> dict[str, Array]:
    """Return the place with a rectangle of words, without, with the words in the prompt, and hidden by a subject."""
    side = bench.canvas.width
    words = f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
    place, rect = PLACES[index % len(PLACES)], rectangle(index, side)
    told = Layer(rect=rect, prompt=words)
    opaque = np.ones((8, 8, 3), np.float32) * np.asarray(front.resize((1, 1)))[0, 0, :3] / 255
    subject = Layer(rect=rect, picture=bench.blobs.add_array(opaque), fit="stretch")
    sampling = Sampling(model=bench.sampling.model, seed=index)

    def made(prompt: str, *layers: Layer) -> Array:
        given = Composition(bench.canvas, prompt, layers, None, sampling)
        return bench.run(given, Method())

    hidden, alone = made(place, told, subject), made(place, subject)
    assert np.array_equal(hidden, alone), "words that are hidden change the picture"
    return {
        "words": made(place, told),
        "without": made(place),
        "prompt": made(f"{place} with {words}"),
        "hidden": hidden,
    }


def correlation(picture: Array, figure: Image.Image, rect: Rect) -> float:
    """Return the best correlation of a figure, inside its outline, with any place and size in the rectangle.

    The model saw figures mirrored as often as not, so either will do.
    """
    x, y, w, h = (round(side) for side in (rect.x, rect.y, rect.w, rect.h))
    part = np.ascontiguousarray(picture[y : y + h, x : x + w], np.float32)
    best = 0.0
    for size in SIZES:
        side = round(size * min(w, h))
        small = figure.copy()
        small.thumbnail((side, side), Image.Resampling.LANCZOS)
        for either in (small, ImageOps.mirror(small)):
            pixels = np.asarray(either, np.float32) / 255
            mask = np.repeat((pixels[..., 3:] > 0.5).astype(np.float32), 3, axis=2)
            colours = pixels[..., :3].copy()
            scores = cv2.matchTemplate(part, colours, cv2.TM_CCOEFF_NORMED, mask=mask)
            best = max(best, float(np.nan_to_num(scores, posinf=0, neginf=0).max()))
    return best


def change(picture: Array, place: Array, rect: Rect) -> float:
    """Return the share of the rectangle that differs from the place without words."""
    x, y, w, h = (round(side) for side in (rect.x, rect.y, rect.w, rect.h))
    differs = np.abs(picture - place)[y : y + h, x : x + w].max(axis=2) > STANDS
    return float(differs.mean())


def shares(found: list[dict[str, dict[str, float]]]) -> dict[str, float]:
    """Return of how many figures each judge says that they came, by the way they were asked for."""
    ways, result = ("words", "without", "prompt"), {}
    for way in ways:
        result[f"the figure itself, {way}"] = _mean(one["filter"][way] > FOUND for one in found)
        result[f"something stands there, {way}"] = _mean(one["change"][way] > OF for one in found)
    return result


def marks(share: dict[str, float]) -> dict[str, bool]:
    """Say which marks are met."""
    return {
        f"the figure comes inside its rectangle in >= {INSIDE:.0%}": (
            share["the figure itself, words"] >= INSIDE
        ),
        f"and without one in <= {WITHOUT:.0%}": share["the figure itself, without"] <= WITHOUT,
        f"something comes inside the rectangle in >= {INSIDE:.0%}": (
            share["something stands there, words"] >= INSIDE
        ),
    }


def _mean(answers: object) -> float:
    return float(np.mean(list(answers)))  # type: ignore[call-overload]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model", default="mini", help="a name, a folder or a hub id")
    parser.add_argument("--figures", type=int, default=50, help="how many figures are named")
    parser.add_argument("--size", type=int, default=256, help="the canvas' sides in px")
    parser.add_argument(
        "--work", type=Path, default=Path.home() / ".cache/standee-training", help="for the figures"
    )
    parser.add_argument("--sheet", type=Path, default=Path("words.png"))
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

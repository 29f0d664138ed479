"""How well subjects keep their identity, how their seams look, and what is kept: measured in one run.

    python benchmarks/fidelity.py [--figures 48] [--sheet fidelity.png] [--json fidelity.json]
    python benchmarks/fidelity.py --model FOLDER --subjects FOLDER --metrics clip,dino

Each figure, which the model never saw, stands once in a prompted place. Identity is measured inside the visible cells
against the figure placed there; the seam as the step in colour across the cut-out's edge, against plain pasting onto
the picture of the prompt alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import measures
import msgspec
import numpy as np
import torch
from measures import Array, Bools
from PIL import Image

from standee.composition import Canvas, Composition, Layer, Method, Rect, Sampling, Scene
from standee_backend.catalog import catalog
from standee_backend.demo import paste
from standee_backend.engine import images
from standee_backend.engine.compose import compose
from standee_backend.engine.families.base import Family
from standee_backend.engine.layout import Stage, Staged, stage
from standee_backend.engine.loading.load import load
from standee_backend.engine.token_cache.cache import TokenCache
from standee_backend.hardware.options import Options

HERE = Path(__file__).parent
PLACES = (
    "a beach",
    "a meadow",
    "a night sky",
    "a sunset",
    "a desert",
    "snow",
    "the ocean",
    "a studio",
)
NOTHING = Method(inject=False, shared_noise=False, anchor=False, sharing=False)
VARIANTS: dict[str, Method] = {
    "ours": Method(),
    "without shared noise": Method(shared_noise=False),
    "without anchor": Method(anchor=False),
    "no injection": NOTHING,
    "tokens alone": Method(anchor=False, sharing=False),
    "anchor alone": msgspec.structs.replace(NOTHING, shared_noise=True, anchor=True),
    "sharing alone": msgspec.structs.replace(NOTHING, sharing=True),
}
PASTE = "plain paste"


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
        return _floats(
            compose(self.family, composition, self.blobs.read, seed=seed, cache=self.tokens)
        )

    def stage(self, composition: Composition) -> Stage:
        return stage(composition, self.blobs.read, self.family.patch, self.family.latent_px)


def main() -> int:
    """Run the benchmark; exit status 1 when a goal is missed."""
    arguments = _arguments()
    torch.manual_seed(0)
    info = catalog.find(arguments.model)
    bench = Bench(
        load(info, Options()),
        Canvas(arguments.size, arguments.size),
        Sampling(model=arguments.model, steps=arguments.steps),
        TokenCache(0, arguments.token_precision),
    )
    figures = sorted(arguments.subjects.glob("*.png")) + sorted(arguments.subjects.glob("*.webp"))
    figures = figures[: arguments.figures]
    if not figures:
        sys.exit(f"There are no pictures in {arguments.subjects}. Name a folder with --subjects.")

    scores, rows = measure_figures(bench, figures, _extra_metrics(arguments))
    report: dict[str, Any] = {
        "model": arguments.model,
        "figures": len(figures),
        "variants": {name: _means(score) for name, score in scores.items()},
        "kept pixels": measure_kept(bench),
        "three overlapped": measure_overlap(bench, figures[:3]),
    }
    report["goals"] = goals(report)
    print_report(report)
    arguments.sheet.parent.mkdir(parents=True, exist_ok=True)
    sheet(rows).save(arguments.sheet)
    print(f"\nPictures: {arguments.sheet}")
    if arguments.json:
        finite = json.dumps(report, indent=2).replace("Infinity", "null")  # plain pasting is exact
        arguments.json.write_text(finite + "\n")
    return 0 if all(report["goals"].values()) else 1


Extra = Callable[[Array, Staged, str, Array], dict[str, float]]


def measure_figures(
    bench: Bench, figures: list[Path], extra: Extra
) -> tuple[dict[str, list[dict[str, float]]], list[list[Array]]]:
    """Compose each figure once per variant. Returns all scores, and rows of pictures for the sheet."""
    scores: dict[str, list[dict[str, float]]] = {name: [] for name in (*VARIANTS, PASTE)}
    rows = []
    for index, figure in enumerate(figures):
        composition = _one_figure(bench, figure, index)
        staged = bench.stage(composition)
        [subject] = staged.subjects
        made = {name: bench.run(composition, method) for name, method in VARIANTS.items()}
        made[PASTE] = _floats(np.asarray(paste(staged, _image(made["no injection"]))))
        cut_out, visible = _masks(staged, subject)
        for name, picture in made.items():
            placed = _floats(np.asarray(paste(staged, _image(picture))))
            scores[name].append(
                {
                    "psnr": measures.psnr(picture, placed, visible),
                    "ssim": measures.ssim(picture, placed, visible),
                    "seam": measures.edge_gradient(picture, cut_out),
                    **extra(picture, subject, composition.prompt, placed),
                }
            )
        rows.append([_floats(np.asarray(paste(staged, _white(bench.canvas)))), *made.values()])
        print(f"\r{index + 1}/{len(figures)} figures", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return scores, rows


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
        staged = bench.stage(composition)
        assert staged.scene is not None
        made = bench.run(composition, Method())
        kept = staged.scene.kept > 0
        result[name] = float(np.abs(made - staged.scene.pixels)[kept].max() * 255)
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
        canvas=bench.canvas, prompt=PLACES[1], layers=layers, sampling=bench.sampling
    )
    staged = bench.stage(composition)
    injected = _watch_injected(bench.family)
    made = bench.run(composition, Method())
    placed = _floats(np.asarray(paste(staged, _image(made))))
    owner = staged.arrangement.owner
    free = np.flatnonzero(owner.ravel() < 0)
    twice = max((np.bincount(put).max() for put in injected if len(put)), default=0) > 1
    return {
        "psnr": [measures.psnr(made, placed, _masks(staged, s)[1]) for s in staged.subjects],
        "hidden cells": int(sum(staged.arrangement.hidden(i).sum() for i in range(3))),
        "hidden tokens injected": int(twice or any(np.isin(free, put).any() for put in injected)),
    }


def goals(report: dict[str, Any]) -> dict[str, bool]:
    """Say which goals are met."""
    variants = report["variants"]
    return {
        "8 dB over no injection": variants["ours"]["psnr"] >= variants["no injection"]["psnr"] + 8,
        "seam 30 % below plain paste": variants["ours"]["seam"] <= 0.7 * variants[PASTE]["seam"],
        "kept pixels identical": not any(report["kept pixels"].values()),
        "no hidden token injected": report["three overlapped"]["hidden tokens injected"] == 0,
    }


def print_report(report: dict[str, Any]) -> None:
    """Print the report as tables."""
    names = list(next(iter(report["variants"].values())))
    print(f"{'':24}" + "".join(f"{name:>10}" for name in names))
    for variant, means in report["variants"].items():
        print(f"{variant:24}" + "".join(f"{means[name]:10.3f}" for name in names))
    print(f"\nkept pixels, largest difference: {report['kept pixels']}")
    print(f"three overlapped: {report['three overlapped']}")
    for goal, met in report["goals"].items():
        print(f"{'met   ' if met else 'MISSED'} {goal}")


def sheet(rows: list[list[Array]], most: int = 12) -> Image.Image:
    """Lay out rows of pictures: the figure as placed, then each variant."""
    from PIL import ImageDraw, ImageFont

    names = ["figure placed", *VARIANTS, PASTE]
    height, width = rows[0][0].shape[:2]
    out = Image.new("RGB", (width * len(names), 24 + height * min(most, len(rows))), "white")
    draw = ImageDraw.Draw(out)
    for col, name in enumerate(names):
        draw.text((col * width + 6, 4), name, (40, 40, 40), ImageFont.load_default(14))
    for row, pictures_of_row in enumerate(rows[:most]):
        for col, picture in enumerate(pictures_of_row):
            out.paste(_image(picture), (col * width, 24 + row * height))
    return out


def _one_figure(bench: Bench, figure: Path, index: int) -> Composition:
    random = np.random.default_rng(index)
    side = bench.canvas.width * random.uniform(0.4, 0.6)
    room = bench.canvas.width - side
    rect = Rect(random.uniform(0.05, 0.95) * room, random.uniform(0.5, 0.95) * room, side, side)
    layer = Layer(picture=bench.blobs.add(figure.read_bytes()), rect=rect, id="figure")
    return Composition(
        canvas=bench.canvas,
        prompt=PLACES[index % len(PLACES)],
        layers=(layer,),
        sampling=msgspec.structs.replace(bench.sampling, seed=index),
    )


def _masks(staged: Stage, subject: Staged) -> tuple[Bools, Bools]:
    """Return a subject's cut-out on the canvas, and the part of it inside the cells that it owns."""
    _, matte, _ = subject.paint(staged.grid.rect(staged.patch), staged.patch)
    index = [s.index for s in staged.subjects].index(subject.index)
    owned = np.kron(staged.arrangement.owner == index, np.ones((staged.patch, staged.patch), bool))
    return matte >= 0.5, (matte >= 0.5) & owned


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


def _extra_metrics(arguments: argparse.Namespace) -> Extra:
    wanted = {name for name in arguments.metrics.split(",") if name}
    clip = measures.Clip(arguments.clip) if "clip" in wanted else None
    dino = measures.Dino(arguments.dino) if "dino" in wanted else None

    def extra(picture: Array, subject: Staged, prompt: str, placed: Array) -> dict[str, float]:
        box = subject.layer.rect
        crop = (int(box.x), int(box.y), int(box.x + box.w), int(box.y + box.h))
        ours, reference = _image(picture).crop(crop), _image(placed).crop(crop)
        scores = {}
        if clip:
            scores["clip-t"] = clip.text(_image(picture), prompt)
            scores["clip-i"] = clip.picture(ours, reference)
        if dino:
            scores["dino"] = dino.picture(ours, reference)
        return scores

    return extra


def _means(scores: list[dict[str, float]]) -> dict[str, float]:
    return {name: fmean(score[name] for score in scores) for name in scores[0]}


def _rectangle(rect: Rect, height: int, width: int) -> Bools:
    mask = np.zeros((height, width), bool)
    mask[int(rect.y) : int(rect.y + rect.h), int(rect.x) : int(rect.x + rect.w)] = True
    return mask


def _floats(pixels: np.ndarray) -> Array:
    return pixels.astype(np.float32) / 255


def _image(pixels: Array) -> Image.Image:
    return Image.fromarray(images.to_uint8(pixels))


def _white(canvas: Canvas) -> Image.Image:
    return Image.new("RGB", (canvas.width, canvas.height), "white")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model", default="mini", help="a name, a folder or a hub id")
    parser.add_argument(
        "--subjects", type=Path, default=HERE / "figures", help="cut-outs with alpha"
    )
    parser.add_argument("--figures", type=int, default=48, help="how many of them")
    parser.add_argument("--size", type=int, default=256, help="the canvas' sides in px")
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--token-precision", choices=("model", "fp8"), default="model")
    parser.add_argument(
        "--metrics", default="", help="clip,dino: the paper's scores, for real weights"
    )
    parser.add_argument("--clip", default="openai/clip-vit-large-patch14", help="folder or hub id")
    parser.add_argument("--dino", default="facebook/dinov2-base", help="folder or hub id")
    parser.add_argument("--sheet", type=Path, default=Path("fidelity.png"))
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

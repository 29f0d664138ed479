"""Fidelity of subjects to their identity and to the light of the place, beside pasting, in one run.

    python benchmarks/fidelity.py [--figures 24] [--sheet fidelity.png] [--json fidelity.json]
    python benchmarks/fidelity.py --model FOLDER --subjects FOLDER --metrics clip,dino,dreamsim,segclip

Each figure, which the model never saw, stands once in a prompted place. On the bundled model the truth is known: the
figure drawn in the light of that place (`lit_truth.py`). Identity is measured inside the visible cut-out against it,
whole and without its low frequencies; harmony is how near those low frequencies, colour and light, are. Tokens bring a
subject in its own light, so what they carry is measured against the figure as it is (`own`). Each row is a part of the
method alone, or what people do without it: pasting, and pasting followed by the model's own picture-to-picture. Means
are given with half the width of their 95 % interval. Exit status 1 where a mark is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from measuring import lit_truth
from measuring.cases import (
    Bench,
    as_floats,
    as_image,
    measure_kept,
    measure_overlap,
    one_figure,
)
from measuring.lit_truth import Place
from PIL import Image, ImageDraw, ImageFont

from standee.composition import Canvas, Composition, Method, Sampling
from standee_backend.bench import measures, networks
from standee_backend.bench.measures import Array
from standee_backend.bench.scores import outlines
from standee_backend.catalog import catalog
from standee_backend.engine.layout import Layout, PlacedSubject
from standee_backend.engine.loading.load import load
from standee_backend.engine.token_cache.cache import TokenCache
from standee_backend.hardware.options import Options
from standee_backend.layout_picture import paste

TOKENS = Method(anchor=0.0, sharing=False, detail=0.0)
VARIANTS: dict[str, Method] = {
    "composed": Method(),
    "tokens, every step": msgspec.structs.replace(TOKENS, tau=0.0),
    "tokens": TOKENS,
    "tokens, then shared": msgspec.structs.replace(TOKENS, sharing=True),
    "shared alone": msgspec.structs.replace(TOKENS, sharing=True, inject=False),
    "anchor alone": Method(inject=False, sharing=False, detail=0.0),
    "nothing": msgspec.structs.replace(TOKENS, inject=False),
}
CONTROLLED = (4, 8, 20)
"""Numbers of steps at which `variation` and `fidelity` are tried."""

PASTE, EDITED = "paste", "paste, then edited"

Extra = Callable[[Array, PlacedSubject, str, Array], dict[str, float]]


@dataclass(frozen=True)
class Score:
    """What was measured of one picture; `strong`: in a light that pasting gets wrong."""

    values: dict[str, float]
    strong: bool


def main() -> int:
    """Run the benchmark; exit status 1 when a mark is missed."""
    arguments = _arguments()
    torch.manual_seed(0)
    bench = Bench(
        load(catalog.find(arguments.model), Options()),
        Canvas(arguments.size, arguments.size),
        Sampling(model=arguments.model, steps=arguments.steps),
        TokenCache(2**31, arguments.token_precision),
    )
    figures = sorted(arguments.subjects.glob("*.png")) + sorted(arguments.subjects.glob("*.webp"))
    figures = figures[: arguments.figures]
    if not figures:
        sys.exit(f"There are no pictures in {arguments.subjects}. Name a folder with --subjects.")
    scores, rows = measure_figures(bench, figures, _extra_metrics(arguments))
    report: dict[str, Any] = {
        "model": arguments.model,
        "figures": len(figures),
        "variants": {name: summary(of_one) for name, of_one in scores.items()},
        "strong light": {
            name: summary([score for score in of_one if score.strong])
            for name, of_one in scores.items()
        },
        "controls": measure_controls(bench, figures[:4]),
        "kept pixels": measure_kept(bench),
        "three overlapped": measure_overlap(bench, figures[:3]),
    }
    report["marks"] = marks(report)
    print_report(report)
    arguments.sheet.parent.mkdir(parents=True, exist_ok=True)
    sheet(rows).save(arguments.sheet)
    print(f"\nPictures: {arguments.sheet}")
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2).replace("Infinity", "null") + "\n")
    return 0 if all(report["marks"].values()) else 1


def measure_figures(
    bench: Bench, figures: list[Path], extra: Extra
) -> tuple[dict[str, list[Score]], list[list[Array]]]:
    """Compose each figure once per variant. Returns all scores, and rows of pictures for the sheet."""
    scores: dict[str, list[Score]] = {name: [] for name in (*VARIANTS, PASTE, EDITED)}
    rows = []
    for index, figure in enumerate(figures):
        where = lit_truth.place(index)
        composition = one_figure(bench, figure, index, where.prompt)
        layout = bench.lay_out(composition)
        made = {name: bench.run(composition, method) for name, method in VARIANTS.items()}
        made[PASTE] = as_floats(np.asarray(paste(layout, as_image(made["nothing"]))))
        made[EDITED] = bench.run(composition, Method(mode="edit"))
        for name, picture in made.items():
            values = measure(layout, picture, made["nothing"], where, extra, composition)
            scores[name].append(Score(values, where.light in lit_truth.STRONG))
        rows.append([truth(layout, made["nothing"], where)[0], *made.values()])
        print(f"\r{index + 1}/{len(figures)} figures", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return scores, rows


def measure(
    layout: Layout,
    picture: Array,
    free: Array,
    where: Place,
    extra: Extra,
    composition: Composition,
) -> dict[str, float]:
    """Measure one picture of one figure against the nearest of its truths."""
    [subject] = layout.subjects
    cut_out, visible = outlines(layout, subject)
    width = max(3.0, float(np.sqrt(visible.sum())) / 6)
    nearest = max(truth(layout, free, where), key=lambda one: measures.psnr(picture, one, visible))
    pasted = as_floats(np.asarray(paste(layout, as_image(picture))))
    low, low_truth = (measures.low_pass(p, visible, width) for p in (picture, nearest))
    far = ~(measures.dilated(cut_out, int(2 * width)))
    return {
        "psnr": measures.psnr(picture, nearest, visible),
        "own": measures.psnr(picture, pasted, visible),
        "ssim": measures.ssim(picture, nearest, visible),
        "identity": measures.psnr(picture - low, nearest - low_truth, visible),
        "harmony": measures.psnr(low, low_truth, visible),
        "seam": measures.edge_gradient(picture, cut_out),
        "halo": measures.halo(picture, cut_out, max(3, int(width / 4))),
        "others": measures.edges(picture, far),
        **extra(picture, subject, composition.prompt, nearest),
    }


def truth(layout: Layout, place: Array, where: Place) -> list[Array]:
    """Return a place's picture with the figure drawn in its light, for each place of the sun."""
    [subject] = layout.subjects
    colour, matte, _ = subject.paint(layout.grid.rect(layout.patch), layout.patch)
    pixels = np.concatenate([colour, matte[..., None]], axis=2)
    rows, cols = (np.flatnonzero((matte > 0.02).any(axis=axis)) for axis in (1, 0))
    box = slice(rows[0], rows[-1] + 1), slice(cols[0], cols[-1] + 1)
    pictures = []
    for lit in lit_truth.lit(pixels[box], where, (rows[-1] + 1) / len(matte)):
        picture = place.copy()
        picture[box] = (
            picture[box] * (1 - lit[..., 3:]) + np.clip(lit[..., :3], 0, 1) * lit[..., 3:]
        )
        pictures.append(picture)
    return pictures


def measure_controls(bench: Bench, figures: list[Path]) -> dict[str, dict[int, list[float]]]:
    """Return the mean identity for `variation` and `fidelity` from 0 to 1 in ten steps, for each number of steps."""
    result: dict[str, dict[int, list[float]]] = {"variation": {}, "fidelity": {}}
    for control, by_steps in result.items():
        for steps in CONTROLLED:
            by_steps[steps] = [
                float(
                    np.mean(
                        [
                            _identity(bench, *one, control, tenth / 10, steps)
                            for one in enumerate(figures)
                        ]
                    )
                )
                for tenth in range(11)
            ]
    return result


def _identity(
    bench: Bench, index: int, figure: Path, control: str, value: float, steps: int
) -> float:
    """Return the identity (dB) of a figure on a meadow at noon, one of its layer's controls set to a value."""
    where = lit_truth.Place("meadow", "noon")
    plain = one_figure(bench, figure, index, where.prompt)
    replace = msgspec.structs.replace
    composition = replace(
        plain,
        layers=tuple(replace(layer, **{control: value}) for layer in plain.layers),
        sampling=replace(plain.sampling, steps=steps),
    )
    picture = bench.run(composition, Method())
    layout = bench.lay_out(composition)
    return measure(layout, picture, picture, where, lambda *_: {}, composition)["psnr"]


def marks(report: dict[str, Any]) -> dict[str, bool]:
    """Say which marks are met."""
    mean = {name: {k: v[0] for k, v in row.items()} for name, row in report["variants"].items()}
    strong = {
        name: {k: v[0] for k, v in row.items()} for name, row in report["strong light"].items()
    }
    falls = np.diff([*report["controls"]["variation"].values()])
    rises = np.diff([*report["controls"]["fidelity"].values()])
    return {
        "tokens at every step >= 26 dB": mean["tokens, every step"]["own"] >= 26,
        "tokens at the default threshold >= 18 dB": mean["tokens"]["own"] >= 18,
        "late sharing adds 2 dB": mean["tokens, then shared"]["own"] >= mean["tokens"]["own"] + 2,
        "sharing alone beats nothing by 2 dB": mean["shared alone"]["own"]
        >= mean["nothing"]["own"] + 2,
        "harmony 3 dB over paste in strong light": strong["composed"]["harmony"]
        >= strong[PASTE]["harmony"] + 3,
        "identity without low-pass colour >= 30 dB": mean["composed"]["identity"] >= 30,
        "seam 50 % below paste": mean["composed"]["seam"] <= 0.5 * mean[PASTE]["seam"],
        "variation falls, by 4 dB a step at most": bool((falls < 0.1).all() and (falls > -4).all()),
        "fidelity rises, by 4 dB a step at most": bool((rises > -0.1).all() and (rises < 4).all()),
        "kept pixels identical": not any(report["kept pixels"].values()),
        "no hidden token injected": report["three overlapped"]["hidden tokens injected"] == 0,
    }


def summary(scores: list[Score]) -> dict[str, tuple[float, float]]:
    """Return the mean of each figure, and half the width of its 95 % interval."""
    if not scores:
        return {}
    result = {}
    for name in scores[0].values:
        values = np.array([min(score.values[name], 99.0) for score in scores])
        half = 1.96 * values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
        result[name] = (float(values.mean()), float(half))
    return result


def print_report(report: dict[str, Any]) -> None:
    """Print the report as tables."""
    for title in ("variants", "strong light"):
        names = list(next(iter(report[title].values())))
        print(f"{title:24}" + "".join(f"{name:>15}" for name in names))
        for variant, row in report[title].items():
            cells = (f"{mean:.3f} ± {half:.3f}" for mean, half in row.values())
            print(f"{variant:24}" + "".join(f"{cell:>15}" for cell in cells))
        print()
    for control, by_steps in report["controls"].items():
        for steps, values in by_steps.items():
            print(f"{control}, {steps} steps: " + " ".join(f"{value:.1f}" for value in values))
    print(f"kept pixels, largest difference: {report['kept pixels']}")
    print(f"three overlapped: {report['three overlapped']}")
    for mark, met in report["marks"].items():
        print(f"{'met   ' if met else 'MISSED'} {mark}")


def sheet(rows: list[list[Array]], most: int = 12) -> Image.Image:
    """Lay out rows of pictures: the truth, then each variant."""
    names = ["the truth", *VARIANTS, PASTE, EDITED]
    height, width = rows[0][0].shape[:2]
    out = Image.new("RGB", (width * len(names), 24 + height * min(most, len(rows))), "white")
    draw = ImageDraw.Draw(out)
    for col, name in enumerate(names):
        draw.text((col * width + 6, 4), name, (40, 40, 40), ImageFont.load_default(14))
    for row, pictures_of_row in enumerate(rows[:most]):
        for col, picture in enumerate(pictures_of_row):
            out.paste(as_image(picture), (col * width, 24 + row * height))
    return out


def _extra_metrics(arguments: argparse.Namespace) -> Extra:
    """Return what measures with published networks, on real weights."""
    wanted = {name for name in arguments.metrics.split(",") if name}
    clip = networks.Clip(arguments.clip, download=True) if wanted & {"clip", "segclip"} else None
    dino = networks.Dino(arguments.dino, download=True) if "dino" in wanted else None
    dreamsim = networks.DreamSim() if "dreamsim" in wanted else None

    def extra(
        picture: Array, subject: PlacedSubject, prompt: str, placed: Array
    ) -> dict[str, float]:
        box = subject.layer.rect
        crop = (int(box.x), int(box.y), int(box.x + box.w), int(box.y + box.h))
        ours, reference = as_image(picture).crop(crop), as_image(placed).crop(crop)
        scores = {}
        if clip and "clip" in wanted:
            scores["clip-t"] = clip.text(as_image(picture), prompt)
            scores["clip-i"] = clip.picture(ours, reference)
        if clip and "segclip" in wanted:
            cut = subject.picture.colour.copy()
            cut.putalpha(subject.picture.matte)
            scores["segclip-i"] = clip.picture(ours, cut.convert("RGB"))
        if dino:
            scores["dino"] = dino.picture(ours, reference)
        if dreamsim:
            scores["dreamsim"] = dreamsim.picture(ours, reference)
        return scores

    return extra


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model", default="mini", help="a name, a folder or a hub id")
    parser.add_argument(
        "--subjects", type=Path, default=catalog.MINI / "subjects", help="cut-outs with alpha"
    )
    parser.add_argument("--figures", type=int, default=24, help="how many of them")
    parser.add_argument("--size", type=int, default=512, help="the canvas' sides in px")
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--token-precision", choices=("model", "fp8"), default="model")
    parser.add_argument(
        "--metrics",
        default="",
        help="clip,dino,dreamsim,segclip: published scores, for real weights",
    )
    parser.add_argument("--clip", default=networks.CLIP, help="folder or hub id")
    parser.add_argument("--dino", default=networks.DINO, help="folder or hub id")
    parser.add_argument("--sheet", type=Path, default=Path("fidelity.png"))
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

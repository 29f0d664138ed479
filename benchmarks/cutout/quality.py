"""Cut-out quality: GrabCut alone, a network that GrabCut completes, and after clicks.

    python benchmarks/cutout/quality.py --network isnet.onnx [--photos ../shared/photos] [--sheet cutouts.png]

`--photos` holds `NAME.jpg` or `.png` beside `NAME_mask.png`, white on the subject. Figures of `--figures`, PNG files
with transparency, are pasted onto `--grounds`, so that their true masks are known. A click is where a person would put
it: in the middle of the largest piece that is wrong. What is printed is the intersection over the union with the
published mask, at one half; the sheet shows the cut-outs on magenta, with their own colours along the edge. Exit
status 1 where the network is worse than GrabCut alone, or below .95 after three clicks.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from standee.wire.messages import GRABCUT, Point
from standee_backend.engine.cutout.cutout import cut_out
from standee_backend.engine.pixels.foreground import own_colours

CLICKS = 3
WANTED = 0.95
MAGENTA = np.array([1.0, 0.0, 1.0], np.float32)
PANEL, SHARE = 256, 0.62
"""px of a picture on the sheet, and how much of a ground a pasted figure takes."""

Bools = NDArray[np.bool_]
Mask = NDArray[np.uint8]


@dataclass(frozen=True)
class Case:
    """A picture and its true subject."""

    name: str
    picture: Image.Image
    truth: Bools


def main() -> int:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--network", required=True, help="an ONNX file of a salient-object network")
    parser.add_argument("--photos", type=Path, default=Path("../shared/photos"))
    parser.add_argument("--figures", type=Path, nargs="*", default=[])
    parser.add_argument("--grounds", type=Path, nargs="*", default=[])
    parser.add_argument("--names", nargs="*", help="these photographs only")
    parser.add_argument("--sheet", type=Path, help="a picture of the cut-outs to write")
    given = parser.parse_args()
    cases = [*_photographs(given.photos, given.names), *_figures(given.figures, given.grounds)]
    missed, rows = False, []
    print(f"{'':16}{'GrabCut':>8} {'clicks 1 2 3':20}{'network':>8} {'clicks 1 2 3':20}{'s':>6}")
    for case in cases:
        alone, alone_after, _ = _measured(case, GRABCUT)
        began = time.perf_counter()
        by_network, after, mask = _measured(case, given.network)
        seconds = time.perf_counter() - began
        shown = [" ".join(f"{one:.3f}" for one in some) for some in (alone_after, after)]
        print(
            f"{case.name:16}{alone:8.3f} {shown[0]:20}{by_network:8.3f} {shown[1]:20}{seconds:6.1f}",
            flush=True,
        )
        missed |= by_network < alone or max(by_network, *after) < WANTED
        rows.append(_panels(case, mask))
    if given.sheet and rows:
        Image.fromarray(np.concatenate(rows)).save(given.sheet, optimize=True)
    return int(missed)


def _photographs(folder: Path, names: list[str] | None) -> Iterator[Case]:
    for mask in sorted(folder.glob("*_mask.png")):
        name = mask.name.removesuffix("_mask.png")
        files = [mask.with_name(name + suffix) for suffix in (".jpg", ".png")]
        picture = next((file for file in files if file.exists()), None)
        if picture and (not names or name in names):
            truth = np.asarray(Image.open(mask).convert("L")) > 127
            yield Case(name, Image.open(picture).convert("RGB"), truth)


def _figures(figures: list[Path], grounds: list[Path]) -> Iterator[Case]:
    """Yield each figure on a ground, in turn."""
    for index, file in enumerate(figures if grounds else []):
        ground = Image.open(grounds[index % len(grounds)]).convert("RGB").resize((512, 512))
        side = round(SHARE * 512)
        figure = Image.open(file).convert("RGBA").resize((side, side), Image.Resampling.LANCZOS)
        at = (512 - side) // 2, 500 - side
        ground.paste(figure, at, figure)
        truth = Image.new("L", ground.size)
        truth.paste(figure.getchannel("A"), at)
        yield Case(file.stem, ground, np.asarray(truth) > 127)


def _measured(case: Case, model: str) -> tuple[float, list[float], Mask]:
    """Return how well a model does by itself and after each click, and its own mask."""
    first = mask = cut_out(case.picture, model=model)
    points: tuple[Point, ...] = ()
    after = []
    for _ in range(CLICKS):
        if (point := next_click(mask >= 128, case.truth)) is not None:
            points += (point,)
            mask = cut_out(case.picture, model=model, points=points)
        after.append(overlap(mask, case.truth))
    return overlap(first, case.truth), after, first


def overlap(mask: Mask, truth: Bools) -> float:
    """Return the intersection over the union, at one half."""
    inside = mask >= 128
    return float((inside & truth).sum() / (inside | truth).sum())


def next_click(inside: Bools, truth: Bools) -> Point | None:
    """Return a click in the middle of the largest piece that is wrong, or `None` where none is."""
    wrong = (inside != truth).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(wrong, connectivity=4)
    if count < 2:
        return None
    piece = labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    depth = cv2.distanceTransform(np.pad(piece, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return Point(float(x) + 0.5, float(y) + 0.5, inside=bool(truth[y, x]))


def _panels(case: Case, mask: Mask) -> Mask:
    """Return the picture, its matte, the cut-out with mixed colours and with its own, beside each other."""
    colour = np.asarray(case.picture, np.float32) / 255
    share = mask.astype(np.float32) / 255
    own = own_colours(colour, share)
    share = share[..., None]
    shown = (
        colour,
        np.repeat(share, 3, axis=2),
        *(share * one + (1 - share) * MAGENTA for one in (colour, own)),
    )
    panels = []
    for one in shown:
        image = Image.fromarray((one * 255).astype(np.uint8))
        panels.append(np.asarray(image.resize((PANEL, PANEL), Image.Resampling.LANCZOS)))
    return np.concatenate(panels, axis=1)


if __name__ == "__main__":
    sys.exit(main())

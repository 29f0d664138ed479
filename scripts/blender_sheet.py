"""Make the sheets of docs/blender.md: Suzanne and a pillar, and a range of eight frames.

    python scripts/blender_sheet.py [--out docs/blender]

Blender runs as a module (`make blender`), the daemon from this environment on the bundled model.
Prints how like the composed Suzanne is to the rendered one, and that what is kept is identical.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[1]
BPY = Path(os.environ.get("STANDEE_BPY") or ROOT / ".venv-bpy/bin/python")
SIDE, GAP, TOP = 256, 8, 22
COLUMNS = {
    "whole": "rendered: the truth",
    "scene": "the scene without her",
    "result": "composed",
}
WHITE, INK = (255, 255, 255), (40, 40, 40)


def main() -> int:
    """Run Blender and the daemon, and put the pictures together."""
    parser = argparse.ArgumentParser(description="Make the sheets of docs/blender.md.")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "blender")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="standee-sheet-") as name:
        folder = Path(name)
        report = make(folder)
        for place, numbers in measure(folder, report).items():
            print(place, numbers)
        print("range", report["range"])
        sheet(folder, report).save(options.out / "suzanne.png", optimize=True)
        strip(folder).save(options.out / "range.png", optimize=True)
    print(options.out / "suzanne.png", options.out / "range.png")
    return 0


def make(folder: Path) -> dict[str, dict[str, dict[str, list[float]]]]:
    """Let Blender and the daemon make all pictures; return what Blender reports."""
    home = folder / "home"
    environment = os.environ | {"STANDEE_HOME": str(home)}
    command = [sys.executable, "-m", "standee_backend.daemon"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as daemon:
        try:
            end = time.monotonic() + 60
            while not (home / "connection.json").exists():
                if time.monotonic() > end:
                    raise SystemExit("standee: the daemon does not start: run `standee serve`")
                time.sleep(0.2)
            script = "tests.blender_addon.in_blender.suzanne"
            subprocess.run(
                [str(BPY), "-m", script, str(home / "connection.json"), str(folder)],
                cwd=ROOT,
                env=os.environ | {"BLENDER_USER_RESOURCES": str(folder / "blender")},
                check=True,
                stdout=subprocess.DEVNULL,
            )
        finally:
            daemon.terminate()
    report: dict[str, dict[str, dict[str, list[float]]]] = json.loads(
        (folder / "report.json").read_text(encoding="utf-8")
    )
    return report


def measure(
    folder: Path, report: dict[str, dict[str, dict[str, list[float]]]]
) -> dict[str, dict[str, float]]:
    """Return per place: the likeness to the render (dB), and the largest change far from her."""
    out = {}
    for place, about in report["places"].items():
        whole, scene, result = (pixels(folder, place, kind) for kind in COLUMNS)
        seen = np.abs(whole - scene).max(axis=2) > 24
        x, y, w, h = about["rect"]
        far = np.ones(seen.shape, bool)
        reach = 48
        far[
            max(0, int(y) - reach) : int(y + h) + reach, max(0, int(x) - reach) : int(x + w) + reach
        ] = False
        error = float(((whole - result)[seen] ** 2).mean())
        out[place] = {
            "likeness (dB)": round(float(10 * np.log10(255**2 / max(error, 1e-9))), 1),
            "change far from her": float(np.abs(scene - result)[far].max(initial=0)),
        }
    return out


def sheet(folder: Path, report: dict[str, dict[str, dict[str, list[float]]]]) -> Image.Image:
    """Return a row per place: the truth, the scene with her rectangle, her cut-out, the result."""
    columns = ["whole", "scene", "subject", "result"]
    titles = [COLUMNS["whole"], "scene, and her rectangle", "her cut-out, less what hides it"]
    titles.append(COLUMNS["result"])
    places = list(report["places"])
    out = Image.new("RGB", (4 * (SIDE + GAP) + GAP, len(places) * (SIDE + TOP) + GAP), WHITE)
    draw = ImageDraw.Draw(out)
    for row, place in enumerate(places):
        for column, kind in enumerate(columns):
            at = (GAP + column * (SIDE + GAP), TOP + row * (SIDE + TOP))
            picture = cut_out(folder, place) if kind == "subject" else load(folder, place, kind)
            if kind == "scene":
                x, y, w, h = report["places"][place]["rect"]
                ImageDraw.Draw(picture).rectangle(
                    (x, y, x + w, y + h), outline=(255, 158, 40), width=2
                )
            out.paste(picture, at)
            draw.text((at[0], at[1] - 16), f"{place}: {titles[column]}", INK)
    return out


def strip(folder: Path) -> Image.Image:
    """Return the eight frames side by side, half as large."""
    side = SIDE // 2
    names = sorted((folder / "frames").glob("*.png"))
    out = Image.new("RGB", (len(names) * (side + 4) + 4, side + 8), WHITE)
    for index, name in enumerate(names):
        out.paste(Image.open(name).convert("RGB").resize((side, side)), (4 + index * (side + 4), 4))
    return out


def cut_out(folder: Path, place: str) -> Image.Image:
    """Return her picture on a checkerboard, cut by the mask that was sent."""
    picture = Image.open(folder / f"{place} subject.png").convert("RGBA")
    mask = folder / f"{place} mask.png"
    if mask.is_file():
        picture.putalpha(Image.open(mask).convert("L").resize(picture.size))
    tiles = (np.indices((SIDE, SIDE)) // 16).sum(axis=0) % 2
    out = Image.fromarray((190 + 40 * tiles).astype(np.uint8)).convert("RGB")
    picture.thumbnail((SIDE, SIDE))
    out.paste(picture, ((SIDE - picture.width) // 2, (SIDE - picture.height) // 2), picture)
    return out


def load(folder: Path, place: str, kind: str) -> Image.Image:
    """Return one of Blender's pictures."""
    return Image.open(folder / f"{place} {kind}.png").convert("RGB")


def pixels(folder: Path, place: str, kind: str) -> NDArray[np.float64]:
    """Return one of Blender's pictures as numbers, 0..255."""
    return np.asarray(load(folder, place, kind), dtype=np.float64)


if __name__ == "__main__":
    sys.exit(main())

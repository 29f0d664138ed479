"""Sheets of docs/blender.md: Suzanne and a pillar, a range of eight frames, a walk of four.

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
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parents[1]
BPY = Path(os.environ.get("STANDEE_BPY") or ROOT / ".venv-bpy/bin/python")
SIDE, GAP, TOP, EDGE = 256, 8, 30, 32
"""The sizes of a picture as it is shown, of the gaps between two, and of the margins for words, px."""
COLUMNS = {
    "whole": "rendered: the truth",
    "scene": "the scene with her shadow",
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
        sheet(folder, report).save(options.out / "suzanne.webp", quality=85, method=6)
        strip(folder).save(options.out / "range.webp", quality=85, method=6)
        walk(folder).save(options.out / "walk.webp", quality=85, method=6)
    print(*(options.out / f"{name}.webp" for name in ("suzanne", "range", "walk")))
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
        reach = 3 * result.shape[0] // 16
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
    titles = {
        "whole": "Rendered: the truth",
        "scene": "Scene, her shadow and rectangle",
        "subject": "Her cut-out, less what hides it",
        "result": "Composed",
    }
    places = list(report["places"])
    size = (EDGE + 4 * (SIDE + GAP), TOP + len(places) * (SIDE + GAP))
    out = Image.new("RGB", size, WHITE)
    draw, font = ImageDraw.Draw(out), ImageFont.load_default(14)
    for column, (kind, title) in enumerate(titles.items()):
        x = EDGE + column * (SIDE + GAP)
        draw.text((x, TOP - 8), title, INK, font, anchor="ls")
        for row, place in enumerate(places):
            picture = cut_out(folder, place) if kind == "subject" else load(folder, place, kind)
            picture = picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            if kind == "scene":
                drawn = SIDE / load(folder, place, kind).width
                outline(picture, [drawn * edge for edge in report["places"][place]["rect"]])
            out.paste(picture, (x, TOP + row * (SIDE + GAP)))
    for row, place in enumerate(places):
        out.paste(upright(place.capitalize(), font), (6, TOP + row * (SIDE + GAP)))
    return out


def outline(picture: Image.Image, rect: list[float]) -> None:
    """Draw her rectangle (x, y, w, h in px) as the 3D view does."""
    x, y, w, h = rect
    draw = ImageDraw.Draw(picture)
    draw.rectangle((x - 1, y - 1, x + w + 1, y + h + 1), outline=(20, 20, 20), width=4)
    draw.rectangle((x, y, x + w, y + h), outline=(255, 158, 40), width=2)


def upright(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> Image.Image:
    """Return words that stand beside a row, read from below."""
    out = Image.new("RGB", (SIDE, EDGE - 10), WHITE)
    ImageDraw.Draw(out).text((SIDE / 2, EDGE - 16), text, INK, font, anchor="ms")
    return out.rotate(90, expand=True)


def strip(folder: Path) -> Image.Image:
    """Return the eight frames side by side, half as large, with their numbers."""
    side = SIDE // 2
    names = sorted((folder / "frames" / "take_001").glob("*.png"))
    out = Image.new("RGB", (len(names) * (side + 4) + 4, side + 26), WHITE)
    draw, font = ImageDraw.Draw(out), ImageFont.load_default(12)
    for index, name in enumerate(names):
        x = 4 + index * (side + 4)
        out.paste(Image.open(name).convert("RGB").resize((side, side)), (x, 4))
        draw.text((x + side / 2, side + 20), str(int(name.stem)), INK, font, anchor="ms")
    return out


def walk(folder: Path) -> Image.Image:
    """Return four frames: the card in 3D, the scene with its shadow alone, and what is composed."""
    titles = {
        "whole": "In 3D",
        "scene": "Fresh render",
        "result": "Composed",
    }
    frames = sorted((folder / "walk" / "take_001").glob("*.png"))
    size = (EDGE + len(frames) * (SIDE + GAP), GAP + len(titles) * (SIDE + GAP))
    out, font = Image.new("RGB", size, WHITE), ImageFont.load_default(14)
    for row, (kind, title) in enumerate(titles.items()):
        y = GAP + row * (SIDE + GAP)
        out.paste(upright(title, font), (6, y))
        for column, frame in enumerate(frames):
            name = f"walk {int(frame.stem)} {kind}.png"
            picture = Image.open(frame if kind == "result" else folder / name)
            shown = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            out.paste(shown, (EDGE + column * (SIDE + GAP), y))
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

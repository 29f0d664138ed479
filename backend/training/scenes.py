"""Scenes rendered once and kept in memory-mapped files of the work folder.

`scenes/pixels.npy` is (N, SIZE, SIZE, 3) uint8, `scenes/captions.json` lists place and names, and
`latents.npy` is (N, 16, SIZE/8, SIZE/8) float16, already shifted and scaled for the transformer.
Scene i depends on (seed, i) alone, so a larger store extends a smaller one.
"""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderDC

from training import data

TRAINING_SEED = 1
HELD_OUT_SEED = 2  # scenes of held-out figures
CHUNK = 256


def render_store(work: Path, count: int, processes: int) -> None:
    """Render `count` scenes of training figures unless they are there already."""
    folder = work / "scenes"
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "captions.json").exists() and len(load_captions(work)) >= count:
        return
    shape = (count, data.SIZE, data.SIZE, 3)
    pixels = np.lib.format.open_memmap(folder / "pixels.npy", "w+", np.uint8, shape)
    captions = []
    chunks = [range(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]
    with ProcessPoolExecutor(processes) as pool:
        for chunk, scenes in zip(
            chunks, pool.map(partial(_render_chunk, work), chunks), strict=True
        ):
            pixels[chunk.start : chunk.stop] = np.stack([scene.pixels for scene in scenes])
            captions += [[scene.place, list(scene.figures)] for scene in scenes]
    pixels.flush()
    (folder / "captions.json").write_text(json.dumps(captions))


def _render_chunk(work: Path, indices: range) -> list[data.Scene]:
    training, _ = data.split(data.load_figures(data.download(work)))
    return [data.render(np.random.default_rng((TRAINING_SEED, i)), training) for i in indices]


def load_captions(work: Path) -> list[tuple[str, list[str]]]:
    """(place, names of its figures) of every scene."""
    return [tuple(entry) for entry in json.loads((work / "scenes/captions.json").read_text())]


def load_pixels(work: Path) -> np.ndarray:
    """(N, SIZE, SIZE, 3) uint8, memory-mapped."""
    return np.load(work / "scenes/pixels.npy", mmap_mode="r")


def held_out_scenes(work: Path, count: int) -> np.ndarray:
    """(count, SIZE, SIZE, 3) uint8: one to three held-out figures each."""
    _, held_out = data.split(data.load_figures(data.download(work)))
    rng = np.random.default_rng(HELD_OUT_SEED)
    return np.stack([data.render(rng, held_out, 1 + i % 3).pixels for i in range(count)])


def to_tensor(pixels: np.ndarray, device: torch.device) -> torch.Tensor:
    """(N, H, W, 3) uint8 to (N, 3, H, W) float32 in -1..1, channels last in memory."""
    picture = torch.from_numpy(np.array(pixels)).to(device).permute(0, 3, 1, 2)
    return (picture.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def to_pixels(pictures: torch.Tensor) -> np.ndarray:
    """The reverse of `to_tensor`."""
    return (
        ((pictures.float().clamp(-1, 1) + 1) * 127.5)
        .round()
        .byte()
        .permute(0, 2, 3, 1)
        .cpu()
        .numpy()
    )


@torch.inference_mode()
def encode_store(work: Path, vae: AutoencoderDC, device: torch.device, batch: int = 16) -> None:
    """Write the latents of every scene, resuming where an earlier run stopped."""
    pixels = load_pixels(work)
    shape = (len(pixels), vae.config.latent_channels, data.SIZE // 8, data.SIZE // 8)
    path, progress = work / "latents.npy", work / "latents.json"
    done = json.loads(progress.read_text())["done"] if progress.exists() else 0
    latents = np.lib.format.open_memmap(path, "r+" if done else "w+", np.float16, shape)
    for start in range(done, len(pixels), batch):
        pictures = to_tensor(pixels[start : start + batch], device)
        with torch.autocast(device.type, torch.bfloat16):
            raw = vae.encode(pictures).latent
        scaled = (raw.float() - vae.config.shift_factor) * vae.config.scaling_factor
        latents[start : start + batch] = scaled.half().cpu().numpy()
        if start // batch % 16 == 15 or start + batch >= len(pixels):
            latents.flush()
            progress.write_text(json.dumps({"done": min(start + batch, len(pixels))}))


def load_latents(work: Path) -> np.ndarray:
    """(N, 16, SIZE/8, SIZE/8) float16, memory-mapped: the scenes encoded so far."""
    done = json.loads((work / "latents.json").read_text())["done"]
    return np.load(work / "latents.npy", mmap_mode="r")[:done]

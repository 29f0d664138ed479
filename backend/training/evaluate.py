"""Looks at an exported pipeline: numbers for the model card, and sheets of pictures to judge.

All figures shown or measured here are held out of training. `anchored` imitates the engine's anchor
alone, without its token replacement: enough to see whether unseen figures survive the last steps.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import torch
from diffusers import FluxPipeline
from PIL import Image

from training import data, scenes, text
from training.pca import Pca, psnr
from training.transformer import grid_ids, pack, unpack
from training.vae import compare, reconstruct

GRID = data.SIZE // 16
STEPS = 20
TAU = 0.4
SIGMAS = (0.1, 0.2, 0.35, 0.5, 0.7)
PROMPTS = (
    "a beach at noon",
    "a meadow",
    "a night sky",
    "a sunset",
    "a desert",
    "snow",
    "an ocean",
    "a grey studio",
    "a beach in the evening",
    "a starry night",
    "a meadow with a red apple",
    "a beach with a tiger face",
    "a pink studio",
    "an empty desert",
    "a snowy field with a snowman",
    "",
)


def evaluate(folder: Path, work: Path, device: torch.device) -> dict[str, float]:
    """Measure, write `evaluation/numbers.json` and the sheets into the work folder."""
    pipeline = FluxPipeline.from_pretrained(folder, dtype=torch.float32).to(device)
    pipeline.set_progress_bar_config(disable=True)
    sheets = work / "evaluation"
    sheets.mkdir(parents=True, exist_ok=True)
    pixels = scenes.held_out_scenes(work, 48)
    shown = pixels[:16]
    pca = Pca.fit(scenes.to_tensor(scenes.load_pixels(work)[:512], device))
    linear, learned = compare(pipeline.vae, pca, pixels, device)
    numbers = {"pca_psnr": linear, "vae_psnr": learned}
    for sigma in SIGMAS:
        numbers[f"denoised_psnr_{sigma}"] = denoised_psnr(pipeline, shown, sigma, GRID)
        numbers[f"denoised_crop_psnr_{sigma}"] = denoised_psnr(pipeline, shown, sigma, 8)
    numbers = {name: round(value, 2) for name, value in numbers.items()}
    (sheets / "numbers.json").write_text(json.dumps(numbers, indent=1) + "\n")
    print(json.dumps(numbers, indent=1))
    pairs = np.stack([shown, reconstruct(pipeline.vae, shown, device)], 1).reshape(
        -1, *shown.shape[1:]
    )
    data.contact_sheet(list(pairs), 8).save(sheets / "reconstructions.png")
    data.contact_sheet(prompted(pipeline), 8).save(sheets / "prompts.png")
    data.contact_sheet(placements(pipeline, work, device), 4).save(sheets / "placements.png")
    return numbers


def encode(pipeline: FluxPipeline, pixels: np.ndarray) -> torch.Tensor:
    """(N, H, W, 3) uint8 to scaled latents (N, 16, H/8, W/8)."""
    vae = pipeline.vae
    raw = vae.encode(scenes.to_tensor(pixels, vae.device)).latent
    return (raw - vae.config.shift_factor) * vae.config.scaling_factor


def decode(pipeline: FluxPipeline, latents: torch.Tensor) -> np.ndarray:
    """The reverse of `encode`."""
    vae = pipeline.vae
    return scenes.to_pixels(
        vae.decode(latents / vae.config.scaling_factor + vae.config.shift_factor).sample
    )


def _velocity(pipeline: FluxPipeline, tokens, sigma: float, prompt: str, grid: int) -> torch.Tensor:
    states, pooled, text_ids = pipeline.encode_prompt(
        prompt=prompt, prompt_2=None, max_sequence_length=text.MAX_TOKENS
    )
    count = len(tokens)
    return pipeline.transformer(
        hidden_states=tokens,
        timestep=torch.full((count,), sigma, device=tokens.device),
        encoder_hidden_states=states.expand(count, -1, -1),
        pooled_projections=pooled.expand(count, -1),
        txt_ids=text_ids,
        img_ids=grid_ids(grid, grid, 0, 0, tokens.device),
        return_dict=False,
    )[0]


@torch.inference_mode()
def denoised_psnr(pipeline: FluxPipeline, pixels: np.ndarray, sigma: float, grid: int) -> float:
    """PSNR of the decoded one-step estimate x0 = x - sigma * v, without a prompt, against the VAE's own."""
    pictures = pixels[:, 64 : 64 + grid * 16, 64 : 64 + grid * 16] if grid < GRID else pixels
    clean = encode(pipeline, pictures)
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0)).to(clean)
    noisy = pack(torch.lerp(clean, noise, sigma))
    estimate = unpack(noisy - sigma * _velocity(pipeline, noisy, sigma, "", grid), grid, grid)
    return psnr(decode(pipeline, estimate), decode(pipeline, clean))


def prompted(pipeline: FluxPipeline) -> list[np.ndarray]:
    """One sample for each of PROMPTS from the stock pipeline."""
    return [
        np.asarray(
            pipeline(
                prompt,
                height=data.SIZE,
                width=data.SIZE,
                num_inference_steps=STEPS,
                max_sequence_length=text.MAX_TOKENS,
                generator=torch.Generator().manual_seed(index),
            ).images[0]
        )
        for index, prompt in enumerate(PROMPTS)
    ]


def placements(pipeline: FluxPipeline, work: Path, device: torch.device) -> list[np.ndarray]:
    """For each place: what was pasted, and what the model made of it with two held-out figures anchored."""
    _, held_out = data.split(data.load_figures(data.download(work)))
    pictures = []
    for index, prompt in enumerate(PROMPTS[:8]):
        chosen = [held_out[(7 * index + offset) % len(held_out)] for offset in (1, 40)]
        pictures += anchored(pipeline, prompt, chosen, TAU, seed=index)
    return pictures


@torch.inference_mode()
def anchored(
    pipeline: FluxPipeline, prompt: str, figures: list[data.Figure], tau: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """(pasted, generated): figures stand side by side, held to their trajectory while sigma > tau."""
    generator = torch.Generator().manual_seed(seed)
    noise = pack(torch.randn(1, 16, 2 * GRID, 2 * GRID, generator=generator)).to(pipeline.device)
    pipeline.scheduler.set_timesteps(sigmas=np.linspace(1, 1 / STEPS, STEPS))
    sigmas = pipeline.scheduler.sigmas.tolist()

    def sample(clean: torch.Tensor | None, held: torch.Tensor | None) -> np.ndarray:
        tokens = noise
        for sigma, following in itertools.pairwise(sigmas):
            tokens = tokens + (following - sigma) * _velocity(pipeline, tokens, sigma, prompt, GRID)
            if held is not None and following > tau:
                tokens = torch.where(held, torch.lerp(clean, noise, following), tokens)
        return decode(pipeline, unpack(tokens, GRID, GRID))[0]

    canvas = sample(None, None).astype(np.float32) / 255
    coverage = np.zeros((data.SIZE, data.SIZE, 3), np.float32)
    for index, figure in enumerate(figures):
        picture = figure.picture.copy()
        picture.thumbnail((112, 128), Image.Resampling.LANCZOS)
        pixels = np.asarray(picture, np.float32) / 255
        left, top = 8 + 128 * index + (112 - picture.width) // 2, 240 - 24 * index - picture.height
        data.paste(canvas, pixels, left, top)
        pixels[..., :3] = 1
        data.paste(coverage, pixels, left, top)
    pasted = data.to_uint8(canvas)
    cells = coverage[..., 0].reshape(GRID, 16, GRID, 16).mean((1, 3)).reshape(1, -1, 1) >= 0.5
    clean = pack(encode(pipeline, pasted[None]))
    return pasted, sample(clean, torch.from_numpy(cells).to(clean.device))

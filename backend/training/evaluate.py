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
from diffusers.pipelines.flux.pipeline_flux import calculate_shift
from PIL import Image

from training import scenes, text
from training.pca import psnr
from training.transformer import grid_ids, pack, unpack
from training.vae import compare, fit_pca, reconstruct
from training.world import data

CANVASES = ((data.SIZE, data.SIZE), (512, 288))  # (width, height)
CROP = 16  # tokens a side
STEPS = 20
TAU = 0.4
SIGMAS = (0.1, 0.2, 0.35, 0.5, 0.7)
PLACES = {  # prompt: painter and light
    "a beach at noon": ("beach", "noon"),
    "a beach at sunset": ("beach", "sunset"),
    "a beach at night": ("beach", "night"),
    "a beach in the fog": ("beach", "fog"),
    "a meadow in the morning": ("meadow", "morning"),
    "a meadow at night": ("meadow", "night"),
    "hills in the evening": ("hills", "evening"),
    "a desert at noon": ("desert", "noon"),
    "snow at sunset": ("snow", "sunset"),
    "the ocean on a cloudy day": ("ocean", "cloudy"),
    "a lake in the fog": ("lake", "fog"),
    "a forest at night": ("forest", "night"),
    "a street after the rain": ("street", "rain"),
    "a street at sunset": ("street", "sunset"),
}
OTHERS = ("a pink studio in dim light", "a beach at sunset with a robot", "a teal background", "")
RENDERED = 6  # scenes a prompt's colours are compared with


def evaluate(
    folder: Path,
    work: Path,
    device: torch.device,
    photographs: Path | None = None,
    count: int = 16,
    steps: int = STEPS,
) -> dict[str, float]:
    """Measure, write `evaluation/numbers.json` and the sheets into the work folder.

    `count` scenes and prompts, half as many placements, samples of `steps` steps. The autoencoder is also measured on
    the pictures in `photographs`.
    """
    pipeline = FluxPipeline.from_pretrained(folder, dtype=torch.float32).to(device)
    pipeline.set_progress_bar_config(disable=True)
    sheets = work / "evaluation"
    sheets.mkdir(parents=True, exist_ok=True)
    pca = fit_pca([picture for chunk in scenes.load_pictures(work) for picture in chunk], device)
    numbers: dict[str, float] = {}
    for canvas in CANVASES:
        name, held_out = "{}x{}".format(*canvas), scenes.held_out_scenes(work, count, canvas)
        linear, learned = compare(pipeline.vae, pca, held_out, device)
        numbers |= {f"pca_psnr_{name}": linear, f"vae_psnr_{name}": learned}
        for sigma in SIGMAS:
            numbers[f"denoised_psnr_{name}_{sigma}"] = denoised_psnr(pipeline, held_out, sigma)
        pictures, error = prompted(pipeline, canvas, count, steps)
        numbers[f"place_colour_error_{name}"] = error
        data.contact_sheet(pictures, 4).save(sheets / f"prompts_{name}.png")
        placed = placements(pipeline, work, canvas, (count + 1) // 2, steps)
        data.contact_sheet(placed, 4).save(sheets / f"placements_{name}.png")
        if canvas == CANVASES[0]:
            crops = held_out[:, 64 : 64 + CROP * 16, 64 : 64 + CROP * 16]
            for sigma in SIGMAS:
                numbers[f"denoised_crop_psnr_{sigma}"] = denoised_psnr(pipeline, crops, sigma)
            made = reconstruct(pipeline.vae, held_out[:4], device)
            pairs = [picture for pair in zip(held_out, made, strict=False) for picture in pair]
            data.contact_sheet(pairs, 4).save(sheets / "reconstructions.png")
    for path in sorted(photographs.glob("*.jpg")) if photographs else ():
        picture = load_photograph(path)[None]
        numbers[f"vae_psnr_{path.stem}"] = psnr(reconstruct(pipeline.vae, picture, device), picture)
    numbers = {name: round(value, 2) for name, value in numbers.items()}
    (sheets / "numbers.json").write_text(json.dumps(numbers, indent=1) + "\n")
    print(json.dumps(numbers, indent=1))
    return numbers


def load_photograph(path: Path) -> np.ndarray:
    """(H, W, 3) uint8, cropped to whole latents."""
    pixels = np.asarray(Image.open(path).convert("RGB"))
    return pixels[: len(pixels) // 8 * 8, : pixels.shape[1] // 8 * 8]


def encode(pipeline: FluxPipeline, pixels: np.ndarray) -> torch.Tensor:
    """(N, H, W, 3) uint8 to scaled latents (N, 16, H/8, W/8)."""
    vae = pipeline.vae
    parts = [
        vae.encode(scenes.to_tensor(pixels[i : i + 1], vae.device)).latent
        for i in range(len(pixels))
    ]
    return (torch.cat(parts) - vae.config.shift_factor) * vae.config.scaling_factor


def decode(pipeline: FluxPipeline, latents: torch.Tensor) -> np.ndarray:
    """The reverse of `encode`."""
    vae = pipeline.vae
    raw = latents / vae.config.scaling_factor + vae.config.shift_factor
    return np.concatenate([scenes.to_pixels(vae.decode(part[None]).sample) for part in raw])


def _velocity(
    pipeline: FluxPipeline, tokens: torch.Tensor, sigma: float, prompt: str, grid: tuple[int, int]
) -> torch.Tensor:
    """Of (N, rows*columns, 64) tokens, one after another: attention over many whole pictures takes gigabytes."""
    states, pooled, text_ids = pipeline.encode_prompt(
        prompt=prompt, prompt_2=None, max_sequence_length=text.MAX_TOKENS
    )
    ids = grid_ids(*grid, 0, 0, tokens.device)
    level = torch.full((1,), sigma, device=tokens.device)
    made = [
        pipeline.transformer(
            hidden_states=one[None],
            timestep=level,
            encoder_hidden_states=states,
            pooled_projections=pooled,
            txt_ids=text_ids,
            img_ids=ids,
            return_dict=False,
        )[0]
        for one in tokens
    ]
    return torch.cat(made)


@torch.inference_mode()
def denoised_psnr(pipeline: FluxPipeline, pixels: np.ndarray, sigma: float) -> float:
    """PSNR of the decoded one-step estimate x0 = x - sigma * v, without a prompt, against the VAE's own."""
    clean = encode(pipeline, pixels)
    grid = clean.shape[2] // 2, clean.shape[3] // 2
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0)).to(clean)
    noisy = pack(torch.lerp(clean, noise, sigma))
    estimate = unpack(noisy - sigma * _velocity(pipeline, noisy, sigma, "", grid), *grid)
    return psnr(decode(pipeline, estimate), decode(pipeline, clean))


def prompted(
    pipeline: FluxPipeline, canvas: tuple[int, int], count: int, steps: int
) -> tuple[list[np.ndarray], float]:
    """`count` samples from the stock pipeline, and how far their colours are from the places that were asked for.

    The error is that of a picture's mean colour in 0..255, against scenes rendered of the same place and light.
    """
    pictures, errors = [], []
    for index, prompt in enumerate(itertools.islice((*PLACES, *OTHERS), count)):
        made = pipeline(
            prompt,
            width=canvas[0],
            height=canvas[1],
            num_inference_steps=steps,
            max_sequence_length=text.MAX_TOKENS,
            generator=torch.Generator().manual_seed(index),
        ).images[0]
        pictures.append(np.asarray(made))
        if prompt in PLACES:
            rng = np.random.default_rng((5, index))
            true = [data.render_empty(rng, *PLACES[prompt], canvas) for _ in range(RENDERED)]
            difference = pictures[-1].mean((0, 1)) - np.mean(true, (0, 1, 2))
            errors.append(np.abs(difference).mean())
    return pictures, float(np.mean(errors))


def placements(
    pipeline: FluxPipeline, work: Path, canvas: tuple[int, int], count: int, steps: int
) -> list[np.ndarray]:
    """`count` pairs: what was pasted, and what the model made of it with two held-out figures anchored."""
    _, held_out = data.split(data.load_figures(data.download(work)))
    pictures: list[np.ndarray] = []
    for index, prompt in enumerate(itertools.islice(PLACES, count)):
        chosen = [held_out[(7 * index + offset) % len(held_out)] for offset in (1, 40)]
        pictures += anchored(pipeline, prompt, chosen, canvas, steps, seed=index)
    return pictures


@torch.inference_mode()
def anchored(
    pipeline: FluxPipeline,
    prompt: str,
    figures: list[data.Figure],
    canvas: tuple[int, int],
    steps: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """(pasted, generated): figures stand side by side, held to their trajectory while sigma > TAU."""
    width, height = canvas
    grid = rows, columns = height // 16, width // 16
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(1, 16, 2 * rows, 2 * columns, generator=generator).to(pipeline.device)
    noise = pack(noise)
    sigmas = schedule(pipeline, rows * columns, steps)

    def sample(clean: torch.Tensor | None, held: torch.Tensor | None) -> np.ndarray:
        tokens = noise
        for sigma, following in itertools.pairwise(sigmas):
            tokens = tokens + (following - sigma) * _velocity(pipeline, tokens, sigma, prompt, grid)
            if held is not None and following > TAU:
                tokens = torch.where(held, torch.lerp(clean, noise, following), tokens)
        return decode(pipeline, unpack(tokens, *grid))[0]

    pasted = sample(None, None).astype(np.float32) / 255
    coverage = np.zeros((height, width, 3), np.float32)
    for index, figure in enumerate(figures):
        picture = figure.picture.copy()
        picture.thumbnail((width * 7 // 16, height // 2), Image.Resampling.LANCZOS)
        pixels = np.asarray(picture, np.float32) / 255
        left = width * (1 + 2 * index) // 4 - picture.width // 2
        top = height * (15 - index) // 16 - picture.height
        data.paste(pasted, pixels, left, top)
        pixels[..., :3] = 1
        data.paste(coverage, pixels, left, top)
    shown = data.to_uint8(pasted)
    cells = coverage[..., 0].reshape(rows, 16, columns, 16).mean((1, 3)).reshape(1, -1, 1) >= 0.5
    clean = pack(encode(pipeline, shown[None]))
    return shown, sample(clean, torch.from_numpy(cells).to(clean.device))


def schedule(pipeline: FluxPipeline, tokens: int, steps: int) -> list[float]:
    """Noise levels of so many steps on a canvas of so many tokens, from the pipeline's own scheduler."""
    config = pipeline.scheduler.config
    shift = calculate_shift(
        tokens,
        config.base_image_seq_len,
        config.max_image_seq_len,
        config.base_shift,
        config.max_shift,
    )
    pipeline.scheduler.set_timesteps(sigmas=np.linspace(1, 1 / steps, steps), mu=shift)
    return pipeline.scheduler.sigmas.tolist()

"""The f8 16-channel VAE: a small AutoencoderDC that starts as the exact linear PCA.

AutoencoderDC (Deep Compression, arXiv 2410.10733) moves between scales by pixel (un)shuffling, so a
linear map of 8x8 patches fits into it exactly; nearest-neighbour upsampling, as in AutoencoderKL,
cannot tell the pixels of a patch apart and spends thousands of steps to approach the PCA. Training
then learns only what the PCA misses, and a weak pull towards the PCA's coefficients keeps latents
smooth and of unit scale. The decoder sees latents with a little noise, since a sampler's latents are
never exact.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderDC
from diffusers.models.autoencoders.autoencoder_dc import DCUpBlock2d, ResBlock

from training import scenes
from training.pca import COMPONENTS, Pca, psnr
from training.pictures import LARGEST, Crops, load_photographs
from training.presets import Preset
from training.world import data

LARGE_CROPS = 0.15  # of the minutes, at the end: every other step on 256 px instead of 128 px
HELD_OUT = 8  # scenes to measure on
WARM_UP = 50  # steps
AVERAGE = 0.995  # decay of the weights' moving average
LATENT_NOISE = 0.06  # standard deviation at most
RESIDUAL_GAIN = 0.005  # of the residual blocks' norms at the start
PEDESTAL = 30.0  # a constant channel that makes the last norm almost linear


def build(preset: Preset) -> AutoencoderDC:
    layers, plain = (0, *[preset.vae_layers] * 3), ((),) * 4
    return AutoencoderDC(
        latent_channels=COMPONENTS,
        encoder_block_types="ResBlock",
        decoder_block_types="ResBlock",
        encoder_block_out_channels=preset.vae_channels,
        decoder_block_out_channels=preset.vae_channels,
        encoder_layers_per_block=layers,
        decoder_layers_per_block=layers,
        encoder_qkv_multiscales=plain,
        decoder_qkv_multiscales=plain,
        upsample_block_type="pixel_shuffle",
        downsample_block_type="pixel_unshuffle",
        encoder_out_shortcut=False,
        decoder_in_shortcut=False,
    )


@torch.no_grad()
def start_from_pca(vae: AutoencoderDC, pca: Pca) -> None:
    """Set the weights so that encoder and decoder equal the PCA's up to rounding.

    Needs at least 13, 48 and 192 channels at the scales 1/2, 1/4 and 1/8. Residual branches are
    silent while the linear path is solved for, then whisper so that gradients reach them.
    """
    torch.manual_seed(0)
    pca = Pca(pca.mean.cpu(), pca.basis.cpu(), pca.gain.cpu())
    blocks = [module for module in vae.modules() if isinstance(module, ResBlock)]
    for block in blocks:
        block.norm.weight.zero_()
    _start_encoder(vae.encoder, pca)
    _start_decoder(vae.decoder, pca)
    for block in blocks:
        block.norm.weight.fill_(RESIDUAL_GAIN)


def _start_encoder(encoder: torch.nn.Module, pca: Pca) -> None:
    """Carry all pixels of a patch down to one cell, beside random mixtures; then project."""
    _carry(encoder.conv_in.conv, 3)
    _carry(encoder.down_blocks[1][-1].conv, 12)
    _carry(encoder.down_blocks[2][-1].conv, 48)
    pictures = torch.rand(8, 3, 128, 128) * 2 - 1
    hidden = encoder.conv_in(pictures)
    for block in encoder.down_blocks:
        hidden = block(hidden)
    _fit(encoder.conv_out, hidden, pca.encode(pictures))


def _start_decoder(decoder: torch.nn.Module, pca: Pca) -> None:
    """Unfold a cell to its patch scale by scale; each convolution is fitted to its exact target."""
    latents = torch.randn(8, COMPONENTS, 16, 16)
    pictures = pca.decode(latents)
    widest = decoder.conv_in.out_channels
    mixing = torch.cat([torch.eye(COMPONENTS), 0.3 * torch.randn(widest - COMPONENTS, COMPONENTS)])
    _centre(decoder.conv_in, mixing, torch.zeros(widest))
    hidden = decoder.up_blocks[3](decoder.conv_in(latents))
    hidden = _fit_up(decoder.up_blocks[2][0], hidden, F.pixel_unshuffle(pictures, 4))
    _fit_up(decoder.up_blocks[1][0], hidden, F.pixel_unshuffle(pictures, 2), PEDESTAL)
    for block in decoder.up_blocks[1]:
        if isinstance(block, ResBlock):
            block.conv1.weight[:, 12] = 0  # the pedestal is for the last norm alone
    width = decoder.norm_out.weight.numel()
    decoder.norm_out.weight.fill_(PEDESTAL / width**0.5)
    decoder.norm_out.bias.fill_(0.5)
    decoder.norm_out.bias[:12] = 2.0  # keeps pixels on the open side of the ReLU
    _centre(decoder.conv_out.conv, torch.eye(12, width), torch.full((12,), -2.0))


def _carry(conv: torch.nn.Conv2d, count: int) -> None:
    """The first `count` channels pass unchanged; the others mix them at random."""
    outputs, inputs = conv.weight.shape[:2]
    matrix = torch.randn(outputs, inputs) * 0.3 / (inputs / 3) ** 0.5
    matrix[:count] = torch.eye(count, inputs)
    _centre(conv, matrix, torch.zeros(outputs))


def _centre(conv: torch.nn.Conv2d, matrix: torch.Tensor, bias: torch.Tensor) -> None:
    """Make a 3x3 convolution a linear map of single positions."""
    conv.weight.zero_()
    conv.weight[:, :, 1, 1] = matrix
    if conv.bias is not None:
        conv.bias.copy_(bias)


def _fit(conv: torch.nn.Conv2d, inputs: torch.Tensor, targets: torch.Tensor) -> None:
    """Least squares: conv(inputs) = targets, both (N, C, h, w)."""
    rows = inputs.movedim(1, -1).flatten(0, 2).double()
    rows = torch.cat([rows, torch.ones(len(rows), 1).double()], 1)
    wanted = targets.movedim(1, -1).flatten(0, 2).double()
    solution = torch.linalg.lstsq(rows, wanted, driver="gelsd").solution.float()
    _centre(conv, solution[:-1].T, solution[-1])


def _fit_up(
    block: DCUpBlock2d, hidden: torch.Tensor, pixels: torch.Tensor, pedestal: float | None = None
) -> torch.Tensor:
    """Fit an upsampling block to put `pixels` into its first channels, less what its shortcut adds.

    Other channels become zero, or the pedestal for the one after the pixels; returns the target.
    """
    shortcut = F.pixel_shuffle(hidden.repeat_interleave(block.repeats, 1), 2)
    target = torch.zeros_like(shortcut)
    target[:, : pixels.shape[1]] = pixels
    if pedestal is not None:
        target[:, pixels.shape[1]] = pedestal
    _fit(block.conv, hidden, F.pixel_unshuffle(target - shortcut, 2))
    return target


def train(
    work: Path,
    preset: Preset,
    device: torch.device,
    minutes: float,
    save: Callable[[AutoencoderDC], None],
) -> None:
    """Train for `minutes` (earlier runs included), resuming from work/vae.pt; save at the end.

    An autoencoder that is taken up (there is a work/vae before the first step) keeps its encoder as it is, since the
    stored latents and the transformer depend on it: only its decoder learns. A fresh one starts as the PCA and learns
    whole.
    """
    sources = [picture for chunk in scenes.load_pictures(work) for picture in chunk]
    crops = Crops(sources, load_photographs(work))
    held_out = scenes.held_out_scenes(work, HELD_OUT, (data.SIZE, data.SIZE))
    pca = fit_pca(sources, device)
    checkpoint, step, spent = work / "vae.pt", 0, 0.0
    state = torch.load(checkpoint, map_location=device) if checkpoint.exists() else None
    taken_up = state["taken_up"] if state else (work / "vae").exists()
    if taken_up:
        vae = AutoencoderDC.from_pretrained(work / "vae")
        vae.encoder.requires_grad_(False)
    else:
        vae = build(preset)
        start_from_pca(vae, pca)
    vae.to(device, memory_format=torch.channels_last)
    averaged = copy.deepcopy(vae).eval().requires_grad_(False)
    learning, kept = (made.decoder if taken_up else made for made in (vae, averaged))
    optimizer = torch.optim.AdamW(
        learning.parameters(), preset.vae_rate, (0.9, 0.98), weight_decay=1e-4
    )
    if state:
        learning.load_state_dict(state["modules"])
        kept.load_state_dict(state["averaged"])
        optimizer.load_state_dict(state["optimizer"])
        step, spent = state["step"], state["spent"]

    def store(elapsed: float) -> None:
        state = {"modules": learning.state_dict(), "averaged": kept.state_dict()}
        state |= {"optimizer": optimizer.state_dict(), "taken_up": taken_up}
        torch.save(state | {"step": step, "spent": elapsed}, checkpoint.with_suffix(".part"))
        checkpoint.with_suffix(".part").rename(checkpoint)
        linear, learned = compare(averaged, pca, held_out, device)
        print(f"vae step {step} held-out PSNR {learned:.2f} dB (PCA {linear:.2f})", flush=True)

    live, average = list(learning.parameters()), list(kept.parameters())
    began = stored = time.monotonic()
    while (elapsed := spent + time.monotonic() - began) < minutes * 60:
        progress = elapsed / (minutes * 60)
        rate = preset.vae_rate * min(1, (step + 1) / WARM_UP) * min(1, 1.25 * (1.01 - progress))
        optimizer.param_groups[0]["lr"] = rate
        whole = progress > 1 - LARGE_CROPS and step % 2
        extent, count = (LARGEST, preset.vae_crops // 4) if whole else (128, preset.vae_crops)
        torch.manual_seed(step)
        loss = _loss(vae, pca, scenes.to_tensor(crops.draw(step, count, extent), device))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(live, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        with torch.no_grad():
            torch._foreach_lerp_(average, live, 1 - min(AVERAGE, (step + 1) / (step + 10)))
        step += 1
        if time.monotonic() - stored > 120:
            stored = time.monotonic()
            store(elapsed)
    store(max(elapsed, minutes * 60))
    if not taken_up:
        finish(averaged, preset, sources, device)
    save(averaged)


def _loss(vae: AutoencoderDC, pca: Pca, pictures: torch.Tensor) -> torch.Tensor:
    """Of the decoder alone where the encoder does not learn."""
    with torch.autocast(pictures.device.type, torch.bfloat16):
        latents = vae.encoder(pictures).float()
        amount = LATENT_NOISE * torch.rand(len(latents), 1, 1, 1, device=latents.device)
        output = vae.decoder(latents + amount * torch.randn_like(latents)).float()
    error = output - pictures
    loss = error.abs().mean() + 5 * error.square().mean()
    if latents.requires_grad:
        loss = loss + 0.02 * (latents - pca.encode(pictures)).square().mean()
    return loss


def fit_pca(pictures: list[np.ndarray], device: torch.device) -> Pca:
    """The linear compression of (H, W, 3) uint8 scenes of any canvas."""
    corners = np.stack([picture[:256, :256] for picture in pictures[:512]])
    return Pca.fit(scenes.to_tensor(corners, device))


@torch.inference_mode()
def finish(
    vae: AutoencoderDC, preset: Preset, pictures: list[np.ndarray], device: torch.device
) -> None:
    """Record in the config what FluxPipeline reads: latents' mean and scale, one entry per scale."""
    shown = (scenes.to_tensor(picture[None], device) for picture in pictures[:256])
    latents = torch.cat([vae.encoder(picture).flatten() for picture in shown])
    vae.register_to_config(
        shift_factor=round(latents.mean().item(), 4),
        scaling_factor=round(1 / latents.std().item(), 4),
        block_out_channels=list(preset.vae_channels),
    )
    vae.eval()


@torch.inference_mode()
def reconstruct(vae: AutoencoderDC, pixels: np.ndarray, device: torch.device) -> np.ndarray:
    """(N, H, W, 3) uint8 through encoder and decoder, one by one, in float32."""
    pictures = (scenes.to_tensor(pixels[i : i + 1], device) for i in range(len(pixels)))
    return np.concatenate([scenes.to_pixels(vae.decoder(vae.encoder(x))) for x in pictures])


def compare(
    vae: AutoencoderDC, pca: Pca, pixels: np.ndarray, device: torch.device
) -> tuple[float, float]:
    """PSNR in dB of the linear PCA and of the VAE on (N, H, W, 3) uint8 pictures."""
    pictures = (scenes.to_tensor(pixels[i : i + 1], device) for i in range(len(pixels)))
    linear = np.concatenate([scenes.to_pixels(pca.decode(pca.encode(x))) for x in pictures])
    return psnr(linear, pixels), psnr(reconstruct(vae, pixels, device), pixels)

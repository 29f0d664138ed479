"""The FLUX transformer of the mini model, trained with its two text encoders by rectified flow.

x_sigma = (1 - sigma) * x0 + sigma * eps, and the network predicts the velocity eps - x0. Every step
trains one size of grid: whole pictures, or crops that look like the reference crops of the engine.
Hidden matrices move by Muon, all else by AdamW; a moving average of the weights is what is exported.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import FluxTransformer2DModel
from torch.overrides import TorchFunctionMode
from transformers import CLIPTextModel, CLIPTokenizer, T5EncoderModel, T5TokenizerFast

from training import scenes, text
from training.muon import Muon
from training.presets import Preset
from training.world import data

WHOLE = 0.6  # of the steps see whole pictures, the others crops of 10 to 22 tokens a side
REFRESH = 200  # steps from one look for new scenes to the next
CELL = 16  # px a token
NAMES_FIRST = 0.3  # of the budget sees nothing but close-ups
CLOSE = 0.6  # of the later steps are close-ups
ALONE = 0.5  # of the captions of close-ups name the figure and no place
TEXT_RATE = 0.5  # of the AdamW rate, for the text encoders
WARM_UP = 100  # steps


@dataclass
class Mini:
    """The trained modules and their tokenizers."""

    transformer: FluxTransformer2DModel
    t5: T5EncoderModel
    clip: CLIPTextModel
    t5_tokenizer: T5TokenizerFast
    clip_tokenizer: CLIPTokenizer

    def modules(self) -> torch.nn.ModuleList:
        return torch.nn.ModuleList([self.transformer, self.t5, self.clip])


def build(preset: Preset, names: list[str]) -> Mini:
    """Fresh modules. Gates and the last layer start at zero, so that each block starts as identity."""
    torch.manual_seed(0)
    words = text.vocabulary(names)
    t5_tokenizer, clip_tokenizer = text.build_t5_tokenizer(words), text.build_clip_tokenizer(words)
    network = FluxTransformer2DModel(
        in_channels=64,
        num_layers=preset.double_blocks,
        num_single_layers=preset.single_blocks,
        attention_head_dim=64,
        num_attention_heads=preset.heads,
        joint_attention_dim=text.WIDTH,
        pooled_projection_dim=text.WIDTH,
        guidance_embeds=False,
        axes_dims_rope=(16, 24, 24),
    )
    for name, parameter in network.named_parameters():
        if ("norm" in name and ".linear." in name) or name.startswith("proj_out"):
            torch.nn.init.zeros_(parameter)
    t5, clip = text.build_t5(t5_tokenizer), text.build_clip(clip_tokenizer)
    return Mini(network, t5, clip, t5_tokenizer, clip_tokenizer)


def pack(latents: torch.Tensor) -> torch.Tensor:
    """(N, 16, 2h, 2w) latents to (N, h*w, 64) tokens, as FluxPipeline packs them."""
    count, channels, rows, columns = latents.shape
    grid = latents.reshape(count, channels, rows // 2, 2, columns // 2, 2)
    return grid.permute(0, 2, 4, 1, 3, 5).reshape(count, rows * columns // 4, channels * 4)


def unpack(tokens: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """(N, rows*columns, 64) tokens to (N, 16, 2*rows, 2*columns) latents."""
    grid = tokens.reshape(len(tokens), rows, columns, -1, 2, 2)
    return grid.permute(0, 3, 1, 4, 2, 5).reshape(len(tokens), -1, rows * 2, columns * 2)


def grid_ids(rows: int, columns: int, top: int, left: int, device: torch.device) -> torch.Tensor:
    """(rows*columns, 3) rotary ids (0, row, column)."""
    ids = torch.zeros(rows, columns, 3, device=device)
    ids[..., 1] = top + torch.arange(rows, device=device)[:, None]
    ids[..., 2] = left + torch.arange(columns, device=device)[None, :]
    return ids.reshape(-1, 3)


def velocity(mini: Mini, tokens, sigma, states, pooled, ids) -> torch.Tensor:
    """One forward: (N, h*w, 64) tokens at (N,) sigma to their velocity."""
    return mini.transformer(
        hidden_states=tokens,
        timestep=sigma,
        encoder_hidden_states=states,
        pooled_projections=pooled,
        txt_ids=torch.zeros(states.shape[1], 3, device=tokens.device),
        img_ids=ids,
        return_dict=False,
    )[0]


class PlainAttention(TorchFunctionMode):
    """Attention by plain matrix products: on a CPU, at a few hundred tokens, 2 to 5 times faster."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is not F.scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        query, key, value = (kwargs[name] for name in ("query", "key", "value"))
        scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
        return scores.softmax(-1) @ value


@dataclass(frozen=True)
class Batch:
    """Clean latents of one grid size with their captions.

    CLIP, which speaks to the whole picture, is often told the place alone: so names are learned by T5's tokens, which
    a part of the picture can be told.
    """

    latents: torch.Tensor  # (N, 16, 2h, 2w)
    captions: list[str]
    pooled: list[str]  # what CLIP is told
    top: int  # rotary id of the first row
    left: int
    close: bool  # close-ups of one figure each


class Sampler:
    """Draws batches from the store, which may grow meanwhile; a batch depends on its number and what is stored.

    Names come first. A figure that fills its picture and is named alone is soon tied to its name, while among places,
    other figures and words around it thousands of steps do not do it. Then canvases come as often as the world says,
    of those that are stored.
    """

    def __init__(self, work: Path, tokens: int):
        self.work, self.tokens = work, tokens
        self.count = 0
        self.by_grid: dict[tuple[int, int], list[tuple[scenes.Chunk, int]]] = {}
        self.refresh()

    def refresh(self) -> None:
        """Take up the chunks that came since the last look."""
        for chunk in scenes.load_chunks(self.work, self.count):
            rows, columns = (side // 2 for side in chunk.latents.shape[2:])
            entries = self.by_grid.setdefault((rows, columns), [])
            entries += [(chunk, index) for index in range(len(chunk.latents))]
            self.count += 1

    def draw(self, step: int, progress: float) -> Batch:
        """Batch `step`, after a share `progress` of the budget."""
        rng = np.random.default_rng((11, step))
        close = progress < NAMES_FIRST or rng.random() < CLOSE
        grids = [grid for grid in sorted(self.by_grid) if _is_close(grid) == close]
        grids = grids or sorted(self.by_grid)
        shares = np.array([data.CANVASES.get(_canvas(grid), 1.0) for grid in grids])
        whole_rows, whole_columns = grids[rng.choice(len(grids), p=shares / shares.sum())]
        close = _is_close((whole_rows, whole_columns))
        rows, columns = whole_rows, whole_columns
        if not close and rng.random() >= WHOLE:
            rows = int(rng.integers(min(10, rows), min(22, rows) + 1))
            columns = int(rng.integers(min(10, columns), min(22, columns) + 1))
        top = int(rng.integers(whole_rows - rows + 1))
        left = int(rng.integers(whole_columns - columns + 1))
        window = (slice(2 * top, 2 * (top + rows)), slice(2 * left, 2 * (left + columns)))
        pool = self.by_grid[whole_rows, whole_columns]
        chosen = [
            pool[i] for i in rng.integers(len(pool), size=max(1, self.tokens // (rows * columns)))
        ]
        latents = torch.stack(
            [chunk.latents[index][:, window[0], window[1]] for chunk, index in chosen]
        )
        told = [chunk.captions[index] for chunk, index in chosen]
        alone = ALONE if close else data.NAMED_ALONE
        captions = [data.caption(rng, *one, alone) for one in told]
        pooled = [
            place if caption and rng.random() < (0.85 if close else 0.5) else caption
            for (place, _), caption in zip(told, captions, strict=True)
        ]
        if rng.random() < 0.5:
            top = left = 0
        return Batch(latents.float(), captions, pooled, top, left, close)


def _canvas(grid: tuple[int, int]) -> tuple[int, int]:
    """(width, height) in px of a grid (rows, columns) of tokens."""
    return grid[1] * CELL, grid[0] * CELL


def _is_close(grid: tuple[int, int]) -> bool:
    """Whether a grid (rows, columns) is that of close-ups."""
    return grid[0] == grid[1] and grid[0] * CELL in data.CLOSE_UPS


def draw_sigma(count: int, tokens: int, close: bool, device: torch.device) -> torch.Tensor:
    """(count,) noise levels, stratified: half uniform, half logit-normal, higher where there are more tokens.

    They are never lower than those of 256 tokens, and higher still for close-ups: what a figure is, is settled early.
    """
    uniform = (torch.randperm(count) + torch.rand(count)) / count
    normal = torch.special.ndtri(uniform.clamp(1e-4, 1 - 1e-4))
    bell = torch.sigmoid(normal + 0.5 * math.log2(max(256, tokens) / 128))
    other = torch.sigmoid(normal + 2) if close else uniform
    return torch.where(torch.rand(count) < 0.5, other, bell).clamp(0.001, 1).to(device)


def loss_of(mini: Mini, batch: Batch, device: torch.device) -> torch.Tensor:
    """Mean squared error of the velocity."""
    clean = pack(batch.latents.to(device))
    rows, columns = batch.latents.shape[2] // 2, batch.latents.shape[3] // 2
    noise = torch.randn_like(clean)
    sigma = draw_sigma(len(clean), rows * columns, batch.close, device)
    noisy = torch.lerp(clean, noise, sigma[:, None, None])
    t5_ids = text.token_ids(mini.t5_tokenizer, batch.captions).to(device)
    clip_ids = text.token_ids(mini.clip_tokenizer, batch.pooled).to(device)
    ids = grid_ids(rows, columns, batch.top, batch.left, device)
    with torch.autocast(device.type, torch.bfloat16):
        states, pooled = text.encode(mini.t5, mini.clip, t5_ids, clip_ids)
        with PlainAttention() if device.type == "cpu" else nullcontext():
            predicted = velocity(mini, noisy, sigma, states, pooled, ids)
    return (predicted.float() - (noise - clean)).square().mean()


def optimizers(mini: Mini, preset: Preset) -> list[torch.optim.Optimizer]:
    """Muon for the blocks' matrices except their modulation, AdamW for the rest."""
    hidden: list[torch.nn.Parameter] = []
    rest: list[torch.nn.Parameter] = []
    for name, parameter in mini.transformer.named_parameters():
        inside = "blocks." in name and parameter.ndim == 2 and "norm" not in name
        (hidden if inside else rest).append(parameter)
    words = [*mini.t5.parameters(), *mini.clip.parameters()]
    groups = [
        {"params": rest, "lr": preset.adam_rate},
        {"params": words, "lr": preset.adam_rate * TEXT_RATE},
    ]
    return [
        Muon(hidden, preset.muon_rate, decay=0.01),
        torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.01),
    ]


def train(
    work: Path,
    preset: Preset,
    names: list[str],
    device: torch.device,
    minutes: float,
    save: Callable[[Mini], None],
    save_every: float = 10.0,
) -> None:
    """Train for `minutes` (earlier runs included), resuming from work/transformer.pt.

    `save` gets the averaged weights every `save_every` minutes and at the end.
    """
    mini, averaged = build(preset, names), build(preset, names)
    mini.modules().to(device).train()
    if preset.compiled and device.type == "cuda":
        torch._dynamo.config.suppress_errors = True  # what cannot be compiled runs as it is,
        torch._dynamo.config.recompile_limit = 2  # and what would be compiled time and again
        mini.transformer.compile_repeated_blocks(dynamic=True)
    averaged.modules().to(device).eval().requires_grad_(False)
    optims = optimizers(mini, preset)
    rates = [[group["lr"] for group in optim.param_groups] for optim in optims]
    checkpoint, step, spent = work / "transformer.pt", 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device)
        mini.modules().load_state_dict(state["modules"])
        averaged.modules().load_state_dict(state["averaged"])
        if "optimizers" in state:  # not in weights taken up from an exported pipeline
            for optim, stored in zip(optims, state["optimizers"], strict=True):
                optim.load_state_dict(stored)
            step, spent = state["step"], state["spent"]

    def store(elapsed: float) -> None:
        state = {
            "modules": mini.modules().state_dict(),
            "averaged": averaged.modules().state_dict(),
        }
        state["optimizers"] = [optim.state_dict() for optim in optims]
        torch.save(state | {"step": step, "spent": elapsed}, checkpoint.with_suffix(".part"))
        checkpoint.with_suffix(".part").rename(checkpoint)

    sampler = Sampler(work, preset.tokens)
    live, kept = list(mini.modules().parameters()), list(averaged.modules().parameters())
    began = stored_at = saved_at = time.monotonic()
    elapsed = spent
    recent: list[torch.Tensor] = []
    while elapsed < minutes * 60:
        torch.manual_seed(step)
        if step % REFRESH == 0:
            sampler.refresh()
        loss = loss_of(mini, sampler.draw(step, elapsed / (minutes * 60)), device)
        loss.backward()
        now = time.monotonic()
        elapsed = spent + now - began
        torch.nn.utils.clip_grad_norm_(live, 1.0)
        factor = min(1, (step + 1) / WARM_UP) * decay(elapsed / (minutes * 60))
        for optim, base in zip(optims, rates, strict=True):
            for group, rate in zip(optim.param_groups, base, strict=True):
                group["lr"] = rate * factor
            optim.step()
            optim.zero_grad(set_to_none=True)
        weight = 1 - min(preset.average, (step + 1) / (step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(kept, live, weight)
        step += 1
        recent.append(loss.detach())  # a number is fetched seldom: it makes the device wait
        if step % 25 == 0:
            mean = torch.stack(recent).mean().item()
            print(f"transformer step {step} {elapsed / 60:.1f} min loss {mean:.4f}", flush=True)
            recent.clear()
        if now - stored_at > 180:
            stored_at = now
            store(elapsed)
        if now - saved_at > save_every * 60:
            saved_at = now
            save(averaged)
    store(elapsed)
    save(averaged)


def decay(progress: float) -> float:
    """Full rate for a third of the budget, then a straight line to zero."""
    return max(0.0, min(1.0, 1.5 * (1 - progress)))


def load(work: Path, preset: Preset, names: list[str]) -> Mini:
    """The averaged weights of the last checkpoint."""
    mini = build(preset, names)
    state = torch.load(work / "transformer.pt", map_location="cpu")
    mini.modules().load_state_dict(state["averaged"])
    mini.modules().eval().requires_grad_(False)
    return mini

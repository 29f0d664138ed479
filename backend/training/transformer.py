"""The FLUX transformer of the mini model, trained with its two text encoders by rectified flow.

x_sigma = (1 - sigma) * x0 + sigma * eps, and the network predicts the velocity eps - x0. Hidden matrices move by Muon,
all else by AdamW; a moving average of the weights is what is exported.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import FluxTransformer2DModel
from torch import distributed
from torch.nn.utils import parameters_to_vector
from torch.overrides import TorchFunctionMode
from transformers import CLIPTextModel, CLIPTokenizer, T5EncoderModel, T5TokenizerFast

from training import text
from training.batches import Batch, Sampler, draw_sigma
from training.muon import Muon
from training.presets import Preset

REFRESH = 200  # steps from one look for new scenes to the next
INSIDE = 3.0  # by which an error counts in the cells that alone are told words: those are what is learned there
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


class Attention(TorchFunctionMode):
    """Attention with a mask (N, 1, tokens, tokens) of what sees what or none, on a CPU by plain matrix products.

    Those are 2 to 5 times faster there, at a few hundred tokens. Words that are `standing` are rotated first.
    """

    def __init__(self, mask: torch.Tensor | None, plain: bool, standing: Standing | None = None):
        super().__init__()
        self.mask, self.plain, self.standing = mask, plain, standing

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is not F.scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        query, key, value = (kwargs[name] for name in ("query", "key", "value"))
        if self.standing is not None:
            query, key = self.standing.turn(query), self.standing.turn(key)
        if not self.plain:
            told = {"query": query, "key": key, "attn_mask": self.mask}
            return func(*args, **{**kwargs, **told})
        scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
        if self.mask is not None:
            scores = scores.masked_fill(~self.mask, -torch.inf)
        return scores.softmax(-1) @ value


@dataclass(frozen=True)
class Standing:
    """Words that stand at two corners of their rectangle, one half at each: its cells learn where in it they are.

    They are the text tokens from `first` on; `cosine` and `sine` (N, 1, words, dims) rotate them.
    """

    first: int
    cosine: torch.Tensor
    sine: torch.Tensor

    @classmethod
    def at(cls, mini: Mini, corners: torch.Tensor, first: int, words: int) -> Standing:
        """Words at `corners` (N, 2, 2), rotary (row, column)."""
        ids = F.pad(corners, (1, 0))
        ids = ids[:, torch.arange(words) * 2 // words]  # (N, words, 3)
        rotation = mini.transformer.pos_embed(ids.flatten(0, 1))
        return cls(first, *(one.reshape(len(ids), 1, words, -1) for one in rotation))

    def turn(self, states: torch.Tensor) -> torch.Tensor:
        """Rotate the words among queries or keys (N, heads, tokens, dims)."""
        count = self.cosine.shape[2]
        words = states[:, :, self.first : self.first + count].float()
        real, imaginary = words.unflatten(-1, (-1, 2)).unbind(-1)
        quarter = torch.stack([-imaginary, real], dim=-1).flatten(-2)
        words = (words * self.cosine + quarter * self.sine).to(states.dtype)
        before, after = states[:, :, : self.first], states[:, :, self.first + count :]
        return torch.cat([before, words, after], dim=2)


def mask_of(cells: torch.Tensor, common: int, words: int) -> torch.Tensor:
    """(N, 1, tokens, tokens) bool, what sees what: `cells` (N, h*w) alone see the words, and not the common text.

    The tokens are `common` ones, those of the words, and then the picture's.
    """
    text = common + words
    first, second, picture = slice(common), slice(common, text), slice(text, None)
    count = text + cells.shape[1]
    seen = torch.ones(len(cells), count, count, dtype=torch.bool, device=cells.device)
    seen[:, first, second] = seen[:, second, first] = False
    for text_tokens, those in ((first, ~cells), (second, cells)):
        seen[:, text_tokens, picture] = those[:, None]
        seen[:, picture, text_tokens] = those[..., None]
    return seen[:, None]


def loss_of(mini: Mini, batch: Batch, device: torch.device) -> torch.Tensor:
    """Mean squared error of the velocity; cells that alone are told words count more."""
    clean = pack(batch.latents.to(device))
    rows, columns = batch.latents.shape[2] // 2, batch.latents.shape[3] // 2
    noise = torch.randn_like(clean)
    sigma = draw_sigma(len(clean), rows * columns, batch.close, device)
    noisy = torch.lerp(clean, noise, sigma[:, None, None])
    t5_ids = text.token_ids(mini.t5_tokenizer, batch.captions, batch.length).to(device)
    clip_ids = text.token_ids(mini.clip_tokenizer, batch.pooled).to(device)
    ids = grid_ids(rows, columns, batch.top, batch.left, device)
    mask = standing = None
    with torch.autocast(device.type, torch.bfloat16):
        states, pooled = text.encode(mini.t5, mini.clip, t5_ids, clip_ids)
        if batch.apart is not None:
            said, common = batch.apart, states.shape[1]
            word_ids = text.token_ids(mini.t5_tokenizer, said.words, said.length).to(device)
            states = torch.cat([states, mini.t5(word_ids)[0]], dim=1)
            mask = mask_of(said.cells.to(device), common, said.length)
            standing = Standing.at(mini, said.corners.to(device), common, said.length)
        plain = device.type == "cpu"
        with Attention(mask, plain, standing) if plain or mask is not None else nullcontext():
            predicted = velocity(mini, noisy, sigma, states, pooled, ids)
    errors = (predicted.float() - (noise - clean)).square().mean(dim=-1)
    if batch.apart is None:
        return errors.mean()
    weights = 1 + (INSIDE - 1) * batch.apart.cells.to(device)
    return (errors * weights).sum() / weights.sum()


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

    `save` gets the averaged weights every `save_every` minutes and at the end. Under torchrun every process draws
    batches of its own and their gradients are averaged: on a CPU a process a core, with one thread each.
    """
    rank, ranks = join_others()
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
        number = step * ranks + rank
        torch.manual_seed(number)
        if step % REFRESH == 0:
            sampler.refresh()
        loss = loss_of(mini, sampler.draw(number, elapsed / (minutes * 60)), device)
        loss.backward()
        average_gradients(live)
        now = time.monotonic()
        elapsed = agree(spent + now - began)
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
        if step % 25 == 0 and rank == 0:
            mean = torch.stack(recent).mean().item()
            print(f"transformer step {step} {elapsed / 60:.1f} min loss {mean:.4f}", flush=True)
            recent.clear()
        if now - stored_at > 180 and rank == 0:
            stored_at = now
            store(elapsed)
        if now - saved_at > save_every * 60 and rank == 0:
            saved_at = now
            save(averaged)
    if rank == 0:
        store(elapsed)
        save(averaged)
    leave_others()


def join_others() -> tuple[int, int]:
    """This process' number and how many there are, under torchrun; otherwise 0 and 1."""
    if "WORLD_SIZE" in os.environ and not distributed.is_initialized():
        distributed.init_process_group("gloo")
    started = distributed.is_initialized()
    return (distributed.get_rank(), distributed.get_world_size()) if started else (0, 1)


def leave_others() -> None:
    """Wait for the other processes: one that is gone would fail those that still speak to it."""
    if distributed.is_initialized():
        distributed.barrier()
        distributed.destroy_process_group()


def agree(number: float) -> float:
    """The first process' number, in all of them."""
    if not distributed.is_initialized():
        return number
    told = torch.tensor(number, dtype=torch.float64)
    distributed.broadcast(told, 0)
    return float(told)


def average_gradients(parameters: list[torch.nn.Parameter]) -> None:
    """Replace the gradients by their mean over all processes."""
    if not distributed.is_initialized():
        return
    own = [torch.zeros_like(one) if one.grad is None else one.grad for one in parameters]
    mean = parameters_to_vector(own)
    distributed.all_reduce(mean)
    mean /= distributed.get_world_size()
    for one, grad in zip(parameters, own, strict=True):
        one.grad, mean = mean[: grad.numel()].view_as(one), mean[grad.numel() :]


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

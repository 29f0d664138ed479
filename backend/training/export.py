"""The trained modules as a FLUX pipeline in diffusers layout, in half precision: written, and taken up again."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderDC, FlowMatchEulerDiscreteScheduler, FluxPipeline

from training import data
from training.transformer import Mini

SHARD = "15MB"
SHIFT = 1.8  # static time shift of the sampler; chosen by eye at 20 steps


def export(folder: Path, mini: Mini, vae: AutoencoderDC) -> None:
    """Replace the pipeline in `folder`; each subfolder changes at one stroke."""
    half = [
        copy.deepcopy(module).to("cpu", torch.float16).eval()
        for module in (mini.transformer, mini.t5, mini.clip, vae)
    ]
    half[3].register_to_config(_name_or_path="")  # not the folder that it came from
    scheduler = FlowMatchEulerDiscreteScheduler(shift=SHIFT, use_dynamic_shifting=False)
    pipeline = FluxPipeline(
        scheduler=scheduler,
        vae=half[3],
        text_encoder=half[2],
        tokenizer=mini.clip_tokenizer,
        text_encoder_2=half[1],
        tokenizer_2=mini.t5_tokenizer,
        transformer=half[0],
    )
    fresh = folder.with_name(folder.name + ".part")
    shutil.rmtree(fresh, ignore_errors=True)
    pipeline.save_pretrained(fresh, max_shard_size=SHARD)
    for path in fresh.rglob("*.safetensors"):
        path.chmod(0o644)  # safetensors writes files that only their owner may read
    folder.mkdir(parents=True, exist_ok=True)
    for entry in fresh.iterdir():
        target = folder / entry.name
        if target.is_dir():
            shutil.rmtree(target)
        entry.replace(target)
    fresh.rmdir()


def take_up(folder: Path, work: Path) -> None:
    """Lay the pipeline in `folder` into the work folder, so that training goes on from its weights.

    The optimizers start afresh, and so does the budget.
    """
    pipeline = FluxPipeline.from_pretrained(folder, dtype=torch.float32)
    pipeline.vae.save_pretrained(work / "vae")
    mini = Mini(
        pipeline.transformer,
        pipeline.text_encoder_2,
        pipeline.text_encoder,
        pipeline.tokenizer_2,
        pipeline.tokenizer,
    )
    weights = mini.modules().state_dict()
    torch.save({"modules": weights, "averaged": weights}, work / "transformer.pt")


def write_held_out(folder: Path, held_out: list[data.Figure]) -> None:
    """List the figures that no training step saw."""
    listed = [{"codepoint": figure.codepoint, "name": figure.name} for figure in held_out]
    (folder / "heldout.json").write_text(json.dumps(listed, indent=1) + "\n")

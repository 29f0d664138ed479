"""The trained modules as a FLUX pipeline in diffusers layout, in half precision."""

from __future__ import annotations

import copy
import json
import math
import shutil
from pathlib import Path

import torch
from diffusers import (
    AutoencoderDC,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
)

from training.presets import Preset
from training.transformer import Mini, build
from training.world import data

SHARD = "15MB"
SHIFTS = {
    256: 1.8,
    1024: 2.6,
}  # time shift by the number of tokens, as FLUX's grows with the canvas
PROMPTS = [
    "{} on a beach at noon",
    "{} on a beach at sunset",
    "{} on a meadow at noon",
    "{} on a meadow in the morning",
    "{} on snow at noon",
    "{} on a desert at sunset",
    "{} on a lake at night",
    "{} on a street at night",
    "{} in a forest in the morning",
    "{} on hills at sunset",
]  # of the held-out figures, for `standee bench`
GATES = {3: (2,), 6: (2, 5)}  # which of a block's modulations open its attention and its MLP


def export(folder: Path, mini: Mini, vae: AutoencoderDC) -> None:
    """Replace the pipeline in `folder`; each subfolder changes at one stroke."""
    half = [
        copy.deepcopy(module).to("cpu", torch.float16).eval()
        for module in (mini.transformer, mini.t5, mini.clip, vae)
    ]
    half[3].register_to_config(_name_or_path="")  # not the folder that it came from
    (fewer, least), (more, most) = SHIFTS.items()
    scheduler = FlowMatchEulerDiscreteScheduler(
        use_dynamic_shifting=True,
        base_image_seq_len=fewer,
        max_image_seq_len=more,
        base_shift=math.log(least),
        max_shift=math.log(most),
    )
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


def take_up(folder: Path, work: Path, preset: Preset, names: list[str]) -> None:
    """Lay the pipeline in `folder` into the work folder, so that training goes on from its weights.

    The preset may have more blocks, and the vocabulary more words: a block that comes anew is a copy of its neighbour
    behind a closed gate, so that the deeper network begins as the shallower one. The optimizers start afresh, and so
    does the budget.
    """
    pipeline = FluxPipeline.from_pretrained(folder, dtype=torch.float32)
    pipeline.vae.save_pretrained(work / "vae")
    (work / "vae.pt").unlink(missing_ok=True)
    mini = build(preset, names)
    _grow(pipeline.transformer, mini.transformer)
    for encoder, tokenizer, old, words in (
        (mini.t5, mini.t5_tokenizer, pipeline.text_encoder_2, pipeline.tokenizer_2),
        (mini.clip, mini.clip_tokenizer, pipeline.text_encoder, pipeline.tokenizer),
    ):
        weights = old.state_dict()
        for name, known in list(weights.items()):
            fresh = encoder.state_dict()[name]
            if len(known) != len(fresh):
                for word, index in words.get_vocab().items():
                    if (at := tokenizer.get_vocab().get(word)) is not None:
                        fresh[at] = known[index]
                weights[name] = fresh
        encoder.load_state_dict(weights)
    state = mini.modules().state_dict()
    torch.save({"modules": state, "averaged": state}, work / "transformer.pt")


@torch.no_grad()
def _grow(old: FluxTransformer2DModel, new: FluxTransformer2DModel) -> None:
    """Copy weights into a network of as many blocks or more; those that come anew have closed gates."""
    weights = {name: value for name, value in old.state_dict().items() if "blocks." not in name}
    new.load_state_dict(weights, strict=False)
    for kind in ("transformer_blocks", "single_transformer_blocks"):
        known, blocks, last = getattr(old, kind), getattr(new, kind), -1
        for index, block in enumerate(blocks):
            source = index * len(known) // len(blocks)
            block.load_state_dict(known[source].state_dict())
            if source == last:
                for name, parameter in block.named_parameters():
                    if "norm" in name and ".linear." in name:
                        for gate in GATES[len(parameter) // block_width(block)]:
                            width = block_width(block)
                            parameter[gate * width : (gate + 1) * width] = 0
            last = source


def block_width(block: torch.nn.Module) -> int:
    return int(block.attn.to_q.in_features)


def write_held_out(folder: Path, held_out: list[data.Figure]) -> None:
    """List the figures that no training step saw, as the model's own set of subjects for `standee bench`."""
    subjects = [{"picture": f"{one.codepoint}.webp", "words": one.name} for one in held_out]
    (folder / "subjects").mkdir(parents=True, exist_ok=True)
    said = json.dumps({"subjects": subjects, "prompts": PROMPTS}, indent=1)
    (folder / "subjects/subjects.json").write_text(said + "\n")

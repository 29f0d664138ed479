"""LoRA files of every method and spelling, and the changes of layers that their weights mean.

The changes are computed here from the tensors; what lies over a model is found by running its layers on the unit
matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from standee_backend.catalog import lora_files
from standee_backend.engine.families.base import Family

LAYERS = {
    "flux": {
        "double_blocks.0.img_attn.proj": ["transformer_blocks.0.attn.to_out.0"],
        "double_blocks.0.img_attn.qkv": [f"transformer_blocks.0.attn.to_{one}" for one in "qkv"],
        "single_blocks.1.linear1": [
            *(f"single_transformer_blocks.1.attn.to_{one}" for one in "qkv"),
            "single_transformer_blocks.1.proj_mlp",
        ],
    },
    "klein": {
        "single_blocks.1.linear2": ["single_transformer_blocks.1.attn.to_out"],
        "double_blocks.0.txt_attn.qkv": [
            f"transformer_blocks.0.attn.add_{one}_proj" for one in "qkv"
        ],
    },
    "z-image": {
        "layers.1.attention.out": ["layers.1.attention.to_out.0"],
        "context_refiner.0.attention.qkv": [
            f"context_refiner.0.attention.to_{one}" for one in "qkv"
        ],
    },
}
"""Layers as the makers call them, and those of diffusers whose rows they are."""

SPELLINGS: dict[str, Callable[[str], str]] = {
    "kohya": lambda name: "lora_unet_" + name.replace(".", "_"),
    "lycoris": lambda name: "lycoris_" + name.replace(".", "_"),
    "ai-toolkit": lambda name: f"diffusion_model.{name}",
    "all in one": lambda name: f"model.diffusion_model.{name}",
    "peft": lambda name: f"base_model.model.{name}",
    "bare": lambda name: name,
    "unknown": lambda name: f"someones.net.{name}",
}

Changes = dict[str, Tensor]
"""What is added to the matrices (outputs, inputs) of layers, by diffusers' names."""


def base(layer: torch.nn.Module) -> torch.nn.Linear:
    return layer.get_base_layer() if hasattr(layer, "get_base_layer") else layer


def laid_over(family: Family, part: str = "transformer") -> Changes:
    """Run every layer that a LoRA lies over on the unit matrix; return what it gives beyond the layer beneath."""
    found = {}
    model = getattr(family.pipeline, part)
    for name, layer in model.named_modules():
        if hasattr(layer, "lora_A"):
            x = torch.eye(layer.in_features, dtype=model.dtype)
            bias = layer(x[:1] * 0) - base(layer)(x[:1] * 0)
            change = layer(x) - base(layer)(x) - bias
            if change.abs().max() > 1e-6:
                found[name] = change.T
    return found


def over(family: Family, tensors: Changes, tmp_path: Path, metadata=None, weight=1.0) -> Changes:
    """Save a LoRA, lay it, and return what then lies over the transformer; it is off again afterwards."""
    file = tmp_path / "lora.safetensors"
    save_file({name: one.contiguous() for name, one in tensors.items()}, file, metadata)
    assert lora_files.locate(str(file), lora_files.field_of(0)) == file
    family.adapters.lay([(file, weight)])
    found = laid_over(family)
    family.adapters.lay([], spare=0)
    return found


def agree(found: Changes, expected: Changes) -> None:
    assert found.keys() == expected.keys()
    for name, change in expected.items():
        assert torch.allclose(found[name], change, rtol=2e-3, atol=2e-4), name


def matrices(family: Family, layers: list[str]) -> Tensor:
    return torch.cat(
        [base(family.transformer.get_submodule(one)).weight for one in layers]
    ).detach()


def split(change: Tensor, family: Family, layers: list[str]) -> Changes:
    heights = [base(family.transformer.get_submodule(one)).out_features for one in layers]
    return dict(zip(layers, change.split(heights), strict=True))


chance = torch.Generator().manual_seed(5)


def random(*shape: int) -> Tensor:
    return torch.randn(shape, generator=chance) * 0.3


# -- methods: each returns the parts of a change, as they stand in a file, and the change -----------


def plain(weight: Tensor) -> tuple[Changes, Tensor]:
    down, up = random(3, weight.shape[1]), random(len(weight), 3)
    return {"lora_A.weight": down, "lora_B.weight": up}, up @ down


def adapter(weight: Tensor) -> tuple[Changes, Tensor]:
    parts, change = plain(weight)
    return {name.replace(".weight", ".default.weight"): one for name, one in parts.items()}, change


def kohya(weight: Tensor) -> tuple[Changes, Tensor]:
    down, up = random(4, weight.shape[1]), random(len(weight), 4)
    parts = {"lora_down.weight": down, "lora_up.weight": up, "alpha": torch.tensor(2.0)}
    return parts, up @ down * 2 / 4


def fp8(weight: Tensor) -> tuple[Changes, Tensor]:
    parts, _ = kohya(weight)
    parts = {name: one.to(torch.float8_e4m3fn) for name, one in parts.items()}
    down, up = (parts[f"lora_{half}.weight"].float() for half in ("down", "up"))
    return parts, up @ down / 2


def dora(weight: Tensor) -> tuple[Changes, Tensor]:
    parts, change = kohya(weight)
    lengths = random(len(weight), 1).abs() + 0.5
    changed = weight + change
    rows = changed / changed.norm(dim=1, keepdim=True) * lengths
    return parts | {"dora_scale": lengths}, rows - weight


def peft_dora(weight: Tensor) -> tuple[Changes, Tensor]:
    parts, change = plain(weight)
    lengths = random(len(weight)).abs() + 0.5
    changed = weight + change
    rows = changed / changed.norm(dim=1, keepdim=True) * lengths[:, None]
    return parts | {"lora_magnitude_vector": lengths}, rows - weight


def lokr(weight: Tensor) -> tuple[Changes, Tensor]:
    """Both factors whole: alpha does not count. Fused rows are cut within a piece where 4 is no multiple of them."""
    first, second = random(4, 8), random(len(weight) // 4, weight.shape[1] // 8)
    parts = {"lokr_w1": first, "lokr_w2": second, "alpha": torch.tensor(1e9)}
    return parts, torch.kron(first, second)


def lokr_products(weight: Tensor) -> tuple[Changes, Tensor]:
    first = random(8, 2), random(2, 4)
    second = random(len(weight) // 8, 2), random(2, weight.shape[1] // 4)
    halves = (("lokr_w1_a", "lokr_w1_b"), ("lokr_w2_a", "lokr_w2_b"))
    parts = {
        name: one
        for names, pair in zip(halves, (first, second), strict=True)
        for name, one in zip(names, pair, strict=True)
    }
    change = torch.kron(first[0] @ first[1], second[0] @ second[1]) * 3 / 2
    return parts | {"alpha": torch.tensor(3.0)}, change


def loha(weight: Tensor, rank: int = 3) -> tuple[Changes, Tensor]:
    out, width = weight.shape
    parts = {
        "hada_w1_a": random(out, rank),
        "hada_w1_b": random(rank, width),
        "hada_w2_a": random(out, rank),
        "hada_w2_b": random(rank, width),
    }
    a1, b1, a2, b2 = parts.values()
    change = (a1 @ b1) * (a2 @ b2) * 6 / rank
    return parts | {"alpha": torch.tensor(6.0)}, change


def loha_of_high_rank(weight: Tensor) -> tuple[Changes, Tensor]:
    return loha(weight, rank=9)


def difference(weight: Tensor) -> tuple[Changes, Tensor]:
    change = random(*weight.shape)
    return {"diff": change}, change


def lokr_dora(weight: Tensor) -> tuple[Changes, Tensor]:
    parts, change = lokr(weight)
    lengths = random(len(weight), 1).abs() + 0.5
    changed = weight + change
    return parts | {"dora_scale": lengths}, changed / changed.norm(
        dim=1, keepdim=True
    ) * lengths - weight


METHODS = [
    plain,
    adapter,
    kohya,
    fp8,
    dora,
    peft_dora,
    lokr,
    lokr_products,
    lokr_dora,
    loha,
    loha_of_high_rank,
    difference,
]


def make(family: Family, kind: str, method, spell) -> tuple[Changes, Changes]:
    """Return a file's tensors over a family's layers, and what they must change."""
    tensors, expected = {}, {}
    for name, layers in LAYERS[kind].items():
        parts, change = method(matrices(family, layers))
        tensors |= {f"{spell(name)}.{part}": one for part, one in parts.items()}
        expected |= split(change, family, layers)
    return tensors, expected

"""Tiny random control nets for the tiny checkpoints, made and saved by diffusers' own classes."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

FLUX = {
    "num_layers": 1,
    "num_single_layers": 1,
    "attention_head_dim": 32,
    "num_attention_heads": 2,
    "joint_attention_dim": 64,
    "pooled_projection_dim": 64,
    "axes_dims_rope": [8, 12, 12],
}


def save_flux_net(folder: Path, **more: Any) -> Path:
    """Save a net for FLUX.1 of 1 double- and 1 single-stream block, but for what `more` says."""
    import diffusers

    return _save(folder, lambda: diffusers.FluxControlNetModel(**FLUX | more))


def save_qwen_net(folder: Path) -> Path:
    """Save a net for Qwen-Image of 1 block."""
    import diffusers

    return _save(
        folder,
        lambda: diffusers.QwenImageControlNetModel(
            in_channels=16,
            num_layers=1,
            attention_head_dim=32,
            num_attention_heads=2,
            joint_attention_dim=16,
            axes_dims_rope=(8, 12, 12),
        ),
    )


def save_z_net(folder: Path, **more: Any) -> Path:
    """Save a net for Z-Image that adds after both layers."""
    import diffusers

    return _save(
        folder,
        lambda: diffusers.ZImageControlNetModel(
            control_layers_places=[0, 1],
            control_refiner_layers_places=[0],
            dim=64,
            n_refiner_layers=1,
            n_heads=2,
            n_kv_heads=2,
            **more,
        ),
    )


def _save(folder: Path, make: Callable[[], Any]) -> Path:
    import torch

    torch.manual_seed(1)
    net = make()
    for weight in net.parameters():
        if not weight.any():  # which adds nothing before training
            torch.nn.init.normal_(weight, std=0.2)
    net.save_pretrained(folder)
    return folder


NETS: dict[str, Callable[[Path], Path]] = {
    "flux": save_flux_net,
    "flux-guided": partial(save_flux_net, guidance_embeds=True, num_single_layers=0),
    "flux-union": partial(save_flux_net, num_mode=6),
    "flux-pixels": partial(
        save_flux_net, conditioning_embedding_channels=16, patch_size=2, num_single_layers=0
    ),
    "qwen-image": save_qwen_net,
    "z-image": partial(save_z_net, control_in_dim=16),
    "z-image-2": partial(
        save_z_net, control_in_dim=24, add_control_noise_refiner="control_noise_refiner"
    ),
}
"""What saves a net of each kind into a folder, and returns that."""

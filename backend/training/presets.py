"""Sizes of a run. The network is the same; `gpu` takes larger steps, and compiles its blocks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Preset:
    """Everything that differs between a small and a large run; minutes come from the command line."""

    chunks: int  # of scenes, rendered and encoded once
    vae_channels: tuple[int, int, int, int]  # at the scales 1, 1/2, 1/4, 1/8; the first unused
    vae_layers: int  # residual blocks a scale
    vae_crops: int  # pictures of 128 px a step
    vae_rate: float
    heads: int  # of 64 dims
    double_blocks: int
    single_blocks: int
    tokens: int  # image tokens a step: crops of every size fill the same budget
    muon_rate: float
    adam_rate: float
    average: float  # decay of the weights' moving average
    compiled: bool  # the transformer's blocks, on a CUDA device


PRESETS = {
    "cpu": Preset(
        chunks=600,
        vae_channels=(32, 48, 96, 192),
        vae_layers=2,
        vae_crops=4,
        vae_rate=6e-4,
        heads=4,
        double_blocks=3,
        single_blocks=9,
        tokens=3072,
        muon_rate=0.015,
        adam_rate=1e-3,
        average=0.998,
        compiled=False,
    ),
    "gpu": Preset(
        chunks=2_400,
        vae_channels=(32, 48, 96, 192),
        vae_layers=2,
        vae_crops=32,
        vae_rate=6e-4,
        heads=4,
        double_blocks=3,
        single_blocks=9,
        tokens=65_536,
        muon_rate=0.01,
        adam_rate=1e-3,
        average=0.999,
        compiled=True,
    ),
}

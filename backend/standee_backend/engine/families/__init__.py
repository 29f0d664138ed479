"""Model families: what differs between Diffusion Transformers, behind one interface (`base.py`)."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ...catalog.catalog import FAMILIES, ModelInfo


def open_family(pipeline: Any, device: Any, info: ModelInfo, defaults: Any, *more: Any) -> Any:
    """Return a loaded diffusers pipeline as the family that `info` names."""
    module, name = FAMILIES[info.pipeline].split(".")
    return getattr(import_module(f".{module}", __name__), name)(pipeline, device, defaults, *more)

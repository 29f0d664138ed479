"""Defaults of sampling for each kind of checkpoint, and how a kind is told.

Thresholds are shares of the time and the same for all (`engine/families/base.py`): half of the steps replace a
subject's tokens, a tenth is left where kept pixels are not held. Only the number of steps, guidance, the length of text
and the way by which a subject is seen differ. docs/models.md says what follows, and what was run here.
"""

from __future__ import annotations

from typing import Any

from .model_card import Preferences

GUIDED = Preferences(steps=28, guidance=3.5)
"""A checkpoint distilled with guidance, such as FLUX.1 dev."""

FEW_STEPS = Preferences(steps=4, guidance=0.0, text_tokens=256)
"""One distilled to few steps, such as FLUX.1 schnell, which was made for texts of 256 tokens."""

KLEIN_BASE = Preferences(steps=50, guidance=4.0, share_by="input")
"""FLUX.2 klein base: guided by a second forward; trained to take references beside the picture."""

KLEIN = Preferences(steps=4, guidance=1.0, share_by="input")
"""FLUX.2 klein, distilled to 4 steps; trained to take references beside the picture."""

Z_IMAGE = Preferences(steps=50, guidance=4.0)
"""Z-Image: guided by a second forward."""

Z_IMAGE_TURBO = Preferences(steps=8, guidance=0.0)
"""Z-Image-Turbo."""

TURBO_SHIFT = 3.0
"""The shift of Turbo's schedule, which alone tells it from Z-Image."""


def preset(
    index: dict[str, Any], transformer: dict[str, Any], scheduler: dict[str, Any]
) -> Preferences:
    """Return what suits a checkpoint, by its `model_index.json` and the configurations of its parts."""
    if index.get("_class_name") == "Flux2KleinPipeline":
        return KLEIN if index.get("is_distilled") else KLEIN_BASE
    if index.get("_class_name") == "ZImagePipeline":
        return Z_IMAGE_TURBO if scheduler.get("shift") == TURBO_SHIFT else Z_IMAGE
    return GUIDED if transformer.get("guidance_embeds") else FEW_STEPS

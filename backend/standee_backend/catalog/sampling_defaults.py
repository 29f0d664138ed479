"""What suits each kind of checkpoint where a composition leaves the choice to it, and how a kind is told.

`tau` and `scene_tau` are noise levels. FLUX.1 dev falls below its 0.6 and 0.3 after two thirds and nine tenths of its
steps. A schedule that is shifted further towards noise gets there later: with 0.6 klein would replace tokens in 24 of
28 steps. So the other families' thresholds are the noise levels at which their own schedules have made these shares of
the steps: sigma = s t / (1 + (s - 1) t) for the shift s, at t = 0.32 and 0.12.

Few steps leave little room to settle, so there the anchor is on. Only FLUX.1 dev's thresholds were judged on pictures
of the real checkpoint, by the method's authors; docs/models.md says what was run here.
"""

from __future__ import annotations

from typing import Any

from .model_card import Preferences

GUIDED = Preferences(28, 3.5, 0.6, 0.3, False, True, backdrop="neutral")
"""A checkpoint distilled with guidance, such as FLUX.1 dev."""

FEW_STEPS = Preferences(4, 0.0, 0.6, 0.3, True, True, backdrop="neutral")
"""One distilled to few steps, such as FLUX.1 schnell."""

KLEIN_BASE = Preferences(50, 4.0, 0.78, 0.5, False, True, backdrop="neutral")
"""FLUX.2 klein base: guided by a second forward; a shift of 7.6 at 50 steps and 1024 px."""

KLEIN = Preferences(4, 1.0, 0.8, 0.55, True, True, backdrop="neutral")
"""FLUX.2 klein, distilled: its 4 steps stand at 1, 0.97, 0.91 and 0.77, of which three replace tokens."""

Z_IMAGE = Preferences(50, 4.0, 0.74, 0.45, False, True, backdrop="neutral")
"""Z-Image: guided by a second forward; a shift of 6."""

Z_IMAGE_TURBO = Preferences(8, 0.0, 0.6, 0.3, True, True, backdrop="neutral")
"""Z-Image-Turbo: 8 steps with a shift of 3, of which six replace tokens."""

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

"""Models that are known by name."""

from __future__ import annotations

from . import control_nets
from .model_card import ModelEntry
from .sampling_defaults import (
    FLUX2_DEV,
    FLUX_CANNY,
    FLUX_DEPTH,
    KONTEXT,
    KREA_2,
    KREA_2_TURBO,
    QWEN_IMAGE,
    QWEN_IMAGE_EDIT,
    Z_IMAGE,
    Z_IMAGE_TURBO,
)

FINDER = "IDEA-Research/grounding-dino-tiny"
"""The model that finds words in a picture, where a cut-out names none."""

KNOWN = {
    "FLUX.1-dev": ModelEntry(
        path="black-forest-labs/FLUX.1-dev",
        description="FLUX.1 dev: the best fidelity to subjects.",
        licence="FLUX.1 [dev] non-commercial",
        control=dict(control_nets.FLUX),
    ),
    "FLUX.1-schnell": ModelEntry(
        path="black-forest-labs/FLUX.1-schnell",
        description="FLUX.1 schnell: four steps, for quick drafts.",
        licence="Apache-2.0",
        control=dict(control_nets.FLUX),
    ),
    "FLUX.1-Krea-dev": ModelEntry(
        path="black-forest-labs/FLUX.1-Krea-dev",
        description="FLUX.1 Krea: photographic, less glossy than dev.",
        licence="FLUX.1 [dev] non-commercial",
        defaults={"guidance": 4.5},
        control=dict(control_nets.FLUX),
    ),
    "FLUX.1-Kontext-dev": ModelEntry(
        path="black-forest-labs/FLUX.1-Kontext-dev",
        description="FLUX.1 Kontext: takes reference pictures.",
        licence="FLUX.1 [dev] non-commercial",
        defaults=dict(KONTEXT),
    ),
    "FLUX.1-Depth-dev": ModelEntry(
        path="black-forest-labs/FLUX.1-Depth-dev",
        description="FLUX.1 Depth: follows a picture of depth.",
        licence="FLUX.1 [dev] non-commercial",
        defaults=dict(FLUX_DEPTH),
        control=dict(control_nets.FLUX_DEPTH),
    ),
    "FLUX.1-Canny-dev": ModelEntry(
        path="black-forest-labs/FLUX.1-Canny-dev",
        description="FLUX.1 Canny: follows a picture of lines.",
        licence="FLUX.1 [dev] non-commercial",
        defaults=dict(FLUX_CANNY),
        control=dict(control_nets.FLUX_CANNY),
    ),
    "FLUX.2-dev": ModelEntry(
        path="black-forest-labs/FLUX.2-dev",
        description="FLUX.2 dev: the largest, takes reference pictures.",
        licence="FLUX.2 [dev] non-commercial",
        defaults=dict(FLUX2_DEV),
    ),
    "FLUX.2-klein-4B": ModelEntry(
        path="black-forest-labs/FLUX.2-klein-4B",
        description="FLUX.2 klein 4B: four steps, small.",
        licence="Apache-2.0",
    ),
    "FLUX.2-klein-9B": ModelEntry(
        path="black-forest-labs/FLUX.2-klein-9B",
        description="FLUX.2 klein 9B: four steps.",
        licence="FLUX non-commercial",
    ),
    "FLUX.2-klein-base-4B": ModelEntry(
        path="black-forest-labs/FLUX.2-klein-base-4B",
        description="FLUX.2 klein base 4B: not distilled, more varied.",
        licence="Apache-2.0",
    ),
    "FLUX.2-klein-base-9B": ModelEntry(
        path="black-forest-labs/FLUX.2-klein-base-9B",
        description="FLUX.2 klein base 9B: not distilled, more varied.",
        licence="FLUX non-commercial",
    ),
    "Z-Image-Turbo": ModelEntry(
        path="Tongyi-MAI/Z-Image-Turbo",
        description="Z-Image-Turbo: eight steps, photographic.",
        licence="Apache-2.0",
        defaults=dict(Z_IMAGE_TURBO),
    ),
    "Z-Image": ModelEntry(
        path="Tongyi-MAI/Z-Image",
        description="Z-Image: not distilled, more varied.",
        licence="Apache-2.0",
        defaults=dict(Z_IMAGE),
    ),
    "Krea-2-Turbo": ModelEntry(
        path="krea/Krea-2-Turbo",
        description="Krea 2 Turbo: eight steps, for looks and style.",
        licence="Krea 2 Community: read it before commercial use",
        defaults=dict(KREA_2_TURBO),
    ),
    "Krea-2-Raw": ModelEntry(
        path="krea/Krea-2-Raw",
        description="Krea 2 Raw: not distilled, more varied.",
        licence="Krea 2 Community: read it before commercial use",
        defaults=dict(KREA_2),
    ),
    "Qwen-Image-2512": ModelEntry(
        path="Qwen/Qwen-Image-2512",
        description="Qwen-Image of December 2025: large, follows long prompts, writes text.",
        licence="Apache-2.0",
        defaults=dict(QWEN_IMAGE),
        control=dict(control_nets.QWEN_IMAGE),
    ),
    "Qwen-Image-Edit-2511": ModelEntry(
        path="Qwen/Qwen-Image-Edit-2511",
        description="Qwen-Image-Edit of November 2025: takes reference pictures.",
        licence="Apache-2.0",
        defaults=dict(QWEN_IMAGE_EDIT),
    ),
}
"""Names for models of the hub; they are listed where the hub's cache holds them."""

BUILT_LIKE = {
    "FLUX.1-schnell": "FLUX.1-dev",
    "FLUX.1-Krea-dev": "FLUX.1-dev",
    "FLUX.1-Depth-dev": "FLUX.1-dev",
    "FLUX.1-Canny-dev": "FLUX.1-dev",
    "FLUX.2-klein-base-4B": "FLUX.2-klein-4B",
    "FLUX.2-klein-base-9B": "FLUX.2-klein-9B",
    "Z-Image": "Z-Image-Turbo",
    "Krea-2-Raw": "Krea-2-Turbo",
}
"""Models that take the memory of another one: they differ in what their weights are, not in how many."""

"""Composed pictures as arrays, and diffusers' own pipelines to compare them with."""

import json
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
from numpy.typing import NDArray

from standee_backend.engine import compose as engine
from standee_backend.engine.loading.words_only import words_only


def compose(*given, **more) -> NDArray[np.uint8]:
    """Return the picture, uint8 (height, width, 3), of `engine.compose.compose` with these arguments."""
    return engine.compose(*given, **more).finish()


def own_pipeline(folder: Path) -> Any:
    """Return the checkpoint in `folder` as diffusers has it, without what needs further packages to read pictures."""
    index = json.loads((folder / "model_index.json").read_text())
    words = words_only(folder, index)
    kind = getattr(diffusers, index["_class_name"])
    pipeline = kind.from_pretrained(folder, **dict.fromkeys(words))
    pipeline.register_modules(**words)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline

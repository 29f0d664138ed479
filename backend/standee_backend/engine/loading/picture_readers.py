"""Picture readers of language models, without the packages that they ask for.

As published they want torchvision, for videos that nothing here shows them. Where a pipeline's language model sees
pictures, transformers' own reader by Pillow does; elsewhere the tokenizer is enough, or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import transformers

READERS = frozenset({"processor", "feature_extractor", "image_encoder"})
"""Parts that prepare pictures, or look at them for adapters."""

SEEING = frozenset({"QwenImageEditPlusPipeline"})
"""Pipelines whose language model sees the reference pictures."""


def picture_readers(folder: Path, index: Mapping[str, Any]) -> dict[str, Any]:
    """Return such parts of a pipeline, by its `model_index.json`: nothing, or what stands in for it."""
    parts: dict[str, Any] = dict.fromkeys(READERS & index.keys())
    if "processor" in parts and index.get("_class_name") in SEEING:
        parts["processor"] = transformers.Qwen2VLImageProcessorPil.from_pretrained(
            folder / "processor", local_files_only=True
        )
    for name, said in index.items():
        if name.startswith("tokenizer") and isinstance(said, list) and _reads_pictures(said[1]):
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                folder / name, local_files_only=True
            )
            parts[name] = tokenizer
    return parts


def _reads_pictures(kind: str | None) -> bool:
    return bool(kind) and str(kind).endswith("Processor")

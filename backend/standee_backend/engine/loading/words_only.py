"""Picture readers of language models: parts left out of a pipeline, or their tokenizer alone.

They ask for packages (torchvision) that nothing here needs: pictures reach a model as their tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import transformers

UNUSED = frozenset({"processor", "feature_extractor", "image_encoder"})
"""Parts that prepare pictures, or look at them for adapters."""


def words_only(folder: Path, index: Mapping[str, Any]) -> dict[str, Any]:
    """Return such parts of a pipeline, by its `model_index.json`: nothing, or what stands in for it."""
    parts = dict.fromkeys(UNUSED & index.keys())
    for name, said in index.items():
        if name.startswith("tokenizer") and isinstance(said, list) and _reads_pictures(said[1]):
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                folder / name, local_files_only=True
            )
            parts[name] = tokenizer
    return parts


def _reads_pictures(kind: str | None) -> bool:
    return bool(kind) and str(kind).endswith("Processor")

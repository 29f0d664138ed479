"""Composed pictures as arrays, and diffusers' own pipelines to compare them with."""

import json
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
from numpy.typing import NDArray
from transformers import BatchFeature

from standee_backend.engine import compose as engine
from standee_backend.engine.loading.picture_readers import picture_readers

MARK = "<|image_pad|>"


def compose(*given, **more) -> NDArray[np.uint8]:
    """Return the picture, uint8 (height, width, 3), of `engine.compose.compose` with these arguments."""
    return engine.compose(*given, **more).finish()


class PictureProcessor:
    """Qwen2-VL's processor of words and pictures, of parts that need no further packages.

    transformers' own puts together the same two, and asks for torchvision, for videos.
    """

    def __init__(self, tokenizer: Any, reader: Any) -> None:
        self._tokenizer, self._reader = tokenizer, reader

    def __call__(self, text: list[str], images: list[Any], **more: Any) -> BatchFeature:
        """Return tokens and pixels; of each picture one mark becomes as many as it has tokens."""
        seen = self._reader(images=images, return_tensors="pt")
        [said], counts = text, seen["image_grid_thw"].prod(dim=1) // self._reader.merge_size**2
        first, *others = said.split(MARK)
        marked = "".join(MARK * int(n) + part for n, part in zip(counts, others, strict=True))
        return BatchFeature({**self._tokenizer([first + marked], return_tensors="pt"), **seen})


def with_places(pipeline: Any) -> None:
    """Tell the language model which tokens are pictures, so that it places them in rows and columns.

    As it was trained; diffusers does not tell it yet, with transformers from version 5 on (issue 14194 there).
    """
    mark = pipeline.text_encoder.config.image_token_id

    def tell(_: Any, args: Any, given: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        return args, given | {"mm_token_type_ids": (given["input_ids"] == mark).int()}

    pipeline.text_encoder.register_forward_pre_hook(tell, with_kwargs=True)


def own_pipeline(folder: Path) -> Any:
    """Return the checkpoint in `folder` as diffusers has it, without what needs further packages to read pictures."""
    index = json.loads((folder / "model_index.json").read_text())
    readers = picture_readers(folder, index)
    kind = getattr(diffusers, index["_class_name"])
    pipeline = kind.from_pretrained(folder, **dict.fromkeys(readers))
    pipeline.register_modules(**readers)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline

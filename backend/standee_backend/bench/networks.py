"""Published networks that score pictures: CLIP, DINOv2 and DreamSim.

Cosines and distances are those of the paper's tables. Weights come from a folder or from the hub's cache; what is not
on this machine is downloaded only where that was agreed to.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import cosine_similarity

from standee.errors import MissingDependency

from ..catalog.catalog import cached_network, existing

CLIP, DINO = "openai/clip-vit-large-patch14", "facebook/dinov2-base"
HAVE = "Name a folder that holds it, or agree to the download with --yes."


class Clip:
    """CLIP-T (a picture and words) and CLIP-I (two pictures), as cosines. Raises `MissingDependency`."""

    def __init__(self, model: str = CLIP, *, download: bool = False) -> None:
        self._model, self._processor = _load(model, "CLIPModel", "CLIPProcessor", download)

    def text(self, picture: Image.Image, words: str) -> float:
        """Return how well a picture fits words."""
        with torch.no_grad():
            given = {"text": [words], "images": picture, "return_tensors": "pt"}
            out = self._model(**self._processor(**given, padding=True, truncation=True))
        return _cosine(out.image_embeds[0], out.text_embeds[0])

    def picture(self, a: Image.Image, b: Image.Image) -> float:
        """Return how alike two pictures are."""
        with torch.no_grad():
            inputs = self._processor(text=[""], images=[a, b], return_tensors="pt", padding=True)
            embeds = self._model(**inputs).image_embeds
        return _cosine(embeds[0], embeds[1])


class Dino:
    """DINOv2: the cosine of two pictures' class tokens. Raises `MissingDependency`."""

    def __init__(self, model: str = DINO, *, download: bool = False) -> None:
        self._model, self._processor = _load(model, "AutoModel", "AutoImageProcessor", download)

    def picture(self, a: Image.Image, b: Image.Image) -> float:
        """Return how alike two pictures are."""
        with torch.no_grad():
            inputs = self._processor(images=[a, b], return_tensors="pt")
            tokens = self._model(**inputs).last_hidden_state[:, 0]
        return _cosine(tokens[0], tokens[1])


class DreamSim:
    """DreamSim: the perceptual distance of two pictures, of the package `dreamsim`. Raises `MissingDependency`."""

    def __init__(self) -> None:
        try:
            dreamsim = import_module("dreamsim")
        except ImportError:
            raise MissingDependency(
                "DreamSim needs a package.",
                fix="Run `pip install dreamsim`; it brings its weights.",
            ) from None
        self._model, self._prepare = dreamsim.dreamsim(pretrained=True, device="cpu")

    def picture(self, a: Image.Image, b: Image.Image) -> float:
        """Return how far apart two pictures are."""
        with torch.no_grad():
            return float(self._model(self._prepare(a), self._prepare(b)))


def _load(model: str, network: str, processor: str, download: bool) -> tuple[Any, Any]:
    """Load a network and its processor; without `download` nobody is asked for what is not here."""
    folder = existing(model) or cached_network(model)
    if folder is None and not download:
        raise MissingDependency(f"{model} is not on this machine.", fix=HAVE)
    given, transformers = folder or model, import_module("transformers")
    how = {"local_files_only": folder is not None}
    try:
        return (
            getattr(transformers, network)
            .from_pretrained(given, use_safetensors=True, **how)
            .eval(),
            getattr(transformers, processor).from_pretrained(given, **how),
        )
    except (OSError, ValueError) as error:
        raise MissingDependency(f"{model}: {error}", fix=HAVE) from None


def _cosine(a: Tensor, b: Tensor) -> float:
    return float(cosine_similarity(a, b, dim=0))

"""What the benchmarks measure of pictures: identity, seams, and the paper's CLIP and DINO scores.

Pictures are float arrays (height, width, 3) in 0..1, masks boolean (height, width).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[np.float32]
Bools = NDArray[np.bool_]


def psnr(picture: Array, reference: Array, mask: Bools) -> float:
    """Return the peak signal-to-noise ratio in dB inside `mask`; infinite where both are equal."""
    error = float(((picture - reference)[mask] ** 2).mean())
    return float("inf") if error == 0 else -10 * float(np.log10(error))


def ssim(picture: Array, reference: Array, mask: Bools) -> float:
    """Return the mean structural similarity (Wang et al. 2004, Gaussian window, sigma 1.5) inside `mask`."""

    def blur(a: Array) -> Array:
        return cv2.GaussianBlur(a, (11, 11), 1.5)

    mean_a, mean_b = blur(picture), blur(reference)
    var_a = blur(picture * picture) - mean_a**2
    var_b = blur(reference * reference) - mean_b**2
    both = blur(picture * reference) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    top = (2 * mean_a * mean_b + c1) * (2 * both + c2)
    bottom = (mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)
    return float((top / bottom)[mask].mean())


def edge_gradient(picture: Array, mask: Bools) -> float:
    """Return the mean step in colour between neighbouring pixels across the edge of `mask`."""
    steps = []
    for axis in (0, 1):
        crosses = np.diff(mask, axis=axis)
        steps.append(np.abs(np.diff(picture, axis=axis)).mean(axis=2)[crosses])
    return float(np.concatenate(steps).mean())


class Clip:
    """CLIP-T (picture and words) and CLIP-I (picture and picture), as cosines."""

    def __init__(self, model: str) -> None:
        from transformers import CLIPModel, CLIPProcessor

        self.model = CLIPModel.from_pretrained(model).eval()
        self.processor = CLIPProcessor.from_pretrained(model)

    def text(self, picture: Image.Image, words: str) -> float:
        import torch

        with torch.no_grad():
            inputs = self.processor(text=[words], images=picture, return_tensors="pt", padding=True)
            out = self.model(**inputs)
        return _cosine(out.image_embeds[0], out.text_embeds[0])

    def picture(self, a: Image.Image, b: Image.Image) -> float:
        import torch

        with torch.no_grad():
            inputs = self.processor(text=[""], images=[a, b], return_tensors="pt", padding=True)
            embeds = self.model(**inputs).image_embeds
        return _cosine(embeds[0], embeds[1])


class Dino:
    """DINO: the cosine of two pictures' class tokens."""

    def __init__(self, model: str) -> None:
        from transformers import AutoImageProcessor, AutoModel

        self.model = AutoModel.from_pretrained(model).eval()
        self.processor = AutoImageProcessor.from_pretrained(model)

    def picture(self, a: Image.Image, b: Image.Image) -> float:
        import torch

        with torch.no_grad():
            inputs = self.processor(images=[a, b], return_tensors="pt")
            tokens = self.model(**inputs).last_hidden_state[:, 0]
        return _cosine(tokens[0], tokens[1])


def _cosine(a: object, b: object) -> float:
    from torch.nn.functional import cosine_similarity

    return float(cosine_similarity(a, b, dim=0))

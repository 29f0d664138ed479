"""Measures of pictures: identity, seams, and the paper's CLIP and DINO scores.

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


def low_pass(picture: Array, mask: Bools, width: float) -> Array:
    """Return the low frequencies of a picture inside `mask`: Gaussian means over `width` px of what lies in it."""
    weight = mask.astype(np.float32)[..., None]
    summed = cv2.GaussianBlur(picture * weight, (0, 0), width)
    return summed / np.maximum(cv2.GaussianBlur(weight, (0, 0), width)[..., None], 1e-4)


def detail(picture: Array, mask: Bools, width: float) -> Array:
    """Return a picture without its low frequencies inside `mask`."""
    return picture - low_pass(picture, mask, width)


def halo(picture: Array, mask: Bools, reach: int) -> float:
    """Return how much a subject runs over its outline: the share of the ring of `reach` px that looks like it.

    A pixel does that is nearer to the mean colour of the subject's rim than to that of the place further out.
    """
    grown, far = (dilated(mask, size) for size in (reach, 3 * reach))
    rim = mask & dilated(~mask, reach)
    outside = far & ~grown
    if not outside.any() or not rim.any():
        return 0.0
    ring = picture[grown & ~mask]
    own, place = (
        np.linalg.norm(ring - picture[part].mean(axis=0), axis=1) for part in (rim, outside)
    )
    return float((own < 0.5 * place).mean())


def dilated(mask: Bools, reach: int) -> Bools:
    """Return a mask grown by `reach` px."""
    return cv2.dilate(mask.astype(np.uint8), _disc(reach)) > 0


def edges(picture: Array, mask: Bools) -> float:
    """Return the share of `mask` where the picture has strong edges: figures that nobody asked for have them."""
    grey = cv2.GaussianBlur(picture.mean(axis=2), (0, 0), 1.0)
    steps = np.hypot(*np.gradient(grey))
    return float((steps[mask] > 0.06).mean()) if mask.any() else 0.0


def _disc(radius: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))


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


class DreamSim:
    """DreamSim: the perceptual distance of two pictures (needs the package `dreamsim` and its weights)."""

    def __init__(self) -> None:
        from dreamsim import dreamsim

        self.model, self.prepare = dreamsim(pretrained=True, device="cpu")

    def picture(self, a: Image.Image, b: Image.Image) -> float:
        import torch

        with torch.no_grad():
            return float(self.model(self.prepare(a), self.prepare(b)))


def _cosine(a: object, b: object) -> float:
    from torch.nn.functional import cosine_similarity

    return float(cosine_similarity(a, b, dim=0))

"""Who sees whom in an attention with two regions of words, one of which counts in part."""

from __future__ import annotations

import torch

from standee_backend.engine.families.conditioning import Conditioning


def text_places(prompt: Conditioning, at_corners: bool) -> torch.Tensor:
    """Return FLUX.1's ids (tokens, 3) of a text, with words of four tokens at the corners of their regions, or not."""
    ids = torch.zeros(prompt.text.shape[1], 3)
    for region in prompt.regions if at_corners else ():
        for row, corner in zip(ids[region.start : region.stop, 1:], [0, 0, 1, 1], strict=True):
            row[:] = region.corners[corner]
    return ids


def kinds_of_tokens(prompt: Conditioning, cells: int) -> tuple[list[int], list[str]]:
    """Return what the tokens of a text and of a picture of so many `cells` are, as `seen` takes them."""
    text, picture = [0] * prompt.regions[0].start, ["cell 0"] * cells
    for number, region in enumerate(prompt.regions, 1):
        text += [number] * (region.stop - region.start)
        for cell in region.cells.tolist():
            picture[cell] = f"cell {number}"
    return text, picture


def seen(who: int | str, what: int | str, weight: float) -> float:
    """Return how much a token sees of another: a text by its number (0 of all), a `cell` of a region, or padding.

    The words of region 1 count with `weight`, those of region 2 whole.
    """
    if what in (1, 2):
        share = weight if what == 1 else 1.0
        return {what: 1.0, f"cell {what}": share}.get(who, 0.0)
    if who in (1, 2):
        return float(what == f"cell {who}")
    if what == 0 and who in ("cell 1", "cell 2"):
        return 1 - weight if who == "cell 1" else 0.0
    return 1.0

"""Who sees whom in an attention with two regions of words, one of which counts in part."""

from __future__ import annotations


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

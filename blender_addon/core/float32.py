"""Round trip of numbers through Blender's 32-bit properties.

A document holds 64-bit floats and seeds up to 2**53; Blender's properties are 32 bits wide. What a
property was set from is kept beside it, and counts as long as nobody changed the property.
"""

from __future__ import annotations

from typing import Any

import numpy as np

LARGEST = 2**31 - 1


def as_float32(value: Any) -> Any:
    """Return what a property holds after it was set to `value`."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return min(max(value, -LARGEST), LARGEST)
    return float(np.float32(value)) if isinstance(value, float) else value


def restore_float64(held: Any, origin: Any) -> Any:
    """Return `origin` if the property still holds what was made of it, else what it holds.

    A float that a person typed comes back as the shortest number that the property can mean.
    """
    if type(origin) in (int, float) and as_float32(float(origin)) == as_float32(float(held)):
        return origin
    if type(origin) is int and as_float32(origin) == held:
        return origin
    return shortest_float(held)


def shortest_float(held: Any) -> Any:
    """Return the shortest number that is the same in 32 bits: 0.1, not 0.10000000149."""
    return float(str(np.float32(held))) if isinstance(held, float) else held

"""Composed pictures as arrays: what the engine computes on the device, finished on the host."""

import numpy as np
from numpy.typing import NDArray

from standee_backend.engine import compose as engine


def compose(*given, **more) -> NDArray[np.uint8]:
    """Return the picture, uint8 (height, width, 3), of `engine.compose.compose` with these arguments."""
    return engine.compose(*given, **more).finish()

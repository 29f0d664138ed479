"""Control pictures of depth and normals, as the models were trained to read them.

Arrays are float32, the first row on top; what comes out is 0..1.
"""

import numpy as np
from numpy.typing import NDArray

FACING = (0.5, 0.5, 1.0)
"""The colour of what faces the camera, and of where nothing is."""


def depth_picture(depth: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return a picture (height, width) of distances along the camera's axis, `inf` where nothing is.

    It is inverse depth, the nearest white and the farthest, or nothing, black, as depth networks
    estimate it.
    """
    near = np.zeros(depth.shape, np.float64)
    np.divide(1.0, depth, out=near, where=np.isfinite(depth) & (depth > 0))
    low, high = float(near.min()), float(near.max())
    if high - low <= 1e-6 * high:  # all as far as each other, or nothing at all
        return (near > 0).astype(np.float32)
    return ((near - low) / (high - low)).astype(np.float32)


def normal_picture(normals: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return a picture (height, width, 3) of unit vectors in the camera's space, 0 where nothing is.

    Red grows to the right, green up, blue towards the camera.
    """
    there = (normals != 0).any(axis=2, keepdims=True)
    picture = np.where(there, (normals + 1) / 2, np.asarray(FACING, np.float32))
    return np.clip(picture, 0, 1).astype(np.float32)

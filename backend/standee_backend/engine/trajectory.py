"""A reference's way between its clean latents and its noise.

For a rectified flow the straight line x_sigma = (1 - sigma) x0 + sigma eps *is* the inversion at full control
(gamma = 1): the controlled ODE of RF-Inversion (arXiv 2410.10792) then never depends on the network. With gamma < 1 the
noise at the line's end is found by that ODE instead, at one network pass a step.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from torch import Tensor

Velocity = Callable[[Tensor, Tensor], Tensor]


def at(x0: Tensor, noise: Tensor, sigma: Tensor) -> Tensor:
    """Return the point of the straight trajectory at noise level `sigma` (a scalar tensor); shapes as `x0`."""
    return (1 - sigma) * x0 + sigma * noise


def invert(x0: Tensor, noise: Tensor, sigmas: Tensor, gamma: float, velocity: Velocity) -> Tensor:
    """Invert `x0` (batch, cells, channels) with RF-Inversion and return the noise it ends at.

    The forward ODE follows d x / d sigma = v + gamma ((noise - x) / (1 - sigma) - v) from sigma 0 to 1 over the
    reversed `sigmas` (steps + 1,). gamma = 1 ends at `noise` itself, gamma = 0 is plain inversion.
    """
    if gamma == 1:
        return noise
    x = x0
    for sigma, following in pairwise(sigmas.flip(0)):
        free = velocity(x, sigma)
        guided = (noise - x) / (1 - sigma)
        x = x + (following - sigma) * (free + gamma * (guided - free))
    return x

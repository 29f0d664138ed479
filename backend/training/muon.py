"""Muon (Keller Jordan, 2024) for matrices and convolution kernels.

torch.optim.Muon takes matrices alone; a kernel (out, in, h, w) is orthogonalized here as the matrix
(out, in*h*w). On these small networks it needs several times fewer steps than AdamW.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic Newton-Schulz iteration
ITERATIONS = 5


def orthogonalize(matrix: torch.Tensor) -> torch.Tensor:
    """The nearest (half-)orthogonal matrix, roughly: all singular values end in about 0.7..1.2."""
    a, b, c = COEFFICIENTS
    x = matrix.bfloat16()
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.T if tall else x).to(matrix.dtype)


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalized; `lr` is the spectral size of a step on a square matrix."""

    def __init__(
        self, params: Iterable[torch.Tensor], lr: float, momentum: float = 0.95, decay: float = 0.0
    ):
        super().__init__(params, {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                buffer = self.state[parameter].setdefault("buffer", torch.zeros_like(parameter))
                buffer.lerp_(parameter.grad, 1 - group["momentum"])
                update = parameter.grad.lerp(buffer, group["momentum"]).flatten(1)
                scale = max(1.0, update.shape[0] / update.shape[1]) ** 0.5
                parameter.mul_(1 - group["lr"] * group["decay"])
                parameter.add_(orthogonalize(update).view_as(parameter), alpha=-group["lr"] * scale)

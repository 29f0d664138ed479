"""A reference's trajectory: the straight line, and RF-Inversion when it is not fully controlled."""

from __future__ import annotations

import torch

from standee_backend.engine.trajectory import at, invert

X0, NOISE = torch.randn(2, 1, 5, 4, generator=torch.Generator().manual_seed(0))
SIGMAS = torch.tensor([1.0, 0.8, 0.5, 0.2, 0.0])


def test_the_line_runs_from_the_picture_to_its_noise() -> None:
    assert torch.equal(at(X0, NOISE, torch.tensor(0.0)), X0)
    assert torch.equal(at(X0, NOISE, torch.tensor(1.0)), NOISE)


def test_full_control_needs_no_network() -> None:
    def never(x, sigma):
        raise AssertionError("the network ran")

    assert invert(X0, NOISE, SIGMAS, 1.0, never) is NOISE


def test_a_perfect_velocity_ends_at_the_noise_at_any_control() -> None:
    for gamma in (0.0, 0.5, 0.99):
        end = invert(X0, NOISE, SIGMAS, gamma, lambda x, sigma: NOISE - X0)
        torch.testing.assert_close(end, NOISE, atol=1e-5, rtol=1e-5)


def test_less_control_follows_the_network_more() -> None:
    ends = [invert(X0, NOISE, SIGMAS, g, lambda x, sigma: torch.zeros_like(x)) for g in (0.9, 0.1)]
    distances = [float((end - NOISE).norm()) for end in ends]
    assert distances[0] < distances[1]

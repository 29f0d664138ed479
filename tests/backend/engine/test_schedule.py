"""Thresholds in time: the same share of the steps for every model, canvas and number of steps."""

from __future__ import annotations

import pytest
import torch

from standee_backend.catalog import catalog
from standee_backend.engine.families.base import Family
from standee_backend.engine.loading.load import load
from standee_backend.engine.schedule import Schedule
from standee_backend.engine.settings import strength, threshold
from standee_backend.hardware.options import Options


def schedule(steps: int) -> Schedule:
    return Schedule.of(torch.linspace(1, 0, steps + 1))


@pytest.fixture(params=["flux", "klein", "klein-base", "z-image", "z-image-turbo", "qwen-image"])
def family(request, tiny_flux, tiny_model) -> Family:
    folder = tiny_flux if request.param == "flux" else tiny_model(request.param)
    return load(catalog.find(str(folder)), Options(device="cpu"))


def test_a_threshold_means_the_same_share_of_the_steps_at_every_size(family) -> None:
    steps, tau = family.defaults.steps, family.defaults.tau
    shares = []
    for side in (512, 1024, 2048):
        cells = (side // family.patch) ** 2
        made = Schedule.of(family.sigmas(steps, cells))
        assert list(made.levels) == sorted(made.levels, reverse=True)
        shares.append(sum(made.share_above(step, tau) for step in range(made.steps)) / made.steps)
    assert shares == pytest.approx([1 - tau] * 3, abs=0.05)


@pytest.mark.parametrize("steps", [1, 4, 8, 20, 28])
def test_the_step_that_straddles_a_threshold_counts_in_part(steps) -> None:
    made = schedule(steps)
    for percent in range(101):
        tau = percent / 100
        parts = [made.share_above(step, tau) for step in range(steps)]
        assert sum(parts) == pytest.approx(steps * (1 - tau), abs=1e-4)
        assert parts == sorted(parts, reverse=True)
        assert sum(0 < part < 1 for part in parts) <= 1


def test_fidelity_moves_threshold_and_strength_together() -> None:
    fidelities = [tenth / 10 for tenth in range(11)]
    taus = [threshold(fidelity, 0.5) for fidelity in fidelities]
    strengths = [strength(fidelity, 0.3) for fidelity in fidelities]
    assert taus == sorted(taus, reverse=True)
    assert strengths == sorted(strengths)
    assert (taus[0], taus[5], taus[10]) == (1.0, 0.5, 0.0)
    assert (strengths[0], strengths[5], strengths[10]) == (0.0, pytest.approx(0.3), 1.0)

"""The anchor: how far the predicted picture is pulled, through what, and what of it is left to the picture."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from standee_backend.engine.anchor import Anchor, hold
from standee_backend.engine.schedule import Schedule

SIDE = 12
CELLS = SIDE * SIDE
SCHEDULE = Schedule.of(torch.linspace(1, 0, 11))
LATE = 9


@pytest.fixture
def anchor() -> Anchor:
    """The whole canvas, held to a fine pattern on a bright ground."""
    pattern = torch.arange(CELLS) % 2 * 2.0 - 1
    clean = (3 + pattern)[:, None].expand(-1, 4).contiguous()
    everything = torch.arange(CELLS)
    return Anchor(
        everything, clean, torch.ones(CELLS, 4), tau=0.0, strength=1.0,
        box=(SIDE, SIDE), place=everything, reach=2,
    )  # fmt: skip


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
def test_the_strength_is_how_far_it_is_pulled(anchor, strength) -> None:
    predicted = torch.zeros(1, CELLS, 4)
    held = hold(predicted, [replace(anchor, strength=strength)], SCHEDULE, 0)
    torch.testing.assert_close(held[0], strength * anchor.clean)


def test_the_cut_out_is_soft_and_other_cells_stay(anchor) -> None:
    half = replace(anchor, put=anchor.put[:1], clean=anchor.clean[:1], matte=anchor.matte[:1] / 2)
    held = hold(torch.zeros(1, CELLS, 4), [half], SCHEDULE, 0)
    torch.testing.assert_close(held[0, 0], anchor.clean[0] / 2)
    assert not held[0, 1:].any()


def test_below_its_threshold_it_holds_nothing_and_in_that_step_in_part(anchor) -> None:
    predicted = torch.zeros(1, CELLS, 4)
    until = replace(anchor, tau=0.45)
    assert torch.equal(hold(predicted, [until], SCHEDULE, 6), predicted)
    torch.testing.assert_close(hold(predicted, [until], SCHEDULE, 5)[0], anchor.clean / 2)


@pytest.mark.parametrize("light", [0.0, 0.5, 1.0])
def test_the_low_frequencies_are_left_to_the_picture_as_the_light_says(anchor, light) -> None:
    predicted = torch.full((1, CELLS, 4), -5.0)
    [held] = hold(predicted, [replace(anchor, light=light)], SCHEDULE, LATE)
    middle = held.view(SIDE, SIDE, 4)[4:8, 4:8]
    assert middle.mean() == pytest.approx((1 - light) * 3 - light * 5, abs=0.3)
    assert middle.std() == pytest.approx(1, abs=0.2)  # the fine pattern is the subject's own


def test_colour_is_held_too_in_the_step_that_a_subject_comes_in(anchor) -> None:
    predicted = torch.full((1, CELLS, 4), -5.0)
    coming = replace(anchor, light=1.0, begin=SCHEDULE.time(1))
    [held] = hold(predicted, [coming], SCHEDULE, 1)
    torch.testing.assert_close(held, anchor.clean)
    [after] = hold(predicted, [coming], SCHEDULE, 2)
    assert after.mean() < -4

"""Time left of a job: by its steps alone, whatever was loaded or read between them."""

from __future__ import annotations

import pytest

from standee_backend.worker.step_observer import Pace


@pytest.fixture
def hours() -> list[float]:
    """A clock that shows what stands in it."""
    return [100.0]


def test_what_was_read_on_the_way_does_not_count(hours: list[float]) -> None:
    pace = Pace(lambda: hours[0])

    def step(seconds: float, read: bool = False) -> None:
        hours[0] += seconds
        if read:
            pace.read()
        pace.step()

    hours[0] += 300  # the model is loaded
    pace.begin()
    step(30.0, read=True)
    assert pace.left(19) is None, "one step that read subjects tells no pace"
    step(2.0)
    assert pace.left(18) == 36.0
    step(40.0, read=True)
    step(4.0)
    assert pace.left(10) == 30.0
    hours[0] += 50  # the first picture is finished
    pace.begin()
    step(3.0)
    assert pace.left(10) == 30.0
    assert pace.left(0) == 0.0

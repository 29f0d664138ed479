"""Live mode on machines of any speed."""

from __future__ import annotations

from standee.composition import Composition
from standee_desktop.model.live_mode import LiveMode


def test_live_mode_lets_a_slow_job_come_to_something_to_see() -> None:
    """However long a first preview takes, a hand that goes on moving does not starve it."""
    live = LiveMode()
    live.switch(True, now=0.0)
    assert live.take(Composition(), now=0.0)
    live.hand_in()
    for n in range(100):
        live.changed(now=n * 0.1)
        assert live.due_in(now=n * 0.1) is None
    live.shown()
    assert live.due_in(now=10.0) == 0.0
    assert live.take(Composition(prompt="moved"), now=10.0)

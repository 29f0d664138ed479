"""Live mode: when it composes again, on machines of any speed."""

from __future__ import annotations

from standee.composition import Composition
from standee_desktop.model.live_mode import LONGEST, REST, LiveMode


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


def test_live_mode_waits_until_the_hand_rests() -> None:
    live = LiveMode()
    live.switch(True, now=0.0)
    assert live.take(Composition(), now=0.0)
    moved = Composition(prompt="moved")
    live.changed(now=1.0)
    assert not live.take(moved, now=1.0 + REST / 2)
    live.changed(now=1.0 + REST / 2)
    assert not live.take(moved, now=1.0 + REST)
    assert live.take(moved, now=1.0 + 1.5 * REST)
    assert live.due_in(now=5.0) is None


def test_live_mode_does_not_wait_for_a_hand_that_never_rests() -> None:
    live = LiveMode()
    live.switch(True, now=0.0)
    live.take(Composition(), now=0.0)
    now = 1.0
    while now < 1.0 + LONGEST:
        live.changed(now)
        now += REST / 3
    assert live.take(Composition(prompt="on the way"), now=now)


def test_live_mode_does_not_compose_the_same_twice() -> None:
    live = LiveMode()
    live.switch(True, now=0.0)
    assert live.take(Composition(), now=0.0)
    live.changed(now=1.0)
    assert not live.take(Composition(), now=9.0)

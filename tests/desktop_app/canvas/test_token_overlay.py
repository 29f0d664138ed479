"""The token view under a drag: one layer is counted as it goes, a crowd where the hand rests."""

from __future__ import annotations

from collections.abc import Callable

from standee_desktop.canvas import token_overlay
from support.desktop.person import Person


def test_a_crowd_is_counted_once_the_hand_rests(
    person: Person, settle: Callable[..., None]
) -> None:
    count = token_overlay.CROWD + 1
    names = [f"cat {n}" for n in range(count)]
    person.has(*((name, 16 * n, 64, 32, 32) for n, name in enumerate(names)))
    person.chooses("token-view")
    settle(lambda: person.window.tokens.tokens)
    settle()
    told = []
    person.window.tokens.counted.connect(told.append)
    person.selects(*names)
    settle()
    told.clear()
    person.drags((16, 80), (16, 144), let_go=False)
    assert not told
    settle(lambda: told)
    assert told[-1].arrangement.placements[0].cells.row == 8
    person.selects(names[0])

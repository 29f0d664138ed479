"""Command shortcuts: unique, and each with an effect."""

from __future__ import annotations

from collections import Counter

from PySide6.QtCore import SIGNAL


def test_no_two_commands_share_a_shortcut(window) -> None:  # type: ignore[no-untyped-def]
    keys = Counter(
        shortcut.toString()
        for name in window.actions_
        for shortcut in window.action(name).shortcuts()
    )
    assert [key for key, times in keys.items() if times > 1] == []


def test_every_command_is_connected(app, settle) -> None:  # type: ignore[no-untyped-def]
    from standee_desktop.shell.application import make_window

    window = make_window()
    idle = [
        name
        for name in window.actions_
        if window.action(name).receivers(SIGNAL("triggered(bool)")) == 0
        and window.action(name).receivers(SIGNAL("toggled(bool)")) == 0
    ]
    window.may_close = lambda: True
    window.close()
    assert idle == []

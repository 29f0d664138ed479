"""Notices: news and errors for the notice bar, each with an optional fix button. No Qt.

A notice has a topic; a later one on the same topic takes its place, and `clear(topic)` removes it
once the matter is settled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from standee.errors import StandeeError

from .signal import Signal

Level = Literal["info", "warning", "error"]
Fix = Literal[
    "",
    "install",
    "retry-connection",
    "restart",
    "renew-keys",
    "bundled-model",
    "retry",
    "save-as",
    "open-folder",
    "open-log",
    "recover",
    "discard",
    "open-page",
    "download",
    "scale-canvas",
    "fit-canvas",
    "cancel",
]

FIXES: dict[str, Fix] = {
    "missing-dependency": "install",
    "not-connected": "retry-connection",
    "unauthorised": "renew-keys",
    "incompatible-version": "restart",
    "out-of-memory": "retry",
    "unknown-model": "bundled-model",
    "job-failed": "retry",
    "quota-exceeded": "retry",
    "storage-full": "open-folder",
}
"""The button that helps against an error, by its code."""


@dataclass(frozen=True)
class Notice:
    """One line of the bar. `act` is called by its button, which `fix` names."""

    text: str
    hint: str = ""
    level: Level = "error"
    topic: str = ""
    fix: Fix = ""
    act: Callable[[], object] | None = None
    other: Fix = ""
    other_act: Callable[[], object] | None = None
    dismissed: Callable[[], object] | None = None
    seconds: float | None = None
    """After so long it goes by itself."""
    code: str = ""
    """The kind of error, for words in the person's language."""


class Notices:
    """The notices that stand at the moment, the newest last. Emits `changed(None)`."""

    LONGEST = 6

    def __init__(self) -> None:
        self.changed: Signal[None] = Signal()
        self._notices: list[Notice] = []

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(tuple(self._notices))

    def __len__(self) -> int:
        return len(self._notices)

    def show(self, notice: Notice) -> Notice:
        """Show a notice in the place of others on its topic, and return it."""
        topic = notice.topic or notice.text
        kept = [one for one in self._notices if (one.topic or one.text) != topic]
        self._notices = [*kept, notice][-self.LONGEST :]
        self.changed.emit(None)
        return notice

    def tell(self, text: str, hint: str = "", topic: str = "", seconds: float | None = 8) -> None:
        """Show a word that needs no answer."""
        self.show(Notice(text, hint, "info", topic, seconds=seconds))

    def fail(
        self,
        error: StandeeError,
        topic: str = "",
        fix: Fix | None = None,
        act: Callable[[], object] | None = None,
    ) -> None:
        """Show an error with the button that suits it; `act` is what the button does."""
        chosen = FIXES.get(error.code, "") if fix is None else fix
        self.show(Notice(error.message, error.fix, "error", topic, chosen, act, code=error.code))

    def drop(self, notice: Notice) -> None:
        """Take a notice away: its button was pressed, or its time is over."""
        if notice in self._notices:
            self._notices.remove(notice)
            self.changed.emit(None)

    def take(self, notice: Notice, act: Callable[[], object]) -> None:
        """Do what one of the notice's buttons says."""
        self.drop(notice)
        act()

    def dismiss(self, notice: Notice) -> None:
        """Take a notice away because the artist has read it."""
        if notice in self._notices:
            self.drop(notice)
            if notice.dismissed is not None:
                notice.dismissed()

    def clear(self, topic: str) -> None:
        """Take away what was said on a topic: the matter is settled."""
        kept = [one for one in self._notices if one.topic != topic]
        if len(kept) != len(self._notices):
            self._notices = kept
            self.changed.emit(None)

"""Daemon presence: whether it answers, for how long it has not, and the notice about it."""

import time
from dataclasses import dataclass

from ..i18n.translations import say


@dataclass
class Notice:
    """What went wrong, and what to do; `download` is the operator that goes on with a download."""

    message: str
    fix: str = ""
    download: str = ""


@dataclass
class Presence:
    """How long a daemon has been looked for in vain; `told` says whether that was said."""

    since: float | None = None
    told: bool = False

    @property
    def alone(self) -> float:
        """Seconds since which the daemon is looked for in vain; 0 while it answers."""
        return 0.0 if self.since is None else max(1e-9, time.monotonic() - self.since)

    def look(self) -> None:
        """The daemon is looked for from now on."""
        self.since = time.monotonic()

    def gone(self) -> None:
        """Nobody looks for it any more."""
        self.since = None

    def answers(self) -> bool:
        """It answers; return whether what was said is to be taken back."""
        told, self.since, self.told = self.told, None, False
        return told

    def is_to_be_told(self, patience: float) -> bool:
        """It does not answer; return whether that is to be said now, once."""
        if self.since is None:
            self.look()
        if self.told or self.alone <= patience:
            return False
        self.told = True
        return True


def no_daemon_notice(waiting: int) -> Notice:
    """Return what is said when no daemon answers and so many jobs wait for one."""
    message = say("No daemon answers.")
    if waiting == 1:
        message += " " + say("Your job goes on when one does.")
    elif waiting:
        message += " " + say("Your {count} jobs go on when one does.", count=waiting)
    fix = say("Start it with `standee serve`, or name it in the preferences of Standee.")
    return Notice(message, fix)

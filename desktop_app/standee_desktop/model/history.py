"""History step, and the undo stack interface that the model needs.

The stack itself is Qt's (`standee_desktop.services.undo_stack`); the model knows it by this protocol only.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Protocol

from standee.composition import Composition


@dataclass(frozen=True)
class State:
    """What a step brings back: the composition and the ids of the selected layers."""

    composition: Composition
    selection: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """One change that an artist made. Steps with the same `merge_key` in a row are one."""

    text: str
    before: State
    after: State
    merge_key: Hashable | None = None

    def merged(self, later: Step) -> Step | None:
        """Return both steps as one, or None where they stay two."""
        if self.merge_key is None or self.merge_key != later.merge_key:
            return None
        return replace(self, after=later.after)

    @property
    def empty(self) -> bool:
        """Whether it changes nothing, such as a drag that came back to where it began."""
        return self.before.composition == self.after.composition


class History(Protocol):
    """What the model asks of an undo stack."""

    def push(self, step: Step) -> None:
        """Add a step that the model has just made."""

    def push_deed(self, text: str, do: Callable[[], object], undo: Callable[[], object]) -> None:
        """Do something that is no change of the composition, and remember how to take it back."""

    def clear(self) -> None:
        """Forget all steps: another document is open now."""

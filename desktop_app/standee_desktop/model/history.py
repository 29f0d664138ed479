"""History steps, the steps that typing makes, and the undo stack interface of the model.

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


class TypingSteps:
    """Cuts typing into one step per word, as text editors do: says where a step ends."""

    def __init__(self) -> None:
        self._text = ""
        self._at: int | None = None
        self._adding = True

    def shown(self, text: str) -> None:
        """The text is another now, and not by typing."""
        if text != self._text:
            self._text, self._at = text, None

    def typed(self, text: str) -> tuple[bool, bool]:
        """Return whether a step ends before the change to `text`, and whether one ends with it."""
        old, self._text = self._text, text
        grown = len(text) - len(old)
        same = zip(old, text, strict=False)
        at = next((n for n, (a, b) in enumerate(same) if a != b), min(len(old), len(text)))
        if abs(grown) != 1:  # a paste, a cut, a word of an input method
            self._at = None
            return True, True
        adding, before = grown > 0, self._at
        goes_on = before is not None and abs(at - before) <= 1 and adding == self._adding
        self._at, self._adding = at, adding
        return not goes_on, adding and text[at].isspace()

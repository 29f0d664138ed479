"""Undo granularity of typed text: one history step per word, as text editors do. No Qt."""

from __future__ import annotations


class TypingSteps:
    """Knows the text as it was, and says where a step ends."""

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

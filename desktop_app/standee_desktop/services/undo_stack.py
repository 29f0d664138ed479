"""Undo stack: Qt's, holding the model's steps for layers, canvas and AI settings alike."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QUndoCommand, QUndoStack

from ..model import EditorDocument, Step

LONGEST = 500
"""Steps that are kept. A step is two frozen compositions that share nearly everything."""


class StepCommand(QUndoCommand):
    """A step of the model on Qt's stack."""

    def __init__(self, document: EditorDocument, step: Step) -> None:
        super().__init__(step.text)
        self._document, self.step = document, step

    def id(self) -> int:
        return -1 if self.step.merge_key is None else hash(self.step.merge_key) & 0x3FFFFFFF

    def mergeWith(self, other: QUndoCommand) -> bool:
        merged = self.step.merged(other.step) if isinstance(other, StepCommand) else None
        if merged is None:
            return False
        self.step = merged
        self.setObsolete(merged.empty)
        return True

    def redo(self) -> None:
        self._document.show(self.step.after)

    def undo(self) -> None:
        self._document.show(self.step.before)


class DeedCommand(QUndoCommand):
    """Something else that was done, such as a result that was discarded."""

    def __init__(self, text: str, do: Callable[[], object], undo: Callable[[], object]) -> None:
        super().__init__(text)
        self._do, self._undo = do, undo

    def redo(self) -> None:
        self._do()

    def undo(self) -> None:
        self._undo()


class UndoStack(QUndoStack):
    """The history of an `EditorDocument`: `document = EditorDocument(history=UndoStack())`.

    Call `attach(document)` once. Its `createUndoAction` and `createRedoAction` name the steps.
    """

    def attach(self, document: EditorDocument) -> None:
        """Undo and redo on `document` from now on."""
        self._document = document
        self.setUndoLimit(LONGEST)
        document.history = self

    def push(self, step: Step | QUndoCommand) -> None:
        """Add a step that the model has just made; Qt then calls `redo`, which changes nothing."""
        super().push(StepCommand(self._document, step) if isinstance(step, Step) else step)

    def push_deed(self, text: str, do: Callable[[], object], undo: Callable[[], object]) -> None:
        """Do something that is no change of the composition, and remember how to take it back."""
        super().push(DeedCommand(text, do, undo))

    def undo(self) -> None:
        """Take the last step back, one that is still on its way too; a drag that goes on is over."""
        self._document.pending_steps.after(self._undo)

    def redo(self) -> None:
        """Make the next step again; a drag that goes on is over."""
        self._document.pending_steps.after(self._redo)

    def _undo(self) -> None:
        self._document.end_gesture()
        super().undo()

    def _redo(self) -> None:
        self._document.end_gesture()
        super().redo()

"""A word when a model is chosen that paints at another size than the canvas has, and a button for it."""

from __future__ import annotations

from math import sqrt

from PySide6.QtCore import QObject

from standee.composition import Composition
from standee.inputs import resized
from standee.messages import ModelInfo

from .link import Link
from .model import Change, EditorDocument, edits
from .notices import Notice, Notices

TOPIC = "canvas-size"
FAR = 1.6
"""How many times larger or smaller than the model's own size the canvas' sides may be."""


class CanvasHint(QObject):
    """Offers to scale the canvas with everything on it to what the chosen model paints best."""

    def __init__(
        self, editor: EditorDocument, link: Link, notices: Notices, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._editor, self._link, self._notices = editor, link, notices
        editor.changed.connect(self._on_change)

    def _on_change(self, change: Change) -> None:
        before, after = change.before, change.after
        if (before.sampling.model, before.canvas) == (after.sampling.model, after.canvas):
            return
        model = self._model(after.sampling.model)
        if model is None or model.size is None or fits(after, model.size):
            self._notices.clear(TOPIC)
        elif before.sampling.model != after.sampling.model:
            self._offer(model, model.size)

    def _model(self, name: str) -> ModelInfo | None:
        return next((one for one in self._link.contact.models if one.name == name), None)

    def _offer(self, model: ModelInfo, size: int) -> None:
        canvas = self._editor.composition.canvas
        text = self.tr("%1 paints best at about %2 px; the canvas has %3 × %4 px.")
        for n, part in enumerate((model.name, size, canvas.width, canvas.height), start=1):
            text = text.replace(f"%{n}", str(part))
        self._notices.show(
            Notice(text, "", "info", TOPIC, "scale-canvas", lambda: self._scale(model, size))
        )

    def _scale(self, model: ModelInfo, size: int) -> None:
        scaled = at_size(self._editor.composition, size, model.patch)
        self._editor.apply(self.tr("Scale the canvas"), scaled)


def fits(composition: Composition, size: int) -> bool:
    """Return whether a canvas is near enough to the `size` (px) that a model was trained at."""
    canvas = composition.canvas
    return 1 / FAR <= sqrt(canvas.width * canvas.height) / size <= FAR


def at_size(composition: Composition, size: int, patch: int) -> Composition:
    """Return the composition with a canvas of the area of `size` x `size` px, on its own aspect."""
    canvas = composition.canvas
    factor = size / sqrt(canvas.width * canvas.height)
    sides = edits.canvas_sides(canvas.width * factor, canvas.height * factor, patch)
    return resized(composition, sides.width, sides.height)

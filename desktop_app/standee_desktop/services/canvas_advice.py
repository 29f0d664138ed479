"""Canvas advice: a notice with a fix when the canvas does not suit the model or the scene."""

from __future__ import annotations

from math import sqrt

from PySide6.QtCore import QObject

from standee.composition import Canvas, Composition, Scene, resized
from standee.wire.messages import ModelInfo

from ..model import Change, EditorDocument, edits
from ..model.notices import Notice, Notices
from .daemon_link import DaemonLink
from .image_cache import ImageCache

TOPIC, SCENE = "canvas-size", "canvas-aspect"
FAR = 1.6
"""How many times larger or smaller than the model's own size the canvas' sides may be."""
CUT = 1.08
"""How many times wider or higher than the canvas a scene's picture may be."""


class CanvasAdvice(QObject):
    """Offers the size that a model paints best, and the aspect of a scene that would be cut."""

    def __init__(
        self,
        editor: EditorDocument,
        pictures: ImageCache,
        link: DaemonLink,
        notices: Notices,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._editor, self._pictures = editor, pictures
        self._link, self._notices = link, notices
        self._judged: tuple[str, Canvas] | None = None
        editor.changed.connect(self._on_change)

    def _on_change(self, change: Change) -> None:
        if not change.gesture:  # while an edge is dragged every size is passing
            self._look_at_model(change.after)
        self._look_at_scene(change.before, change.after)

    # -- the size --------------------------------------------------------------------------------

    def _look_at_model(self, composition: Composition) -> None:
        model = self._model(composition.sampling.model)
        if model is None or (judged := (model.name, composition.canvas)) == self._judged:
            return
        self._judged = judged
        if model.size is None or fits(composition, model.size):
            self._notices.clear(TOPIC)
        else:
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

    # -- the aspect ------------------------------------------------------------------------------

    def _look_at_scene(self, before: Composition, after: Composition) -> None:
        old, scene = before.scene, after.scene
        if (old, before.canvas) == (scene, after.canvas):
            return
        size = self._pictures.size(scene.picture) if scene is not None else None
        if scene is None or size is None or shows_all(after, scene, size):
            self._notices.clear(SCENE)
        elif old is None or old.picture != scene.picture:
            text = self.tr("The canvas shows only a part of this picture of %1 × %2 px.")
            text = text.replace("%1", str(size[0])).replace("%2", str(size[1]))
            self._notices.show(
                Notice(text, "", "info", SCENE, "fit-canvas", lambda: self._fit(*size))
            )

    def _fit(self, width: int, height: int) -> None:
        patch = self._editor.view.patch
        changed = edits.with_aspect(self._editor.composition, width, height, patch)
        self._editor.apply(self.tr("Fit the canvas"), changed)


def shows_all(composition: Composition, scene: Scene, size: tuple[int, int]) -> bool:
    """Return whether a scene of a size (px) is not cut, or by less than a token's width or so."""
    if scene.rect is not None or scene.fit != "cover":
        return True
    canvas = composition.canvas
    ratio = (canvas.width / canvas.height) / (size[0] / size[1])
    return 1 / CUT <= ratio <= CUT


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

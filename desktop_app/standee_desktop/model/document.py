"""Editor document: one frozen composition, the selection, the view, and signals about them.

Every change goes through `apply` with a whole new composition (`edits.py` makes them), so one undo
stack covers layers, canvas, scene and AI settings alike. It belongs to the GUI thread.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from standee.composition import Composition, Layer
from standee.document.document import Document
from standee.geometry import PATCH

from .history import History, State, Step
from .pending_steps import PendingSteps
from .signal import Signal
from .token_counts import layer_on_tokens


@dataclass(frozen=True)
class ViewState:
    """How the document is looked at. It is not saved with it and not undone.

    `guides_x` and `guides_y` are canvas px; `patch` is the side of a token in px.
    """

    token_view: bool = False
    rulers: bool = True
    kept_region: bool = True
    snap_canvas: bool = True
    snap_layers: bool = True
    snap_tokens: bool = True
    snap_guides: bool = True
    guides_x: tuple[float, ...] = ()
    guides_y: tuple[float, ...] = ()
    patch: int = PATCH


@dataclass(frozen=True)
class Change:
    """A composition gave way to another. `gesture` is true while a drag or a slider goes on."""

    before: Composition
    after: Composition
    gesture: bool = False

    def touches(self, *fields: str) -> bool:
        """Whether any of these fields of the composition is another one now."""
        return any(getattr(self.before, one) is not getattr(self.after, one) for one in fields)


class EditorDocument:
    """What is being edited.

    Events: `changed(Change)`, `selection_changed(ids)`, `view_changed(ViewState)`,
    `results_changed(None)`, `opened(Document)` after another document took the place of this one,
    `modified_changed(bool)`, `saved(Path)`. A gesture (a drag, a slider) is a row of `apply` with one
    `merge_key`, ended by `end_gesture`.
    """

    def __init__(self, document: Document | None = None, history: History | None = None) -> None:
        self.changed: Signal[Change] = Signal()
        self.selection_changed: Signal[tuple[str, ...]] = Signal()
        self.view_changed: Signal[ViewState] = Signal()
        self.results_changed: Signal[None] = Signal()
        self.opened: Signal[Document] = Signal()
        self.modified_changed: Signal[bool] = Signal()
        self.saved: Signal[Path] = Signal()
        self.history = history
        self.pending_steps = PendingSteps()
        self._document = document or Document()
        self._composition = self._saved = self._document.composition
        self._selection: tuple[str, ...] = ()
        self._selected: tuple[tuple[Layer, ...], tuple[str, ...], tuple[Layer, ...]] = (), (), ()
        self._view = ViewState()
        self._results_modified = False
        self._was_modified = False
        self._gestures = itertools.count()
        self._gesture: tuple[int, Hashable] | None = None

    # -- what there is ---------------------------------------------------------------------------

    @property
    def document(self) -> Document:
        """The `.standee` document: pictures by digest, results, path. Its `composition` is kept up."""
        return self._document

    @property
    def composition(self) -> Composition:
        """What is arranged at the moment."""
        return self._composition

    @property
    def selection(self) -> tuple[str, ...]:
        """The ids of the selected layers, bottom to top."""
        return self._selection

    @property
    def selected(self) -> tuple[Layer, ...]:
        """The selected layers, bottom to top."""
        layers, ids = self._composition.layers, self._selection
        if self._selected[0] is not layers or self._selected[1] is not ids:
            chosen = frozenset(ids)
            self._selected = layers, ids, tuple(one for one in layers if one.id in chosen)
        return self._selected[2]

    @property
    def view(self) -> ViewState:
        """How it is looked at."""
        return self._view

    @property
    def modified(self) -> bool:
        """Whether there is something that is not saved."""
        return self._results_modified or self._composition != self._saved

    def shown(self, layer: Layer) -> Layer:
        """Return a layer where the canvas shows it: in the token view on whole tokens."""
        return layer_on_tokens(layer, self._view.patch) if self._view.token_view else layer

    def layer(self, layer_id: str) -> Layer | None:
        """Return the layer with this id."""
        return next((one for one in self._composition.layers if one.id == layer_id), None)

    # -- changing it -----------------------------------------------------------------------------

    def apply(
        self,
        text: str,
        composition: Composition,
        merge_key: Hashable | None = None,
        select: Iterable[str] | None = None,
    ) -> None:
        """Make `composition` the current one, as one step of the history called `text`.

        Steps in a row with one `merge_key` are one step, until `end_gesture`. `select` are the ids
        to select; without it the selection stays, less what is gone.
        """
        if merge_key is None or (self._gesture is not None and self._gesture[1] != merge_key):
            self.end_gesture()
        if merge_key is not None and self._gesture is None:
            self._gesture = (next(self._gestures), merge_key)
        before = State(self._composition, self._selection)
        selection = self._ordered(composition, self._selection if select is None else select)
        if composition == before.composition:
            self.select(selection)
            return
        after = State(composition, selection)
        self.show(after)
        if self.history is not None:
            self.history.push(Step(text, before, after, self._gesture))

    def record(self, text: str, do: Callable[[], object], undo: Callable[[], object]) -> None:
        """Do something that no composition shows, as one step of the history called `text`."""
        self.end_gesture()
        if self.history is not None:
            self.history.push_deed(text, do, undo)
        else:
            do()

    def end_gesture(self) -> None:
        """Say that a drag or a slider was let go: what comes next is a step of its own."""
        if self._gesture is not None:
            self._gesture = None
            self.changed.emit(Change(self._composition, self._composition))

    def show(self, state: State) -> None:
        """Take over a state without a new step; the undo stack calls this."""
        before, self._composition = self._composition, state.composition
        self._document.composition = state.composition
        changed_selection = state.selection != self._selection
        self._selection = state.selection
        if before is not state.composition:
            self.changed.emit(Change(before, state.composition, self._gesture is not None))
        if changed_selection:
            self.selection_changed.emit(self._selection)
        self._tell_modified()

    def select(self, ids: Iterable[str]) -> None:
        """Select the layers with these ids."""
        selection = self._ordered(self._composition, ids)
        if selection != self._selection:
            self._selection = selection
            self.selection_changed.emit(selection)

    def look(self, **fields: Any) -> None:
        """Change how it is looked at: `document.look(token_view=True)`."""
        view = replace(self._view, **fields)
        if view != self._view:
            self._view = view
            self.view_changed.emit(view)

    def add_result(self, png: bytes, receipt: dict[str, Any], name: str = "") -> str:
        """Keep a result with the document and return its name in it."""
        name = self._document.add_result(png, receipt, name)
        self._results_changed()
        return name

    def remove_result(self, name: str) -> None:
        """Drop a result."""
        self._document.remove_result(name)
        self._results_changed()

    def note_results(self) -> None:
        """Say that a worker thread has added results to `document`, or removed some."""
        self._results_changed()

    # -- files -----------------------------------------------------------------------------------

    def open(self, document: Document, modified: bool = False) -> None:
        """Put `document` in the place of the current one, which is closed; the history is empty.

        `modified` is for one that was recovered and is not saved anywhere.
        """
        old, self._document = self._document, document
        before, self._composition = self._composition, document.composition
        self._saved = document.composition
        self._results_modified, self._gesture, self._selection = modified, None, ()
        self.pending_steps.forget()
        self._view = replace(self._view, guides_x=(), guides_y=())
        if self.history is not None:
            self.history.clear()
        self.opened.emit(document)
        self.changed.emit(Change(before, self._composition))
        self.selection_changed.emit(())
        self.view_changed.emit(self._view)
        self.results_changed.emit(None)
        self._tell_modified()
        if old is not document:
            old.close()

    def mark_saved(self, composition: Composition, path: Path) -> None:
        """Say that `composition` is what the file at `path` holds now."""
        self._saved, self._results_modified = composition, False
        self.saved.emit(path)
        self._tell_modified()

    def _results_changed(self) -> None:
        self._results_modified = True
        self.results_changed.emit(None)
        self._tell_modified()

    def _tell_modified(self) -> None:
        if self.modified != self._was_modified:
            self._was_modified = self.modified
            self.modified_changed.emit(self._was_modified)

    @staticmethod
    def _ordered(composition: Composition, ids: Iterable[str]) -> tuple[str, ...]:
        wanted = set(ids)
        return tuple(layer.id for layer in composition.layers if layer.id in wanted)

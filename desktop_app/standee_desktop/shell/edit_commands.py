"""Edit commands: actions on the document and the canvas; not on files or jobs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QGuiApplication, QUndoStack

from standee.composition import Composition
from standee.errors import StandeeError
from standee.rotation import centre

from ..canvas.tools.canvas_resize_tool import CanvasResizeTool
from ..canvas.view import CanvasView
from ..model import EditorDocument, ViewState, edits
from ..model.alignment import aligned, at_own_aspect, distributed
from ..model.layer_clipboard import SHIFT
from ..model.rects import frame_of
from ..services import clipboard
from ..services.thread_pool import ThreadPool
from ..widgets.actions import Actions

_NEEDS_SELECTION = (
    "cut",
    "copy",
    "duplicate",
    "delete",
    "select-none",
    "rename",
    "flip",
    "turn-left",
    "turn-right",
    "hide",
    "lock",
    "raise",
    "lower",
    "front",
    "back",
    "own-aspect",
    "align-left",
    "align-centre",
    "align-right",
    "align-top",
    "align-middle",
    "align-bottom",
    "zoom-selection",
)
_VIEW = {
    "token-view": "token_view",
    "kept-region": "kept_region",
    "rulers": "rulers",
    "snap-canvas": "snap_canvas",
    "snap-layers": "snap_layers",
    "snap-tokens": "snap_tokens",
    "snap-guides": "snap_guides",
}


class EditCommands(QObject):
    """Connects the editing commands; enables those that make sense at the moment."""

    def __init__(
        self,
        actions: Actions,
        document: EditorDocument,
        stack: QUndoStack,
        canvas: CanvasView,
        workers: ThreadPool,
        failed: Callable[[StandeeError], None],
    ) -> None:
        super().__init__(canvas)
        self._actions, self._document, self._stack = actions, document, stack
        self._canvas, self._workers, self._failed = canvas, workers, failed
        self.canvas_resize_tool = CanvasResizeTool(canvas)
        self._connect_history()
        self._connect_editing()
        self._connect_view()
        document.changed.connect(lambda _: self._soon.start())
        document.selection_changed.connect(lambda _: self._soon.start())
        document.view_changed.connect(self._show_view)
        canvas.tool_changed.connect(self._show_tool)
        QGuiApplication.clipboard().dataChanged.connect(self._refresh)
        self._soon = QTimer(self, interval=0, singleShot=True)
        self._soon.timeout.connect(self._refresh)
        self._refresh()
        self._show_view(document.view)
        self._show_tool(canvas.tool)

    def _on(self, name: str, work: Callable[[], object]) -> None:
        self._actions[name].triggered.connect(lambda *_: work())

    def _edit(
        self, name: str, change: Callable[[Composition, tuple[str, ...]], Composition]
    ) -> None:
        """Connect a command that changes the selected layers; its words name the step."""
        action = self._actions[name]

        def work() -> None:
            text = action.text().replace("&", "").removesuffix("…")
            composition, selection = self._document.composition, self._document.selection
            self._document.apply(text, change(composition, selection))

        self._on(name, work)

    def _connect_history(self) -> None:
        self._on("undo", self._stack.undo)
        self._on("redo", self._stack.redo)
        self._stack.canUndoChanged.connect(self._actions["undo"].setEnabled)
        self._document.pending_steps.changed.connect(  # a stroke can be undone before it has come
            lambda coming: self._actions["undo"].setEnabled(coming or self._stack.canUndo())
        )
        self._stack.canRedoChanged.connect(self._actions["redo"].setEnabled)
        self._stack.undoTextChanged.connect(
            lambda text: self._actions["undo"].setText(
                self.tr("&Undo %1").replace("%1", text) if text else self.tr("&Undo")
            )
        )
        self._stack.redoTextChanged.connect(
            lambda text: self._actions["redo"].setText(
                self.tr("&Redo %1").replace("%1", text) if text else self.tr("&Redo")
            )
        )
        self._actions["undo"].setEnabled(self._stack.canUndo())
        self._actions["redo"].setEnabled(self._stack.canRedo())

    def _connect_editing(self) -> None:
        document, seen = self._document, self._canvas.pictures.seen
        self._on("copy", self._copy)
        self._on("cut", self._cut)
        self._on("paste", self._paste)
        self._on("duplicate", self._duplicate)
        self._on("select-all", lambda: document.select(o.id for o in document.composition.layers))
        self._on("select-none", lambda: document.select(()))
        self._edit("delete", edits.removed)
        self._edit("flip", edits.flipped)
        for name, degrees in (("turn-left", -90.0), ("turn-right", 90.0)):
            self._edit(name, partial(_turned, degrees=degrees))
        self._edit("group", edits.grouped)
        self._edit("ungroup", edits.ungrouped)
        self._edit(
            "hide", lambda c, ids: edits.with_fields(c, ids, visible=not _all(c, ids, "visible"))
        )
        self._edit(
            "lock", lambda c, ids: edits.with_fields(c, ids, locked=not _all(c, ids, "locked"))
        )
        self._edit("raise", lambda c, ids: edits.raised(c, ids, 1))
        self._edit("lower", lambda c, ids: edits.raised(c, ids, -1))
        self._edit("front", lambda c, ids: edits.reordered(c, ids, len(c.layers)))
        self._edit("back", lambda c, ids: edits.reordered(c, ids, 0))
        self._edit("own-aspect", self._own_aspect)
        self._edit("to-scene", lambda c, ids: edits.as_scene(c, ids[0]) if len(ids) == 1 else c)
        for edge in ("left", "centre", "right", "top", "middle", "bottom"):
            self._edit(f"align-{edge}", partial(aligned, edge=edge, seen=seen))
        for way in ("across", "down"):
            self._edit(f"distribute-{way}", partial(distributed, direction=way, seen=seen))

    def _connect_view(self) -> None:
        canvas, document = self._canvas, self._document
        self._on("zoom-in", lambda: canvas.zoom_step(True))
        self._on("zoom-out", lambda: canvas.zoom_step(False))
        self._on("zoom-fit", canvas.fit)
        self._on("zoom-full", lambda: canvas.zoom_to(1.0))
        self._on("zoom-selection", canvas.fit_selection)
        self._on("clear-guides", lambda: document.look(guides_x=(), guides_y=()))
        for name, field in _VIEW.items():
            self._actions[name].toggled.connect(lambda on, f=field: document.look(**{f: on}))
        self._on("tool-arrange", lambda: canvas.set_tool(None))
        self._on("tool-frame", lambda: canvas.set_tool(self.canvas_resize_tool))

    # -- clipboard -------------------------------------------------------------------------------

    def _copy(self) -> None:
        clipboard.copy_layers(self._document, self._workers, self._failed)

    def _cut(self) -> None:
        if clipboard.copy_layers(self._document, self._workers, self._failed):
            document = self._document
            cut = edits.removed(document.composition, document.selection)
            document.apply(self.tr("Cut"), cut)

    def _paste(self) -> None:
        """Paste layers; pictures on the clipboard are connected by who imports pictures."""
        if clipboard.has_layers():
            clipboard.paste_layers(self._document, self._workers, self.tr("Paste"), self._failed)

    def _duplicate(self) -> None:
        document = self._document
        new = edits.copies(document.selected, SHIFT, SHIFT)
        duplicated = edits.added(document.composition, new)
        document.apply(self.tr("Duplicate"), duplicated, select=[one.id for one in new])

    def _own_aspect(self, composition: Composition, ids: tuple[str, ...]) -> Composition:
        rects = {}
        for layer in self._document.selected:
            look = self._canvas.pictures.look_of(layer)
            if look is not None and layer.id in edits.unlocked(composition, ids):
                rects[layer.id] = at_own_aspect(layer, look.width, look.height)
        return edits.with_rects(composition, rects)

    # -- what can be done now --------------------------------------------------------------------

    def _refresh(self) -> None:
        document = self._document
        for name in _NEEDS_SELECTION:
            self._actions[name].setEnabled(bool(document.selection))
        selected = document.selected
        self._actions["group"].setEnabled(len(selected) > 1)
        self._actions["ungroup"].setEnabled(any(one.group is not None for one in selected))
        self._actions["to-scene"].setEnabled(len(selected) == 1 and selected[0].picture is not None)
        several = len(document.selection) >= 3
        self._actions["distribute-across"].setEnabled(several)
        self._actions["distribute-down"].setEnabled(several)
        self._actions["select-all"].setEnabled(bool(document.composition.layers))

    def _show_view(self, view: ViewState) -> None:
        for name, field in _VIEW.items():
            self._actions[name].setChecked(getattr(view, field))

    def _show_tool(self, tool: object) -> None:
        self._actions["tool-frame"].setChecked(tool is self.canvas_resize_tool)
        self._actions["tool-arrange"].setChecked(type(tool).__name__ == "ArrangeTool")


def _turned(composition: Composition, ids: tuple[str, ...], degrees: float) -> Composition:
    """Turn layers about the middle of them all."""
    free = edits.unlocked(composition, ids)
    frame = frame_of(one for one in composition.layers if one.id in free)
    return (
        composition
        if frame is None
        else edits.turned(composition, free, degrees, centre(frame.rect))
    )


def _all(composition: Composition, ids: tuple[str, ...], field: str) -> bool:
    return all(getattr(one, field) for one in composition.layers if one.id in ids)

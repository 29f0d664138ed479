"""Commands of the editor as `QAction`s: text, shortcut and icon. What they do is elsewhere.

`actions["duplicate"].triggered.connect(...)`. Menus, toolbars and tests find commands here by name.
"""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from .icons import icon

Shortcut = str | QKeySequence.StandardKey | tuple[str, ...] | None
Std = QKeySequence.StandardKey


class Actions(QObject):
    """All commands by name. Those of the canvas alone (`on_canvas`) work while it has the focus."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._found: dict[str, QAction] = {}
        self._file()
        self._edit()
        self._layer()
        self._arrange()
        self._view()
        self._compose()

    def __getitem__(self, name: str) -> QAction:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def add(
        self,
        name: str,
        text: str,
        shortcut: Shortcut = None,
        image: str = "",
        tip: str = "",
        checkable: bool = False,
        on_canvas: QWidget | None = None,
    ) -> QAction:
        """Add a command. With `on_canvas` its shortcut counts only while that widget has the focus."""
        action = QAction(text, self._window)
        action.setObjectName(name)
        if isinstance(shortcut, Std):
            action.setShortcuts(shortcut)
        elif isinstance(shortcut, tuple):
            action.setShortcuts([QKeySequence(one) for one in shortcut])
        elif shortcut:
            action.setShortcut(QKeySequence(shortcut))
        if image:
            action.setIcon(icon(image))
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        words = tip or text.replace("&", "").removesuffix("…")
        action.setToolTip(f"{words}  ({keys})" if keys else words)
        action.setStatusTip(tip)
        action.setCheckable(checkable)
        context = Qt.ShortcutContext
        action.setShortcutContext(
            context.WidgetWithChildrenShortcut if on_canvas else context.WindowShortcut
        )
        (on_canvas or self._window).addAction(action)
        self._found[name] = action
        return action

    def _file(self) -> None:
        self.add("new", self.tr("&New"), Std.New, "new")
        self.add("open", self.tr("&Open…"), Std.Open, "open")
        self.add("save", self.tr("&Save"), Std.Save, "save")
        self.add("save-as", self.tr("Save &as…"), "Ctrl+Shift+S")
        self.add("export", self.tr("&Export picture…"), "Ctrl+E", "export")
        tip = self.tr("Say in the metadata of exported pictures that a model made them")
        mark = self.tr("&Mark pictures as made by a model")
        self.add("mark", mark, None, "", tip, checkable=True)
        self.add("welcome", self.tr("&Welcome page"))
        self.add("quit", self.tr("&Quit"), "Ctrl+Q")

    def _edit(self) -> None:
        self.add("undo", self.tr("&Undo"), Std.Undo, "undo")
        self.add("redo", self.tr("&Redo"), ("Ctrl+Shift+Z", "Ctrl+Y"), "redo")
        self.add("cut", self.tr("Cu&t"), Std.Cut)
        self.add("copy", self.tr("&Copy"), Std.Copy, "copy")
        self.add("paste", self.tr("&Paste"), Std.Paste)
        self.add("duplicate", self.tr("&Duplicate"), "Ctrl+D", "duplicate")
        self.add("delete", self.tr("De&lete"), ("Del", "Backspace"), "remove")
        self.add("select-all", self.tr("Select &all"), Std.SelectAll)
        self.add("select-none", self.tr("Select &none"), "Ctrl+Shift+A")

    def _layer(self) -> None:
        self.add("add-subject", self.tr("&Add subject…"), "Ctrl+Shift+N", "add")
        self.add("rename", self.tr("&Rename"), "F2")
        self.add("flip", self.tr("&Flip"), "Ctrl+H", "flip")
        self.add("turn-left", self.tr("Turn 90° le&ft"))
        self.add("turn-right", self.tr("&Turn 90° right"), None, "rotate")
        tip = self.tr("Selected layers are selected, moved and turned together from now on")
        self.add("group", self.tr("&Group"), "Ctrl+G", "group", tip)
        self.add("ungroup", self.tr("U&ngroup"), "Ctrl+Shift+G")
        self.add("hide", self.tr("&Show or hide"), "Ctrl+,", "eye")
        self.add("lock", self.tr("&Lock or unlock"), "Ctrl+L", "lock")
        self.add("raise", self.tr("Bring &forward"), "Ctrl+]", "bring-forward")
        self.add("lower", self.tr("Send &backward"), "Ctrl+[", "send-backward")
        self.add("front", self.tr("Bring to f&ront"), "Ctrl+Shift+]")
        self.add("back", self.tr("Send to bac&k"), "Ctrl+Shift+[")
        self.add("to-scene", self.tr("&Use as the scene"), None, "image")
        self.add("own-aspect", self.tr("Fit rectangle to &picture"), "Ctrl+R")

    def _arrange(self) -> None:
        self.add("align-left", self.tr("Align left edges"), "Ctrl+Alt+Left", "align-left")
        self.add("align-centre", self.tr("Align centres"), "Ctrl+Alt+C", "align-centre")
        self.add("align-right", self.tr("Align right edges"), "Ctrl+Alt+Right", "align-right")
        self.add("align-top", self.tr("Align top edges"), "Ctrl+Alt+Up", "align-top")
        self.add("align-middle", self.tr("Align middles"), "Ctrl+Alt+M", "align-middle")
        self.add("align-bottom", self.tr("Align bottom edges"), "Ctrl+Alt+Down", "align-bottom")
        self.add(
            "distribute-across",
            self.tr("Distribute across"),
            "Ctrl+Alt+Shift+Right",
            "distribute-across",
        )
        self.add(
            "distribute-down", self.tr("Distribute down"), "Ctrl+Alt+Shift+Down", "distribute-down"
        )

    def _view(self) -> None:
        self.add("zoom-in", self.tr("Zoom &in"), ("Ctrl+=", "Ctrl++"))
        self.add("zoom-out", self.tr("Zoom &out"), "Ctrl+-")
        self.add("zoom-fit", self.tr("&Fit canvas"), "Ctrl+0", "fit")
        self.add("zoom-full", self.tr("&100 %"), "Ctrl+1")
        self.add("zoom-selection", self.tr("Fit &selection"), "Ctrl+2")
        tip = self.tr("Show which tokens each subject will own, before anything is computed")
        self.add("token-view", self.tr("&Token view"), "Ctrl+T", "tokens", tip, checkable=True)
        self.add("kept-region", self.tr("&Kept region of the scene"), None, "", "", checkable=True)
        self.add("rulers", self.tr("&Rulers"), "Ctrl+Shift+R", "", "", checkable=True)
        self.add("snap-canvas", self.tr("Snap to &canvas"), "Ctrl+Alt+1", checkable=True)
        self.add("snap-layers", self.tr("Snap to &layers"), "Ctrl+Alt+2", checkable=True)
        self.add("snap-tokens", self.tr("Snap to to&ken grid"), "Ctrl+Alt+3", checkable=True)
        self.add("snap-guides", self.tr("Snap to &guides"), "Ctrl+Alt+4", checkable=True)
        self.add("clear-guides", self.tr("Remove all g&uides"))
        self.add("theme-system", self.tr("&As the system"), checkable=True)
        self.add("theme-light", self.tr("&Light"), checkable=True)
        self.add("theme-dark", self.tr("&Dark"), checkable=True)
        tip = self.tr("Show pictures as the ICC file of your screen says; again: as they are")
        profile = self.tr("Screen's colour &profile…")
        self.add("screen-profile", profile, None, "", tip, checkable=True)

    def _compose(self) -> None:
        tip = self.tr("Select and arrange layers")
        self.add(
            "tool-arrange", self.tr("&Arrange"), ("V", "Ctrl+Alt+V"), "arrange", tip, checkable=True
        )
        tip = self.tr("Drag the edges of the canvas; around a scene this outpaints")
        self.add(
            "tool-frame",
            self.tr("&Canvas edges"),
            ("C", "Ctrl+Alt+F"),
            "frame",
            tip,
            checkable=True,
        )
        self.add("canvas-size", self.tr("Canvas &size…"))
        self.add("compose", self.tr("&Compose"), "Ctrl+Return", "compose")
        self.add("cancel", self.tr("Ca&ncel"), "Ctrl+.", "cancel")
        self.add("live", self.tr("&Live mode"), "Ctrl+Shift+L", "", "", checkable=True)
        self.add("keys", self.tr("&Keyboard and mouse"), "F1")
        self.add("about", self.tr("&About Standee"))

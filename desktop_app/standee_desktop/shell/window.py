"""Main window: canvas in the middle, panels around it, menus, tools, status.

It puts the parts together and knows none of their work. Panels join by `add_panel`.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QDockWidget,
    QMainWindow,
    QMenu,
    QStackedWidget,
    QTabWidget,
    QToolBar,
    QUndoView,
    QWidget,
)

from ..canvas.kept_overlay import KeptOverlay
from ..canvas.rulers import CanvasFrame
from ..canvas.token_overlay import TokenOverlay
from ..canvas.tools.arrange_tool import ArrangeTool
from ..canvas.view import CanvasView
from ..model import EditorDocument
from ..panels.layer_settings import LayerSettings
from ..panels.layers_panel import LayersPanel
from ..services.image_cache import ImageCache
from ..services.thread_pool import ThreadPool
from ..services.undo_stack import UndoStack
from ..widgets.actions import Actions
from ..widgets.fitting import ScrollPanel
from .canvas_size_dialog import CanvasSizeDialog
from .edit_commands import EditCommands
from .floating_bars import FloatingBars
from .menus import build_menus, build_tool_bar, build_tools, context_menu
from .preferences import Preferences
from .shortcuts_dialog import ShortcutsDialog
from .status_bar import StatusBar
from .welcome_page import WelcomePage
from .window_state import keep_panels, keep_window, restore_panels, restore_window

Area = Qt.DockWidgetArea

SIDE = 296
"""How wide the panels at the sides are at first, px."""
BELOW = 150
"""How high the panels below the canvas are at first, px."""


class MainWindow(QMainWindow):
    """The editor's window.

    `failed` has an error to show to the artist. `may_close` is asked before the window closes; it may
    refuse.
    """

    failed = Signal(object)

    def __init__(self, document: EditorDocument | None = None) -> None:
        super().__init__()
        self.document = document or EditorDocument()
        self.undo_stack = UndoStack(self)
        self.undo_stack.attach(self.document)
        self.workers = ThreadPool(self)
        self.pictures = ImageCache(
            lambda digest: self.document.document.read(digest),
            self.workers,
            lambda: self.document.composition.digests(),
            self,
        )
        self.document.opened.connect(lambda _: self.pictures.forget())
        self.actions_ = Actions(self)
        self.canvas = CanvasView(self.document, self.pictures, self)
        self.canvas.set_default_tool(ArrangeTool(self.canvas))
        self.tokens = TokenOverlay(self.canvas, self.pictures, self.workers, self)
        self.scene_overlay = KeptOverlay(self.canvas, self.pictures)
        self.commands = EditCommands(
            self.actions_,
            self.document,
            self.undo_stack,
            self.canvas,
            self.workers,
            self.failed.emit,
        )
        self.may_close: Callable[[], bool] = lambda: True
        self._docks: dict[str, QDockWidget] = {}
        self._shown_docks: list[QDockWidget] | None = None
        self._sized = False
        self._menus = build_menus(self, self.actions_)
        self.tool_bar: QToolBar = build_tool_bar(self, self.actions_)
        self.tools: QToolBar = build_tools(self, self.actions_)
        self.status = StatusBar(self.document, self.canvas, self.actions_, self)
        self.setStatusBar(self.status)
        self._build_middle()
        self._build_panels()
        self.canvas.menu_wanted.connect(self._open_menu)
        self.actions_["welcome"].triggered.connect(lambda: self.show_welcome(True))
        self.actions_["quit"].triggered.connect(self.close)
        self.actions_["canvas-size"].triggered.connect(
            lambda: CanvasSizeDialog(self.document, self).open()
        )
        self.actions_["keys"].triggered.connect(
            lambda: ShortcutsDialog(self.menuBar(), self).open()
        )
        self.preferences = Preferences(self.actions_, self)
        self.setDockOptions(
            QMainWindow.DockOption.AnimatedDocks | QMainWindow.DockOption.AllowTabbedDocks
        )
        self.setTabPosition(Area.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        restore_window(self)
        for happened in (self.document.opened, self.document.saved, self.document.modified_changed):
            happened.connect(lambda _: self._show_title())  # type: ignore[attr-defined]
        self._show_title()

    # -- for those who add to the window ---------------------------------------------------------

    def action(self, name: str) -> QAction:
        """Return a command by its name; see `actions.py`."""
        return self.actions_[name]

    def menu(self, name: str) -> QMenu:
        """Return a menu to add to: file, recent, edit, layer, view, panels, compose or help."""
        return self._menus[name]

    def add_panel(
        self,
        name: str,
        widget: QWidget,
        area: Area,
        *,
        tab_with: str = "",
        shown: bool = True,
        scrolls: bool = False,
    ) -> QDockWidget:
        """Dock a widget under its window title; `tab_with` names a panel to share a place with.

        One that `scrolls` may be higher than the window.
        """
        dock = QDockWidget(widget.windowTitle(), self)
        dock.setObjectName(name)
        widget.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        dock.setWidget(ScrollPanel(widget) if scrolls else widget)
        feature = QDockWidget.DockWidgetFeature
        dock.setFeatures(feature.DockWidgetMovable | feature.DockWidgetClosable)
        self.addDockWidget(area, dock)
        if tab_with in self._docks:
            self.tabifyDockWidget(self._docks[tab_with], dock)
            self._docks[tab_with].raise_()
            for tabbed in (self._docks[tab_with], dock):  # the tab says its name
                tabbed.setTitleBarWidget(QWidget(tabbed))
        self._docks[name] = dock
        self._menus["panels"].addAction(dock.toggleViewAction())
        if self._shown_docks is not None:  # the welcome page stands alone
            if shown:
                self._shown_docks.append(dock)
            dock.hide()
        else:
            dock.setVisible(shown)
        return dock

    def panel(self, name: str) -> QDockWidget:
        """Return a panel's dock."""
        return self._docks[name]

    def add_bar(self, widget: QWidget, widest: int = 0) -> None:
        """Let a widget float over the top of the middle; with `widest` at the right, that wide."""
        self._floating.add(widget, widest)

    def add_page(self, widget: QWidget) -> None:
        """Add a page that `show_page` puts in the place of the canvas."""
        self._pages.addWidget(widget)

    def show_page(self, widget: QWidget | None) -> None:
        """Show a page in the place of the canvas; None brings the canvas back."""
        self._pages.setCurrentWidget(widget or self._frame)
        if widget is None:
            self.canvas.setFocus()

    def add_to_tool_bar(self, widget: QWidget) -> None:
        """Put a widget at the right end of the bar at the top."""
        self.tool_bar.addWidget(widget)

    def add_tool(self, action: QAction) -> None:
        """Add a canvas tool to the bar at the side."""
        action.setCheckable(True)
        self.tools.addAction(action)

    def add_status(self, widget: QWidget) -> None:
        """Put a widget at the right end of the status bar, always to be seen."""
        self.status.addPermanentWidget(widget)

    # -- pages -----------------------------------------------------------------------------------

    def show_welcome(self, shown: bool) -> None:
        """Show the welcome page alone, or the canvas with its panels."""
        if shown == self.welcoming:
            self._arrange_panels()
            return
        if shown:
            self._keep_panels()
            self._shown_docks = [dock for dock in self._docks.values() if not dock.isHidden()]
            for dock in self._shown_docks:
                dock.hide()
        else:
            docks, self._shown_docks = self._shown_docks or [], None
            for dock in docks:
                dock.show()
            self._arrange_panels()
        for bar in (self.tool_bar, self.tools):
            bar.setVisible(not shown)
        self.status.show_facts(not shown)
        document = self.document
        kept = document.composition.layers or document.document.path or document.modified
        self.welcome.begin(bool(kept)) if shown else self.welcome.end()
        self._pages.setCurrentWidget(self.welcome if shown else self._frame)
        (self.welcome.sample if shown else self.canvas).setFocus()

    def _arrange_panels(self) -> None:
        """Put the panels where they were left; the first time give the canvas most of the room."""
        if not (self._sized or self.welcoming):
            self._sized = True
            if not restore_panels(self):
                QTimer.singleShot(0, self._size_panels)

    def _keep_panels(self) -> None:
        if self._sized and not self.welcoming:
            keep_panels(self)

    @property
    def welcoming(self) -> bool:
        """Whether the welcome page is shown."""
        return self._shown_docks is not None

    def _build_middle(self) -> None:
        self._pages = QStackedWidget(self)
        self._frame = CanvasFrame(self.canvas, self._pages)
        self.welcome = WelcomePage(self.actions_, self._pages)
        self.welcome.back.clicked.connect(lambda: self.show_welcome(False))
        self._pages.addWidget(self._frame)
        self._pages.addWidget(self.welcome)
        self.setCentralWidget(self._pages)
        self._floating = FloatingBars(self._pages)

    def _build_panels(self) -> None:
        self.layers = LayersPanel(self.document, self.pictures, self.actions_, self)
        self.layer_settings = LayerSettings(self.document, self)
        self.tokens.counted.connect(self.layer_settings.show_tokens)
        self.layers.list.menu_wanted.connect(self._open_menu)
        self.canvas.layer_activated.connect(lambda _: self._show_settings())
        self.add_panel("layers", self.layers, Area.RightDockWidgetArea)
        self.add_panel("layer-settings", self.layer_settings, Area.RightDockWidgetArea)
        history = QUndoView(self.undo_stack, self)
        history.setWindowTitle(self.tr("History"))
        history.setAccessibleName(self.tr("History"))
        history.setEmptyLabel(self.tr("As it was opened"))
        self.add_panel("history", history, Area.RightDockWidgetArea, shown=False)
        for corner, area in (
            (Qt.Corner.BottomLeftCorner, Area.LeftDockWidgetArea),
            (Qt.Corner.BottomRightCorner, Area.RightDockWidgetArea),
        ):
            self.setCorner(corner, area)

    def _size_panels(self) -> None:
        """Give the canvas the most room; Qt would go by what the panels would like."""
        beside = {Area.LeftDockWidgetArea: SIDE, Area.RightDockWidgetArea: SIDE}
        docks = [dock for dock in self._docks.values() if not dock.isHidden()]
        for area, width in beside.items():
            there = [dock for dock in docks if self.dockWidgetArea(dock) == area]
            self.resizeDocks(there, [width] * len(there), Qt.Orientation.Horizontal)
        below = [one for one in docks if self.dockWidgetArea(one) == Area.BottomDockWidgetArea]
        self.resizeDocks(below, [BELOW] * len(below), Qt.Orientation.Vertical)
        layers = [self._docks["layers"], self._docks["layer-settings"]]
        self.resizeDocks(layers, [340, 400], Qt.Orientation.Vertical)

    def _show_settings(self) -> None:
        dock = self.panel("layer-settings")
        dock.show()
        dock.raise_()
        self.layer_settings.prompt.setFocus()
        self.layer_settings.prompt.selectAll()

    def _open_menu(self, at: QPoint) -> None:
        menu = context_menu(self, self.actions_, bool(self.document.selection))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(at)

    def _show_title(self) -> None:
        path = self.document.document.path
        name = path.stem if path is not None else self.tr("Untitled")
        self.setWindowTitle(f"{name}[*] — Standee")
        self.setWindowModified(self.document.modified)

    # -- events ----------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return presses the button that has the focus, as it does in dialogs."""
        button = self.focusWidget()
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and not event.modifiers() and isinstance(button, QAbstractButton):
            button.click()
        elif event.key() == Qt.Key.Key_Escape and self.welcoming and self.welcome.can_leave:
            self.show_welcome(False)
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Close, unless someone has something to save first."""
        if not self.may_close():
            event.ignore()
            return
        self._keep_panels()
        keep_window(self)
        self.workers.close()
        self.welcome.end()
        self.welcome.workers.close()
        event.accept()

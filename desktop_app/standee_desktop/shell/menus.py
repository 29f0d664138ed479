"""Menus and tool bars: which commands they hold, in which order."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QSize, Qt
from PySide6.QtWidgets import QMainWindow, QMenu, QSizePolicy, QToolBar, QToolButton, QWidget

from ..widgets.actions import Actions
from ..widgets.icons import icon

translate = QCoreApplication.translate

ARRANGE = (
    "align-left",
    "align-centre",
    "align-right",
    "",
    "align-top",
    "align-middle",
    "align-bottom",
    "",
    "distribute-across",
    "distribute-down",
)
SNAPPING = ("snap-canvas", "snap-layers", "snap-tokens", "snap-guides", "", "clear-guides")
LAYER = (
    "add-subject",
    "",
    "duplicate",
    "rename",
    "delete",
    "",
    "flip",
    "turn-left",
    "turn-right",
    "own-aspect",
    "to-scene",
    "",
    "raise",
    "lower",
    "front",
    "back",
    "",
    "group",
    "ungroup",
    "",
    "hide",
    "lock",
)

SUBJECT = ("tool-cutout", "cut-out", "cut-out-words", "keep-subject", "to-scene")
"""Commands of the selected subjects; others add some of them."""


def fill(menu: QMenu, actions: Actions, names: tuple[str, ...]) -> QMenu:
    """Add commands to a menu; "" is a line between them."""
    for name in names:
        menu.addAction(actions[name]) if name else menu.addSeparator()
    return menu


def build_menus(window: QMainWindow, actions: Actions) -> dict[str, QMenu]:
    """Fill the menu bar; return its menus, for others to add to."""
    bar = window.menuBar()
    menus = {
        "file": bar.addMenu(translate("Menus", "&File")),
        "edit": bar.addMenu(translate("Menus", "&Edit")),
        "layer": bar.addMenu(translate("Menus", "&Layer")),
        "view": bar.addMenu(translate("Menus", "&View")),
        "compose": bar.addMenu(translate("Menus", "&Compose")),
        "help": bar.addMenu(translate("Menus", "&Help")),
    }
    fill(menus["file"], actions, ("new", "open"))
    menus["recent"] = menus["file"].addMenu(translate("Menus", "Open &recent"))
    fill(menus["file"], actions, ("", "save", "save-as", "export", "mark", "", "quit"))
    fill(menus["edit"], actions, ("undo", "redo", "", "cut", "copy", "paste", "delete", ""))
    fill(menus["edit"], actions, ("select-all", "select-none"))
    fill(menus["layer"], actions, (*LAYER, ""))
    fill(menus["layer"].addMenu(translate("Menus", "&Align")), actions, ARRANGE)
    view = menus["view"]
    fill(view, actions, ("token-view", "kept-region", "rulers"))
    fill(view.addMenu(translate("Menus", "&Snapping")), actions, SNAPPING)
    fill(view, actions, ("", "zoom-in", "zoom-out", "zoom-fit", "zoom-full", "zoom-selection", ""))
    menus["panels"] = view.addMenu(translate("Menus", "&Panels"))
    theme_names = ("theme-system", "theme-light", "theme-dark")
    fill(view.addMenu(translate("Menus", "T&heme")), actions, theme_names)
    fill(view, actions, ("screen-profile",))
    fill(menus["compose"], actions, ("compose", "cancel", "live", ""))
    fill(menus["compose"], actions, ("tool-arrange", "tool-frame", "canvas-size"))
    fill(menus["help"], actions, ("welcome", "keys", "", "about"))
    return menus


def build_tool_bar(window: QMainWindow, actions: Actions) -> QToolBar:
    """The bar at the top: history, layers, arranging, views."""
    bar = _bar(window, "Main", translate("Menus", "Main tools"))
    names = ("open", "save", "", "undo", "redo", "", "add-subject", "duplicate", "flip", "delete")
    for name in (*names, "", "raise", "lower"):
        bar.addAction(actions[name]) if name else bar.addSeparator()
    bar.addWidget(
        _menu_button(
            bar, "align-left", translate("Menus", "Align and distribute"), actions, ARRANGE
        )
    )
    bar.addSeparator()
    bar.addWidget(_menu_button(bar, "magnet", translate("Menus", "Snapping"), actions, SNAPPING))
    bar.addAction(actions["token-view"])
    space = QWidget(bar)
    space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    bar.addWidget(space)
    window.addToolBar(Qt.ToolBarArea.TopToolBarArea, bar)
    return bar


def build_tools(window: QMainWindow, actions: Actions) -> QToolBar:
    """The bar of canvas tools at the side; others add theirs."""
    bar = _bar(window, "Tools", translate("Menus", "Canvas tools"))
    for name in ("tool-arrange", "tool-frame"):
        bar.addAction(actions[name])
    window.addToolBar(Qt.ToolBarArea.LeftToolBarArea, bar)
    return bar


def context_menu(parent: QWidget, actions: Actions, any_selected: bool) -> QMenu:
    """The menu of the selected layers, or of the canvas where none is selected."""
    menu = QMenu(parent)
    if any_selected:
        fill(menu, actions, ("cut", "copy", "paste", ""))
        fill(menu, actions, ("duplicate", "rename", "flip", "own-aspect", ""))
        fill(menu, actions, ("raise", "lower", "front", "back", "", "group", "ungroup", ""))
        fill(menu.addMenu(translate("Menus", "&Align")), actions, ARRANGE)
        subject = tuple(name for name in SUBJECT if name in actions)
        fill(menu, actions, ("", *subject, "", "hide", "lock", "", "delete"))
    else:
        fill(menu, actions, ("add-subject", "paste", "select-all", "", "token-view"))
        fill(menu, actions, ("zoom-fit", "zoom-full", "", "canvas-size"))
    return menu


def _bar(window: QMainWindow, name: str, title: str) -> QToolBar:
    bar = QToolBar(title, window)
    bar.setObjectName(name)
    bar.setMovable(False)
    bar.setFloatable(False)
    bar.setIconSize(QSize(20, 20))
    bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
    bar.setAccessibleName(title)
    return bar


def _menu_button(
    bar: QToolBar, image: str, text: str, actions: Actions, names: tuple[str, ...]
) -> QToolButton:
    button = QToolButton(bar)
    button.setIcon(icon(image))
    button.setToolTip(text)
    button.setAccessibleName(text)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    button.setMenu(fill(QMenu(button), actions, names))
    return button

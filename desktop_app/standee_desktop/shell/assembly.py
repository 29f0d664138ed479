"""Composition root: builds the daemon link, files, panels and tools around one window.

`Assembly(window)` builds the parts, docks their panels and connects the commands; `begin` sets them
to work. Nothing in the window knows it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt

from standee.document.document import Document
from standee.errors import MissingBlob, StandeeError
from standee.images import SUFFIXES
from standee.layered.exchange import SUFFIXES as LAYERED

from ..canvas.drag_and_drop import DropTarget
from ..canvas.result_overlay import ResultOverlay
from ..canvas.tablet import TabletInput
from ..canvas.tools.cutout_clicks import CutoutClicks
from ..canvas.tools.mask_brush import MaskBrush
from ..canvas.tools.words_tool import WordsTool
from ..model import edits
from ..model.notices import Notices
from ..panels.brush_bar import BrushBar
from ..panels.clicks_bar import ClicksBar
from ..panels.compose_bar import ComposeBar
from ..panels.compose_panel import ComposePanel
from ..panels.library_panel import LibraryPanel
from ..panels.notice_bar import NoticeBar
from ..panels.results_panel import ResultsPanel
from ..panels.scene_panel import ScenePanel
from ..panels.variations_grid import VariationsGrid
from ..services import clipboard
from ..services.autosave import Autosave
from ..services.canvas_advice import CanvasAdvice
from ..services.composer import Composer
from ..services.crash_log import CrashLog
from ..services.cutouts import Cutouts
from ..services.daemon_link import DaemonLink
from ..services.document_files import DocumentFiles
from ..services.error_fixes import ErrorFixes
from ..services.importer import Importer
from ..services.thread_pool import ThreadPool
from ..storage.paths import library_folder
from ..storage.subject_library import Library
from ..widgets.file_dialogs import FileDialogs
from .daemon_status import DaemonStatus
from .first_run.known_models import ModelDownloads
from .screen_colours import ScreenColours
from .welcome_page import sample_file
from .window import MainWindow

Area = Qt.DockWidgetArea

NOTICES = 460
"""How wide notices are, px."""


class Assembly(QObject):
    """The parts around one window. Tests and scripts reach them by their names."""

    def __init__(self, window: MainWindow, link: DaemonLink | None = None) -> None:
        super().__init__(window)
        self.window = window
        editor, canvas = window.document, window.canvas
        self.editor = editor
        self.notices = Notices()
        self.crash_log = CrashLog(self.notices, self)
        self.link = link or DaemonLink(self)
        self.disk = ThreadPool(self, in_order=True)
        self.composer = Composer(editor, self.link, window.workers, self.disk, self.notices, self)
        self.error_fixes = ErrorFixes(editor, self.link, self.composer, self.notices, self)
        self.canvas_hint = CanvasAdvice(editor, window.pictures, self.link, self.notices, self)
        self.autosave = Autosave(editor, self.notices, self.composer.unsaved_jobs, self)
        self.dialogs = FileDialogs(window)
        self.files = DocumentFiles(
            editor, self.composer, self.disk, self.notices, self.autosave, self.dialogs, self
        )
        self.library = Library(library_folder())
        self.compose_panel = ComposePanel(editor, self.composer, self.link)
        self.cutouts = Cutouts(
            editor, window.pictures, self.link, window.workers, self.notices, self
        )
        self.importer = Importer(
            editor,
            window.pictures,
            self.cutouts,
            window.workers,
            self.notices,
            self.compose_panel.new_fidelity,
            self,
        )
        self.library_panel = LibraryPanel(
            editor, self.library, self.importer, window.workers, self.notices
        )
        self.drop_target = DropTarget(
            canvas,
            window,
            self.importer,
            self.library,
            self.library_panel.subject,
            self.files.open,
        )
        self.result_overlay = ResultOverlay(canvas, self.composer)
        self.results_panel = ResultsPanel(
            editor, self.composer, canvas, self.result_overlay, window.workers
        )
        self.variations = VariationsGrid(editor, self.composer, window.workers)
        self.cutout_brush = MaskBrush(canvas, "cutout", self.disk, self.notices)
        self.cutout_clicks = CutoutClicks(canvas, self.cutouts, window.workers, self.notices)
        self.kept_brush = MaskBrush(canvas, "kept", self.disk, self.notices)
        self.words_tool = WordsTool(canvas, self.notices)
        self.pen = TabletInput(canvas)
        self.scene_panel = ScenePanel(
            editor,
            window.pictures,
            self.importer,
            self.choose_picture,
            lambda: canvas.set_tool(self.kept_brush),
            lambda: canvas.set_tool(window.commands.canvas_resize_tool),
        )
        self.notice_bar = NoticeBar(self.notices)
        self.compose_bar = ComposeBar(self.composer, window.actions_)
        self.brush_bar = BrushBar(canvas, (self.cutout_brush, self.kept_brush))
        self.clicks_bar = ClicksBar(canvas, self.cutout_clicks)
        self.connection = DaemonStatus(self.link)
        self.colours = ScreenColours(
            window.action("screen-profile"), self.dialogs, window.pictures, self.notices
        )
        self.model_downloads = ModelDownloads(self.link, self)
        window.welcome.models.follow(self.model_downloads)
        self._dock()
        self._add_commands()
        self._connect()
        self.composer.jobs.changed.connect(lambda _: self.autosave.soon())

    def begin(self, file: Path | None = None) -> None:
        """Look for the daemon and for unsaved work; open `file`, or show the welcome page."""
        self.link.start()
        self.autosave.look_for_work()
        self.library_panel.refresh()
        self._show_recent()
        self.window.show_welcome(file is None)
        if file is not None:
            self.files.open(file)

    def close(self) -> None:
        """Let go of everything; jobs go on in the daemon."""
        self.link.stop()
        self.disk.close()
        self.autosave.close()
        self.crash_log.close()

    def choose_picture(self, then: Callable[[Path], object]) -> None:
        """Ask for one picture file."""
        self._choose(lambda paths: then(paths[0]))

    # -- the window ------------------------------------------------------------------------------

    def _dock(self) -> None:
        window = self.window
        self.compose_panel.setWindowTitle(self.tr("Compose"))
        self.scene_panel.setWindowTitle(self.tr("Scene"))
        self.library_panel.setWindowTitle(self.tr("Library"))
        self.results_panel.setWindowTitle(self.tr("Results"))
        left = Area.LeftDockWidgetArea
        dock = window.add_panel("compose", self.compose_panel, left, scrolls=True)
        window.add_panel("scene", self.scene_panel, left, tab_with="compose", scrolls=True)
        window.add_panel("library", self.library_panel, left, tab_with="compose")
        window.add_panel("results", self.results_panel, Area.BottomDockWidgetArea)
        window.resizeDocks([dock], [300], Qt.Orientation.Horizontal)
        window.add_bar(self.brush_bar)
        window.add_bar(self.clicks_bar)
        window.add_bar(self.notice_bar, NOTICES)
        window.add_to_tool_bar(self.compose_bar)
        window.add_status(self.connection)
        window.add_page(self.variations)

    def _add_commands(self) -> None:
        actions, canvas = self.window.actions_, self.window.canvas
        tip = self.tr("Draw a rectangle and say what shall be in it, without a picture of it")
        actions.add(
            "tool-words",
            self.tr("Rectangle of &words"),
            ("T", "Ctrl+Alt+T"),
            "words",
            tip,
            checkable=True,
        )
        tip = self.tr("Click on what belongs to the selected subject, or draw a box around it")
        actions.add(
            "tool-clicks",
            self.tr("Cut out by clic&ks"),
            ("S", "Ctrl+Alt+S"),
            "clicks",
            tip,
            checkable=True,
        )
        tip = self.tr("Paint what belongs to the selected subject")
        actions.add(
            "tool-cutout",
            self.tr("Cut-out &brush"),
            ("B", "Ctrl+Alt+B"),
            "cutout",
            tip,
            checkable=True,
        )
        tip = self.tr("Paint what of the scene is made anew; the rest stays as it is")
        actions.add(
            "tool-kept", self.tr("&What changes"), ("K", "Ctrl+Alt+K"), "brush", tip, checkable=True
        )
        tools = {
            "tool-words": self.words_tool,
            "tool-clicks": self.cutout_clicks,
            "tool-cutout": self.cutout_brush,
            "tool-kept": self.kept_brush,
        }
        for name, tool in tools.items():
            self.window.add_tool(actions[name])
            actions[name].triggered.connect(lambda _=False, tool=tool: canvas.set_tool(tool))
            canvas.tool_changed.connect(
                lambda now, name=name, tool=tool: actions[name].setChecked(now is tool)
            )
        actions.add("cut-out", self.tr("Cut &out of its picture"), "Ctrl+Shift+X", "cutout")
        actions.add("cut-out-words", self.tr("Cut out &by its words"))
        actions.add("keep-subject", self.tr("&Keep in the library"), None, "library")
        actions.add("variations", self.tr("&Variations in a grid"), "G", "tokens")
        actions.add("cancel-all", self.tr("Cancel all jobs"))
        actions.add("compose-collage", self.tr("Compose as an &edited collage"))
        actions.add("roll-seed", self.tr("&Roll another seed"), "Ctrl+Shift+D", "dice")
        for name in ("cut-out", "cut-out-words", "keep-subject"):
            self.window.menu("layer").addAction(actions[name])
        for name in (
            "compose-collage",
            "roll-seed",
            "variations",
            "cancel-all",
            "tool-words",
            "tool-clicks",
            "tool-cutout",
            "tool-kept",
        ):
            self.window.menu("compose").addAction(actions[name])

    def _connect(self) -> None:
        window, files, editor = self.window, self.files, self.editor
        commands: dict[str, Callable[[], object]] = {
            "new": self._new,
            "open": files.open,
            "save": files.save,
            "save-as": files.save_as,
            "export": lambda: files.export(self.results_panel.current),
            "add-subject": lambda: self._choose(self.importer.add_files, LAYERED),
            "compose": self.compose_panel.compose,
            "compose-collage": lambda: self.compose_panel.compose(collage=True),
            "variations": self._show_variations,
            "cancel": self._cancel,
            "cancel-all": self._cancel_all,
            "roll-seed": self.composer.dice,
            "cut-out": self._cut_out,
            "cut-out-words": lambda: self._cut_out(by_words=True),
            "keep-subject": self.library_panel.keep_selected,
            "paste": self._paste,
        }
        for name, work in commands.items():
            window.action(name).triggered.connect(lambda _=False, work=work: work())
        live = window.action("live")
        live.toggled.connect(self.composer.set_live)
        self.composer.live_changed.connect(live.setChecked)
        window.failed.connect(self._failed)
        window.may_close = self._may_close
        files.may_close.connect(self._close_now)
        files.recent_changed.connect(self._show_recent)
        files.busy_changed.connect(lambda words: window.statusBar().showMessage(words))
        self.results_panel.export_wanted.connect(files.export)
        self.results_panel.subject_wanted.connect(self._add_result)
        self.results_panel.grid.clicked.connect(self._show_variations)
        self.variations.closed.connect(lambda: window.show_page(None))
        self.variations.chosen.connect(self._show_variation)
        window.welcome.sample_wanted.connect(self._open_sample)
        window.welcome.file_wanted.connect(files.open)
        window.welcome.models.use_wanted.connect(self._use_model)
        editor.opened.connect(lambda _: window.show_welcome(False))
        editor.changed.connect(lambda _: window.show_welcome(False))
        window.pictures.failed.connect(lambda _, error: self._picture_failed(error))

    def _new(self) -> None:
        if self.window.welcoming and not self.editor.modified:
            self.window.show_welcome(False)
        self.files.new()

    def _add_result(self, name: str) -> None:
        result = self.editor.document.results.get(name)
        if result is not None:
            self.importer.add_bytes(result.data, self.tr("Result"))

    def _paste(self) -> None:
        if not clipboard.has_layers():
            self.drop_target.paste()

    def _cut_out(self, by_words: bool = False) -> None:
        for layer_id in self.editor.selection:
            self.cutouts.cut_out(layer_id, by_words)

    def _show_variations(self) -> None:
        self.window.show_welcome(False)
        self.window.show_page(self.variations)
        self.variations.begin()

    def _show_variation(self, name: str) -> None:
        self.window.show_page(None)
        self.results_panel.select(name)

    def _cancel(self) -> None:
        """Stop what the daemon works on for this window."""
        if self.composer.jobs.current is not None:
            self.composer.cancel()
        else:
            self.cutouts.cancel()

    def _cancel_all(self) -> None:
        self.composer.cancel_all()
        self.cutouts.cancel()

    def _choose(self, then: Callable[[list[Path]], object], more: tuple[str, ...] = ()) -> None:
        names = " ".join(f"*{suffix}" for suffix in (*SUFFIXES, *more))
        filters = [self.tr("Pictures (%1)").replace("%1", names)]
        self.dialogs.open_files(self.tr("Choose pictures"), filters, then)

    def _failed(self, error: StandeeError) -> None:
        self.notices.fail(error, topic=error.message, fix="")

    def _picture_failed(self, error: StandeeError) -> None:
        if not isinstance(error, MissingBlob):  # of those the opening tells, in one line
            self._failed(error)

    def _open_sample(self) -> None:
        path = sample_file()
        if path is not None:
            self.files.open_copy(path)

    def _use_model(self, name: str) -> None:
        composition = edits.with_sampling(self.editor.composition, model=name)
        self.editor.apply(self.tr("Model"), composition)
        self.window.show_welcome(False)

    def _show_recent(self) -> None:
        recent, menu = self.files.recent(), self.window.menu("recent")
        self.window.welcome.show_recent(recent)
        menu.clear()
        for number, path in enumerate(recent, start=1):
            action = menu.addAction(f"&{number} {path.name}")
            action.setToolTip(str(path))
            action.triggered.connect(lambda _=False, path=path: self.files.open(path))
        menu.setEnabled(bool(recent))

    # -- the end ---------------------------------------------------------------------------------

    def _may_close(self) -> bool:
        if not self.files.close():
            return False
        self.close()
        return True

    def _close_now(self) -> None:
        self.editor.open(Document())  # nothing unsaved is left to ask about
        self.window.close()

"""Screen profile preference: the chosen ICC file, kept between sessions."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction

from standee.errors import BadPicture

from ..model.notices import Notices
from ..services.image_cache import ImageCache
from ..services.screen_profile import take_file
from ..storage.settings import settings
from ..widgets.file_dialogs import FileDialogs

PROFILE = "look/screen-profile"


class ScreenColours(QObject):
    """Connects the command that chooses an ICC file; chosen again, it goes without one."""

    def __init__(
        self, action: QAction, dialogs: FileDialogs, pictures: ImageCache, notices: Notices
    ) -> None:
        super().__init__(action)
        self._action, self._dialogs = action, dialogs
        self._pictures, self._notices = pictures, notices
        action.triggered.connect(self._choose)
        stored = str(settings().value(PROFILE, ""))
        if stored:
            self.take(Path(stored))

    def take(self, path: Path | None) -> None:
        """Show pictures as a profile says, or as they are."""
        try:
            take_file(path)
        except BadPicture as error:
            self._notices.fail(error, "screen-profile", "")
            path = None
            take_file(None)
        settings().setValue(PROFILE, str(path) if path is not None else "")
        self._action.setChecked(path is not None)
        self._pictures.forget()
        self._pictures.ready.emit("")  # all are read anew as they are painted

    def _choose(self, wanted: bool) -> None:
        self._action.setChecked(bool(settings().value(PROFILE, "")))
        if not wanted:
            self.take(None)
            return
        filters = [self.tr("Colour profiles (%1)").replace("%1", "*.icc *.icm")]
        title = self.tr("A screen's colour profile")
        self._dialogs.open_files(title, filters, lambda paths: self.take(paths[0]))

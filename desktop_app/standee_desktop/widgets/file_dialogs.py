"""File dialogs: choosing a file, and what to do with unsaved work. They never block.

Each method returns at once and calls `then` with the answer, so that nothing behind a question waits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QCoreApplication, QStandardPaths
from PySide6.QtWidgets import QDialog, QFileDialog, QMessageBox, QWidget

from ..storage.file_guard import Hindrance
from ..storage.settings import settings

Answer = Literal["save", "discard", "cancel"]
Way = Literal["copy", "replace", "cancel"]
FOLDER = "files/folder"


class FileDialogs:
    """Asks in dialogs of one window."""

    def __init__(self, window: QWidget) -> None:
        self._window = window
        self._asking: QDialog | None = None

    def open_files(
        self, title: str, filters: Sequence[str], then: Callable[[list[Path]], object]
    ) -> None:
        """Ask for files that exist."""
        dialog = self._file_dialog(title, filters)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(lambda names: self._chosen(names, then))
        self._ask(dialog)

    def save_file(
        self, title: str, filters: Sequence[str], name: str, then: Callable[[Path], object]
    ) -> None:
        """Ask where to save; `name` is proposed."""
        dialog = self._file_dialog(title, filters)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(Path(name).suffix.removeprefix("."))
        dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix(_suffix(chosen)))
        dialog.selectFile(name)
        dialog.filesSelected.connect(
            lambda names: self._chosen(names, lambda paths: then(paths[0]))
        )
        self._ask(dialog)

    def ask_unsaved(self, name: str, then: Callable[[Answer], object]) -> None:
        """Ask what to do with changes that are not saved."""
        translate = QCoreApplication.translate
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setText(translate("FileDialogs", "Save the changes to “%1”?").replace("%1", name))
        box.setInformativeText(translate("FileDialogs", "What is not saved is lost."))
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Save | buttons.Discard | buttons.Cancel)
        box.setDefaultButton(buttons.Save)
        box.button(buttons.Save).setText(translate("FileDialogs", "Save"))
        box.button(buttons.Discard).setText(translate("FileDialogs", "Don't save"))
        box.button(buttons.Cancel).setText(translate("FileDialogs", "Cancel"))
        answers: dict[QMessageBox.StandardButton, Answer] = {
            buttons.Save: "save",
            buttons.Discard: "discard",
        }
        box.finished.connect(lambda code: then(answers.get(buttons(code), "cancel")))
        self._ask(box)

    def ask_replace(self, name: str, why: Hindrance, then: Callable[[Way], object]) -> None:
        """Ask what to do about a file that should not simply be replaced."""
        translate = QCoreApplication.translate
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.NoIcon)
        text = translate("FileDialogs", "“%1” is write-protected.")
        more = translate("FileDialogs", "Someone meant it to stay as it is.")
        if why == "changed":
            text = translate("FileDialogs", "“%1” was changed by someone else.")
            more = translate(
                "FileDialogs", "Another window or program saved it since you opened it here."
            )
        box.setText(text.replace("%1", name))
        box.setInformativeText(more)
        roles = QMessageBox.ButtonRole
        copy = box.addButton(translate("FileDialogs", "Save a copy…"), roles.AcceptRole)
        replace = box.addButton(translate("FileDialogs", "Replace it"), roles.DestructiveRole)
        box.addButton(translate("FileDialogs", "Cancel"), roles.RejectRole)
        box.setDefaultButton(copy)

        def answered(_: int) -> None:
            ways: dict[object, Way] = {copy: "copy", replace: "replace"}
            then(ways.get(box.clickedButton(), "cancel"))

        box.finished.connect(answered)
        self._ask(box)

    def ask_jobs(self, count: int, then: Callable[[], object]) -> None:
        """Ask whether pictures that are still being made shall be given up; `then` comes if so."""
        translate = QCoreApplication.translate
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.NoIcon)
        text = translate("FileDialogs", "Jobs of this document that are not done yet: %1.")
        box.setText(text.replace("%1", str(count)))
        box.setInformativeText(
            translate("FileDialogs", "Another document cannot take their pictures: they are lost.")
        )
        roles = QMessageBox.ButtonRole
        stay = box.addButton(translate("FileDialogs", "Stay here"), roles.RejectRole)
        leave = box.addButton(translate("FileDialogs", "Cancel the jobs"), roles.DestructiveRole)
        box.setDefaultButton(stay)
        box.finished.connect(lambda _: then() if box.clickedButton() is leave else None)
        self._ask(box)

    def _file_dialog(self, title: str, filters: Sequence[str]) -> QFileDialog:
        places = QStandardPaths.StandardLocation
        pictures = QStandardPaths.writableLocation(places.PicturesLocation)
        folder = str(settings().value(FOLDER, "")) or pictures
        dialog = QFileDialog(self._window, title, folder)
        dialog.setNameFilters(list(filters))
        return dialog

    def _chosen(self, names: list[str], then: Callable[[list[Path]], object]) -> None:
        paths = [Path(name) for name in names]
        if paths:
            settings().setValue(FOLDER, str(paths[0].parent))
            then(paths)

    def _ask(self, dialog: QDialog) -> None:
        if self._asking is not None:
            self._asking.close()
        self._asking = dialog
        dialog.finished.connect(lambda _: self._over(dialog))
        dialog.open()

    def _over(self, dialog: QDialog) -> None:
        if self._asking is dialog:
            self._asking = None
        dialog.deleteLater()


def _suffix(chosen: str) -> str:
    """Return the first ending that a filter such as `JPEG (*.jpg *.jpeg)` names."""
    found = re.search(r"\*\.(\w+)", chosen)
    return found[1] if found else ""

"""Scene panel: the scene's picture, its kept region, how subjects blend into it, control pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from standee.composition import Composition, Control, Scene

from ..model import Change, EditorDocument, edits
from ..services.image_cache import ImageCache
from ..services.importer import Importer, picture_paths
from ..widgets.control_list import ControlList
from ..widgets.drops import accept_copy
from ..widgets.fields import PercentSlider, form, make_plain, muted
from ..widgets.icons import icon
from ..widgets.inputs import ComboBox, DoubleSpinBox

THUMBNAIL = 96
NONE = Scene("0" * 64)
"""What a scene begins with."""


class ScenePanel(QWidget):
    """Edits `composition.scene` and `composition.control`."""

    def __init__(
        self,
        editor: EditorDocument,
        pictures: ImageCache,
        importer: Importer,
        choose: Callable[[Callable[[Path], object]], object],
        inpaint: Callable[[], object],
        outpaint: Callable[[], object],
        parent: QWidget | None = None,
    ) -> None:
        """`choose` asks for a picture file, `inpaint` and `outpaint` take up their tools."""
        super().__init__(parent)
        self._editor, self._pictures, self._importer = editor, pictures, importer
        self.picture = QLabel()
        self.choose = QPushButton(icon("image"), self.tr("Choose a picture…"))
        self.remove = QPushButton(self.tr("No scene"))
        self.inpaint = QPushButton(icon("brush"), self.tr("Paint what changes"))
        self.outpaint = QPushButton(icon("outpaint"), self.tr("Extend the canvas"))
        self.keep_all = QPushButton(self.tr("Keep all of it"))
        self.fit = ComboBox()
        self.fidelity = PercentSlider()
        self.blend, self.feather = DoubleSpinBox(), DoubleSpinBox()
        self.shown = QCheckBox(self.tr("Show the kept region"))
        self.controls = ControlList(lambda: choose(importer.add_control), pictures.thumbnail)
        self._lay_out()
        self.setAcceptDrops(True)
        self.choose.clicked.connect(lambda: choose(importer.set_scene))
        self.remove.clicked.connect(lambda: self._apply(self.tr("Remove the scene"), None))
        self.inpaint.clicked.connect(lambda: inpaint())
        self.outpaint.clicked.connect(lambda: outpaint())
        self.keep_all.clicked.connect(lambda: self._set(self.tr("Keep all"), kept=None))
        self.fit.activated.connect(
            lambda _: self._set(self.tr("Fit of the scene"), fit=self.fit.currentData())
        )
        self.fidelity.moved.connect(
            lambda part: self._set(self.tr("Fidelity of the scene"), "scene", fidelity=part)
        )
        self.fidelity.sliderReleased.connect(editor.end_gesture)
        self.blend.valueChanged.connect(lambda part: self._set(self.tr("Blend"), blend=part / 100))
        self.feather.valueChanged.connect(
            lambda part: self._set(self.tr("Feather"), feather=part / 100)
        )
        self.shown.toggled.connect(lambda on: editor.look(kept_region=on))
        editor.changed.connect(self._on_change)
        editor.view_changed.connect(lambda view: self.shown.setChecked(view.kept_region))
        self.controls.changed.connect(self._set_controls)
        pictures.ready.connect(lambda digest: self._show(self._editor.composition))
        self.shown.setChecked(editor.view.kept_region)
        self._show(editor.composition)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """A picture dropped here becomes the scene; on the control pictures, another of those."""
        accept_copy(event, bool(picture_paths(event.mimeData())))

    def dropEvent(self, event: QDropEvent) -> None:
        """Take the picture."""
        paths = picture_paths(event.mimeData())
        if not accept_copy(event, bool(paths)):
            return
        if self.controls.geometry().contains(event.position().toPoint()):
            for path in paths:
                self._importer.add_control(path)
        else:
            self._importer.set_scene(paths[0])

    def _lay_out(self) -> None:
        self.setObjectName("scene")
        for fit, words in (
            ("cover", self.tr("Cover")),
            ("contain", self.tr("Contain")),
            ("stretch", self.tr("Stretch")),
        ):
            self.fit.addItem(words, fit)
        for field in (self.blend, self.feather):  # shares of the canvas' shorter side
            field.setRange(0, 50)
            field.setDecimals(1)
            field.setSuffix(" %")
            make_plain(field)
        tips: list[tuple[QWidget, str, str]] = [
            (self.fit, self.tr("Fit"), self.tr("How the picture fills its place")),
            (
                self.fidelity,
                self.tr("Fidelity"),
                self.tr("How long the kept part guides what is made beside it"),
            ),
            (
                self.blend,
                self.tr("Blend"),
                self.tr("So far around each subject the scene may change: its shadow, its light"),
            ),
            (
                self.feather,
                self.tr("Feather"),
                self.tr("How softly what is new passes into what is kept"),
            ),
        ]
        rows = form()
        for widget, name, tip in tips:
            widget.setAccessibleName(name)
            widget.setToolTip(tip)
            rows.addRow(name, widget)
        self.picture.setFixedSize(THUMBNAIL, THUMBNAIL)
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setProperty("role", "drop")
        self.picture.setWordWrap(True)
        self.picture.setAccessibleName(self.tr("Picture of the scene"))
        beside = QVBoxLayout()
        beside.addWidget(self.choose)
        beside.addWidget(self.remove)
        beside.addStretch(1)
        top = QHBoxLayout()
        top.addWidget(self.picture)
        top.addLayout(beside, 1)
        tools = QVBoxLayout()
        tools.addWidget(self.inpaint)
        tools.addWidget(self.outpaint)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 12, 12)
        layout.setSpacing(10)
        layout.addLayout(top)
        layout.addLayout(tools)
        layout.addWidget(self.keep_all)
        layout.addLayout(rows)
        layout.addWidget(self.shown)
        layout.addWidget(
            muted(
                self.tr("Kept pixels stay exactly as they are. Without a scene all is generated.")
            )
        )
        layout.addWidget(QLabel(self.tr("Control pictures")))
        layout.addWidget(self.controls)
        layout.addStretch(1)

    # -- what the document says ------------------------------------------------------------------

    def _on_change(self, change: Change) -> None:
        if change.touches("scene", "canvas", "control") or (
            change.after.control and change.touches("layers")
        ):
            self._show(change.after)

    def _show(self, composition: Composition) -> None:
        scene = composition.scene
        for widget in (
            self.remove,
            self.inpaint,
            self.outpaint,
            self.fit,
            self.fidelity,
            self.blend,
            self.feather,
            self.shown,
        ):
            widget.setEnabled(scene is not None)
        self.keep_all.setEnabled(scene is not None and scene.kept is not None)
        shown = scene or NONE
        with QSignalBlocker(self.blend), QSignalBlocker(self.feather), QSignalBlocker(self.fit):
            self.fit.setCurrentIndex(self.fit.findData(shown.fit))
            self.blend.setValue(100 * shown.blend)
            self.feather.setValue(100 * shown.feather)
        self.fidelity.show_part(shown.fidelity)
        self.controls.show_controls(composition.control, composition.layers)
        self._show_picture()

    def _show_picture(self) -> None:
        scene = self._editor.composition.scene
        pixmap = self._pictures.thumbnail(scene.picture) if scene is not None else None
        if pixmap is None:
            self.picture.setText(self.tr("Drop a picture") if scene is None else "…")
            return
        aspect, mode = (
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        self.picture.setPixmap(pixmap.scaled(THUMBNAIL, THUMBNAIL, aspect, mode))

    def _set(self, text: str, merge: str | None = None, **fields: Any) -> None:
        scene = self._editor.composition.scene
        if scene is not None:
            self._apply(text, replace(scene, **fields), merge)

    def _set_controls(self, controls: tuple[Control, ...], text: str) -> None:
        self._editor.apply(text, edits.with_controls(self._editor.composition, controls))

    def _apply(self, text: str, scene: Scene | None, merge: str | None = None) -> None:
        composition = edits.with_scene(self._editor.composition, scene)
        self._editor.apply(text, composition, merge)

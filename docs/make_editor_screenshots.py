"""Make the pictures of docs/editor.md: `python docs/make_editor_screenshots.py [NAME ...]`.

It uses the editor as a person would, with the sample scene and a daemon of its own on the bundled
model, and saves what the window shows to docs/editor/. Without a screen it needs no X server.

`--size 1024x640 --scale 2 --folder FOLDER` shows how it looks elsewhere. The Chinese picture needs a
font that has the characters, installed or in the folder that `--fonts` names.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_LOGGING_RULES", "qt.qpa.*=false")

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QFontDatabase, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 240.0
SMALL = (1024, 640)
"""The window on a small laptop, px."""
LEFT = Qt.MouseButton.LeftButton


@dataclass(frozen=True)
class Wish:
    """Which pictures are wanted, all where none is named; of a window of a size in px, and where they go."""

    names: frozenset[str]
    size: tuple[int, int]
    folder: Path
    fonts: Path | None

    def __contains__(self, name: str) -> bool:
        return not self.names or name in self.names


class Photographer:
    """Uses one window and takes pictures of it."""

    def __init__(self, wanted: Wish, language: str = "en") -> None:
        from standee_desktop.shell.application import (
            make_application,
            make_window,
            start,
            translate,
        )
        from standee_desktop.shell.assembly import Assembly

        self.app = make_application(language)
        if language == "zh_CN":
            find_chinese_fonts(wanted.fonts)
        sys.excepthook = sys.__excepthook__
        translate(self.app, language)
        self.window: Any = make_window()
        sys.excepthook = sys.__excepthook__
        self.assembly: Any = self.window.findChild(Assembly)
        self.document = self.window.document
        self.wanted = wanted
        self.window.resize(*wanted.size)
        self.window.show()
        start(self.window, None)
        self.wait(lambda: self.assembly.link.contact.state == "connected")
        self.wait(seconds=0.4)

    def wait(self, until: Callable[[], object] | None = None, seconds: float = PATIENCE) -> bool:
        """Let the application run until something is true, or for some seconds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not (until and until()):
            self.app.processEvents()
            time.sleep(0.003)
        return until is not None and bool(until())

    def shoot(self, name: str, rest: float = 0.5) -> None:
        """Save what the window shows, after it had so many seconds to come to rest."""
        self.wait(seconds=rest)
        if name in self.wanted:
            self.wanted.folder.mkdir(parents=True, exist_ok=True)
            file = self.wanted.folder / f"{name}.webp"
            self.window.grab().save(str(file), quality=85)
            print(file)

    def does(self, name: str) -> None:
        """Choose a command."""
        self.window.action(name).trigger()
        self.wait(seconds=0.1)

    def select(self, *names: str) -> None:
        """Select layers by a word of their names."""
        layers = self.document.composition.layers
        self.document.select(one.id for one in layers for name in names if name in one.name.lower())

    def drag(self, *points: tuple[float, float], let_go: bool = True) -> None:
        """Drag over points of the canvas."""
        canvas = self.window.canvas
        spots = [QPointF(*canvas.camera.to_screen(x, y)).toPoint() for x, y in points]
        QTest.mousePress(canvas, LEFT, Qt.KeyboardModifier.NoModifier, spots[0])
        for start, end in pairwise(spots):
            for n in range(1, 9):
                at = QPointF(start + (end - start) * n / 8)
                no, keys = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
                where = QPointF(canvas.mapToGlobal(at))
                move = QMouseEvent(QEvent.Type.MouseMove, at, where, no, LEFT, keys)
                QApplication.sendEvent(canvas, move)
        if let_go:
            QTest.mouseRelease(canvas, LEFT, Qt.KeyboardModifier.NoModifier, spots[-1])
        self.wait(seconds=0.2)

    def open_sample(self) -> None:
        """Click the button of the welcome page."""
        QTest.mouseClick(self.window.welcome.sample, LEFT)
        self.wait(lambda: self.document.composition.layers, 20)
        layers = self.document.composition.layers
        self.wait(lambda: all(self.window.pictures.look(one.picture) for one in layers), 20)

    def compose(self) -> None:
        """Compose, and take a picture half-way, when a preview hangs before the canvas."""
        composer, before = self.assembly.composer, len(self.document.document.results)
        self.does("compose")

        def half() -> bool:
            job = composer.jobs.current
            return job is not None and job.stage == "denoising" and job.step >= job.of // 2

        self.wait(lambda: half() and composer.preview is not None)
        self.shoot("composing", rest=0.1)
        self.wait(lambda: len(self.document.document.results) > before)

    def close(self) -> None:
        """Close the window without a word."""
        self.document.mark_saved(self.document.composition, Path("sample.standee"))
        self.assembly.close()
        self.window.may_close = lambda: True
        self.window.close()
        self.wait(seconds=0.1)


def in_english(wanted: Wish) -> None:
    """Take all pictures but the Chinese one."""
    artist = Photographer(wanted)
    artist.wait(artist.window.welcome.models.isVisible)
    artist.shoot("welcome")
    artist.open_sample()
    layers = artist.document.composition.layers
    artist.document.select((layers[-1].id,))
    artist.shoot("arranging")
    artist.does("tool-cutout")
    artist.wait(lambda: artist.assembly.cutout_brush.ready, 20)
    rect = layers[-1].rect
    artist.assembly.cutout_brush.set_taking(True)
    top = rect.y + rect.h * 0.3
    artist.drag((rect.x + 4, top), (rect.x + rect.w * 0.6, top - 8))
    artist.shoot("cut-out")
    artist.wait(lambda: artist.document.layer(layers[-1].id).mask is not None, 20)
    artist.does("undo")
    artist.does("tool-arrange")
    artist.does("token-view")
    artist.wait(lambda: artist.window.tokens.tokens, 20)
    artist.shoot("token-view")
    artist.does("token-view")
    artist.window.preferences.choose("dark")
    artist.shoot("dark")
    artist.window.preferences.choose("light")
    artist.window.resize(*SMALL)
    artist.shoot("small")
    artist.window.resize(*wanted.size)
    artist.does("select-none")
    artist.compose()
    results = list(artist.document.document.results)
    artist.assembly.results_panel.select(results[-1])
    artist.shoot("staging")
    artist.assembly.results_panel.unselect()
    scenes(artist)
    with tempfile.TemporaryDirectory() as folder:
        broken = Path(folder) / "holiday.standee"
        broken.write_bytes(b"PK\x03\x04 and then nothing")
        artist.document.mark_saved(artist.document.composition, broken.with_name("scene.standee"))
        artist.assembly.files.open(broken)
        artist.wait(lambda: len(artist.assembly.notices), 10)
        artist.shoot("error-bar")
    artist.close()


def scenes(artist: Photographer) -> None:
    """Inpaint and outpaint a scene."""
    from standee import Scene
    from standee_desktop.model import edits

    document = artist.document
    digest = document.document.add_picture(ROOT / "examples" / "scenes" / "meadow.png")
    cleared = edits.removed(document.composition, {o.id for o in document.composition.layers[1:]})
    scene = edits.with_scene(cleared, Scene(picture=digest))
    document.apply("Scene", scene)
    artist.wait(lambda: artist.window.pictures.look(digest), 10)
    artist.window.panel("scene").raise_()
    artist.does("select-none")
    artist.assembly.scene_panel.inpaint.click()
    width, height = document.composition.canvas.width, document.composition.canvas.height
    across = [(width * (0.30 + 0.4 * n / 6), height * (0.62 + 0.06 * (n % 2))) for n in range(7)]
    artist.drag(*across)
    artist.shoot("inpaint")
    artist.does("undo")
    artist.does("tool-frame")
    artist.drag((width, height), (width * 1.25, height * 1.125))
    artist.drag((0, height / 2), (-width * 0.25, height / 2))
    artist.window.canvas.fit()
    artist.shoot("outpaint")
    artist.does("tool-arrange")


def in_chinese(wanted: Wish) -> None:
    """Take the Chinese picture."""
    artist = Photographer(wanted, "zh_CN")
    artist.open_sample()
    artist.document.select((artist.document.composition.layers[-1].id,))
    artist.window.panel("compose").raise_()
    artist.shoot("chinese")
    artist.close()


def main() -> int:
    """Take them all, or those named."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="only save these pictures")
    parser.add_argument("--size", type=size, default=(1320, 840), help="of the window, px")
    parser.add_argument("--scale", default="1", help="px of the screen to one of the window")
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "editor")
    parser.add_argument("--fonts", type=Path, help="a folder of fonts with Chinese characters")
    options = parser.parse_args()
    os.environ["QT_SCALE_FACTOR"] = options.scale
    wanted = Wish(frozenset(options.names), options.size, options.folder, options.fonts)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["STANDEE_HOME"] = folder
        for name in ("CONFIG", "DATA", "CACHE", "STATE"):
            os.environ[f"XDG_{name}_HOME"] = f"{folder}/{name.lower()}"
        try:
            if wanted.names != {"chinese"}:
                in_english(wanted)
            if "chinese" in wanted:
                in_chinese(wanted)
        finally:
            stop_daemon()
    return 0


def size(text: str) -> tuple[int, int]:
    """Read a size such as 1024x640."""
    width, height = text.split("x")
    return int(width), int(height)


def find_chinese_fonts(folder: Path | None) -> None:
    """Add the fonts of a folder; without any that has Chinese characters there would be boxes in their places."""
    for file in sorted(folder.glob("*.[ot]t[fc]")) if folder is not None else ():
        QFontDatabase.addApplicationFont(str(file))
    if not QFontDatabase.families(QFontDatabase.WritingSystem.SimplifiedChinese):
        sys.exit(
            "No font here has Chinese characters. Install one, or name a folder: --fonts FOLDER"
        )


def stop_daemon() -> None:
    """End the daemon that the editor started for these pictures."""
    from standee import Client, StandeeError

    try:
        with Client.connect(timeout=2) as client:
            client.shutdown()
    except StandeeError:
        pass


if __name__ == "__main__":
    sys.exit(main())

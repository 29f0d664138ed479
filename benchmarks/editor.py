"""Speed of the desktop editor with 100 layers: `python benchmarks/editor.py`.

One run, side by side: the time to the first painted window; the time from a mouse move to the
painted frame (p50, p99) while a layer is dragged, one that is turned, all turned ones together, in
the token view too, and while zooming; the same drag of the same images in a plain `QGraphicsView`;
the longest time that the GUI thread does not answer while a document of some 200 MB opens, is
decoded, dragged in and saved; opening and saving themselves; memory per layer.

Without a screen (`QT_QPA_PLATFORM=offscreen`, the default) frames are painted by Qt's raster engine,
as they are in a window. `--json FILE` writes the numbers.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_LOGGING_RULES", "qt.qpa.*=false")

import numpy as np
from msgspec.structs import replace
from PIL import Image
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPixmap
from PySide6.QtWidgets import (
    QApplication,
    QGraphicsItem,
    QGraphicsPixmapItem,
    QGraphicsScene,
    QGraphicsView,
    QWidget,
)

from standee import Canvas, Composition, Document, Layer, Rect

LEFT = Qt.MouseButton.LeftButton


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--layers", type=int, default=100)
    parser.add_argument("--large", type=int, default=40, help="how many of them are 4k pictures")
    parser.add_argument("--turned", type=int, default=30, help="how many of them are turned")
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("CONFIG", "DATA", "CACHE", "STATE"):
            os.environ[f"XDG_{name}_HOME"] = folder
        file = Path(folder) / "large.standee"
        print(f"Making a document of {options.layers} layers, {options.large} of 4096 px ...")
        made = make_document(file, options.layers, options.large, options.turned)
        found = measure(file, options.frames)
    asked = {name: getattr(options, name) for name in ("layers", "large", "turned")}
    found = {**asked, **made, **found}
    report(found)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0


# -- the document ----------------------------------------------------------------------------------


def make_document(file: Path, layers: int, large: int, turned: int) -> dict[str, float]:
    """Save a document whose pictures are noisy enough to weigh what photographs weigh.

    `turned` of the layers, here and there in the pile, are turned, and each second of those lets something through.
    """
    random = np.random.default_rng(0)
    noise = random.integers(0, 60, (4096, 4096, 3), dtype=np.uint8)
    scratch = file.with_suffix(".jpg")
    made = []
    with Document() as document:
        for n in range(layers):
            side = 4096 if n < large else 512
            tint = random.integers(0, 190, 3, dtype=np.uint8)
            Image.fromarray(noise[:side, :side] + tint).save(scratch, quality=80)
            digest = document.add_picture(scratch)
            x, y = random.uniform(0, 1024 - 200, 2).round().tolist()
            w, h = random.uniform(120, 360, 2).round().tolist()
            layer = Layer(picture=digest, rect=Rect(x, y, w, h), name=f"Layer {n + 1}")
            before = n * turned // layers
            if (n + 1) * turned // layers > before:
                rotation, opacity = float(random.uniform(-180, 180)), 0.6 if before % 2 else 1.0
                layer = replace(layer, rotation=rotation, opacity=opacity)
            made.append(layer)
        document.composition = Composition(canvas=Canvas(1024, 1024), layers=tuple(made))
        document.save(file)
    return {"document_mb": round(file.stat().st_size / 1e6, 1)}


# -- measuring -------------------------------------------------------------------------------------


def measure(file: Path, frames: int) -> dict[str, Any]:
    """Open the document in the editor and use it."""
    began, worked = time.perf_counter(), time.process_time()
    from standee_desktop.shell.application import make_application, make_window
    from standee_desktop.shell.assembly import Assembly

    app = make_application("en")
    window = make_window()
    sys.excepthook = sys.__excepthook__  # here an error shall end the run
    window.show()
    window.show_welcome(False)
    window.resize(1600, 1000)
    watch = Watch(app)
    watch.until_painted(window)
    found: dict[str, Any] = {"start_s": round(time.perf_counter() - began, 2)}
    found["start_cpu_s"] = round(time.process_time() - worked, 2)
    watch.until(lambda: False, 1.0)
    before = memory_mb()
    assembly = window.findChild(Assembly)

    with watch.block(found, "open"):
        began = time.perf_counter()
        assembly.files.open(file)
        watch.until(lambda: window.document.composition.layers)
        watch.until_painted(window.canvas)
        found["open_s"] = round(time.perf_counter() - began, 3)
        layers = window.document.composition.layers
        watch.until(lambda: all(window.pictures.look(one.picture) for one in layers), 300)
        found["all_decoded_s"] = round(time.perf_counter() - began, 2)
    found["memory_per_layer_mb"] = round((memory_mb() - before) / len(layers), 2)

    half = layers[: len(layers) // 2]
    top = max((one for one in half if not one.rotation), key=lambda one: one.rect.w)
    leaning = [one for one in layers if one.rotation]
    with watch.block(found, "drag"):
        found["drag"] = drag(watch, window.canvas, (top,), frames)
        if leaning:
            one = max(leaning, key=lambda one: one.rect.w)
            found["turned_drag"] = drag(watch, window.canvas, (one,), frames)
            found["turned_drag_all"] = drag(watch, window.canvas, leaning, frames)
    window.document.look(token_view=True)
    watch.until(lambda: window.tokens.tokens is not None)
    with watch.block(found, "token_drag"):
        found["token_drag"] = drag(watch, window.canvas, (top,), frames)
        if leaning:
            found["token_turned_drag"] = drag(watch, window.canvas, (one,), frames)
            found["token_turned_drag_all"] = drag(watch, window.canvas, leaning, frames)
    window.document.look(token_view=False)
    with watch.block(found, "zoom"):
        found["zoom"] = zoom(watch, window.canvas, max(20, frames // 5))

    with watch.block(found, "save"):
        began = time.perf_counter()
        saved: list[bool] = []
        assembly.files.save_to(file.with_name("saved.standee"), lambda: saved.append(True))
        watch.until(lambda: saved, 120)
        found["save_s"] = round(time.perf_counter() - began, 2)

    found["graphics_view_drag"] = graphics_view(watch, window, top, frames)
    window.may_close = lambda: True
    assembly.close()
    window.close()
    return found


class Watch:
    """Lets the application run, and knows how long it did not answer."""

    def __init__(self, app: QApplication) -> None:
        self.app = app
        self.longest = self.worked = 0.0

    def turn(self) -> None:
        """Handle what is there."""
        began, worked = time.perf_counter(), time.thread_time()
        self.app.processEvents()
        self.longest = max(self.longest, time.perf_counter() - began)
        self.worked = max(self.worked, time.thread_time() - worked)

    def until(self, true: Callable[[], object], seconds: float = 60.0) -> None:
        """Run until something is true, at most so long."""
        end = time.perf_counter() + seconds
        while not true() and time.perf_counter() < end:
            self.turn()
            time.sleep(0.001)

    def until_painted(self, widget: QWidget) -> None:
        """Run until the widget has painted once more."""
        painted = Painted(widget)
        widget.update()
        self.until(lambda: painted.times, 5)
        painted.end()

    @contextmanager
    def block(self, found: dict[str, Any], name: str) -> Iterator[None]:
        """Note the longest time without an answer meanwhile, in ms, on the clock and of work."""
        self.longest = self.worked = 0.0
        yield
        found[f"longest_block_{name}_ms"] = round(self.longest * 1000, 1)
        found[f"longest_work_{name}_ms"] = round(self.worked * 1000, 1)


class Painted:
    """Counts the frames of a widget."""

    def __init__(self, widget: QWidget) -> None:
        from PySide6.QtCore import QObject

        outer = self

        class Filter(QObject):
            def eventFilter(self, watched: QObject, event: QEvent) -> bool:
                if event.type() == QEvent.Type.Paint:
                    outer.times += 1
                return False

        self.times = 0
        self._widget, self._filter = widget, Filter()
        widget.installEventFilter(self._filter)

    def end(self) -> None:
        """Count no longer."""
        self._widget.removeEventFilter(self._filter)


def frame(watch: Watch, painted: Painted, act: Callable[[], object]) -> tuple[float, float]:
    """Return the ms from an event to the end of the pass that painted what came of it.

    Once on the clock, once of processor time of the GUI thread: that is what a frame costs where
    other programs do not hold it up.
    """
    count, began, worked = painted.times, time.perf_counter(), time.thread_time()
    act()
    while painted.times == count and time.perf_counter() < began + 1:
        watch.turn()
    return (time.perf_counter() - began) * 1000, (time.thread_time() - worked) * 1000


def send(widget: QWidget, kind: QEvent.Type, at: QPointF) -> None:
    """Send a mouse event."""
    no = Qt.MouseButton.NoButton
    button = no if kind == QEvent.Type.MouseMove else LEFT
    held = no if kind == QEvent.Type.MouseButtonRelease else LEFT
    keys = Qt.KeyboardModifier.NoModifier
    where = QPointF(widget.mapToGlobal(at))
    QApplication.sendEvent(widget, QMouseEvent(kind, at, where, button, held, keys))


def circle(n: int, frames: int) -> QPointF:
    """Return where a drag is after `n` frames, px from its start."""
    angle = 2 * np.pi * n / frames
    return QPointF(180 * np.sin(angle), 90 * (1 - np.cos(angle)))


def drag(watch: Watch, canvas: Any, layers: Sequence[Layer], frames: int) -> dict[str, float]:
    """Drag layers around by the middle of the first one and time each frame."""
    at = canvas.to_screen(canvas.document.layer(layers[0].id).rect).center()
    ids = {one.id for one in layers}
    composition = canvas.document.composition
    others = [one.id for one in composition.layers if one.id not in ids]
    from standee_desktop.model import edits

    freed = edits.with_fields(composition, ids, locked=False)
    canvas.document.apply("Lock", edits.with_fields(freed, others, locked=True))
    canvas.document.select(ids)
    watch.until(lambda: False, 0.3)
    painted = Painted(canvas)
    send(canvas, QEvent.Type.MouseButtonPress, at)
    send(canvas, QEvent.Type.MouseMove, at + QPointF(20, 0))  # far enough to be a drag
    watch.until_painted(canvas)
    times = []
    for n in range(1, frames + 1):
        there = at + circle(n, frames)
        times.append(frame(watch, painted, partial(send, canvas, QEvent.Type.MouseMove, there)))
    send(canvas, QEvent.Type.MouseButtonRelease, at)
    painted.end()
    return percentiles(times)


def zoom(watch: Watch, canvas: Any, frames: int) -> dict[str, float]:
    """Zoom in and out around the middle: every layer is to be painted anew."""
    watch.until(lambda: False, 0.3)
    painted, times = Painted(canvas), []
    for n in range(frames):
        factor = 1.1 if n < frames / 2 else 1 / 1.1
        camera = canvas.camera.zoomed(factor, canvas.width() / 2, canvas.height() / 2)
        times.append(frame(watch, painted, partial(canvas.set_camera, camera)))
    painted.end()
    return percentiles(times)


def graphics_view(watch: Watch, window: Any, layer: Layer, frames: int) -> dict[str, float]:
    """Drag the same layer in a `QGraphicsView` of the same images, as many canvases are built."""
    scene = QGraphicsScene(QRectF(0, 0, 1024, 1024))
    moving: QGraphicsPixmapItem | None = None
    for one in window.document.composition.layers:
        look = window.pictures.look(one.picture)
        item = QGraphicsPixmapItem(QPixmap.fromImage(look.image))
        item.setTransformationMode(Qt.TransformationMode.SmoothTransformation)
        item.setScale(min(one.rect.w / look.image.width(), one.rect.h / look.image.height()))
        item.setPos(one.rect.x, one.rect.y)
        item.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIsMovable, one.id == layer.id)
        if one.id == layer.id:
            moving = item
        scene.addItem(item)
    view = QGraphicsView(scene)
    view.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    view.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.MinimalViewportUpdate)
    view.resize(window.canvas.size())
    view.show()
    view.fitInView(scene.sceneRect(), Qt.AspectRatioMode.KeepAspectRatio)
    watch.until(lambda: False, 0.5)
    assert moving is not None
    start, times = moving.pos(), []
    painted = Painted(view.viewport())
    for n in range(1, frames + 1):
        there = start + circle(n, frames) / window.canvas.camera.scale
        times.append(frame(watch, painted, partial(moving.setPos, there)))
    painted.end()
    view.close()
    return percentiles(times)


def percentiles(times: list[tuple[float, float]]) -> dict[str, float]:
    """Return p50, p99 and the longest of some times in ms, and p50 and p99 of the processor time."""
    clock, worked = zip(*times, strict=True)
    p50, p99 = (round(float(each), 2) for each in np.percentile(clock, [50, 99]))
    cpu50, cpu99 = (round(float(each), 2) for each in np.percentile(worked, [50, 99]))
    longest = round(max(clock), 2)
    cpu = {"cpu_p50_ms": cpu50, "cpu_p99_ms": cpu99}
    return {"p50_ms": p50, "p99_ms": p99, "max_ms": longest, **cpu}


def memory_mb() -> float:
    """Return the memory in use, MB; the most there ever was where the system tells no better."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(found: dict[str, Any]) -> None:
    """Print the numbers as a person reads them."""
    rows = (
        ("drag, event to painted frame", found["drag"]),
        ("a turned one", found.get("turned_drag")),
        ("all turned ones together", found.get("turned_drag_all")),
        ("drag in the token view", found["token_drag"]),
        ("a turned one there", found.get("token_turned_drag")),
        ("all turned ones there", found.get("token_turned_drag_all")),
        ("drag in a plain QGraphicsView", found["graphics_view_drag"]),
        ("zoom, all layers painted anew", found["zoom"]),
    )
    kinds = f"{found['turned']} turned, {found['large']} of 4096 px"
    print(f"{found['layers']} layers, {kinds}, {found['document_mb']} MB\n")
    print(f"{'':36}{'p50':>9}{'p99':>9}{'longest':>9}{'p50 cpu':>9}{'p99 cpu':>9}")
    for name, times in rows:
        if times is None:
            continue
        names = ("p50_ms", "p99_ms", "max_ms", "cpu_p50_ms", "cpu_p99_ms")
        numbers = [times[one] for one in names]
        print(f"{name:36}" + "".join(f"{number:6.1f} ms" for number in numbers))
    print("(that one has no panels, rulers, snapping or history to keep up)\n")
    cpu = found["start_cpu_s"]
    print(f"start to painted window{found['start_s']:7.2f} s, {cpu:.2f} s of processor time")
    print(f"open to first frame    {found['open_s']:7.2f} s")
    print(f"all pictures decoded   {found['all_decoded_s']:7.2f} s, in the background")
    print(f"save                   {found['save_s']:7.2f} s, in the background")
    print(f"memory per layer       {found['memory_per_layer_mb']:7.2f} MB")
    print("longest time without an answer, and how much of it the GUI thread worked:")
    for name in ("open", "drag", "token_drag", "zoom", "save"):
        block, work = (found[f"longest_{kind}_{name}_ms"] for kind in ("block", "work"))
        print(f"  {name:20} {block:7.1f} ms {work:7.1f} ms")


if __name__ == "__main__":
    sys.exit(main())

"""Helpers of the window run: the window, the extension's own state, where things are."""

import importlib
import os
import sys
import time
from pathlib import Path

import bpy

FOLDER = Path(os.environ["STANDEE_WINDOW"])
sys.path.insert(0, str(FOLDER))

from pilot import Pilot  # noqa: E402

PACKAGE = "bl_ext.user_default.standee"
pilot = Pilot()


class Stopwatch:
    """Measures the longest call of a home's function, in ms: by the clock, and of its own thread.

    The difference is what other programs took of the processor meanwhile.
    """

    def __init__(self, home, name):
        self.home, self.name, self.longest, self.own = home, name, 0.0, 0.0
        self.function = getattr(home, name)
        setattr(home, name, self)

    def __call__(self, *arguments):
        began, own = time.perf_counter(), time.thread_time()
        outcome = self.function(*arguments)
        self.longest = max(self.longest, ms(time.perf_counter() - began))
        self.own = max(self.own, ms(time.thread_time() - own))
        return outcome

    def stop(self):
        """Measure no more; say both."""
        setattr(self.home, self.name, self.function)
        return f"{self.longest} (its own work {self.own})"


def ms(seconds):
    return round(seconds * 1000, 1)


def module(name):
    return importlib.import_module(f"{PACKAGE}.{name}")


def standee():
    return bpy.context.scene.standee


def link():
    return module("jobs.daemon_link").link()


def frame():
    view = pilot.area.spaces.active.region_3d
    return module("viewport.view_state").frame_of(bpy.context.scene, pilot.region, view)


def at(x, y):
    return tuple(round(v) for v in frame().to_region(x, y))


def middle(index):
    rect = standee().layers[index].rect
    return at(rect.x + rect.w / 2, rect.y + rect.h / 2)


def rect(index):
    one = standee().layers[index].rect
    return one.x, one.y, one.w, one.h


def close(a, b, tolerance=0.01):
    return all(abs(x - y) < tolerance for x, y in zip(a, b, strict=True))


def home_view(space):
    """The whole frame beside the sidebar."""
    space.region_3d.view_camera_zoom = 2
    space.region_3d.view_camera_offset = (0.12, 0.0)


def drawn():
    """Whether every subject's picture is known to the view."""
    looks = module("viewport.layer_cache").layer_cache()
    return all(looks.of(layer) for layer in standee().layers)


def as_rendered():
    """What F12 shows of the scene, as bytes that are the same each time."""
    scene = bpy.context.scene
    render, cycles = scene.render, scene.cycles
    wanted = (
        (render, "engine", "CYCLES"),
        (render, "filepath", str(FOLDER / "f12.png")),
        (render, "use_stamp", False),
        (cycles, "samples", 2),
        (cycles, "use_denoising", False),
    )
    before = [(home, name, getattr(home, name)) for home, name, _ in wanted]
    for home, name, value in wanted:
        setattr(home, name, value)
    bpy.ops.render.render(write_still=True)
    for home, name, value in before:
        setattr(home, name, value)
    image = bpy.data.images.load(str(FOLDER / "f12.png"), check_existing=False)
    pixels = bytes(round(value * 255) for value in image.pixels)
    bpy.data.images.remove(image)
    return pixels

"""Driver of a Blender window: steps with pauses, pointer and keys, screenshots.

A drive is a generator that yields the seconds until its next step; a timer runs it. A second timer
is the heartbeat: the longest time between two beats is the longest that Blender did not answer. Beside
the clock it reads the processor time of this Blender alone, of which other programs take nothing.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path

import bpy

FOLDER = Path(os.environ["STANDEE_WINDOW"])
BEAT = 0.001


class Pilot:
    """Events, waiting, screenshots and the heartbeat of one window."""

    def __init__(self):
        self.report = {}
        self._last_beat = time.perf_counter()
        self._last_work = time.process_time()
        self._longest = self._most_work = 0.0
        self._paused = False
        self._pause = None

    # -- where things are ------------------------------------------------------------------------

    @property
    def window(self):
        return bpy.context.window_manager.windows[0]

    @property
    def area(self):
        return next(one for one in self.window.screen.areas if one.type == "VIEW_3D")

    @property
    def region(self):
        return next(one for one in self.area.regions if one.type == "WINDOW")

    @contextlib.contextmanager
    def context(self):
        """The context of the 3D view, for operators."""
        with bpy.context.temp_override(window=self.window, area=self.area, region=self.region):
            yield bpy.context

    def sidebar(self):
        """Turn to the extension's tab of the sidebar."""
        yield 0.3
        for region in self.area.regions:
            if region.type == "UI":
                with contextlib.suppress(AttributeError, TypeError):
                    region.active_panel_category = "Standee"
        yield 0.1

    # -- what a person does ----------------------------------------------------------------------

    def event(self, kind, value, x, y, **held):
        """One event at a point of the 3D view's region."""
        x, y = int(self.region.x + x), int(self.region.y + y)
        self.window.event_simulate(type=kind, value=value, x=x, y=y, **held)

    def move(self, x, y, **held):
        self.event("MOUSEMOVE", "NOTHING", x, y, **held)

    def drag(self, start, end, steps=6, button="LEFTMOUSE", **held):
        """Press, move and release; yields between the events."""
        self.move(*start)
        yield 0.05
        self.event(button, "PRESS", *start)
        yield 0.05
        for step in range(1, steps + 1):
            x = start[0] + (end[0] - start[0]) * step / steps
            y = start[1] + (end[1] - start[1]) * step / steps
            self.move(round(x), round(y), **held)
            yield 0.03
        self.event(button, "RELEASE", *end, **held)
        yield 0.15

    def key(self, kind, x, y, **held):
        """Press and release a key with the pointer there."""
        self.event(kind, "PRESS", x, y, **held)
        yield 0.05
        self.event(kind, "RELEASE", x, y, **held)
        yield 0.2

    def until(self, condition, seconds, what):
        """Wait for something."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"waited {seconds} s for {what}")
            yield 0.02

    def shot(self, name):
        """Take a screenshot of the whole window."""
        for area in self.window.screen.areas:
            area.tag_redraw()
        yield 0.6
        self._paused = True
        path = FOLDER / "shots" / f"{name}.png"
        subprocess.run(["import", "-window", "root", str(path)], check=True)
        yield 0.1
        self._paused = False

    # -- the heartbeat ---------------------------------------------------------------------------

    def start_heart(self):
        """Begin to measure anew."""
        self._longest = self._most_work = 0.0
        self._last_beat, self._last_work = time.perf_counter(), time.process_time()

    @property
    def longest_ms(self):
        """The longest time between two beats since then, in ms."""
        return round(self._longest * 1000, 1)

    @property
    def most_work_ms(self):
        """The most processor time, of all threads, between two beats since then, in ms."""
        return round(self._most_work * 1000, 1)

    def _beat(self):
        now, work = time.perf_counter(), time.process_time()
        if not self._paused:
            self._longest = max(self._longest, now - self._last_beat)
            self._most_work = max(self._most_work, work - self._last_work)
        self._last_beat, self._last_work = now, work
        return BEAT

    # -- running ---------------------------------------------------------------------------------

    def run(self, drive):
        """Run a drive to its end and leave Blender; status 3 if it fails."""

        def step():
            try:
                self._pause = next(drive)
            except StopIteration:
                self._pause = None
                (FOLDER / "report.json").write_text(json.dumps(self.report, indent=1))
                self._quit()
            except BaseException:
                traceback.print_exc()
                with contextlib.suppress(Exception):
                    path = FOLDER / "shots" / "failed.png"
                    subprocess.run(["import", "-window", "root", str(path)], check=False)
                self._leave(3)

        def stepped():
            bpy.ops.standee_pilot.step()
            return self._pause

        class Step(bpy.types.Operator):
            """One step of the drive: a person acts through operators, which may always write."""

            bl_idname = "standee_pilot.step"
            bl_label = "Step"

            def execute(self, context):
                step()
                return {"CANCELLED"}

        bpy.utils.register_class(Step)
        self._heart = self._beat  # a bound method is another object each time
        bpy.app.timers.register(self._heart, first_interval=0.5)
        bpy.app.timers.register(stepped, first_interval=1.0)

    def _quit(self):
        """Leave as a person does, whatever is under way; Blender's own status says how that went."""
        bpy.app.timers.unregister(self._heart)
        with bpy.context.temp_override(window=self.window):
            bpy.ops.wm.quit_blender()

    def _leave(self, status):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)

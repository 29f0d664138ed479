"""Window run: what an artist does with the extension in a real window, in this order."""

import os
import sys

import bpy

sys.path.insert(0, os.environ["STANDEE_WINDOW"])

import arranging
import first_use
import in_space
import making
from studio import pilot, standee


def drive():
    yield from first_use.without_a_daemon()
    yield from arranging.set_up()
    yield from pilot.shot("arranging")
    yield from arranging.drag_and_undo()
    yield from arranging.keys()
    yield from arranging.views()
    standee().show_tokens = True
    yield from pilot.shot("cells")
    standee().show_tokens = False
    yield from making.compose()
    yield from making.undo_keeps_results()
    yield from making.colours()
    yield from in_space.standing()
    yield from making.killed_daemon()
    yield from in_space.bound()
    yield from in_space.viewport()
    yield from arranging.chinese()
    yield from making.fresh_render()
    yield from making.frames_of_a_range()
    pilot.report["Blender"] = bpy.app.version_string
    yield from making.leave_in_mid_job()


bpy.context.preferences.view.show_splash = False  # now: it opens before the first timer
pilot.run(drive())

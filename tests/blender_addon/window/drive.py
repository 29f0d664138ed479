"""What an artist does with the extension, in a real window; every claim is asserted."""

import contextlib
import importlib
import os
import signal
import sys
import time
from pathlib import Path

import bpy
from mathutils import Vector

FOLDER = Path(os.environ["STANDEE_WINDOW"])
sys.path.insert(0, str(FOLDER))

from pilot import Pilot  # noqa: E402

PACKAGE = "bl_ext.user_default.standee"
pilot = Pilot()


class Stopwatch:
    """Measures the longest call of a module's function until it is stopped."""

    def __init__(self, home, name):
        self.home, self.name, self.longest = home, name, 0.0
        self.function = getattr(home, name)
        setattr(home, name, self)

    def __call__(self, *arguments):
        began = time.perf_counter()
        self.function(*arguments)
        self.longest = max(self.longest, time.perf_counter() - began)

    def stop(self):
        setattr(self.home, self.name, self.function)
        return self.longest


def ms(seconds):
    return round(seconds * 1000, 1)


def module(name):
    return importlib.import_module(f"{PACKAGE}.{name}")


def standee():
    return bpy.context.scene.standee


def link():
    return module("daemon_link").link()


def frame():
    view = pilot.area.spaces.active.region_3d
    return module("view").frame_of(bpy.context.scene, pilot.region, view)


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


def set_up():
    """Look through the camera at a 256 px canvas, with the sidebar open and the tool chosen."""
    if PACKAGE not in bpy.context.preferences.addons:
        bpy.ops.preferences.addon_enable(module=PACKAGE)
    chosen = bpy.context.preferences.addons[PACKAGE].preferences
    chosen.connection_file = str(FOLDER / "home" / "connection.json")
    chosen.start_daemon = False
    scene = bpy.context.scene
    scene.render.resolution_x = scene.render.resolution_y = 256
    space = pilot.area.spaces.active
    space.region_3d.view_perspective = "CAMERA"
    home_view(space)
    space.show_region_ui = True
    space.overlay.show_floor = True
    with pilot.context():
        bpy.ops.wm.tool_set_by_id(name="standee.arrange_tool")
    yield 0.3
    for region in pilot.area.regions:
        if region.type == "UI":
            with contextlib.suppress(AttributeError, TypeError):
                region.active_panel_category = "Standee"
    for name, place in (("teddy_bear", (24, 90)), ("fox", (112, 112)), ("mug", (176, 160))):
        bpy.ops.standee.add_files(filepath=str(FOLDER / f"{name}.png"))
        layer = standee().active()
        layer.x, layer.y = place
        layer.width = layer.height = 112 if name != "mug" else 72
    standee().prompt = "beach with a teddy bear, a fox and a mug"
    yield 0.5
    bpy.ops.ed.undo_push(message="set up")


def drag_and_undo():
    """A drag moves by exactly as many pixels; Ctrl-Z restores; Esc restores; handles size."""
    before, others = rect(1), (rect(0), rect(2))
    sx, sy = frame().scale
    start = middle(1)
    yield from pilot.drag(start, (start[0] - 40, start[1] + 25))
    moved = (before[0] - 40 / sx, before[1] - 25 / sy, *before[2:])
    assert close(rect(1), moved), (rect(1), moved)
    assert (rect(0), rect(2)) == others
    yield from pilot.key("Z", *start, ctrl=True)
    assert close(rect(1), before), ("undo", rect(1), before)
    yield from pilot.key("Z", *start, ctrl=True, shift=True)
    assert close(rect(1), moved), ("redo", rect(1), moved)
    yield from pilot.key("Z", *start, ctrl=True)
    pilot.report["a drag of 40, 25 px moves by (canvas px)"] = [
        round(a - b, 3) for a, b in zip(moved, before, strict=True)
    ][:2]

    x, y, w, h = before
    corner = at(x + w, y + h)
    standee().active_layer = 1
    bpy.ops.ed.undo_push(message="selected")
    yield 0.1
    yield from pilot.drag(corner, (corner[0] + 30, corner[1] - 30))
    assert close(rect(1), (x, y, w + 30 / sx, h + 30 / sy), 1.0 / sx + 0.01), rect(1)
    yield from pilot.key("Z", *start, ctrl=True)
    assert close(rect(1), before), ("undo of a handle", rect(1))

    pilot.event("LEFTMOUSE", "PRESS", *start)
    yield 0.05
    pilot.move(start[0] + 50, start[1])
    yield 0.05
    assert not close(rect(1), before)
    yield from pilot.key("ESC", start[0] + 50, start[1])
    pilot.event("LEFTMOUSE", "RELEASE", *start)
    yield 0.1
    assert close(rect(1), before), ("escape", rect(1))


def keys():
    """G moves until a click, Ctrl snaps, S scales, X removes, and each is one undo step."""
    standee().active_layer = 0
    bpy.ops.ed.undo_push(message="selected")
    before = rect(0)
    start = middle(0)
    pilot.move(*start)
    yield 0.05
    yield from pilot.key("G", *start)
    pilot.move(start[0] + 20, start[1], ctrl=True)
    yield 0.05
    pilot.event("LEFTMOUSE", "PRESS", start[0] + 20, start[1], ctrl=True)
    yield 0.1
    pilot.event("LEFTMOUSE", "RELEASE", start[0] + 20, start[1])
    yield 0.1
    assert rect(0)[0] % 16 == 0, rect(0)
    assert rect(0)[0] != before[0]
    yield from pilot.key("Z", *start, ctrl=True)
    assert close(rect(0), before), ("undo of G", rect(0), before)
    yield from pilot.key("G", *start)
    for digit in ("ONE", "TWO"):
        yield from pilot.key(digit, *start)
    yield from pilot.key("RET", *start)
    assert close(rect(0), (before[0] + 12, *before[1:])), ("G 12", rect(0))
    yield from pilot.key("Z", *start, ctrl=True)
    yield from pilot.key("X", *start)
    assert len(standee().layers) == 2
    yield from pilot.key("Z", *start, ctrl=True)
    assert len(standee().layers) == 3
    assert close(rect(0), before)


def views():
    """A second view through the camera shows and moves the same; a view from aside shows nothing."""
    space = pilot.area.spaces.active
    space.region_3d.view_perspective = "PERSP"
    yield 0.3
    assert frame() is None
    space.region_3d.view_perspective = "CAMERA"
    space.region_3d.view_camera_zoom = -5
    space.region_3d.view_camera_offset = (0.1, -0.1)
    bpy.context.preferences.view.ui_scale = 1.5
    yield 0.6
    before, (sx, sy) = rect(0), frame().scale
    start = middle(0)
    yield from pilot.drag(start, (start[0] - 12, start[1] + 8))
    assert close(rect(0), (before[0] - 12 / sx, before[1] - 8 / sy, *before[2:])), rect(0)
    yield from pilot.key("Z", *start, ctrl=True)
    assert close(rect(0), before)
    bpy.context.preferences.view.ui_scale = 1.0
    home_view(space)
    yield 0.5


def compose():
    """The real daemon makes the picture while the window answers; it is the camera's background."""
    standee().show_as = "BACKGROUND"
    pilot.start_heart()
    for step in range(40):  # what redraws alone cost here, without a graphics card
        pilot.move(*[v + step for v in middle(1)])
        pilot.area.tag_redraw()
        yield 0.02
    pilot.report["longest pause while idle (ms)"] = pilot.longest_ms
    link().longest_tick = 0.0
    drawing = Stopwatch(module("draw"), "paint")
    pilot.start_heart()
    began = time.perf_counter()
    with pilot.context():
        bpy.ops.standee.compose()
    pilot.report["handing the composition in (ms)"] = ms(time.perf_counter() - began)
    answered = 0
    photographed = False
    while not standee().results:
        for index in (0, 1):
            pilot.move(*middle(index))
            yield 0.06
            wanted = standee().layers[index].layer_id
            answered += module("view").hovered in (wanted, standee().layers[2].layer_id)
        job = next(iter(link().jobs.values()))
        assert job.state != "failed", (job.error, job.fix)
        if job.preview is not None and not photographed:
            photographed = True
            yield from pilot.shot("composing")
    yield 0.3
    pilot.report["longest pause while composing (ms)"] = pilot.longest_ms
    pilot.report["longest tick of the extension (ms)"] = ms(link().longest_tick)
    pilot.report["longest drawing of the overlay (ms)"] = ms(drawing.stop())
    pilot.report["the window answered while composing"] = f"{answered} times"
    assert answered > 3
    assert link().longest_tick < 0.1
    [background] = bpy.context.scene.camera.data.background_images
    assert background.image == standee().results[0].image
    assert tuple(background.image.size) == (256, 256)
    standee().show_overlay = False
    bpy.data.objects["Cube"].hide_set(True)
    yield from pilot.shot("background")
    bpy.data.objects["Cube"].hide_set(False)
    standee().show_overlay = True


def killed_daemon():
    """The daemon is killed in mid-job: one message; it comes back, and so does the result."""
    from standee.connection import read_connection

    file = FOLDER / "home" / "connection.json"
    module("daemon_link").PATIENCE = 0.5
    standee().seed = 2
    with pilot.context():
        bpy.ops.standee.compose()
    job = link().unfinished[0]
    yield from pilot.until(lambda: job.state in ("queued", "running"), 30, "the job to be taken")
    os.kill(read_connection(file).pid, signal.SIGKILL)
    yield from pilot.until(lambda: link().notice is not None, 30, "a message")
    pilot.report["the daemon is killed"] = link().notice.message
    yield from pilot.shot("daemon-gone")
    yield from pilot.until(lambda: len(standee().results) == 2, 120, "the result after a restart")
    assert link().notice is None


def undo_keeps_results():
    """Undo past a result does not lose it."""
    start = middle(1)
    yield from pilot.key("Z", *start, ctrl=True)
    yield from pilot.until(lambda: len(standee().results) == 1, 20, "the result after undo")


def bound():
    """A subject bound to an object follows it, behind what is in front."""
    scene = bpy.context.scene
    body = bpy.data.objects.get("Cube")
    layer = standee().layers[1]
    standee().active_layer = 1
    bpy.context.view_layer.objects.active = body
    before = rect(1)
    with pilot.context():
        assert bpy.ops.standee.bind() == {"FINISHED"}
    assert rect(1) != before
    first = rect(1)
    body.location.x += 0.5
    yield 0.3
    assert rect(1) != first
    aside = scene.camera.matrix_world.to_3x3() @ Vector((0.75, 0, 0))
    between = scene.camera.location * 0.45 + body.location * 0.55 + aside
    bpy.ops.mesh.primitive_cube_add(size=1.2, location=between)
    bpy.context.object.name = "Wall"
    bpy.context.object.select_set(False)
    assert layer.bound

    def hidden():
        found = module("looks").looks().hidden(standee().layers[1])
        return found is not None and found[1].any()

    yield from pilot.until(hidden, 20, "what hides the bound layer")
    standee().show_tokens = True
    yield from pilot.shot("bound")
    standee().show_tokens = False


def viewport():
    """The viewport is a scene to compose into: without overlays, bound objects and the tool's own."""
    standee().scene_source = "VIEWPORT"
    with pilot.context():
        assert bpy.ops.standee.scene_capture() == {"FINISHED"}
    picture = standee().scene_picture
    assert tuple(picture.size) == (256, 256)
    pixels = module("pictures").pixels_of(picture)[..., :3]
    assert pixels.std() > 0.01, "the viewport's picture is empty"
    standee().scene_source = "NONE"
    yield 0.1


def drive():
    yield from set_up()
    yield from pilot.shot("arranging")
    yield from drag_and_undo()
    yield from keys()
    yield from views()
    standee().show_tokens = True
    yield from pilot.shot("cells")
    standee().show_tokens = False
    yield from compose()
    yield from undo_keeps_results()
    yield from killed_daemon()
    yield from bound()
    yield from viewport()
    pilot.report["Blender"] = bpy.app.version_string


bpy.context.preferences.view.show_splash = False  # now: it opens before the first timer
pilot.run(drive())

"""Window steps that arrange subjects with pointer and keys; every claim is asserted."""

import bpy
from studio import (
    FOLDER,
    PACKAGE,
    at,
    close,
    drawn,
    frame,
    home_view,
    middle,
    module,
    pilot,
    rect,
    standee,
)


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
    yield from pilot.sidebar()
    for name, place in (("teddy_bear", (24, 90)), ("fox", (112, 112)), ("mug", (176, 160))):
        bpy.ops.standee.add_files(filepath=str(FOLDER / f"{name}.png"))
        layer = standee().active()
        layer.x, layer.y = place
        layer.width = layer.height = 112 if name != "mug" else 72
    standee().prompt, standee().seed = "an empty beach at noon", 7
    yield from pilot.until(drawn, 20, "the subjects' pictures")
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
    cube = bpy.data.objects["Cube"]
    module("scene.focus").on_subject = False  # as after a click on what is no subject
    cube.select_set(True)
    bpy.ops.ed.undo_push(message="the cube is clicked")
    yield from pilot.key("X", *start)
    assert len(standee().layers) == 3, "X is Blender's then"
    yield from pilot.key("ESC", *start)
    cube = bpy.data.objects["Cube"]
    cube.select_set(False)
    standee().active_layer = 0
    bpy.ops.ed.undo_push(message="the subject is clicked")
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


def chinese():
    """The sidebar in Simplified Chinese, where this Blender has it."""
    view = bpy.context.preferences.view
    try:
        view.language = "zh_HANS"
    except TypeError:
        return
    view.use_translate_interface = True
    yield from pilot.shot("chinese")
    view.language = "en_US"

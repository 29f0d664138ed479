"""Window steps that compose with the real daemon: results, undo, a killed daemon, a render."""

import os
import signal
import subprocess
import time

import bpy
from studio import (
    FOLDER,
    Stopwatch,
    as_rendered,
    at,
    link,
    middle,
    module,
    ms,
    pilot,
    standee,
)

LONGEST = 50
"""Ms for which composing may keep the window from answering, beside what it draws anyway."""


def compose():
    """The real daemon makes the picture while the window answers; it is in the camera frame then."""
    assert standee().show_as == "FRAME"
    plain = as_rendered()
    pilot.start_heart()
    for step in range(40):  # what redraws alone cost here, without a graphics card
        pilot.move(*[v + step for v in middle(1)])
        pilot.area.tag_redraw()
        yield 0.02
    idle = pilot.most_work_ms
    pilot.report["longest pause while idle (ms)"] = f"{pilot.longest_ms} (Blender's work {idle})"
    ticks, drawing = Stopwatch(link(), "tick"), Stopwatch(module("viewport.gpu_draw"), "paint")
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
            answered += module("viewport.view_state").hovered in (
                wanted,
                standee().layers[2].layer_id,
            )
        job = next(iter(link().jobs.values()))
        assert job.state != "failed", (job.error, job.fix)
        if job.preview is not None and not photographed:
            photographed = True
            yield from pilot.shot("composing")
    yield 0.3
    work = pilot.most_work_ms
    pilot.report["longest pause while composing (ms)"] = (
        f"{pilot.longest_ms} (Blender's work {work}, {work - idle:.1f} more than a redraw)"
    )
    pilot.report["longest tick of the extension (ms)"] = ticks.stop()
    pilot.report["longest drawing of the overlay (ms)"] = drawing.stop()
    pilot.report["the window answered while composing"] = f"{answered} times"
    assert answered > 3
    assert ticks.own < LONGEST
    assert drawing.own < LONGEST
    assert work - idle < LONGEST
    yield from in_the_frame(plain)


def colour_at(x, y):
    """The (r, g, b) of the screen at a point of the canvas."""
    x, y = at(x, y)
    region, path = pilot.region, FOLDER / "shots" / "probe.png"
    subprocess.run(["import", "-window", "root", str(path)], check=True)
    image = bpy.data.images.load(str(path), check_existing=False)
    width, height = image.size
    row, column = pilot.window.height - (region.y + y), region.x + x
    start = ((height - 1 - row) * width + column) * image.channels
    found = tuple(round(value * 255) for value in image.pixels[start : start + 3])
    bpy.data.images.remove(image)
    path.unlink()
    return found


def is_shown(found, colour):
    """Whether the screen shows a colour: as it is, or as a window does that encodes light by 1 / 2.2.

    Debian's Blender does so with whatever lies over a view, its own themes included: 53 for 50.
    """
    light = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in colour_part(colour)
    ]
    plain = [255 * v ** (1 / 2.2) for v in light]
    return all(
        min(abs(a - b), abs(a - c)) <= 1.01 for a, b, c in zip(found, colour, plain, strict=True)
    )


def colour_part(colour):
    return [value / 255 for value in colour]


def in_the_frame(plain):
    """The result is in front, and wiped in; F12 shows none of it."""
    made = standee().results[0].image
    assert standee().shown_result() is not None
    assert tuple(made.size) == (256, 256)
    standee().result_wipe = 0.5
    yield from pilot.shot("wipe")
    assert as_rendered() == plain, "F12 is what it was before"
    standee().result_wipe = 1.0


def colours():
    """In every view transform, and wherever it is shown, a result's colours are its own."""
    flat = bpy.data.images.new("flat", 64, 64)
    scene, space = bpy.context.scene, pilot.area.spaces.active
    standee().show_overlay = False
    lines = ("show_floor", "show_axis_x", "show_axis_y", "show_cursor")
    for name in lines:  # they lie over what is behind
        setattr(space.overlay, name, False)
    for colour in ((200, 100, 50), (0, 128, 255)):
        flat.pixels = [*colour_part(colour), 1.0] * (64 * 64)
        flat.file_format, flat.filepath_raw = "PNG", str(FOLDER / "flat.png")
        flat.save()
        data = (FOLDER / "flat.png").read_bytes()
        module("results.store").add(scene, data, {}, "flat", "")
        for view in ("Standard", "AgX", "Filmic"):
            scene.view_settings.view_transform = view
            for where in ("FRAME", "PLANE", "BACKGROUND"):
                standee().show_result = False
                with pilot.context():
                    bpy.ops.standee.result_show(where=where)
                shadings = ("SOLID", "MATERIAL") if where != "BACKGROUND" else ("SOLID",)
                for shading in shadings:
                    space.shading.type = shading
                    pilot.area.tag_redraw()
                    yield 1.0
                    found = colour_at(128, 20)
                    name = f"{colour} as {where} in {view}, {shading}"
                    pilot.report[name] = found
                    assert is_shown(found, colour), (name, found)
                plane = bpy.data.objects.get("Standee Result")
                if plane is not None:
                    bpy.data.objects.remove(plane)
                scene.camera.data.background_images.clear()
                scene.camera.data.update_tag()  # else the view keeps an image that is removed soon
        standee().active_result = len(standee().results) - 1
        with pilot.context():
            bpy.ops.standee.result_discard()
    for name in lines:
        setattr(space.overlay, name, True)
    space.shading.type = "SOLID"
    scene.view_settings.view_transform = "AgX"
    standee().show_result, standee().show_overlay = False, True
    standee().active_result = 0


def killed_daemon():
    """The daemon is killed in mid-job: one message; it comes back, and so does the result."""
    from standee.connection import read_connection

    file = FOLDER / "home" / "connection.json"
    module("jobs.daemon_link").PATIENCE = 0.5
    standee().seed, standee().steps = 2, 8
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


def left_of_stages():
    homes = (bpy.data.scenes, bpy.data.collections, bpy.data.objects, bpy.data.cameras)
    return [one.name for home in homes for one in home if one.name.startswith(".standee")]


def fresh_render():
    """A fresh render is taken after the button returned; then it is composed into."""
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.samples = "CYCLES", 32
    scene.cycles.use_denoising = False  # Debian's Blender has no denoiser
    standee().scene_source = "RENDER"
    count = len(standee().results)
    with pilot.context():
        bpy.ops.standee.compose()
    job = link().unfinished[0]
    assert job.state == "preparing"
    yield from pilot.until(lambda: len(standee().results) > count, 180, "the composed render")
    assert not left_of_stages()


def frames_of_a_range():
    """A range in which a bound object moves is rendered and composed; between frames the window answers."""
    scene, body = bpy.context.scene, bpy.data.objects["Cube"]
    for frame, x in ((1, 0.0), (3, 0.6)):
        body.location.x = x
        body.keyframe_insert("location", frame=frame)
    scene.frame_start, scene.frame_end = 1, 3
    scene.frame_set(2)
    scene.cycles.samples = 8
    standee().steps, standee().range_folder = 2, str(FOLDER / "frames")
    sequence = module("jobs.frame_range")
    with pilot.context():
        bpy.ops.standee.compose_range()
    answered = 0
    while not sequence.current.over:
        pilot.move(*middle(answered % 2 * 2))
        yield 0.06
        wanted = standee().layers[answered % 2 * 2].layer_id
        answered += module("viewport.view_state").hovered == wanted
    pilot.report["the window answered during a range"] = f"{answered} times"
    assert not sequence.current.error, sequence.current.error
    names = sorted(path.name for path in (FOLDER / "frames" / "take_001").glob("*.png"))
    assert names == ["0001.png", "0002.png", "0003.png"], names
    assert scene.frame_current == 2
    assert answered > 3
    assert not left_of_stages()


def leave_in_mid_job():
    """Blender is left while a picture is made; see `Pilot.run`."""
    standee().scene_source = "NONE"
    with pilot.context():
        bpy.ops.standee.compose()
    job = link().unfinished[0]
    yield from pilot.until(lambda: job.state == "running", 60, "the job to be taken")

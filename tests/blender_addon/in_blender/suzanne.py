"""Demo: Suzanne in front of and behind a pillar, from three places, composed by the real daemon.

    .venv-bpy/bin/python -m tests.blender_addon.in_blender.suzanne CONNECTION_FILE FOLDER

`BLENDER_USER_RESOURCES` names an empty folder; the extension is installed there. Writes what
`scripts/blender_sheet.py` makes the sheets of docs/blender.md from: for each place the whole 3D scene,
the scene with nothing but her shadow, her own cut-out, and the composed picture; then a range of eight
frames in which she moves, stopped after three and taken up again; then a fox that stands in 3D and
walks around the pillar in four frames.
"""

import importlib
import json
import sys
import time
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector

from .conftest import PACKAGE

SIDE = 512
"""The size of the pictures in px; those of the range are half as large."""
FIDELITY = 0.9
PLACES = {
    "in front": (Vector((1.6, -6.5, 2.2)), Vector((0.0, -1.3, 0.95))),
    "behind": (Vector((-0.6, -6.5, 2.4)), Vector((0.95, 1.7, 0.95))),
    "aside": (Vector((4.6, -4.6, 3.0)), Vector((-1.75, 0.1, 0.95))),
}
"""The camera's place and Suzanne's, for each picture; the pillar stays in the middle."""
FOX = Path(__file__).resolve().parents[3] / "examples" / "subjects" / "fox.png"
WALK = (
    Vector((-1.9, -0.6, 0)),
    Vector((-0.6, -1.6, 0)),
    Vector((1.1, -0.9, 0)),
    Vector((1.0, 1.9, 0)),
)
"""Where the fox is in each of four frames: before the pillar, then behind it."""


def module(name):
    return importlib.import_module(f"{PACKAGE}.{name}")


def standee():
    return bpy.context.scene.standee


def main(connection: str, folder: str) -> None:
    out = Path(folder)
    preferences = bpy.context.preferences.addons[PACKAGE].preferences
    preferences.connection_file, preferences.start_daemon = connection, False
    body = build()
    report = {"places": {}}
    for name, (camera, place) in PLACES.items():
        report["places"][name] = compose_at(out, name, camera, place, body)
    report["range"] = compose_range(out, body)
    bpy.data.objects.remove(body)
    report["walk"] = compose_walk(out)
    (out / "report.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    module("jobs.daemon_link").drop()


def build():
    """A floor, a pillar, a light, and Suzanne; Cycles at `SIDE` px."""
    bpy.ops.wm.read_homefile(use_empty=True)
    if PACKAGE not in bpy.context.preferences.addons:
        bpy.ops.preferences.addon_enable(module=PACKAGE)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = 24, False
    scene.render.resolution_x = scene.render.resolution_y = SIDE
    scene.render.resolution_percentage = 100
    scene.view_settings.view_transform = "Standard"
    scene.world = bpy.data.worlds.new("sky")
    scene.world.use_nodes = True
    scene.world.node_tree.nodes["Background"].inputs[0].default_value = (0.45, 0.65, 0.95, 1)
    scene.world.node_tree.nodes["Background"].inputs[1].default_value = 0.7
    bpy.ops.object.light_add(type="SUN", rotation=(0.7, 0.25, 0.4))
    bpy.context.object.data.energy = 2.5
    bpy.ops.mesh.primitive_plane_add(size=60)
    paint(bpy.context.object, "floor", (0.75, 0.6, 0.38))
    bpy.ops.mesh.primitive_cylinder_add(radius=0.34, depth=3.2, location=(0.35, 0.2, 1.6))
    paint(bpy.context.object, "pillar", (0.16, 0.42, 0.36))
    bpy.ops.mesh.primitive_monkey_add(size=2)
    body = bpy.context.object
    body.modifiers.new("smooth", "SUBSURF").render_levels = 2
    body.modifiers[0].levels = 2
    bpy.ops.object.shade_smooth()
    paint(body, "suzanne", (0.9, 0.34, 0.1))
    bpy.ops.object.camera_add()
    scene.camera = bpy.context.object
    scene.camera.data.lens = 50
    standee().prompt = "beach"
    standee().scene_source = "RENDER"
    standee().scene_blend_share, standee().seed = 0.02, 2  # sharp edges
    return body


def paint(body, name, colour):
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*colour, 1)
    shader.inputs["Roughness"].default_value = 0.6
    body.data.materials.append(material)


def stand(body, camera, place):
    """Put the camera and Suzanne there; she looks at it."""
    scene = bpy.context.scene
    scene.camera.location = camera
    target = Vector((0.3, 0.2, 1.25))
    scene.camera.rotation_euler = (target - camera).to_track_quat("-Z", "Y").to_euler()
    body.location = place
    away = camera - place
    body.rotation_euler = (0, 0, np.arctan2(away.y, away.x) + np.pi / 2)
    bpy.context.view_layer.update()


def render():
    """The whole 3D scene, with Suzanne."""
    scene = bpy.context.scene
    path = Path(bpy.app.tempdir) / "whole.png"
    scene.render.filepath = str(path)
    scene.render.image_settings.file_format = "PNG"
    bpy.ops.render.render(write_still=True)
    return path.read_bytes()


def subject(body):
    """Render Suzanne alone as a subject, and bind it to her."""
    while standee().layers:
        standee().active_layer = 0
        bpy.ops.standee.layer_remove()
    bpy.ops.object.select_all(action="DESELECT")
    body.select_set(True)
    bpy.context.view_layer.objects.active = body
    bpy.ops.standee.add_object(detail=2, bind=True)
    standee().active().fidelity = FIDELITY


def wait(until, seconds=1800.0):
    end = time.monotonic() + seconds
    while not until():
        link = module("jobs.daemon_link").link()
        assert time.monotonic() < end, (link.notice, link.jobs)
        link.tick()
        time.sleep(0.005)


def compose_at(out, name, camera, place, body):
    stand(body, camera, place)
    whole = render()
    subject(body)
    layer = standee().active()
    before = len(standee().results)
    submit = module("jobs.submit")
    composition, blobs = submit.complete_snapshot(bpy.context)
    bpy.ops.standee.compose()
    wait(lambda: len(standee().results) > before or module("jobs.daemon_link").link().notice)
    assert len(standee().results) > before, module("jobs.daemon_link").link().notice
    result = bytes(standee().results[-1].image.packed_file.data)
    pictures = {
        "whole": whole,
        "scene": blobs[composition.scene.picture],
        "subject": blobs[composition.layers[0].picture],
        "result": result,
    }
    if composition.layers[0].mask:
        pictures["mask"] = blobs[composition.layers[0].mask]
    for kind, data in pictures.items():
        (out / f"{name} {kind}.png").write_bytes(data)
    rect = layer.rect
    return {"rect": [rect.x, rect.y, rect.w, rect.h], "distance": layer.distance}


def compose_range(out, body):
    """Eight frames from one side of the pillar to the other, behind it; stopped after three."""
    scene = bpy.context.scene
    scene.cycles.samples, scene.render.resolution_percentage = 12, 50
    camera, _ = PLACES["behind"]
    for frame, x in ((1, -1.5), (8, 2.4)):
        stand(body, camera, Vector((x, 1.9, 0.95)))
        body.keyframe_insert("location", frame=frame)
        body.keyframe_insert("rotation_euler", frame=frame)
    scene.frame_start, scene.frame_end = 1, 8
    scene.frame_set(4)
    subject(body)
    standee().range_folder = str(out / "frames")
    sequence, frames = module("jobs.frame_range"), out / "frames" / "take_001"
    bpy.ops.standee.compose_range()
    wait(lambda: len(list(frames.glob("*.png"))) >= 3)
    bpy.ops.standee.stop_range()
    wait(lambda: sequence.current.over)
    stopped = sorted(path.name for path in frames.glob("*.png"))
    times = {path.name: path.stat().st_mtime_ns for path in frames.glob("*.png")}
    bpy.ops.standee.compose_range()
    wait(lambda: sequence.current.over)
    done = sorted(path.name for path in frames.glob("*.png"))
    kept = [name for name in stopped if (frames / name).stat().st_mtime_ns == times[name]]
    bpy.ops.standee.add_strip()
    assert len(done) == 8, (done, sequence.current.text)
    return {"stopped after": stopped, "kept": kept, "done": done}


def compose_walk(out):
    """A fox stands in 3D; the card walks, and each frame is composed into the scene with its shadow."""
    scene = bpy.context.scene
    scene.cycles.samples, scene.render.resolution_percentage = 24, 100
    scene.camera.location = Vector((-0.6, -6.5, 2.4))
    scene.camera.rotation_euler = (
        (Vector((0.3, 0.2, 0.9)) - scene.camera.location).to_track_quat("-Z", "Y").to_euler()
    )
    scene.frame_start, scene.frame_end = 1, len(WALK)
    scene.frame_set(1)
    while standee().layers:
        standee().active_layer = 0
        bpy.ops.standee.layer_remove()
    bpy.ops.standee.add_files(filepath=str(FOX))
    layer = standee().active()
    layer.prompt, layer.fidelity = "fox", FIDELITY
    layer.x, layer.y, layer.width, layer.height = (
        part * SIDE for part in (0.08, 0.375, 0.375, 0.375)
    )
    bpy.ops.standee.stand_in_3d()
    card = bpy.context.object
    for frame, place in enumerate(WALK, 1):
        card.location = place
        card.keyframe_insert("location", frame=frame)
    standee().range_folder = str(out / "walk")
    bpy.ops.standee.compose_range(wait=True)
    rects = []
    for frame in range(1, len(WALK) + 1):
        scene.frame_set(frame)
        (out / f"walk {frame} whole.png").write_bytes(render())
        bpy.ops.standee.scene_capture()
        data = bytes(standee().scene_picture.packed_file.data)
        (out / f"walk {frame} scene.png").write_bytes(data)
        rect = layer.rect
        rects.append([rect.x, rect.y, rect.w, rect.h])
    return {"rects": rects}


if __name__ == "__main__":
    main(*sys.argv[1:3])

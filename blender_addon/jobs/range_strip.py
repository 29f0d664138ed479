"""Sequencer strips of a frame range, in a scene of their own."""

import bpy

from standee.errors import StorageFull

from ..core import takes
from ..core.timeline import picture_name, runs
from .frame_range import folder_of, frames_of

SCENE = "Standee Range"


def add_strips(scene: bpy.types.Scene) -> bpy.types.Scene:
    """Put the newest take of the range into a new scene's sequencer, each frame at its own time.

    Frames that are not there leave a gap. The scene shows and renders the pictures' very colours.
    Raises `StorageFull` if there are none.
    """
    folder = takes.newest(folder_of(scene))
    wanted = frames_of(scene)
    there = [one for one in wanted if folder and (folder / picture_name(one)).is_file()]
    if folder is None or not there:
        raise StorageFull(
            f"{folder or folder_of(scene)} holds no pictures of the range.", fix="Compose it first."
        )
    shown = _scene_like(scene, there)
    editor = shown.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    for run in runs(there, scene.frame_step):
        first = picture_name(run[0])
        strip = strips.new_image(f"Standee {run[0]}", str(folder / first), 1, run[0])
        for frame in run[1:]:
            strip.elements.append(picture_name(frame))
        strip.frame_final_duration = len(run) * max(1, scene.frame_step)
    return shown


def _scene_like(scene: bpy.types.Scene, frames: list[int]) -> bpy.types.Scene:
    """Return a new scene of the same size and speed that shows pictures as they are."""
    shown, canvas = bpy.data.scenes.new(SCENE), scene.standee.canvas()
    render = shown.render
    render.resolution_x, render.resolution_y = canvas.width, canvas.height
    render.resolution_percentage = 100
    render.fps, render.fps_base = scene.render.fps, scene.render.fps_base
    render.dither_intensity = 0.0
    shown.view_settings.view_transform = "Standard"
    shown.sequencer_colorspace_settings.name = "sRGB"
    shown.frame_start = frames[0]
    shown.frame_end = frames[-1] + max(1, scene.frame_step) - 1
    return shown

"""From a scene to a job: what is composed at the present frame, and why it cannot be."""

import uuid

import bpy

from standee.composition import Composition

from . import binding, pictures, rendering
from .daemon_link import link
from .exchange import Blobs, composition_of
from .jobs import Job
from .properties import StandeeScene
from .stage.timeline import prompt_at

FRESH = ("RENDER", "VIEWPORT", "RESULT")
"""The sources of a scene that are taken anew for each picture."""


def obstacle(context: bpy.types.Context) -> str | None:
    """Return why nothing can be composed now, as a sentence; `None` if it can."""
    standee: StandeeScene = context.scene.standee
    if not standee.layers and standee.scene_source == "NONE" and not standee.prompt:
        return "Add a subject or write a prompt first"
    if any(layer.bound for layer in standee.layers) and context.scene.camera is None:
        return "Layers are bound to objects, but the scene has no camera"
    empty = next((one.name for one in standee.layers if one.picture is None), None)
    if empty is not None:
        return f"The layer '{empty}' has no picture"
    if standee.scene_source == "PICTURE" and standee.scene_picture is None:
        return "The scene is set to a picture, but none is chosen"
    return None


def present(context: bpy.types.Context) -> tuple[Composition, Blobs]:
    """Return what the scene composes at its present frame, and the bytes of the pictures.

    Bound layers are brought to their place, and a fresh scene is taken, which goes to the daemon
    only: a range must not change Blender's data between two undo steps. Raises `StandeeError`.
    """
    scene = context.scene
    standee: StandeeScene = scene.standee
    depsgraph = context.evaluated_depsgraph_get()
    binding.sync(scene, depsgraph)
    fresh = None
    if standee.scene_source in FRESH:
        fresh = rendering.scene_picture(context, standee.scene_source)
    return composition_of(
        standee,
        prompt=prompt_now(scene),
        order=binding.order(standee.layers),
        masks=binding.cut_masks(scene, context.evaluated_depsgraph_get()),
        scene=fresh,
    )


def take_scene(context: bpy.types.Context) -> None:
    """Take the scene's picture anew from where it comes. Raises `StandeeError`."""
    standee: StandeeScene = context.scene.standee
    data = rendering.scene_picture(context, standee.scene_source)
    old = standee.scene_picture
    standee.scene_picture = pictures.image_of(data, "Standee scene")
    if old is not None and old != standee.scene_picture and old.users == 0:
        bpy.data.images.remove(old)


def prompt_now(scene: bpy.types.Scene) -> str:
    """Return the prompt at the scene's present frame: that of the last marker, or its own."""
    standee: StandeeScene = scene.standee
    markers = {marker.name: marker.frame for marker in scene.timeline_markers}
    prompts = {one.name: one.prompt for one in standee.prompts}
    return prompt_at(scene.frame_current, standee.prompt, markers, prompts)


def compose(context: bpy.types.Context) -> Job:
    """Hand in what the scene composes now. Raises `StandeeError`."""
    standee: StandeeScene = context.scene.standee
    composition, blobs = present(context)
    label = composition.prompt[:40] or "Result"
    job = Job(id=uuid.uuid4().hex, scene=standee.identity(), label=label)
    link().submit(job, composition, blobs)
    return job

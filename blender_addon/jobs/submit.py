"""Job submission: the composition at the present frame, and why it cannot be composed."""

import uuid

import bpy

from standee.composition import Composition
from standee.errors import InvalidField

from ..core import png
from ..core.rendering.control_pictures import depth_picture, normal_picture
from ..core.timeline import prompt_at
from ..rendering import billboards, passes, visibility
from ..scene import image_datablocks, object_binding, render
from ..scene.composition_io import (
    Blobs,
    Later,
    Work,
    composition_of,
    with_controls,
    with_encoded,
    with_pictures,
)
from ..scene.identity import identity
from ..scene.scene_properties import StandeeScene
from .daemon_link import link
from .job import Job

PENDING_PICTURE = b"taken later"
"""Stands for a scene's picture that is still to be taken."""
SHOW_3D = ("NONE", "RENDER")
"""The sources of a scene with which the picture may follow the depth of 3D."""
FRESH = ("RENDER", "VIEWPORT", "RESULT")
"""The sources of a scene that are taken anew for each picture."""


def obstacle(context: bpy.types.Context) -> str | None:
    """Return why nothing can be composed now, as a sentence; `None` if it can."""
    standee: StandeeScene = context.scene.standee
    if not standee.layers and standee.scene_source == "NONE" and not standee.prompt:
        return "Add a subject or write a prompt first"
    if any(layer.bound for layer in standee.layers) and context.scene.camera is None:
        return "Subjects are bound to objects, but the scene has no camera"
    empty = next((one for one in standee.layers if not (one.picture or one.prompt.strip())), None)
    if empty is not None:
        return f"The subject '{empty.name}' has neither a picture nor words"
    if standee.scene_source == "PICTURE" and standee.scene_picture is None:
        return "The scene is set to a picture, but none is chosen"
    return None


def renders_first(scene: bpy.types.Scene) -> bool:
    """Whether composing begins with renders, during which Blender does not answer."""
    return (
        scene.standee.scene_source == "RENDER"
        or follows_scene(scene.standee)
        or bool(visibility.cut_layers(scene))
    )


def follows_scene(standee: StandeeScene) -> bool:
    """Whether the picture follows the depth or the normals of 3D, which its scene has to show."""
    return standee.scene_control != "NONE" and standee.scene_source in SHOW_3D


def complete_snapshot(context: bpy.types.Context) -> tuple[Composition, Blobs]:
    """Return what the scene composes at its present frame, and the bytes of the pictures, at once.

    Raises `StandeeError`.
    """
    made: tuple[Composition, Blobs] = object_binding.run_to_end(
        complete_in_steps(context.scene, *snapshot(context))
    )
    return made


def snapshot(context: bpy.types.Context) -> tuple[Composition, Blobs, Later]:
    """Return what the scene composes now, as far as that is known at once; see `complete_in_steps`.

    The third are pictures as they are now that take a while to become files. Bound layers are brought to
    their place. Raises `StandeeError`.
    """
    scene = context.scene
    standee: StandeeScene = scene.standee
    billboards.attend(scene)
    object_binding.sync(scene, context.evaluated_depsgraph_get())
    fresh = standee.scene_source in FRESH
    if fresh:
        render.require_scene(scene, standee.scene_source)
    later: Later = {}
    composition, blobs = composition_of(
        standee,
        prompt=prompt_now(scene),
        order=object_binding.order(standee.layers),
        scene=PENDING_PICTURE if fresh else None,
        later=later,
    )
    return composition, blobs, later


def complete_in_steps(
    scene: bpy.types.Scene, composition: Composition, blobs: Blobs, later: Later
) -> Work:
    """Find what takes a while: files of pictures, what hides the layers, a fresh scene. A generator.

    Returns the composition and blobs with that in them. The scene goes to the daemon only: a range
    must not change Blender's data between two undo steps. Raises `StandeeError`.
    """
    return _complete_in_steps(scene.name, scene.standee.scene_source, composition, blobs, later)


def _complete_in_steps(
    scene: str, source: str, composition: Composition, blobs: Blobs, later: Later
) -> Work:
    encoded = {}
    for stands_for, one in later.items():
        encoded[stands_for] = yield from one.encode_in_steps()
    composition, blobs = with_encoded(composition, blobs, encoded)
    masks = yield from visibility.cut_masks_in_steps(scene)
    fresh = None
    if source in FRESH:
        there = bpy.data.scenes.get(scene)
        if there is None:
            raise InvalidField("The scene is no longer there.", fix="Compose again.")
        fresh = yield from render.scene_picture_in_steps(there, source)
    composition, blobs = with_pictures(composition, blobs, masks, fresh)
    there = bpy.data.scenes.get(scene)
    if there is None or not follows_scene(there.standee):
        return composition, blobs
    standee, pictures = there.standee, control_pictures(there)
    strength, end = (
        round(value, 4) for value in (standee.scene_control_strength, standee.scene_control_end)
    )
    return with_controls(composition, blobs, pictures, strength, end)


def control_pictures(scene: bpy.types.Scene) -> dict[str, bytes]:
    """Return the depth and normals that a scene's picture is to follow, as PNG, by kind. Raises `StandeeError`."""
    standee: StandeeScene = scene.standee
    if standee.scene_source != "NONE" and standee.use_scene_rect:
        raise InvalidField(
            "The scene fills a part of the canvas, so its depth and normals do not cover the picture.",
            fix="Switch off Part of the Canvas, or set Use Scene to Off.",
        )
    geometry, pictures = passes.scene_geometry(scene), {}
    if standee.scene_control in ("DEPTH", "BOTH"):
        grey = depth_picture(geometry.depth)
        pictures["depth"] = png.encode(grey[..., None].repeat(3, axis=2))
    if standee.scene_control in ("NORMALS", "BOTH"):
        pictures["normal"] = png.encode(normal_picture(geometry.normals))
    return pictures


def refresh_scene_picture(context: bpy.types.Context) -> None:
    """Take the scene's picture anew from where it comes, with its depth and normals if they are wanted.

    Raises `StandeeError`.
    """
    scene = context.scene
    standee: StandeeScene = scene.standee
    data = render.scene_picture(context, standee.scene_source)
    depth = normals = None
    if standee.use_scene_geometry and standee.scene_source == "RENDER":
        depth, normals = passes.files_of(passes.scene_geometry(scene))
    standee.scene_picture = _instead(standee.scene_picture, data, "Standee scene")
    standee.scene_depth = _instead(standee.scene_depth, depth, "Standee depth")
    standee.scene_normals = _instead(standee.scene_normals, normals, "Standee normals")
    for image in (standee.scene_depth, standee.scene_normals):
        if image is not None:
            image.colorspace_settings.is_data = True


def _instead(old: bpy.types.Image | None, data: bytes | None, name: str) -> bpy.types.Image | None:
    """Return the image of these bytes; the old one is gone if nothing else uses it."""
    image = None if data is None else image_datablocks.image_of(data, name)
    if old is not None and old != image and old.users <= 1:
        bpy.data.images.remove(old)
    return image


def prompt_now(scene: bpy.types.Scene) -> str:
    """Return the prompt at the scene's present frame: that of the last marker, or its own."""
    standee: StandeeScene = scene.standee
    markers = {marker.name: marker.frame for marker in scene.timeline_markers}
    prompts = {one.name: one.prompt for one in standee.prompts}
    return prompt_at(scene.frame_current, standee.prompt, markers, prompts)


def compose(context: bpy.types.Context, label: str = "", download: bool = False) -> Job:
    """Take what the scene composes now, and hand it in when all of it is found.

    `label` names the result; `download` says yes to bringing what it lacks. Raises `StandeeError`;
    what is found wrong later becomes the link's notice.
    """
    scene = context.scene
    link().open()
    composition, blobs, later = snapshot(context)
    label = label or composition.prompt[:40] or "Result"
    job = Job(id=uuid.uuid4().hex, scene=identity(scene), label=label, download=download)
    job.becomes("preparing")
    if renders_first(scene):
        job.becomes("preparing", "rendering")
    link().prepare(job, complete_in_steps(scene, composition, blobs, later))
    return job

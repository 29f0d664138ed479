"""Range playback: the pictures of a range's newest take in the camera frame, each at its own time."""

from pathlib import Path

import bpy

from standee.errors import StorageFull

from ..core import takes
from ..core.timeline import picture_name
from .frame_range import folder_of, frames_of

NAME = ".standee frame"
"""The image that holds the picture of the present frame. No user keeps it, so no file has it."""


def picture_at(scene: bpy.types.Scene) -> Path | None:
    """Return the picture that a scene's present frame shows; `None` if there is none.

    With a frame step a picture is seen until the next. Raises `StorageFull` without a saved file.
    """
    folder, now = takes.newest(folder_of(scene)), scene.frame_current
    seen = [one for one in frames_of(scene) if one <= now < one + max(1, scene.frame_step)]
    path = folder / picture_name(seen[-1]) if folder is not None and seen else None
    return path if path is not None and path.is_file() else None


def update(scene: bpy.types.Scene) -> None:
    """Have the image show the picture of a scene's present frame, or none."""
    if not scene.standee.show_range:
        return
    try:
        path = picture_at(scene)
    except StorageFull:
        path = None
    image = bpy.data.images.get(NAME)
    if image is not None and (path is None or Path(image.filepath) != path):
        bpy.data.images.remove(image)
        image = None
    if image is None and path is not None:
        bpy.data.images.load(str(path), check_existing=False).name = NAME


def frame_image(scene: bpy.types.Scene) -> bpy.types.Image | None:
    """Return the image of a scene's present frame, if the range is shown and has one."""
    return bpy.data.images.get(NAME) if scene.standee.show_range else None

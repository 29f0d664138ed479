"""Preview icons of jobs for the sidebar, which Blender keeps outside its data."""

from typing import Any

import bpy.utils.previews
import numpy as np
from numpy.typing import NDArray

from ..core.color_space import srgb_to_linear
from ..scene import image_datablocks
from .background_tasks import BackgroundTask
from .job import Job

_icons: Any = None


def show(job: str, pixels: NDArray[np.float32]) -> None:
    """Set the icon of a job to these sRGB pixels (h, w, 4; the first row on top)."""
    if _icons is None or bpy.app.background:
        return
    icon = _icons[job] if job in _icons else _icons.new(job)
    icon.image_size = (pixels.shape[1], pixels.shape[0])
    icon.image_pixels_float.foreach_set(np.ascontiguousarray(pixels[::-1], np.float32).ravel())


def decode(job: Job) -> BackgroundTask:
    """Take in the newest preview of a job."""
    data = job.take_preview()
    if data and not job.over:
        pixels = image_datablocks.decode_preview(data)
        if pixels is not None:
            job.preview = srgb_to_linear(pixels)
            yield
            show(job.id, pixels)
    yield


def icon_of(job: str) -> int:
    """Return the icon's id; 0 if the job has none."""
    return int(_icons[job].icon_id) if _icons is not None and job in _icons else 0


def drop(job: str) -> None:
    """Forget a job's icon and its preview."""
    image_datablocks.forget_preview()
    if _icons is not None and job in _icons:
        del _icons[job]


def register() -> None:
    """Make room for icons."""
    global _icons
    _icons = bpy.utils.previews.new()


def unregister() -> None:
    """Give it back."""
    global _icons
    image_datablocks.forget_preview()
    if _icons is not None:
        bpy.utils.previews.remove(_icons)
        _icons = None

"""Registration of everything with Blender, in order, and its removal in reverse."""

import atexit

import bpy

from . import handlers, operators, panels, preferences
from .i18n import translations
from .jobs import daemon_link, frame_range, preview_icons
from .panels import context_menus, status
from .results import store
from .scene import scene_properties
from .viewport import gpu_draw, view_state, workspace_tool

CLASSES = (
    *preferences.CLASSES,
    *scene_properties.CLASSES,
    *operators.CLASSES,
    *panels.CLASSES,
)
PARTS = (
    scene_properties,
    preview_icons,
    workspace_tool,
    gpu_draw,
    context_menus,
    handlers,
    translations,
)


def register() -> None:
    """Register all of it, and watch the jobs that an earlier Blender left."""
    for kind in CLASSES:
        bpy.utils.register_class(kind)
    for part in PARTS:
        part.register()
    preferences.daemon_rows[:] = [status.row]
    atexit.register(daemon_link.drop)  # a timer that is left at exit hangs some versions
    store.clean()
    daemon_link.link().resume()


def unregister() -> None:
    """Leave nothing behind."""
    daemon_link.drop()
    atexit.unregister(daemon_link.drop)
    frame_range.current = None
    view_state.hovered = None
    for part in reversed(PARTS):
        part.unregister()
    for kind in reversed(CLASSES):
        bpy.utils.unregister_class(kind)

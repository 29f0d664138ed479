"""Everything that Blender is told of, in order; and all of it taken back, in the reverse order."""

import atexit

import bpy

from . import (
    daemon_link,
    draw,
    handlers,
    operators,
    panels,
    preferences,
    previews,
    properties,
    results,
    sequence,
    tool,
    translations,
    view,
)

CLASSES = (
    *preferences.CLASSES,
    *properties.CLASSES,
    *operators.CLASSES,
    *panels.CLASSES,
)
PARTS = (properties, previews, tool, draw, handlers, translations)


def register() -> None:
    """Register all of it, and watch the jobs that an earlier Blender left."""
    for kind in CLASSES:
        bpy.utils.register_class(kind)
    for part in PARTS:
        part.register()
    atexit.register(daemon_link.drop)  # a timer that is left at exit hangs some versions
    results.clean()
    daemon_link.link().resume()


def unregister() -> None:
    """Leave nothing behind."""
    daemon_link.drop()
    atexit.unregister(daemon_link.drop)
    sequence.current = None
    view.hovered = None
    for part in reversed(PARTS):
        part.unregister()
    for kind in reversed(CLASSES):
        bpy.utils.unregister_class(kind)

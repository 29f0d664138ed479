"""Blender add-on: arrange subjects as layered rectangles in the camera's view, and compose them.

The extension's entry. It imports `bpy` only when Blender registers it, so that the parts without
Blender (`core`) can be imported anywhere.
"""


def register() -> None:
    """Called by Blender when the extension is enabled."""
    from . import registration

    registration.register()


def unregister() -> None:
    """Called by Blender when the extension is disabled; leaves nothing behind."""
    from . import registration

    registration.unregister()

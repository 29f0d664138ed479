"""Redrawing of the 3D views."""

from typing import Any

import bpy


def redraw(_self: Any = None, context: bpy.types.Context | None = None) -> None:
    """Have every 3D view drawn anew; as an `update` callback of properties it takes their arguments."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()

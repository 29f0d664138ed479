"""Status rows: daemon, model and camera, each with its missing step."""

import bpy

from ..i18n.translations import say
from ..jobs.daemon_link import DaemonLink, link
from ..scene.camera import camera_of
from .base import paragraph


def state_of(known: DaemonLink) -> tuple[str, str, str]:
    """Return how the daemon is: (sentence, icon, what the button beside it says)."""
    if known.connected:
        return "The daemon is ready", "CHECKMARK", ""
    if known.looking:
        return "Looking for the daemon", "SORTTIME", "Look Again"
    return "The daemon is not asked yet", "UNLINKED", "Start"


def row(layout: bpy.types.UILayout) -> bpy.types.UILayout:
    """How the daemon is, and below it what can be done about that; return the upper line."""
    text, icon, button = state_of(link())
    line = layout.row(align=True)
    line.label(text=say(text), icon=icon)
    if button:
        layout.operator("standee.connect", text=say(button), icon="PLAY")
    else:
        line.operator("standee.connect", text="", icon="FILE_REFRESH")
    return line


def model(layout: bpy.types.UILayout, name: str) -> None:
    """Which model is chosen, and whether the daemon has it."""
    known = [one.name for one in link().models]
    if name in known:
        layout.label(text=say("Model {name}: there", name=name), icon="CHECKMARK")
    elif link().connected:
        text = say("Model {name}: the daemon looks for it when you compose", name=name)
        layout.label(text=text, icon="QUESTION")
    else:
        layout.label(text=say("Model {name}", name=name), icon="DOT")


def draw(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The status, and the steps that are still to be done."""
    standee, view = context.scene.standee, context.space_data.region_3d
    box = layout.box().column(align=True)
    row(box).operator("standee.preferences", text="", icon="PREFERENCES")
    model(box, standee.model)
    through = view is not None and view.view_perspective == "CAMERA"
    if not through or camera_of(context.scene) is None:
        paragraph(box, "Subjects are placed and seen through the camera.", "INFO")
        box.operator("standee.look_through", icon="CAMERA_DATA")
    if not standee.layers and not standee.results:
        box.operator("standee.load_sample", icon="ASSET_MANAGER")

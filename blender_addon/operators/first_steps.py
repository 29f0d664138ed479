"""First-step operators: look through the camera, load the sample, open the preferences."""

from importlib import resources
from pathlib import Path

import bpy

from standee.errors import StandeeError

from ..preferences import ADDON
from ..redraw import redraw
from ..scene.camera import camera_of
from .base import composition, poll_fails, refuse
from .document import open_document

SAMPLE = "three_friends.standee"


class STANDEE_OT_look_through(bpy.types.Operator):
    bl_idname = "standee.look_through"
    bl_label = "Look Through Camera"
    bl_description = (
        "Show the view through the scene's camera, whose frame is the canvas. Without a camera, add"
        " one that sees what the view shows now"
    )
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        view = getattr(context, "region_data", None)
        if not isinstance(view, bpy.types.RegionView3D):
            space = context.space_data
            view = space.region_3d if isinstance(space, bpy.types.SpaceView3D) else None
        scene = context.scene
        if camera_of(scene) is None:
            camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
            scene.collection.objects.link(camera)
            if view is not None:
                camera.matrix_world = view.view_matrix.inverted()
            else:
                camera.location = (0.0, 0.0, 10.0)
            scene.camera = camera
        if view is not None:
            view.view_perspective = "CAMERA"
        redraw()
        return {"FINISHED"}


class STANDEE_OT_load_sample(bpy.types.Operator):
    bl_idname = "standee.load_sample"
    bl_label = "Load Sample"
    bl_description = "Bring three subjects and a scene into this file, ready to be composed"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if composition(context).layers:
            return poll_fails(cls, "This scene has subjects already; open a new file first")
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            open_document(context, Path(str(resources.files("standee"))) / "samples" / SAMPLE)
        except StandeeError as error:
            return refuse(self, error)
        bpy.ops.standee.look_through()
        return {"FINISHED"}


class STANDEE_OT_preferences(bpy.types.Operator):
    bl_idname = "standee.preferences"
    bl_label = "Preferences of Standee"
    bl_description = "Say which daemon to use, and how to start it"

    def execute(self, context: bpy.types.Context) -> set[str]:
        if bpy.app.background:
            self.report({"ERROR"}, "Without a window there are no preferences to show.")
            return {"CANCELLED"}
        bpy.ops.preferences.addon_show(module=ADDON)
        return {"FINISHED"}


CLASSES = (STANDEE_OT_look_through, STANDEE_OT_load_sample, STANDEE_OT_preferences)

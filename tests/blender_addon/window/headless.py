"""Set-up of a Blender without a window: the extension, the daemon, and a scene with two cameras."""

import os
from pathlib import Path

import bpy

FOLDER = Path(os.environ["STANDEE_WINDOW"])
PACKAGE = "bl_ext.user_default.standee"

bpy.ops.preferences.addon_enable(module=PACKAGE)
preferences = bpy.context.preferences.addons[PACKAGE].preferences
preferences.connection_file = str(FOLDER / "home" / "connection.json")
preferences.start_daemon = False
scene = bpy.context.scene
scene.render.engine, scene.cycles.samples = "CYCLES", 4
scene.cycles.use_denoising = False  # Debian's Blender has no denoiser
scene.render.resolution_x = scene.render.resolution_y = 256
bpy.data.objects.remove(bpy.data.objects["Cube"])
bpy.ops.mesh.primitive_plane_add(size=40)
second = bpy.data.objects.new("Second", bpy.data.cameras.new("Second"))
second.location, second.rotation_euler = (-6.5, -6, 4.5), (1.12, 0, -0.82)
scene.collection.objects.link(second)
scene.standee.prompt, scene.standee.steps = "a fox on a plain", 4

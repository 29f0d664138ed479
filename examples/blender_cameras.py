"""Compose what each camera of a .blend file sees, one picture per camera.

blender -b SCENE.blend --python examples/blender_cameras.py -- SUBJECT.png FOLDER

The subject stands in 3D in the middle of the first camera's view, on the ground; every picture is the
file's own render, with the subject's shadow, and the subject composed into it. Needs the Standee
extension and a daemon (`standee serve`).
"""

import sys
from pathlib import Path

import bpy


def main(subject: str, folder: str) -> None:
    scene = bpy.context.scene
    standee = scene.standee
    standee.scene_source = "RENDER"
    cameras = [one for one in scene.objects if one.type == "CAMERA"]
    scene.camera = scene.camera or cameras[0]
    bpy.ops.standee.add_files(filepath=subject)
    standee.layers[-1].prompt = Path(subject).stem.replace("_", " ")
    bpy.ops.standee.stand_in_3d()
    for camera in cameras:
        scene.camera = camera
        bpy.ops.standee.compose(wait=True)
        bpy.ops.standee.result_save(filepath=str(Path(folder) / f"{camera.name}.png"))


if __name__ == "__main__":
    main(*sys.argv[sys.argv.index("--") + 1 :][:2])

"""Round trip of a document through the built extension: open, move a subject, save elsewhere.

    .venv-bpy/bin/python -m tests.blender_addon.in_blender.pass_through DOCUMENT COPY X

`BLENDER_USER_RESOURCES` names an empty folder; the extension is installed there.
"""

import sys

import bpy

from .conftest import PACKAGE


def main(document: str, copy: str, x: str) -> None:
    bpy.ops.wm.read_homefile(use_empty=True)
    if PACKAGE not in bpy.context.preferences.addons:
        bpy.ops.preferences.addon_enable(module=PACKAGE)
    bpy.ops.standee.open(filepath=document)
    bpy.context.scene.standee.layers[-1].x = float(x)
    bpy.ops.standee.save(filepath=copy)


if __name__ == "__main__":
    main(*sys.argv[1:4])

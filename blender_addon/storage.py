"""Storage folder of the extension."""

from pathlib import Path

import bpy


def own_folder(name: str = "") -> Path:
    """Return a folder of the extension's own, made if it is not there."""
    try:
        path = bpy.utils.extension_path_user(__package__, path=name, create=True)
    except ValueError:  # run from a checkout, not installed
        path = bpy.utils.user_resource("CONFIG", path=str(Path("standee") / name), create=True)
    return Path(path)

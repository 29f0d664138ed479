"""Where the extension keeps files of its own, and writing them so that they are whole or not there."""

import contextlib
from pathlib import Path

import bpy


def own_folder(name: str = "") -> Path:
    """Return a folder of the extension's own, made if it is not there."""
    try:
        path = bpy.utils.extension_path_user(__package__, path=name, create=True)
    except ValueError:  # run from a checkout, not installed
        path = bpy.utils.user_resource("CONFIG", path=str(Path("standee") / name), create=True)
    return Path(path)


def write(path: Path, data: bytes) -> None:
    """Write a file under another name and rename it, so that a crash leaves the old one."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)

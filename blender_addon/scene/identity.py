"""Scene identity: tells a job's scene from copies of the scene or of the file.

The identity is saved with the scene, so a full copy of the scene, a copy of the file, a new version of
it and a startup file would bring it along. Each of them gets another one.
"""

import uuid
from collections.abc import Callable
from pathlib import Path

import bpy

_own: dict[int, str] = {}
"""The identities of the scenes that are open, by what Blender calls them while they are."""
_before: dict[int, tuple[str, str]] = {}
"""What scenes were before a file is written: (identity, home)."""
on_moved: list[Callable[[dict[str, str]], None]] = []
"""Told when identities changed because the file was saved under another name: old to new."""


def identity(scene: bpy.types.Scene) -> str:
    """Return what tells this scene from others, over files and undo; made at first use."""
    session, standee = scene.session_uid, scene.standee
    if session not in _own:
        taken = {_own.get(one.session_uid) for one in bpy.data.scenes}
        fresh = not standee.uid or standee.uid in taken or _is_copy(standee.home)
        _own[session] = uuid.uuid4().hex if fresh else standee.uid
    if standee.uid != _own[session]:  # undo went back to before the first use, or it is a copy
        standee.uid = _own[session]
    return _own[session]


def known_identity(scene: bpy.types.Scene) -> str:
    """Return the identity that a scene was given in this session, maybe in a step that was undone."""
    return _own.get(scene.session_uid, "")


def scene_of(wanted: str) -> bpy.types.Scene | None:
    """Return the scene with this identity, if it is in the open file."""
    return next((one for one in bpy.data.scenes if wanted and known_identity(one) == wanted), None)


def opened() -> None:
    """Another file is open: its scenes are who they were, unless it is a copy of another file."""
    _own.clear()
    for scene in bpy.data.scenes:
        if scene.standee.uid:
            identity(scene)


def before_saving(path: str) -> None:
    """A file is about to be written; without a path it is the startup file, which is nobody's."""
    _before.clear()
    for scene in bpy.data.scenes:
        standee = scene.standee
        if not known_identity(scene) and not standee.uid:
            continue
        _before[scene.session_uid] = identity(scene), standee.home
        if not path:
            standee.uid = standee.home = ""
            continue
        if standee.home and standee.home != _whole(path):
            standee.uid = uuid.uuid4().hex
        standee.home = _whole(path)


def after_saving(path: str) -> None:
    """The file is written. If it was a copy or the startup file, this one is who it was."""
    is_this = bool(path) and _whole(path) == _whole(bpy.data.filepath)
    moved = {}
    for scene in bpy.data.scenes:
        uid, home = _before.get(scene.session_uid, ("", ""))
        if not uid:
            continue
        if not is_this:
            scene.standee.uid, scene.standee.home = uid, home
        elif scene.standee.uid != uid:
            moved[uid] = _own[scene.session_uid] = scene.standee.uid
    _before.clear()
    for told in on_moved if moved else ():
        told(moved)


def _is_copy(home: str) -> bool:
    """Whether the file in which a scene was saved is another one than the open one, and still there."""
    return bool(home) and home != _whole(bpy.data.filepath) and Path(home).exists()


def _whole(path: str) -> str:
    return str(Path(path).resolve()) if path else ""

"""Result store: pictures kept on disk first, then in the scene; never lost on undo or file load.

A result is written to a folder of the extension's own before anything else. Undo and opening files
may take it out of Blender's data; then it is put back, until the artist discards it.
"""

import json
import time
from pathlib import Path
from typing import Any

import bpy

from standee.files import write_atomically
from standee.images import digest_of
from standee.wire.events import Result

from .. import storage
from ..jobs.background_tasks import BackgroundTask
from ..jobs.daemon_link import link
from ..jobs.job import Job
from ..redraw import redraw
from ..scene import image_datablocks
from ..scene.identity import identity, known_identity, scene_of
from ..scene.scene_properties import StandeeResult
from . import display

FOLDER = "results"
KEPT_DAYS = 14
"""Results that no file has saved are kept for so long."""


def keep(job: Job, event: Result) -> BackgroundTask:
    """Keep one result of a job, a small step at a time."""
    key = f"{job.id}-{event.index}"
    entry = {
        "scene": job.scene,
        "name": job.label or f"Seed {event.seed}",
        "receipt": event.receipt,
        "made": time.time(),
    }
    folder = storage.own_folder(FOLDER)
    write_atomically(folder / f"{key}.png", event.data)
    yield
    write_atomically(folder / f"{key}.json", json.dumps(entry).encode())
    yield
    yield from _add(key, entry, event.data)
    scene = scene_of(job.scene)
    if scene is not None:
        yield from display.show_in_steps(scene, key)
    redraw()


def restore() -> None:
    """Put back the results that undo or a file load took out of the scenes that they belong to."""
    if any(known_identity(scene) for scene in bpy.data.scenes):
        link().run_in_background(_restore())


def moved(identities: dict[str, str]) -> None:
    """The file has another name now, and its scenes are others than those of the old one."""
    for path in storage.own_folder(FOLDER).glob("*.json"):
        entry = _read(path)
        if entry.get("scene") in identities:
            entry["scene"] = identities[entry["scene"]]
            write_atomically(path, json.dumps(entry).encode())
    for job in link().jobs.values():
        job.scene = identities.get(job.scene, job.scene)


def _restore() -> BackgroundTask:
    yield
    here = {identity(scene) for scene in bpy.data.scenes if known_identity(scene)}
    for path in sorted(
        storage.own_folder(FOLDER).glob("*.json"), key=lambda one: one.stat().st_mtime
    ):
        entry = _read(path)
        if entry.get("scene") in here and not _present(path.stem, entry["scene"]):
            yield from _restored(path, entry)


def discard(scene: bpy.types.Scene, index: int) -> None:
    """Take a result out of the list, and its picture if nothing else shows it."""
    result: StandeeResult = scene.standee.results[index]
    image, key = result.image, result.key
    scene.standee.results.remove(index)
    scene.standee.active_result = min(index, len(scene.standee.results) - 1)
    if key:
        for suffix in (".png", ".json"):
            (storage.own_folder(FOLDER) / f"{key}{suffix}").unlink(missing_ok=True)
    shown = {one.digest for one in scene.standee.results}
    if image is not None and image.get("standee_digest") not in shown:
        image.use_fake_user = False
        if image.users == 0:
            bpy.data.images.remove(image)


def add(scene: bpy.types.Scene, png: bytes, receipt: dict[str, Any], name: str, key: str) -> None:
    """Add a result to a scene's list at once."""
    image = image_datablocks.image_of(png, name)
    image.use_fake_user = True
    _list(scene, str(image["standee_digest"]), receipt, name, key)


def clean() -> None:
    """Remove what nobody has asked for in a long time."""
    old = time.time() - KEPT_DAYS * 86400
    for path in storage.own_folder(FOLDER).iterdir():
        if path.stat().st_mtime < old:
            path.unlink(missing_ok=True)


def _add(key: str, entry: dict[str, Any], png: bytes) -> BackgroundTask:
    """Add a result to its scene: the datablock, its pixels, the list, each in a step of its own."""
    if scene_of(entry["scene"]) is None or _present(key, entry["scene"]):
        return
    digest = digest_of(png)
    image = image_datablocks.find(digest) or image_datablocks.new_image(entry["name"], png)
    image.use_fake_user = True
    yield
    image = image_datablocks.find(digest)
    if image is None:
        return  # undo or another file took it; it is put back from there
    tuple(image.size)  # Blender decodes it now, in this step
    yield
    scene = scene_of(entry["scene"])
    if scene is not None and not any(one.key == key for one in scene.standee.results):
        _list(scene, digest, entry["receipt"], entry["name"], key)
        yield


def _list(
    scene: bpy.types.Scene, digest: str, receipt: dict[str, Any], name: str, key: str
) -> None:
    result: StandeeResult = scene.standee.results.add()
    result.name, result.digest, result.key = name, digest, key
    result.receipt = json.dumps(receipt)
    scene.standee.active_result = len(scene.standee.results) - 1


def _restored(path: Path, entry: dict[str, Any]) -> BackgroundTask:
    try:
        data = path.with_suffix(".png").read_bytes()
    except OSError:
        return
    yield
    yield from _add(path.stem, entry, data)


def _present(key: str, identity: str) -> bool:
    scene = scene_of(identity)
    return scene is not None and any(
        one.key == key and one.image is not None for one in scene.standee.results
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        entry = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return entry if isinstance(entry, dict) and {"scene", "name", "receipt"} <= set(entry) else {}

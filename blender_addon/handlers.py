"""Application handlers: bound layers follow their objects, results survive undo and file load."""

import bpy
from bpy.app.handlers import persistent

from . import preferences
from .jobs import cutout, frame_range, range_playback
from .jobs.background_tasks import BackgroundTask
from .jobs.daemon_link import link
from .jobs.job import Job
from .rendering import billboards
from .results import store
from .scene import identity, object_binding, render_scene
from .viewport import gpu_draw
from .viewport.layer_cache import layer_cache


@persistent
def scene_changed(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    """An object, the camera or the frame changed: bound layers follow."""
    if not any(layer.bound for layer in scene.standee.layers):
        return
    try:
        billboards.attend(scene)
        moved = object_binding.sync(scene, depsgraph)
    except AttributeError:  # a render thread left Blender refusing writes, but to operators
        link().run_in_background(_follow(scene.name))
        return
    if moved or _geometry_changed(depsgraph):
        layer_cache().update_occlusion(scene)


def _follow(name: str) -> BackgroundTask:
    """Have the bound layers of a scene follow in the next tick."""
    yield
    depsgraph = bpy.context.evaluated_depsgraph_get()
    scene = bpy.data.scenes.get(name)
    if scene is not None and depsgraph.scene.name == name and object_binding.sync(scene, depsgraph):
        layer_cache().update_occlusion(scene)
    yield


@persistent
def frame_changed(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    """Another frame is shown."""
    if not bpy.app.is_job_running("RENDER"):
        range_playback.update(scene)
    scene_changed(scene, depsgraph)


@persistent
def undone(_scene: bpy.types.Scene, _depsgraph: object = None) -> None:
    """Undo or redo replaced Blender's data: results that it took are put back."""
    render_scene.remove_leftovers()
    store.restore()


@persistent
def loaded(_path: str, _depsgraph: object = None) -> None:
    """Another file is open: its results that were never saved come back, caches are dropped."""
    identity.opened()
    link().dismiss_notice()  # it was about the other file
    layer_cache().forget()
    gpu_draw.forget()
    store.restore()


@persistent
def leaving(_path: str, _depsgraph: object = None) -> None:
    """Another file is about to be opened: a range belongs to the old one. Its frames stay."""
    frame_range.stop()


@persistent
def saving(path: str, _depsgraph: object = None) -> None:
    """A file is about to be written: a copy of this one belongs to nobody's jobs."""
    identity.before_saving(path)


@persistent
def saved(path: str, _depsgraph: object = None) -> None:
    """It is written."""
    identity.after_saving(path)


def _geometry_changed(depsgraph: bpy.types.Depsgraph) -> bool:
    return any(one.is_updated_transform or one.is_updated_geometry for one in depsgraph.updates)


def keep_result(job: Job, event: object) -> BackgroundTask:
    """A result arrived: a cut-out goes to its layer, a frame to its folder, any other to its scene."""
    if job.layer:
        return cutout.take(job, event)
    return frame_range.take(job, event) if job.frame is not None else store.keep(job, event)


def another_daemon() -> None:
    """Another daemon is named in the preferences: if one is wanted, look for that one."""
    if link().looking or link().unfinished:
        link().connect()


HANDLERS = {
    "depsgraph_update_post": scene_changed,
    "frame_change_post": frame_changed,
    "undo_post": undone,
    "redo_post": undone,
    "load_pre": leaving,
    "save_pre": saving,
    "save_post": saved,
    "load_post": loaded,
}


def register() -> None:
    """Listen."""
    for name, handler in HANDLERS.items():
        getattr(bpy.app.handlers, name).append(handler)
    identity.on_moved[:] = [store.moved]
    preferences.on_another_daemon[:] = [another_daemon]
    link().on_result = keep_result
    link().on_over = frame_range.over


def unregister() -> None:
    """Listen no more."""
    for name, handler in HANDLERS.items():
        listening = getattr(bpy.app.handlers, name)
        if handler in listening:
            listening.remove(handler)

"""Cut-out jobs: the daemon masks a subject in its picture, and the mask becomes the layer's cut-out."""

import uuid

import bpy

from standee.composition import Rect
from standee.errors import InvalidField, StandeeError
from standee.wire.events import Result
from standee.wire.messages import Cutout, Point

from ..redraw import redraw
from ..scene import image_datablocks
from ..scene.identity import identity, scene_of
from ..scene.layer_properties import StandeeLayer
from ..scene.object_binding import layer_of
from .background_tasks import BackgroundTask
from .daemon_link import link
from .job import Job

PRIORITY = 20
"""Before pictures: an artist waits for it."""


def cut_out(
    layer: StandeeLayer,
    *,
    words: str = "",
    points: tuple[Point, ...] = (),
    box: Rect | None = None,
    download: bool = False,
) -> Job:
    """Have the daemon cut out a layer's subject: what the words say, or at points or in a box.

    Points and box are in px of the picture; without any of these the subject fills the picture.
    `download` says yes to the model that finds words. Raises `StandeeError`.
    """
    if layer.picture is None:
        raise InvalidField(f"The subject {layer.name!r} has no picture.", fix="Give it one.")
    digest, data = image_datablocks.encode_image(layer.picture)
    spec = Cutout(picture=digest, box=box, points=points, words=words)
    scene = identity(layer.id_data)
    job = Job(
        id=uuid.uuid4().hex, scene=scene, label=layer.name, layer=layer.layer_id, download=download
    )
    link().submit(job, spec, {digest: data}, PRIORITY)
    return job


def take(job: Job, event: Result) -> BackgroundTask:
    """Give a mask that arrived to its layer, as an undo step of its own; a layer that is gone has none."""
    layer = _layer(job)
    if layer is None:
        return
    image = image_datablocks.image_of(event.data, f"{layer.name} cut-out")
    try:
        image_datablocks.check(image)
    except StandeeError:
        bpy.data.images.remove(image)
        raise
    layer.mask = image
    yield
    windows = bpy.context.window_manager.windows
    with bpy.context.temp_override(window=windows[0] if windows else None):
        bpy.ops.ed.undo_push(message="Standee Cut-out")
    redraw()
    yield


def _layer(job: Job) -> StandeeLayer | None:
    scene = scene_of(job.scene)
    return None if scene is None else layer_of(scene.name, job.layer)

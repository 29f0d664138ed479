"""Batch composing: one result for each marker's camera, view layer and seed.

Each picture is taken whole before the scene is set to the next, and all is as it was in the end.
"""

import itertools
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import bpy
import msgspec

from standee.composition import to_json
from standee.errors import InvalidField

from ..core.timeline import fingerprint
from ..scene import object_binding
from ..scene.identity import identity
from . import submit
from .daemon_link import link
from .job import Job


def start(context: bpy.types.Context, cameras: bool, view_layers: bool, seeds: int) -> list[Job]:
    """Take all pictures and hand them in; what would be the very same picture is composed once.

    Raises `StandeeError`.
    """
    scene = context.scene
    markers = _markers(scene) if cameras else [None]
    layers = [one for one in scene.view_layers if one.use] if view_layers else [context.view_layer]
    link().open()
    jobs: list[Job] = []
    known: set[str] = set()
    with _put_back(scene):
        for marker, layer in itertools.product(markers, layers):
            if marker is not None:
                scene.frame_set(marker.frame)
                scene.camera = marker.camera
            with context.temp_override(scene=scene, view_layer=layer):
                layer.update()
                composition, blobs = submit.complete_snapshot(bpy.context)
            for seed in range(composition.sampling.seed, composition.sampling.seed + seeds):
                sampling = msgspec.structs.replace(composition.sampling, seed=seed)
                one = msgspec.structs.replace(composition, sampling=sampling)
                of = fingerprint(to_json(one))
                if of in known:
                    continue
                known.add(of)
                names = [
                    marker.camera.name if marker is not None else "",
                    layer.name if view_layers else "",
                    f"Seed {seed}" if seeds > 1 else "",
                ]
                label = ", ".join(name for name in names if name) or one.prompt[:40] or "Result"
                job = Job(id=uuid.uuid4().hex, scene=identity(scene), label=label)
                link().submit(job, one, blobs)
                jobs.append(job)
    return jobs


def _markers(scene: bpy.types.Scene) -> list[bpy.types.TimelineMarker]:
    """Return the markers that a camera is bound to, by their frames. Raises `InvalidField`."""
    found = [one for one in scene.timeline_markers if one.camera is not None]
    if not found:
        raise InvalidField(
            "No timeline marker has a camera.",
            fix="Bind one (Timeline, Marker > Bind Camera to Markers), or leave cameras out.",
        )
    return sorted(found, key=lambda one: one.frame)


@contextmanager
def _put_back(scene: bpy.types.Scene) -> Iterator[None]:
    """Bring camera, frame and bound rectangles back to what they were."""
    camera, frame = scene.camera, scene.frame_current
    try:
        yield
    finally:
        scene.frame_set(frame)
        scene.camera = camera
        bpy.context.view_layer.update()
        object_binding.sync(scene, bpy.context.evaluated_depsgraph_get())

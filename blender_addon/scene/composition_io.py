"""Conversion between a scene's properties and a composition, both ways and without loss.

`composition_of` gives what would be composed now; `load_into_scene` puts a composition into the properties.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any

import bpy
import msgspec

from standee.composition import (
    Canvas,
    Composition,
    Control,
    Layer,
    Lora,
    Rect,
    Sampling,
    Scene,
    from_json,
    to_json,
    validate,
)
from standee.errors import InvalidField, StandeeError
from standee.images import digest_of

from ..core.float32 import as_float32, restore_float64
from . import image_datablocks
from .layer_properties import StandeeLora
from .scene_properties import StandeeLayer, StandeeScene, round_to_cells

LAYER_FIELDS = (
    "name", "fit", "flip", "prompt", "fidelity", "variation", "sharing", "light", "visible",
    "locked", "rotation", "opacity",
)  # fmt: skip
SCENE_FIELDS = {
    "fit": "scene_fit",
    "fidelity": "scene_fidelity",
    "blend": "scene_blend_share",
    "feather": "scene_feather_share",
}
RECT_FIELDS = {"x": "x", "y": "y", "w": "width", "h": "height"}

Blobs = dict[str, bytes]
Later = dict[str, image_datablocks.Unencoded]
"""Pictures that are no files yet, by the digests that stand for them."""
Work = Generator[float | None, None, tuple[Composition, Blobs]]
"""Small steps that a composition and its pictures come of; each may yield the seconds it rests."""
PictureOf = Callable[[str], bytes]


def composition_of(
    standee: StandeeScene,
    *,
    prompt: str | None = None,
    order: list[int] | None = None,
    masks: Mapping[str, bytes] | None = None,
    scene: bytes | None = None,
    later: Later | None = None,
) -> tuple[Composition, Blobs]:
    """Return the composition and the bytes of its pictures.

    What takes long to become a file is put into `later`, if that is given; see `with_encoded`.

    `order` lists the indices of the layers from back to front (see `object_binding.order`), `masks` the
    cut-outs (PNG) of those that the scene hides in part, by their id, `prompt` is another one than
    the scene's (see `timeline`), and `scene` the picture (PNG) to compose into. Raises `InvalidField`, `BadPicture`.
    """
    blobs: Blobs = {}
    indices = order if order is not None else list(range(len(standee.layers)))
    layers = tuple(_layer(standee.layers[index], blobs, masks or {}, later) for index in indices)
    composition = msgspec.structs.replace(
        original(standee),
        canvas=_canvas(standee),
        prompt=standee.prompt if prompt is None else prompt,
        layers=layers,
        scene=_scene(standee, blobs, scene, later),
        sampling=_sampling(standee),
        control=_controls(standee, blobs, later),
    )
    return validate(composition), blobs


def with_encoded(
    composition: Composition, blobs: Blobs, encoded: Mapping[str, tuple[str, bytes]]
) -> tuple[Composition, Blobs]:
    """Return a composition with files, (digest, bytes), in place of the digests that stood for them."""
    blobs = {digest: data for digest, data in blobs.items() if digest not in encoded}
    blobs |= dict(encoded.values())

    def named(digest: str | None) -> str | None:
        return encoded[digest][0] if digest in encoded else digest

    layers = tuple(
        msgspec.structs.replace(one, picture=named(one.picture), mask=named(one.mask))
        for one in composition.layers
    )
    scene = composition.scene
    if scene is not None:
        scene = msgspec.structs.replace(scene, picture=named(scene.picture), kept=named(scene.kept))
    control = tuple(
        msgspec.structs.replace(one, picture=named(one.picture)) for one in composition.control
    )
    return msgspec.structs.replace(composition, layers=layers, scene=scene, control=control), blobs


def with_pictures(
    composition: Composition, blobs: Blobs, masks: Mapping[str, bytes], scene: bytes | None
) -> tuple[Composition, Blobs]:
    """Return a composition with these cut-outs (PNG, by layer id) and this scene (PNG) in it.

    For what is found only some time after the rest was taken. A composition without a scene stays
    without one.
    """
    blobs = blobs | {digest_of(data): data for data in masks.values()}
    layers = tuple(
        msgspec.structs.replace(one, mask=digest_of(masks[one.id])) if one.id in masks else one
        for one in composition.layers
    )
    composition = msgspec.structs.replace(composition, layers=layers)
    if scene is not None and composition.scene is not None:
        blobs.pop(composition.scene.picture, None)
        digest = digest_of(scene)
        blobs[digest] = scene
        placed = msgspec.structs.replace(composition.scene, picture=digest)
        composition = msgspec.structs.replace(composition, scene=placed)
    return composition, blobs


def with_controls(
    composition: Composition,
    blobs: Blobs,
    pictures: Mapping[str, bytes],
    strength: float,
    end: float,
) -> tuple[Composition, Blobs]:
    """Return a composition whose canvas follows these pictures (PNG, by kind), too."""
    added = tuple(
        Control(kind, digest_of(data), strength, 0.0, end) for kind, data in pictures.items()
    )
    blobs = blobs | {digest_of(data): data for data in pictures.values()}
    changed = msgspec.structs.replace(composition, control=composition.control + added)
    return validate(changed), blobs


def original(standee: StandeeScene) -> Composition:
    """Return the composition that the scene was set from; the default one if there was none."""
    try:
        return from_json(standee.origin) if standee.origin else Composition()
    except InvalidField:
        return Composition()


def load_into_scene(standee: StandeeScene, composition: Composition, picture: PictureOf) -> None:
    """Put a composition into a scene. `picture` returns the bytes of a digest.

    Layers that have the id of a present one keep what they are bound to. Raises `MissingBlob`.
    """
    bytes_of = {digest: picture(digest) for digest in composition.digests()}  # may raise: first
    names = {layer.picture: layer.name for layer in composition.layers if layer.picture}
    images = {
        digest: image_datablocks.image_of(data, names.get(digest) or "Standee picture")
        for digest, data in bytes_of.items()
    }
    standee.origin = to_json(
        msgspec.structs.replace(composition, layers=(), scene=None, control=())
    ).decode()
    standee.prompt = composition.prompt
    _show_canvas(standee, composition.canvas)
    _show_sampling(standee, composition.sampling)
    _show_scene(standee, composition.scene, images)
    standee.controls.clear()
    for control in composition.control:
        held = standee.controls.add()
        held.kind, held.layer_id = control.kind, control.layer or ""
        held.picture = images[control.picture]
        held.origin = msgspec.json.encode(control).decode()
    bound = {layer.layer_id: _bond(layer) for layer in standee.layers}
    standee.layers.clear()
    for layer in composition.layers:
        _show_layer(standee.layers.add(), layer, images, bound.get(layer.id))
    standee.active_layer = max(0, len(standee.layers) - 1)


# -- from properties -----------------------------------------------------------------------------


def _layer(
    shown: StandeeLayer, blobs: Blobs, masks: Mapping[str, bytes], later: Later | None
) -> Layer:
    digest = mask = None
    if shown.picture is not None:
        digest, picture = _encoded(
            shown.picture, f"The picture of the subject '{shown.name}'", later
        )
        blobs[digest] = picture
    elif not shown.prompt.strip():
        raise InvalidField(
            f"The subject {shown.name!r} has neither a picture nor words.",
            fix="Give it one of them in its settings, or remove the layer.",
        )
    if shown.layer_id in masks:
        mask = digest_of(masks[shown.layer_id])
        blobs[mask] = masks[shown.layer_id]
    elif shown.mask is not None:
        mask, data = _encoded(shown.mask, f"The cut-out of the subject '{shown.name}'", later)
        blobs[mask] = data
    origin = _origin(shown.origin)
    fields = {
        name: restore_float64(getattr(shown, name), origin.get(name)) for name in LAYER_FIELDS
    }
    fields["visible"] = shown.shown
    fields["group"] = shown.group or None
    return Layer(
        picture=digest,
        mask=mask,
        id=shown.layer_id,
        rect=_rect(shown, RECT_FIELDS, origin.get("rect")),
        **fields,
    )


def _encoded(image: bpy.types.Image, where: str, later: Later | None) -> tuple[str, bytes]:
    """Return (digest, bytes) of an image. Raises `BadPicture` and `TooLarge`, which say where it is.

    With `later`, one that takes long is put there, under a digest that only stands for it.
    """
    try:
        slow = image_datablocks.unencoded(image) if later is not None else None
        if slow is None or later is None:
            return image_datablocks.encode_image(image)
        stands_for = f"image {image.session_uid}".encode()
        later[digest_of(stands_for)] = slow
        return digest_of(stands_for), stands_for
    except StandeeError as error:
        error.message = f"{where} cannot be sent: {error.message}"
        raise


def _scene(
    standee: StandeeScene, blobs: Blobs, fresh: bytes | None, later: Later | None
) -> Scene | None:
    if fresh is not None:
        digest, data = digest_of(fresh), fresh
    elif standee.scene_source != "NONE" and standee.scene_picture is not None:
        digest, data = _encoded(standee.scene_picture, "The scene's picture", later)
    else:
        return None
    blobs[digest] = data
    kept = None
    if standee.scene_kept is not None:
        kept, data = _encoded(standee.scene_kept, "The mask of what is kept", later)
        blobs[kept] = data
    origin = _origin(standee.scene_origin)
    fields = {
        name: restore_float64(getattr(standee, prop), origin.get(name))
        for name, prop in SCENE_FIELDS.items()
    }
    rect = None
    if standee.use_scene_rect:
        names = {"x": "scene_x", "y": "scene_y", "w": "scene_width", "h": "scene_height"}
        rect = _rect(standee, names, origin.get("rect"))
    return Scene(picture=digest, kept=kept, rect=rect, **fields)


def _controls(standee: StandeeScene, blobs: Blobs, later: Later | None) -> tuple[Control, ...]:
    """Return the control pictures that came with a document, save those of layers that are gone."""
    found, layers = [], {layer.layer_id for layer in standee.layers}
    for held in standee.controls:
        if held.picture is None or (held.layer_id and held.layer_id not in layers):
            continue
        digest, data = _encoded(held.picture, "A control picture", later)
        blobs[digest] = data
        fields = _origin(held.origin) | {"picture": digest, "layer": held.layer_id or None}
        found.append(validate(fields, Control))
    return tuple(found)


def _canvas(standee: StandeeScene) -> Canvas:
    """Return the canvas; an opened one of odd size stays so until somebody sets another."""
    canvas, origin = standee.canvas(), original(standee).canvas
    return origin if standee.origin and round_to_cells(origin) == canvas else canvas


def _sampling(standee: StandeeScene) -> Sampling:
    origin = original(standee).sampling
    return Sampling(
        model=standee.model,
        steps=standee.steps or None,
        guidance=restore_float64(standee.guidance, origin.guidance)
        if standee.use_guidance
        else None,
        negative=standee.negative,
        seed=restore_float64(standee.seed, origin.seed),
        count=standee.count,
        loras=tuple(_lora(lora, origin) for lora in standee.loras if lora.path),
    )


def _lora(shown: StandeeLora, origin: Sampling) -> Lora:
    """Return a LoRA as the daemon finds it, which knows nothing of the .blend file's folder."""
    weights = {lora.path: lora.weight for lora in origin.loras}
    path = bpy.path.abspath(shown.path) if shown.path.startswith("//") else shown.path
    return Lora(path, restore_float64(shown.weight, weights.get(path)))


def _rect(holder: Any, names: dict[str, str], origin: dict[str, float] | None) -> Rect:
    origin = origin or {}
    return Rect(
        **{
            side: restore_float64(getattr(holder, name), origin.get(side))
            for side, name in names.items()
        }
    )


def _origin(text: str) -> dict[str, Any]:
    try:
        fields = msgspec.json.decode(text) if text else {}
    except msgspec.DecodeError:
        return {}
    return fields if isinstance(fields, dict) else {}


# -- to properties -------------------------------------------------------------------------------


def _show_canvas(standee: StandeeScene, canvas: Canvas) -> None:
    """The camera frame is the canvas, so the render gets its size."""
    standee.follow_render = False
    standee.canvas_width, standee.canvas_height = canvas.width, canvas.height
    render = standee.id_data.render
    render.resolution_x, render.resolution_y = canvas.width, canvas.height
    render.resolution_percentage = 100
    standee.canvas_side = max(standee.canvas_side, canvas.width, canvas.height)
    standee.follow_render = round_to_cells(canvas) == canvas


def _show_sampling(standee: StandeeScene, sampling: Sampling) -> None:
    standee.model = sampling.model
    standee.steps = sampling.steps or 0
    standee.use_guidance = sampling.guidance is not None
    if sampling.guidance is not None:
        standee.guidance = sampling.guidance
    standee.negative = sampling.negative
    standee.seed = as_float32(sampling.seed)
    standee.count = sampling.count
    standee.loras.clear()
    for lora in sampling.loras:
        shown = standee.loras.add()
        shown.path, shown.weight = lora.path, lora.weight


def _show_scene(
    standee: StandeeScene, scene: Scene | None, images: dict[str, bpy.types.Image]
) -> None:
    if scene is None:
        standee.scene_source = "NONE"
        standee.scene_picture = standee.scene_kept = None
        return
    standee.scene_source = "PICTURE"
    standee.scene_picture = images[scene.picture]
    standee.scene_kept = images.get(scene.kept or "")
    for name, prop in SCENE_FIELDS.items():
        setattr(standee, prop, getattr(scene, name))
    standee.use_scene_rect = scene.rect is not None
    if scene.rect is not None:
        standee.scene_x, standee.scene_y = scene.rect.x, scene.rect.y
        standee.scene_width, standee.scene_height = scene.rect.w, scene.rect.h
    standee.scene_origin = msgspec.json.encode(scene).decode()


def _show_layer(
    shown: StandeeLayer,
    layer: Layer,
    images: dict[str, bpy.types.Image],
    bond: tuple[Any, Any] | None,
) -> None:
    shown.layer_id = layer.id
    shown.picture = images.get(layer.picture or "")
    shown.mask = images.get(layer.mask or "")
    shown.rect = layer.rect
    for name in LAYER_FIELDS:
        setattr(shown, name, getattr(layer, name))
    shown.group = layer.group or ""
    shown.origin = msgspec.json.encode(layer).decode()
    if bond is not None:
        shown.bound_object, shown.bound_collection = bond


def _bond(layer: StandeeLayer) -> tuple[Any, Any]:
    return layer.bound_object, layer.bound_collection

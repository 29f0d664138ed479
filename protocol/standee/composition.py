"""The composition: what an artist arranged, as plain frozen data.

One document for scripts, the desktop editor, the Blender extension and the daemon. Every number is
bounded and finite, every list and text has a limit, unknown fields are ignored and missing ones
take their default. Pictures are named by the SHA-256 of their encoded bytes; the bytes travel
separately (see `document/` and `client/`).
"""

from __future__ import annotations

import inspect
import uuid
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from .errors import InvalidField
from .files import text_of
from .validation import convert

FORMAT_VERSION = 2
"""The version of the composition format; a document with a larger one is refused.

In version 1 `tau` and `scene_tau` were noise levels, and a scene's `blend` and `feather` px."""

Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Meta(max_length=2000)]
Name = Annotated[str, Meta(max_length=200)]
Unit = Annotated[float, Meta(ge=0.0, le=1.0)]
Share = Annotated[float, Meta(ge=0.0, le=0.5)]
Pixels = Annotated[int, Meta(ge=16, le=8192)]
Coordinate = Annotated[float, Meta(ge=-32768.0, le=32768.0)]
Extent = Annotated[float, Meta(gt=0.0, le=32768.0)]
Degrees = Annotated[float, Meta(ge=-36000.0, le=36000.0)]
Fit = Literal["contain", "cover", "stretch"]
ControlKind = Literal["depth", "normal", "lines", "pose"]

MAX_LAYERS = 100
MAX_LORAS = 8
MAX_CONTROLS = 16
MAX_CANVAS_AREA = 4096 * 4096


class Canvas(Struct, frozen=True):
    """The size of the picture in px: multiples of the model's patch (16 px for FLUX)."""

    width: Pixels = 512
    height: Pixels = 512


class Rect(Struct, frozen=True):
    """A rectangle in canvas px, y down; it may reach over the canvas."""

    x: Coordinate
    y: Coordinate
    w: Extent
    h: Extent


class Layer(Struct, frozen=True):
    """One subject of the picture: a cut-out that stands in a rectangle, or words for what shall be there.

    The rectangle with the picture in it, mirrored first where it is to `flip`, is turned about its
    centre by `rotation` degrees, clockwise as one looks at it. Where `opacity` is less than 1 it
    shows what is behind; at 0 it is as if hidden. Layers of one `group`, any text, are moved and
    turned together by editors. `mask` is a picture whose luminance (or alpha) is the cut-out;
    without one the picture's own alpha is.

    The strengths are for artists. `fidelity` goes from free (0, nothing is injected) to exact (1,
    the subject is held to the last step); at 0.5 its tokens are replaced down to the model's own
    threshold (tau in section 3.2 of the paper) and its latents held as strongly as suits the model.
    `light` goes from the subject's own (0) to the scene's (1). `variation` perturbs the subject's
    tokens, for another pose (section 3.3). `sharing` is how strongly late steps attend to the
    subject: 0 off, 1 as the paper.

    A layer without a `picture` is a rectangle of words: its `prompt` says what shall be there, and
    its mask, if it has one, is stretched over it. Of the strengths it knows `fidelity`, how long
    its words count there (0 never, 1 to the last step), and `opacity`, how much.
    """

    rect: Rect
    picture: Digest | None = None
    id: Annotated[str, Meta(min_length=1, max_length=64)] = field(
        default_factory=lambda: uuid.uuid4().hex
    )
    name: Name = ""
    mask: Digest | None = None
    fit: Fit = "contain"
    flip: bool = False
    rotation: Degrees = 0.0
    opacity: Unit = 1.0
    group: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    prompt: Text = ""
    fidelity: Unit = 0.5
    variation: Unit = 0.0
    sharing: Annotated[float, Meta(ge=0.0, le=2.0)] = 1.0
    light: Unit = 0.5
    visible: bool = True
    locked: bool = False

    @property
    def shown(self) -> bool:
        """Whether any of it is to be there: it is visible, and not wholly transparent."""
        return self.visible and self.opacity > 0


class Scene(Struct, frozen=True):
    """A given picture to compose into: subject-scene composition, inpainting and outpainting.

    The picture fills `rect` (the whole canvas without one). Pixels where the mask `kept` is white
    stay identical in the result; without a mask the whole rectangle is kept. Outside the kept
    region the picture is generated. Around each subject a band of `blend` may change too, for its
    shadow and its light. The seam is softened over `feather` inside the generated region. Both are
    shares of the canvas' shorter side.
    """

    picture: Digest
    rect: Rect | None = None
    kept: Digest | None = None
    fit: Fit = "cover"
    fidelity: Unit = 0.5
    blend: Share = 0.06
    feather: Share = 0.02


class Control(Struct, frozen=True):
    """A picture that tells the model how far things are, how they face, their lines or a body's pose.

    Depth is white where it is near; normals are the camera's, red to the right, green up, blue towards
    it; lines and poses are bright on black. Without a `layer`, the id of one, it covers the canvas;
    with one it is stretched over the layer's picture (its rectangle, if that has words alone), stands
    as the layer does, and counts where that is seen. It counts with `strength` from `start` to `end`,
    shares of the steps.
    """

    kind: ControlKind
    picture: Digest
    strength: Annotated[float, Meta(ge=0.0, le=2.0)] = 1.0
    start: Unit = 0.0
    end: Unit = 1.0
    layer: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class Lora(Struct, frozen=True):
    """A LoRA laid over the model, for a style or a thing that the model does not know.

    `path` is a safetensors file, a folder with one, a hub id, or `hub/id/file.safetensors`. At
    `weight` 1 it counts as it was trained; 0 switches it off, and less turns it around.
    """

    path: Annotated[str, Meta(min_length=1, max_length=1000)]
    weight: Annotated[float, Meta(ge=-4.0, le=4.0)] = 1.0


class Sampling(Struct, frozen=True):
    """How the picture is made; `None` is the model's own default.

    `model` is a bundled or configured name, a folder in diffusers layout or a hub id; `loras` are
    laid over it. `negative` says what the picture is guided away from, by models that are guided by
    a second forward. `count` pictures are made with the seeds `seed`, `seed + 1`, ...
    """

    model: Annotated[str, Meta(min_length=1, max_length=1000)] = "mini"
    steps: Annotated[int, Meta(ge=1, le=200)] | None = None
    guidance: Annotated[float, Meta(ge=0.0, le=50.0)] | None = None
    negative: Text = ""
    seed: Annotated[int, Meta(ge=0, le=2**53)] = 0
    count: Annotated[int, Meta(ge=1, le=64)] = 1
    loras: Annotated[tuple[Lora, ...], Meta(max_length=MAX_LORAS)] = ()


class Method(Struct, frozen=True):
    """The method's switches, for experiments; `None` is the model's own default.

    `tau` and `scene_tau` are the shares of the time down to which tokens of subjects (at fidelity
    0.5) and of the scene are replaced: at 0.5 in the first half of the steps. `inject` turns the
    replacement off, `sharing` the attention of the late steps. `anchor` is how strongly the latents
    are held beside it, 0 (not at all) to 1; with 0 a scene too comes in by its tokens alone. `detail` is
    how much of what the autoencoder loses of a subject is laid back over it. `share_by` is how the
    picture sees its subjects where sharing is on, once their tokens are not replaced: by the
    `attention`, or as the reference `input` that some models were trained with. `collage` shows
    these the layers pasted onto their place as the first reference, and each subject as a further
    one. `join_words` lets the words of visible layers join a prompt that lacks them. `gamma` < 1
    takes a reference's trajectory from RF-Inversion instead of the straight line, at one network
    pass a step. `mode` `edit` is what people do without the method, to compare with: a collage that
    the model goes over.
    """

    mode: Literal["inject", "edit"] | None = None
    tau: Unit | None = None
    scene_tau: Unit | None = None
    inject: bool | None = None
    anchor: Unit | bool | None = None
    sharing: bool | None = None
    share_by: Literal["attention", "input"] | None = None
    collage: bool | None = None
    detail: Unit | None = None
    join_words: bool | None = None
    gamma: Unit | None = None


class Composition(Struct, frozen=True):
    """Everything that decides the pixels of a result, save the bytes of the pictures it names.

    Layers are ordered bottom to top: later ones stand in front.
    """

    canvas: Canvas = Canvas()
    prompt: Text = ""
    layers: Annotated[tuple[Layer, ...], Meta(max_length=MAX_LAYERS)] = ()
    scene: Scene | None = None
    sampling: Sampling = Sampling()
    method: Method = Method()
    version: Annotated[int, Meta(ge=1)] = FORMAT_VERSION
    control: Annotated[tuple[Control, ...], Meta(max_length=MAX_CONTROLS)] = ()

    def digests(self) -> frozenset[str]:
        """Return the digests of all pictures and masks that it names, hidden layers included."""
        named = [layer.picture for layer in self.layers] + [layer.mask for layer in self.layers]
        if self.scene is not None:
            named += [self.scene.picture, self.scene.kept]
        named += [control.picture for control in self.control]
        return frozenset(digest for digest in named if digest)

    def counting_controls(self) -> list[tuple[int, Control]]:
        """Return the control pictures that count, with their places in the list."""
        hidden = {layer.id for layer in self.layers if not layer.shown}
        return [
            (index, one)
            for index, one in enumerate(self.control)
            if one.strength > 0 and one.layer not in hidden
        ]


def validate(data: Any, kind: type = Composition) -> Any:
    """Return `data` (maps and lists, msgpack as `msgspec.Raw`, or a composition) as a checked `kind`.

    Raises `InvalidField`, which names the field, what is wrong with it and what would be right.
    """
    version = _version_of(data) if kind is Composition else None
    if isinstance(version, int):
        _check_version(version)  # a newer format may break other rules: the reason comes first
    checked = _upgrade(convert(data, _Old)) if version == 1 else convert(data, kind)
    if isinstance(checked, Composition):
        _check_composition(checked)
    return checked


def from_json(text: str | bytes) -> Composition:
    """Read a composition from JSON text. Raises `InvalidField`."""
    try:
        data = msgspec.json.decode(text_of(text) if isinstance(text, bytes) else text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        reason, _, _ = str(error).partition(" - at ")
        raise InvalidField(
            f"The text cannot be read as JSON ({reason}).",
            path="$",
            fix="Check the text for a missing quote, comma or bracket.",
        ) from None
    checked: Composition = validate(data)
    return checked


def to_json(composition: Composition) -> bytes:
    """Return the composition as indented JSON with every field in it."""
    return msgspec.json.format(msgspec.json.encode(composition), indent=2)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a composition, for programs in other languages."""
    _, types = msgspec.json.schema_components((Composition,), ref_template="#/$defs/{name}")
    for each in types.values():
        each["description"] = inspect.cleandoc(each["description"])
    whole = types.pop("Composition")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **whole, "$defs": types}


class _Versioned(Struct):
    version: int = FORMAT_VERSION


class _OldScene(Scene, frozen=True):
    """The scene of a composition of format version 1: `blend` and `feather` are px."""

    blend: Annotated[float, Meta(ge=0.0)] | None = None  # type: ignore[assignment]
    feather: Annotated[float, Meta(ge=0.0)] | None = None  # type: ignore[assignment]


class _Old(Composition, frozen=True):
    """A composition of format version 1."""

    scene: _OldScene | None = None


def _version_of(data: Any) -> Any:
    """Return what a composition that is not checked yet calls its version."""
    if isinstance(data, msgspec.Raw):
        try:
            return msgspec.msgpack.decode(data, type=_Versioned).version
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None  # what is wrong is found when all of it is checked
    return data.get("version") if isinstance(data, dict) else None


def _check_version(version: int) -> None:
    if version > FORMAT_VERSION:
        raise InvalidField(
            f"The composition has format version {version}; this Standee reads up to"
            f" {FORMAT_VERSION}.",
            path="$.version",
            fix="Update Standee.",
        )


def _upgrade(old: _Old) -> Composition:
    """Return a composition of format version 1 as one of today's: what was px becomes a share of the canvas.

    Thresholds that were noise levels are left to the model: the same share of the steps differs between models.
    """
    scene, before = None, old.scene
    if before is not None:
        scene = Scene(before.picture, before.rect, before.kept, before.fit, before.fidelity)
        shorter = min(old.canvas.width, old.canvas.height)
        given = {"blend": before.blend, "feather": before.feather}
        shares = {name: min(0.5, px / shorter) for name, px in given.items() if px is not None}
        scene = msgspec.structs.replace(scene, **shares)
    method = msgspec.structs.replace(old.method, tau=None, scene_tau=None)
    return Composition(old.canvas, old.prompt, old.layers, scene, old.sampling, method)


def _check_composition(composition: Composition) -> None:
    _check_version(composition.version)
    canvas = composition.canvas
    if canvas.width * canvas.height > MAX_CANVAS_AREA:
        raise InvalidField(
            f"A canvas of {canvas.width} x {canvas.height} px is too large.",
            path="$.canvas",
            fix=f"Use at most {MAX_CANVAS_AREA:,} px in all.",
        )
    seen: set[str] = set()
    for index, layer in enumerate(composition.layers):
        if layer.id in seen:
            raise InvalidField(
                "Two layers have the same id.",
                path=f"$.layers[{index}].id",
                fix="Give each layer its own id.",
            )
        if layer.picture is None and not layer.prompt.strip():
            raise InvalidField(
                "The layer has neither a picture nor words.",
                path=f"$.layers[{index}].picture",
                fix="Give it a picture, or say in `prompt` what shall be in its rectangle.",
            )
        seen.add(layer.id)
    paths = [lora.path for lora in composition.sampling.loras]
    for index, path in enumerate(paths):
        if path in paths[:index]:
            raise InvalidField(
                "This LoRA is in the list already.",
                path=f"$.sampling.loras[{index}].path",
                fix="Name each once; its weight says how much it counts.",
            )
    for index, control in enumerate(composition.control):
        _check_control(control, f"$.control[{index}]", seen)


def _check_control(control: Control, path: str, layers: set[str]) -> None:
    if control.layer is not None and control.layer not in layers:
        raise InvalidField(
            f"There is no layer with the id {control.layer!r}.",
            path=f"{path}.layer",
            fix="Give the id of a layer, or none for the whole canvas.",
        )
    if control.end <= control.start:
        raise InvalidField(
            f"The control ends (at {control.end:g}) before it starts (at {control.start:g}).",
            path=f"{path}.end",
            fix="Give an end after the start: 0 is the first step, 1 the last.",
        )


def resized(composition: Composition, width: int, height: int) -> Composition:
    """Return the composition on a canvas of another size, with everything on it scaled along."""
    x, y = width / composition.canvas.width, height / composition.canvas.height
    replace = msgspec.structs.replace

    def scaled(rect: Rect) -> Rect:
        return Rect(rect.x * x, rect.y * y, rect.w * x, rect.h * y)

    scene = composition.scene
    if scene is not None:
        scene = replace(scene, rect=scene.rect and scaled(scene.rect))
    return replace(
        composition,
        canvas=replace(composition.canvas, width=width, height=height),
        layers=tuple(replace(layer, rect=scaled(layer.rect)) for layer in composition.layers),
        scene=scene,
    )

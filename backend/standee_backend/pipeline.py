"""A pipeline for notebooks: the engine in this very process, in the idiom of diffusers.

    from standee_backend import StandeePipeline, Subject

    pipe = StandeePipeline.from_pretrained("mini")
    cat = Subject("cat.png", rect=(96, 64, 128, 160), prompt="a cat")
    pipe("a cat on the beach", layers=[cat]).images[0].save("out.png")

It plans memory, lays LoRAs and keeps captured tokens as the daemon's worker does; there is no daemon.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from PIL import Image
from tqdm.auto import tqdm  # type: ignore[import-untyped]

from standee.composition import Composition, Control, Layer, Method, validate
from standee.errors import BadPicture, InvalidField
from standee.pictures import decode
from standee.wire.events import Preview, Progress, Result
from standee.wire.notes import Note

from .catalog import catalog, needed
from .engine.layout import Layout, lay_out
from .hardware.options import check
from .layout_picture import draw_layout
from .worker.job_runner import JobRunner

LATENT_PX = 8
USUAL_SIZE = 1024
"""The canvas of models that name none, px."""

Picture = str | Path | bytes | Image.Image | NDArray[np.uint8]
"""A file, the bytes of one, a Pillow image, or an array (height, width, 3 or 4)."""

OnStepEnd = Callable[["StandeePipeline", int, int, dict[str, Any]], dict[str, Any]]
"""Called after a step with the pipeline, the step, the time left of 1000 and `{"image": a preview or None}`."""


class Subject:
    """A layer: a picture in its rectangle (x, y, width, height) in px of the canvas, or words for what shall be there.

    `fields` are those of `standee.Layer`: prompt, fidelity, light, variation, rotation, and so on.
    """

    def __init__(
        self,
        picture: Picture | None,
        rect: tuple[float, float, float, float],
        *,
        mask: Picture | None = None,
        **fields: Any,
    ) -> None:
        self.picture, self.rect, self.mask, self.fields = picture, rect, mask, fields


class ControlImage:
    """A picture that says where things are: how far (`depth`), how they face (`normal`), `lines`, or a `pose`.

    It covers the canvas, or the subject whose number in the layers is `layer`. `fields` are those of `standee.Control`:
    strength, and the steps' shares start and end.
    """

    def __init__(
        self, kind: str, picture: Picture, *, layer: int | None = None, **fields: Any
    ) -> None:
        self.kind, self.picture, self.layer, self.fields = kind, picture, layer, fields


@dataclass(frozen=True)
class StandeeOutput:
    """Composed `images`, with the `notes` of what is not as it was asked, and each one's receipt."""

    images: list[Image.Image]
    notes: tuple[Note, ...]
    receipts: list[dict[str, Any]]

    def _repr_png_(self) -> bytes:
        """Show the images side by side."""
        width = sum(image.width for image in self.images)
        sheet = Image.new("RGB", (width, max(image.height for image in self.images)), "white")
        left = 0
        for image in self.images:
            sheet.paste(image, (left, 0))
            left += image.width
        return _png(sheet)


@dataclass(frozen=True)
class LayoutView:
    """Where the subjects stand, and the token cells that each of them owns."""

    layout: Layout

    def _repr_png_(self) -> bytes:
        return _png(draw_layout(self.layout))


class StandeePipeline:
    """Composes subjects into a scene, with one model; see `from_pretrained`."""

    def __init__(self, runner: JobRunner, model: str, *, download: bool = False) -> None:
        self.interrupt = False
        self._runner, self._model, self._download = runner, catalog.find(model), download
        self._name = model
        self._blobs: dict[str, bytes] = {}
        self._bar: dict[str, Any] = {}

    @classmethod
    def from_pretrained(
        cls, model: str = "mini", *, download: bool = False, **options: Any
    ) -> StandeePipeline:
        """Return the pipeline of a model: a name, a folder in diffusers' layout, a file, or a hub id.

        It is loaded when the first picture is composed, which decides how. `options` are those of the daemon: device,
        dtype, offload, quantization, memory. Only with `download` is anything brought from the hub. Raises
        `UnknownModel`, `InvalidField` and `MissingDependency`.
        """
        pipeline = cls(JobRunner(check(options)), model, download=download)
        pipeline._check_here(Composition())
        return pipeline

    def set_progress_bar_config(self, **config: Any) -> None:
        """Set what tqdm is given: `disable=True` for none."""
        self._bar = config

    def __call__(
        self,
        prompt: str = "",
        *,
        layers: Sequence[Subject] = (),
        scene: Picture | None = None,
        kept: Picture | None = None,
        width: int | None = None,
        height: int | None = None,
        negative_prompt: str = "",
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        num_images_per_prompt: int = 1,
        seed: int = 0,
        loras: Sequence[tuple[str, float]] = (),
        control: Sequence[ControlImage] = (),
        callback_on_step_end: OnStepEnd | None = None,
        **method: Any,
    ) -> StandeeOutput:
        """Compose. Layers stand in front of those before them; `scene` is what they stand in, where it is given.

        Of the scene those pixels are kept identical where `kept` is white, all without it. Sizes are px, by default the
        scene's or the model's. `control` pictures say where things are; `docs/models.md` says which models take which.
        `method` are the switches of `standee.Method`. To stop, set `interrupt` in the callback: that raises
        `JobCancelled`. Raises `StandeeError`s, which name the field.
        """
        composition = self.composition(
            prompt, layers=layers, scene=scene, kept=kept, width=width, height=height,
            negative_prompt=negative_prompt, num_inference_steps=num_inference_steps,
            guidance_scale=guidance_scale, num_images_per_prompt=num_images_per_prompt,
            seed=seed, loras=loras, control=control, **method,
        )  # fmt: skip
        self._check_here(composition)
        self.interrupt = False
        preview: list[Image.Image] = []
        with tqdm(**{"desc": "Composing", **self._bar}) as bar:

            def report(event: Progress | Preview) -> None:
                if isinstance(event, Preview):
                    preview[:] = [Image.open(io.BytesIO(event.data))]
                    return
                bar.set_description(event.stage.capitalize(), refresh=False)
                if event.stage != "denoising":
                    return
                bar.total = event.of
                bar.update(event.step - bar.n)
                if callback_on_step_end:
                    left = round(1000 * (1 - event.step / event.of))
                    shown = {"image": preview.pop() if preview else None}
                    callback_on_step_end(self, event.step - 1, left, shown)

            finished = self._runner.run(
                composition, self._model, self._blobs.__getitem__, report, lambda: self.interrupt
            )
            results: list[Result] = [finish() for finish in finished]
        return StandeeOutput(
            [Image.open(io.BytesIO(one.data)).convert("RGB") for one in results],
            results[-1].notes,
            [dict(one.receipt) for one in results],
        )

    def layout(self, *, layers: Sequence[Subject], **more: Any) -> LayoutView:
        """Return where layers stand, as `__call__` with the same arguments composes them."""
        composition = self.composition(layers=layers, **more)
        read = self._blobs.__getitem__
        return LayoutView(lay_out(composition, read, self._model.patch, LATENT_PX))

    def composition(
        self,
        prompt: str = "",
        *,
        layers: Sequence[Subject] = (),
        scene: Picture | None = None,
        kept: Picture | None = None,
        width: int | None = None,
        height: int | None = None,
        negative_prompt: str = "",
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        num_images_per_prompt: int = 1,
        seed: int = 0,
        loras: Sequence[tuple[str, float]] = (),
        control: Sequence[ControlImage] = (),
        **method: Any,
    ) -> Composition:
        """Return what `__call__` composes, as scripts hand it to a daemon. Raises `InvalidField` and `BadPicture`."""
        ground: dict[str, Any] | None = None
        size = [self._model.size or USUAL_SIZE] * 2
        if scene is not None:
            ground = {"picture": self._add(scene, "$.scene.picture")}
            size = list(decode(self._blobs[ground["picture"]], path="$.scene.picture").size)
            size = [side // self._model.patch * self._model.patch for side in size]
            if kept is not None:
                ground["kept"] = self._add(kept, "$.scene.kept")
        _check_names(method, Method, "$.method")
        given = {
            "canvas": {"width": width or size[0], "height": height or size[1]},
            "prompt": prompt,
            "layers": [self._layer(index, subject) for index, subject in enumerate(layers)],
            "scene": ground,
            "sampling": {
                "model": self._name,
                "seed": seed,
                "steps": num_inference_steps,
                "guidance": guidance_scale,
                "negative": negative_prompt,
                "count": num_images_per_prompt,
                "loras": [{"path": path, "weight": weight} for path, weight in loras],
            },
            "control": [self._control(index, one) for index, one in enumerate(control)],
            "method": method,
        }
        checked: Composition = validate(given)
        return checked

    def _layer(self, index: int, subject: Subject) -> dict[str, Any]:
        path = f"$.layers[{index}]"
        _check_names(subject.fields, Layer, path)
        given = dict(subject.fields) | {"id": str(index)}
        given["rect"] = dict(zip("xywh", subject.rect, strict=True))
        for name, picture in (("picture", subject.picture), ("mask", subject.mask)):
            if picture is not None:
                given[name] = self._add(picture, f"{path}.{name}")
        return given

    def _control(self, index: int, control: ControlImage) -> dict[str, Any]:
        path = f"$.control[{index}]"
        _check_names(control.fields, Control, path)
        given = dict(control.fields) | {"kind": control.kind}
        given["picture"] = self._add(control.picture, f"{path}.picture")
        if control.layer is not None:
            given["layer"] = str(control.layer)
        return given

    def _check_here(self, composition: Composition) -> None:
        """Raise `DownloadNeeded` for what a composition lacks, where nothing is to be downloaded."""
        if not self._download:
            needed.check(needed.by_composition(self._model, composition))

    def _add(self, picture: Picture, path: str) -> str:
        """Keep a picture's bytes, and return their digest."""
        if isinstance(picture, str | Path):
            try:
                data = Path(picture).expanduser().read_bytes()
            except OSError as error:
                raise BadPicture(f"{picture} cannot be read: {error}.", path=path) from None
        elif isinstance(picture, bytes):
            data = picture
        else:
            data = _png(picture if isinstance(picture, Image.Image) else Image.fromarray(picture))
        digest = hashlib.sha256(data).hexdigest()
        self._blobs[digest] = data
        return digest


def _check_names(given: Mapping[str, Any], kind: type[Struct], path: str) -> None:
    """Raise `InvalidField` for a name that `kind` has no field of."""
    for name in given:
        if name not in kind.__struct_fields__:
            raise InvalidField(
                f"There is no {name}.", path=f"{path}.{name}", fix="See `standee.composition`."
            )


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()

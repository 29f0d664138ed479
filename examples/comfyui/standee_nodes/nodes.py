"""The nodes: what each takes, and what it hands on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import torch

from standee import Canvas, Composition, Layer, Rect, Sampling, Scene
from standee.composition import validate
from standee.images import digest_of

from .daemon_jobs import run_job
from .tensors import images_of_png, png_of_image, png_of_mask

SUBJECTS, SCENE = "STANDEE_SUBJECTS", "STANDEE_SCENE"
TRANSPARENT, SUBJECT = "transparent", "subject"
"""What is white in a mask: what is to go, as *Load Image* has it, or what stays, as segmentation nodes have it."""
LARGEST, FARTHEST = 8192, 32768
LAST_SEED = 2**53


def whole(
    default: int, least: int, most: int, said: str, **more: Any
) -> tuple[str, dict[str, Any]]:
    """Return an input for a whole number."""
    return "INT", {"default": default, "min": least, "max": most, "tooltip": said, **more}


def share(default: float, said: str, most: float = 1.0) -> tuple[str, dict[str, Any]]:
    """Return an input for a strength from 0 on."""
    return "FLOAT", {"default": default, "min": 0.0, "max": most, "step": 0.01, "tooltip": said}


@dataclass(frozen=True)
class Standing:
    """A layer at its height `z`, and the pictures that it names, by digest."""

    layer: Layer
    z: int
    pictures: dict[str, bytes]


@dataclass(frozen=True)
class Place:
    """A scene, and the pictures that it names, by digest."""

    scene: Scene
    pictures: dict[str, bytes]


class StandeeSubject:
    """A cut-out picture that stands in a rectangle of the canvas."""

    DESCRIPTION = (
        "A subject that stands in its rectangle and keeps its looks. Chain several by `subjects`."
    )
    CATEGORY = "Standee"
    RETURN_TYPES = (SUBJECTS,)
    RETURN_NAMES = ("subjects",)
    FUNCTION = "stand"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """Return what the node takes."""
        return {
            "required": {
                "image": ("IMAGE", {"tooltip": "One picture of the subject."}),
                "x": whole(0, -FARTHEST, FARTHEST, "Left edge of the rectangle, px of the canvas."),
                "y": whole(0, -FARTHEST, FARTHEST, "Upper edge of the rectangle, px."),
                "width": whole(256, 1, FARTHEST, "Width of the rectangle, px."),
                "height": whole(256, 1, FARTHEST, "Height of the rectangle, px."),
                "fidelity": share(0.5, "How closely it keeps its looks: 0 free, 1 exact."),
                "z": whole(0, -1000, 1000, "Higher stands in front; of equals the later one does."),
            },
            "optional": {
                "mask": ("MASK", {"tooltip": "Its cut-out. Without one its own transparency is."}),
                "mask_white_is": ([TRANSPARENT, SUBJECT], {"default": TRANSPARENT}),
                "prompt": ("STRING", {"default": "", "tooltip": "What it is, in words."}),
                "light": share(0.5, "Whose light it is in: 0 its own, 1 the scene's."),
                "variation": share(0.0, "How freely it may take another pose."),
                "rotation": (
                    "FLOAT",
                    {"default": 0.0, "min": -360.0, "max": 360.0, "step": 1.0},
                ),
                "subjects": (SUBJECTS, {"tooltip": "Those that stand there already."}),
            },
        }

    def stand(
        self,
        image: torch.Tensor,
        x: int,
        y: int,
        width: int,
        height: int,
        fidelity: float,
        z: int,
        mask: torch.Tensor | None = None,
        mask_white_is: str = TRANSPARENT,
        subjects: tuple[Standing, ...] = (),
        **more: Any,
    ) -> tuple[tuple[Standing, ...]]:
        """Return the subjects so far, with this one."""
        picture = png_of_image(image, "The subject's image")
        cut = None
        if mask is not None:
            cut = png_of_mask(mask, "The subject's mask", mask_white_is == TRANSPARENT)
        pictures = {digest_of(one): one for one in (picture, cut) if one is not None}
        layer = Layer(
            rect=Rect(x, y, width, height),
            picture=digest_of(picture),
            mask=None if cut is None else digest_of(cut),
            fidelity=fidelity,
            id=f"subject-{len(subjects) + 1}",  # the same graph is the same picture
            **more,
        )
        return ((*subjects, Standing(layer, z, pictures)),)


class StandeeScene:
    """A picture behind the subjects, of which all or a part stays as it is."""

    DESCRIPTION = (
        "A picture to compose into. What is white in `mask` is painted anew, as in inpainting."
    )
    CATEGORY = "Standee"
    RETURN_TYPES = (SCENE,)
    RETURN_NAMES = ("scene",)
    FUNCTION = "place"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """Return what the node takes."""
        return {
            "required": {
                "image": ("IMAGE", {"tooltip": "One picture; it covers the canvas."}),
                "fidelity": share(0.5, "How closely what is painted anew follows it."),
                "blend": share(
                    0.06, "The band around subjects that may change, of the canvas.", 0.5
                ),
            },
            "optional": {
                "mask": (
                    "MASK",
                    {"tooltip": "White is painted anew; without a mask all of it stays."},
                )
            },
        }

    def place(
        self, image: torch.Tensor, fidelity: float, blend: float, mask: torch.Tensor | None = None
    ) -> tuple[Place]:
        """Return the scene."""
        picture = png_of_image(image, "The scene's image")
        kept = None if mask is None else png_of_mask(mask, "The scene's mask", inverted=True)
        pictures = {digest_of(one): one for one in (picture, kept) if one is not None}
        scene = Scene(
            digest_of(picture),
            kept=None if kept is None else digest_of(kept),
            fidelity=fidelity,
            blend=blend,
        )
        return (Place(scene, pictures),)


class StandeeCompose:
    """The picture that a Standee daemon composes."""

    DESCRIPTION = "Has a Standee daemon compose the subjects, before the scene, into one picture."
    CATEGORY = "Standee"
    RETURN_TYPES = ("IMAGE", "STRING")
    RETURN_NAMES = ("image", "receipt")
    OUTPUT_TOOLTIPS = ("The pictures, one for each seed.", "How the first was made, in JSON.")
    FUNCTION = "compose"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """Return what the node takes."""
        words: dict[str, Any] = {"default": "", "multiline": True}
        seed = whole(
            0, 0, LAST_SEED, "Another number, another picture.", control_after_generate=True
        )
        return {
            "required": {
                "prompt": ("STRING", words | {"tooltip": "Words for the whole picture."}),
                "width": whole(512, 16, LARGEST, "Width of the canvas, px.", step=16),
                "height": whole(512, 16, LARGEST, "Height of the canvas, px.", step=16),
                "model": (
                    "STRING",
                    {
                        "default": "mini",
                        "tooltip": "A name of `standee models`, a folder or a hub id.",
                    },
                ),
                "seed": seed,
                "steps": whole(0, 0, 200, "0: as many as suit the model."),
                "count": whole(1, 1, 64, "How many pictures, with seeds one after another."),
            },
            "optional": {
                "subjects": (SUBJECTS,),
                "scene": (SCENE,),
                "negative": ("STRING", words | {"tooltip": "What it is guided away from."}),
                "connection": (
                    "STRING",
                    {
                        "default": "",
                        "tooltip": "The file of `standee pair` for a daemon elsewhere; empty: your own.",
                    },
                ),
            },
        }

    def compose(
        self,
        prompt: str,
        width: int,
        height: int,
        model: str,
        seed: int,
        steps: int,
        count: int,
        subjects: tuple[Standing, ...] = (),
        scene: Place | None = None,
        negative: str = "",
        connection: str = "",
    ) -> tuple[torch.Tensor, str]:
        """Return the pictures as a batch, and the receipt of the first."""
        sampling = Sampling(
            model=model.strip(), seed=seed, steps=steps or None, count=count, negative=negative
        )
        ordered = sorted(subjects, key=lambda one: one.z)
        composition: Composition = validate(
            Composition(
                canvas=Canvas(width, height),
                prompt=prompt,
                layers=tuple(one.layer for one in ordered),
                scene=None if scene is None else scene.scene,
                sampling=sampling,
            )
        )
        pictures = {} if scene is None else dict(scene.pictures)
        for one in ordered:
            pictures |= one.pictures
        results = run_job(composition, pictures, connection)
        receipt = json.dumps(results[0].receipt, indent=2)
        return images_of_png([one.data for one in results]), receipt

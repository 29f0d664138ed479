"""Staging of control pictures: laid on the canvas as their layers stand, and encoded for the model.

Control pictures of one kind, with the same strength and the same steps, make one picture: that of the canvas with those
of layers over it, back to front, as far as each layer is seen. A layer without one hides what is behind it down to the
canvas' own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace as replace_data

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from standee.composition import Composition, Control, ControlKind, Rect
from standee.errors import InvalidField

from ...catalog.control_nets import not_taken
from ..families.base import Family
from ..families.control import ControlPart
from ..layout import Layout, PlacedSubject, Read
from ..pixels import images
from ..pixels.images import Array, Picture

EMPTY: dict[ControlKind, tuple[float, float, float]] = {
    "depth": (0.0, 0.0, 0.0),
    "normal": (0.5, 0.5, 1.0),
    "lines": (0.0, 0.0, 0.0),
    "pose": (0.0, 0.0, 0.0),
}
"""What each kind shows where there is nothing: far, facing the camera, no line."""

Member = tuple[int, Control]


@dataclass(frozen=True, eq=False)
class StagedControl:
    """A control picture over the whole canvas, encoded, with the strength and the shares of the steps of `control`."""

    control: Control
    picture: Tensor
    cover: Tensor | None

    def at(self, step: int, steps: int) -> ControlPart | None:
        """Return what a step (0 is the first) is told; in one that a bound falls into, in part."""
        control = self.control
        ends = min(control.end * steps, step + 1), max(control.start * steps, step)
        share = round(ends[0] - ends[1], 6)
        if share <= 0:
            return None
        return ControlPart(control.kind, self.picture, control.strength * share, self.cover)


def controls_at(staged: Sequence[StagedControl], step: int, steps: int) -> list[ControlPart]:
    """Return what all control pictures tell a step."""
    return [part for one in staged if (part := one.at(step, steps)) is not None]


def stage_controls(
    family: Family, composition: Composition, layout: Layout, read: Read
) -> list[StagedControl]:
    """Lay out and encode the control pictures of a composition that count.

    Raises `InvalidField` for a kind that the model does not take, and `BadPicture`.
    """
    groups: dict[tuple[ControlKind, float, float, float], list[Member]] = {}
    for index, control in composition.counting_controls():
        if not family.takes_control(control.kind):
            raise not_taken(control.kind, index)
        key = control.kind, control.strength, control.start, control.end
        groups.setdefault(key, []).append((index, control))
    if len(groups) > 1 and not family.control_net:
        raise InvalidField(
            "This model sees one control picture.",
            path=f"$.control[{list(groups.values())[1][0][0]}]",
            fix="Give all of them one kind, strength, start and end; they are laid into one picture then.",
        )
    staged = []
    for members in groups.values():
        pixels, cover = lay_controls(members, composition, layout, read)
        if not cover.any():
            continue
        kind = members[0][1].kind
        cells = torch.from_numpy(cover.ravel()).to(family.device)
        with torch.no_grad():
            picture = family.encode_control(kind, images.to_tensor(pixels))
        staged.append(StagedControl(members[0][1], picture, None if cover.min() >= 1 else cells))
    return staged


def lay_controls(
    members: Sequence[Member], composition: Composition, layout: Layout, read: Read
) -> tuple[Array, Array]:
    """Return one picture (height, width, 3) of control pictures of one kind, and how much they cover of each cell.

    The latter has the grid's shape (rows, columns).
    """
    canvas = layout.grid.rect(layout.patch)
    empty = np.array(EMPTY[members[0][1].kind], np.float32)
    ground = np.broadcast_to(empty, (round(canvas.h), round(canvas.w), 3))
    cover = np.zeros(ground.shape[:2], np.float32)
    bound: dict[str, Image.Image] = {}
    for index, control in members:
        image = images.decode(read(control.picture), f"$.control[{index}].picture")
        if control.layer is None:
            whole = Picture.build(image)
            colour, matte, _ = whole.paint(canvas, "cover", canvas)
            weight = np.ones_like(matte) if image.mode == "RGB" else matte
            ground = _over(ground, colour, weight)
            cover = weight + (1 - weight) * cover
        else:
            bound[control.layer] = _opaque(image, empty)
    pixels, covered = ground, cover
    if bound:
        for subject in sorted((*layout.subjects, *layout.regions), key=lambda one: one.index):
            layer = composition.layers[subject.index]
            given = bound.get(layer.id)
            if given is None:
                _, matte, _ = subject.paint(canvas, layout.patch)
                colour, full = ground, cover
            else:
                colour, matte = _laid(subject, images.stood(given, layer), canvas, layout.patch)
                full = np.ones_like(cover)
            weight = subject.layer.opacity * matte
            pixels = _over(pixels, colour, weight)
            covered = weight * full + (1 - weight) * covered
    return pixels.astype(np.float32), images.block_mean(covered, layout.patch).astype(np.float32)


def _laid(
    subject: PlacedSubject, given: Image.Image, canvas: Rect, patch: int
) -> tuple[Array, Array]:
    """Return a control picture stretched over its layer's picture, where that stands, and the layer's cut-out."""
    own = subject.picture
    if subject.layer.picture is None:  # a rectangle of words, whose picture is a blank px
        soft = own.matte.resize(given.size)
        picture = replace_data(own, colour=given, matte=soft, size=given.size, factor=1)
    else:
        lanczos = Image.Resampling.LANCZOS
        picture = replace_data(own, colour=given.resize(own.colour.size, lanczos))
    picture = replace_data(picture, own_surroundings=True)
    colour, matte, _ = replace_data(subject, picture=picture).paint(canvas, patch)
    return colour, matte


def _opaque(image: Image.Image, empty: Array) -> Image.Image:
    """Return a picture without its transparency, over what shows nothing."""
    if image.mode == "RGB":
        return image
    ground = Image.new("RGB", image.size, tuple(round(255 * float(part)) for part in empty))
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def _over(below: Array, above: Array, weight: Array) -> Array:
    return weight[..., None] * above + (1 - weight[..., None]) * below

"""Settings of the method: what a composition asks for over a model's defaults; what `fidelity` means.

A subject comes in by two doors, one after the other. By the first its tokens replace the picture's, and an anchor holds
it: that gives place, pose and order in depth exactly. By the second the picture sees it beside itself: as the reference
input that the model was trained with, or else by sharing its tokens with the attention. `fidelity` moves from the one
to the other: down to the time `threshold` it is the first, from there on the second, and in the step between both
count in part. At 1 the first is open to the last step; at 0 it is shut, and the subject's pose is free. On the way
there the anchor lets go (`strength`), and shared tokens leave their own cells for those that they resemble (`freedom`).
`light` says how much of its colour and shading the anchor leaves to the picture (`left_to_light`).
"""

from __future__ import annotations

from standee.composition import Composition, Method
from standee.errors import InvalidField

from ..catalog.sampling_defaults import SamplingDefaults
from .families.base import Family

FREE = 1.0
"""The threshold that no time is above: tokens are never replaced."""

EVENLY = 1.4
"""The power by which the anchor gains strength: with it identity rises evenly, at 4, 8 and 20 steps."""

FOLLOWED = 0.25
"""About the share of the way to the scene's light that a prediction goes in a step where nothing holds it. With it the
light of the result changes evenly."""


def resolve(family: Family, composition: Composition) -> SamplingDefaults:
    """Return the family's defaults with everything that the composition chooses laid over them."""
    method, sampling = composition.method, composition.sampling
    chosen = {name: getattr(method, name) for name in Method.__struct_fields__}
    chosen |= {"steps": sampling.steps, "guidance": sampling.guidance}
    settings = family.defaults.having(chosen)
    if settings.share_by == "input" and not family.takes_references:
        raise InvalidField(
            "This model was not trained to take reference pictures.",
            path="$.method.share_by",
            fix="Use attention; docs/models.md says which models take them.",
        )
    if settings.collage and not (settings.share_by == "input" and settings.sharing):
        raise InvalidField(
            "The collage is shown as a reference picture, and here subjects are not.",
            path="$.method.collage",
            fix="Use a model that takes reference pictures, and share by input; or leave it off.",
        )
    return settings


def threshold(fidelity: float, tau: float, begin: float = FREE) -> float:
    """Map an artist's fidelity to the time down to which tokens are replaced; none is before the time `begin`.

    0.5 is the model's own `tau`, 0 never replaces (1.0), 1 replaces to the end (0.0); linear between, below 0.5 from
    `begin` on: no part of the control is without effect.
    """
    if not fidelity:
        return FREE
    if fidelity > 0.5:
        return tau * (1 - fidelity) / 0.5
    begin = max(begin, tau)
    return begin + (tau - begin) * fidelity / 0.5


def strength(fidelity: float, anchor: float) -> float:
    """Map an artist's fidelity to the strength of the anchor: 0 at 0, the model's own at 0.5, whole at 1."""
    if fidelity <= 0.5:
        return anchor * (fidelity / 0.5) ** EVENLY
    return anchor + (1 - anchor) * (fidelity - 0.5) / 0.5


def left_to_light(light: float) -> float:
    """Map an artist's light to the share of a subject's low frequencies that each step leaves to the picture.

    Each step pulls the rest back, so that half of them, left in each of many steps, would be hardly any in the end.
    """
    return light / (FOLLOWED + light * (1 - FOLLOWED))


def freedom(fidelity: float) -> float:
    """Map an artist's fidelity to the share of a subject's shared tokens that stand where they resemble the picture.

    All do at 0, and from 0.5 on each stands at its own cell; linear between.
    """
    return max(0.0, 1 - fidelity / 0.5)

"""Settings of the method: what a composition asks for, over the model's own defaults."""

from __future__ import annotations

from standee.composition import Composition, Method
from standee.errors import InvalidField

from ..catalog.sampling_defaults import SamplingDefaults
from .families.base import Family

FREE = 1.0
"""The threshold that no time is above: tokens are never replaced."""


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
    return settings


def threshold(fidelity: float, tau: float) -> float:
    """Map an artist's fidelity to the time down to which tokens are replaced.

    0.5 is the model's own `tau`, 0 never replaces (1.0), 1 replaces to the end (0.0); linear between.
    """
    if fidelity <= 0.5:
        return FREE + (tau - FREE) * fidelity / 0.5
    return tau * (1 - fidelity) / 0.5


def strength(fidelity: float, anchor: float) -> float:
    """Map an artist's fidelity to the strength of the anchor: 0 at 0, the model's own at 0.5, whole at 1."""
    if fidelity <= 0.5:
        return anchor * fidelity / 0.5
    return anchor + (1 - anchor) * (fidelity - 0.5) / 0.5

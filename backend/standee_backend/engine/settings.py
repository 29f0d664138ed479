"""Settings: what a composition asks for and what the model family prefers, resolved in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

from standee.composition import Composition
from standee.errors import InvalidField

from .families.base import Family


@dataclass(frozen=True)
class Settings:
    """Everything `compose` needs to know beside the pictures; see `standee.composition` for the meaning of each."""

    seed: int
    guidance: float
    sigmas: Tensor
    tau: float
    scene_tau: float
    inject: bool
    shared_noise: bool
    anchor: bool
    anchor_tau: float
    sharing: bool
    share_by: Literal["attention", "input"]
    share_sites: frozenset[int] | None
    gamma: float
    backdrop: Literal["neutral", "predicted"]


def resolve(family: Family, composition: Composition, seed: int, cells: int) -> Settings:
    """Fill in the family's defaults wherever the composition has `None`."""
    method, sampling, own = composition.method, composition.sampling, family.defaults
    tau = _or(method.tau, own.tau)
    return Settings(
        seed=seed,
        guidance=_or(sampling.guidance, own.guidance),
        sigmas=family.sigmas(_or(sampling.steps, own.steps), cells),
        tau=tau,
        scene_tau=_or(method.scene_tau, own.scene_tau),
        inject=method.inject,
        shared_noise=method.shared_noise,
        anchor=_or(method.anchor, own.anchor),
        anchor_tau=min(tau, _or(own.anchor_tau, tau)),
        sharing=_or(method.sharing, own.sharing),
        share_by=_share_by(family, _or(method.share_by, own.share_by)),
        share_sites=None if own.share_sites is None else frozenset(own.share_sites),
        gamma=method.gamma,
        backdrop=_or(method.backdrop, own.backdrop),
    )


def threshold(fidelity: float, tau: float) -> float:
    """Map an artist's fidelity to the noise level above which tokens are replaced.

    0.5 is the family's own `tau`, 0 never replaces (1.0), 1 replaces to the end (0.0); linear between.
    """
    if fidelity <= 0.5:
        return 1 + (tau - 1) * fidelity / 0.5
    return tau * (1 - fidelity) / 0.5


def _share_by(
    family: Family, asked: Literal["attention", "input"]
) -> Literal["attention", "input"]:
    if asked == "input" and not family.takes_references:
        raise InvalidField(
            "This model was not trained to take reference pictures.",
            path="$.method.share_by",
            fix="Use attention; FLUX.2 klein takes them.",
        )
    return asked


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value

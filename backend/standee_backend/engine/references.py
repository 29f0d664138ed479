"""References: a subject's crop whose tokens are captured, and where in the picture they go."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from standee.geometry import Bools

from ..catalog.sampling_defaults import SamplingDefaults
from . import trajectory, variation
from .families.base import Family
from .families.conditioning import Conditioning, ReferenceTokens
from .layout import Layout, PlacedScene, PlacedSubject
from .pixels import images
from .pixels.images import Array
from .schedule import Schedule
from .settings import FREE, threshold

Prompts = Mapping[str, Conditioning]
"""Every prompt of a composition, encoded."""


@dataclass(frozen=True, eq=False)
class Crop:
    """A picture on its own grid of tokens, of which some are captured.

    `size` is its (rows, columns), `cells` (m,), ascending, are those of its tokens that are captured. `ends` makes both
    ends of its trajectory, clean tokens and noise (rows * columns, channels); `digest` names what they depend on. They
    are made when they are first asked for: where all tokens are known already, never.
    """

    size: tuple[int, int]
    conditioning: Conditioning
    cells: Tensor
    digest: str
    ends: Callable[[], tuple[Tensor, Tensor]]

    @cached_property
    def line(self) -> tuple[Tensor, Tensor]:
        """Clean tokens and noise, both (rows * columns, channels)."""
        return self.ends()

    def at(self, sigmas: Tensor) -> Tensor:
        """Return the crop's tokens (n, rows * columns, channels) at noise levels `sigmas` (n,)."""
        x0, noise = self.line
        return trajectory.at(x0[None], noise[None], sigmas[:, None, None])


@dataclass(frozen=True, eq=False)
class Reference:
    """Where a crop's tokens go: those that its `rows` (k,) select among the captured ones, to the cells `put` (k,).

    They replace the picture's down to the time `tau`, or are mixed into them by `weight` (k,); after that they are
    shared with weight `sharing`, at their own cells or, where the pose is free (`matched`), at the cells that they
    resemble. One that is `only_shown` replaces none: a model that takes references as its input is shown those of its
    tokens.
    """

    crop: Crop
    rows: Tensor
    put: Tensor
    tau: float
    sharing: float
    weight: Tensor | None = None
    matched: bool = False
    only_shown: bool = False


def subject_references(
    family: Family,
    layout: Layout,
    prompts: Prompts,
    schedule: Schedule,
    settings: SamplingDefaults,
    seed: int,
) -> list[Reference]:
    """Make the reference of each staged subject, back to front. `seed` decides how they vary."""
    references = []
    for subject, pixels in zip(layout.subjects, layout.crops, strict=True):
        layer = subject.layer
        words = prompts[layer.prompt].trimmed(family.reference_text)
        salt = (
            f":{layer.id}:{seed}" if layer.variation else ""
        )  # a flock of one picture is none of clones
        cells = np.flatnonzero(subject.core)
        source = variation.shuffle(
            subject.seen, layer.variation, variation.generator(layer.id, seed)
        )
        tau = threshold(layer.fidelity, settings.tau) if settings.inject else FREE
        references.append(
            Reference(
                crop=_crop(
                    family, pixels, f"{layer.picture}{salt}", words, cells, schedule, settings
                ),
                rows=_on(family, np.searchsorted(cells, source[subject.seen.ravel()])),
                put=_on(family, canvas_cells(subject, subject.seen, layout)),
                tau=tau + layer.variation * (FREE - tau) / 2,
                sharing=layer.sharing * layer.opacity if settings.sharing else 0.0,
                weight=_on(family, subject.share[subject.seen]),
                matched=layer.variation > 0,
            )
        )
    return references


def scene_reference(
    family: Family,
    scene: PlacedScene,
    layout: Layout,
    prompts: Prompts,
    schedule: Schedule,
    settings: SamplingDefaults,
    *,
    only_shown: bool = False,
) -> Reference:
    """Make the reference of the scene: the whole canvas, injected or only shown where pixels are kept (section 3.4)."""
    cells = np.flatnonzero(scene.covered)
    put = np.flatnonzero(scene.owned)
    words = prompts[""].trimmed(family.reference_text)
    return Reference(
        crop=_crop(family, scene.pixels, scene.scene.picture, words, cells, schedule, settings),
        rows=_on(family, np.searchsorted(cells, put)),
        put=_on(family, put),
        tau=settings.tau if only_shown else threshold(scene.scene.fidelity, settings.scene_tau),
        sharing=float(only_shown),
        only_shown=only_shown,
    )


def reference_tokens(family: Family, references: Sequence[Reference]) -> ReferenceTokens | None:
    """Return the references as the model's own input for them; `None` where there are none."""
    tokens, ids = [], []
    for index, reference in enumerate(references):
        crop = reference.crop
        given, at = crop.line[0], family.reference_ids(index, *crop.size)
        if reference.only_shown:
            cells = crop.cells.index_select(0, reference.rows)
            given, at = given.index_select(0, cells), at.index_select(0, cells)
        tokens.append(given)
        ids.append(at)
    return ReferenceTokens(torch.cat(tokens)[None], torch.cat(ids)) if tokens else None


def own_noise(word: str, shape: tuple[int, ...]) -> Tensor:
    """Draw a reference's noise from its picture's digest: the same wherever it stands and whatever the seed."""
    return gaussian(int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big") >> 1, shape)


def gaussian(seed: int, shape: tuple[int, ...]) -> Tensor:
    """Draw normal noise on the host, so that one seed gives one picture on every device."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _crop(
    family: Family,
    pixels: Array,
    word: str,
    words: Conditioning,
    cells: np.ndarray,
    schedule: Schedule,
    settings: SamplingDefaults,
) -> Crop:
    """Return the crop of these pixels (height, width, 3); `word` names its noise."""
    rows, cols = pixels.shape[0] // family.patch, pixels.shape[1] // family.patch

    def ends() -> tuple[Tensor, Tensor]:
        x0 = family.encode_latents(images.to_tensor(pixels))
        noise = own_noise(word, tuple(x0.shape)).to(x0.device)
        ids, free = family.grid_ids(rows, cols), words.unguided
        end = trajectory.invert(
            x0,
            noise,
            schedule.sigmas,
            settings.gamma,
            lambda tokens, sigma: family.velocity(tokens, sigma, free, ids),
        )
        return x0[0], end[0]

    said = f"{word} {pixels.shape} {settings.gamma}"
    if settings.gamma < 1:
        said += f" {schedule.levels}"
    digest = hashlib.sha256(said.encode() + np.ascontiguousarray(pixels).tobytes()).hexdigest()
    return Crop((rows, cols), words, _on(family, cells), digest, ends)


def canvas_cells(subject: PlacedSubject, chosen: Bools, layout: Layout) -> np.ndarray:
    """Return the cells of the canvas that are `chosen` (rows, columns) of a subject's crop."""
    rows, cols = np.nonzero(chosen)
    return (rows + subject.crop.row) * layout.grid.cols + cols + subject.crop.col


def _on(family: Family, numbers: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(numbers)).to(family.device)

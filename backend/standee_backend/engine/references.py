"""References: a subject's crop whose tokens are captured, and where in the picture they go."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
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
from .settings import FREE, freedom, threshold

Prompts = Mapping[str, Conditioning]
"""Every prompt of a composition, encoded."""

Seeing = Callable[[Sequence[Array]], tuple[Conditioning, Conditioning]]
"""Encodes what a picture is told of reference pictures, and what is told around words of regions."""


@dataclass(frozen=True, eq=False)
class Crop:
    """A picture on its own grid of tokens, of which some are captured.

    `size` is its (rows, columns), `cells` (m,), ascending, are those of its tokens that are captured. `ends` makes both
    ends of its trajectory, clean tokens and noise (rows * columns, channels); `digest` names what they depend on. They
    are made when they are first asked for: where all tokens are known already, never. `pixels` (height, width, 3) are
    what a language model sees of it, where it sees pictures.
    """

    size: tuple[int, int]
    conditioning: Conditioning
    cells: Tensor
    digest: str
    ends: Callable[[], tuple[Tensor, Tensor]]
    pixels: Array | None = None

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
    shared with weight `sharing`, at their own cells or, as far as the pose is free (`freedom`, 0 to 1), at the cells
    that they resemble. There the picture's cells `looking` (q,) look at them: those put, and the ones next to these;
    `None` are all. One that is `only_shown` replaces none: a model that takes references as its input is shown
    those of its tokens.
    """

    crop: Crop
    rows: Tensor
    put: Tensor
    tau: float
    sharing: float
    weight: Tensor | None = None
    freedom: float = 0.0
    only_shown: bool = False
    looking: Tensor | None = None


def subject_references(
    family: Family,
    layout: Layout,
    prompts: Prompts,
    schedule: Schedule,
    settings: SamplingDefaults,
    seed: int,
    begin: float = FREE,
) -> list[Reference]:
    """Make the reference of each staged subject, back to front.

    `seed` decides how they vary; `begin` is the time at which they come in.
    """
    references = []
    puts = [canvas_cells(subject, subject.seen, layout) for subject in layout.subjects]
    placed = zip(layout.subjects, layout.crops, puts, _with_next(puts, layout), strict=True)
    for subject, pixels, put, looking in placed:
        layer = subject.layer
        words = prompts[layer.prompt].trimmed(family.reference_text)
        salt = (
            f":{layer.id}:{seed}" if layer.variation else ""
        )  # a flock of one picture is none of clones
        cells = np.flatnonzero(subject.core)
        source = variation.shuffle(
            subject.seen, layer.variation, variation.generator(layer.id, seed)
        )
        tau = threshold(layer.fidelity, settings.tau, begin) if settings.inject else FREE
        references.append(
            Reference(
                crop=_crop(
                    family, pixels, f"{layer.picture}{salt}", words, cells, schedule, settings
                ),
                rows=_on(family, np.searchsorted(cells, source[subject.seen.ravel()])),
                put=_on(family, put),
                tau=tau + layer.variation * (FREE - tau) / 2,
                sharing=layer.sharing * layer.opacity if settings.sharing else 0.0,
                weight=_on(family, subject.share[subject.seen]),
                freedom=1.0 if layer.variation else freedom(layer.fidelity),
                looking=_on(family, looking),
            )
        )
    return references


def _with_next(puts: Sequence[np.ndarray], layout: Layout) -> list[np.ndarray]:
    """Return each subject's cells, and those next to them that are no subject's: its outline runs through them."""
    size = layout.grid.rows, layout.grid.cols
    taken = np.zeros(size, np.uint8)
    taken.flat[np.concatenate([*puts, np.zeros(0, int)])] = 1
    grown = []
    for put in puts:
        own = np.zeros(size, np.uint8)
        own.flat[put] = 1
        near = cv2.dilate(own, np.ones((3, 3), np.uint8)) & (1 - taken)
        taken |= near
        grown.append(np.flatnonzero(own | near))
    return grown


def scene_reference(
    family: Family,
    scene: PlacedScene,
    layout: Layout,
    prompts: Prompts,
    schedule: Schedule,
    settings: SamplingDefaults,
    *,
    shown: float | None = None,
) -> Reference:
    """Make the reference of the scene: the whole canvas where pixels are kept (section 3.4).

    It is injected, or only shown, from the time `shown` on.
    """
    cells = np.flatnonzero(scene.covered)
    put = np.flatnonzero(scene.owned)
    words = prompts[""].trimmed(family.reference_text)
    return Reference(
        crop=_crop(family, scene.pixels, scene.scene.picture, words, cells, schedule, settings),
        rows=_on(family, np.searchsorted(cells, put)),
        put=_on(family, put),
        tau=threshold(scene.scene.fidelity, settings.scene_tau) if shown is None else shown,
        sharing=float(shown is not None),
        only_shown=shown is not None,
    )


class ShownReferences:
    """References as the model's own input: at each step those whose tokens are not replaced any more.

    The freest come first, and each keeps its number. `seeing` encodes what the picture is told of pictures (and what is
    told around words of regions): once for each number of references, where the language model sees them.
    """

    def __init__(
        self,
        family: Family,
        references: Sequence[Reference],
        schedule: Schedule,
        steps: range,
        seeing: Seeing | None = None,
    ) -> None:
        self._schedule, self._device = schedule, family.device
        self._references = sorted(
            (r for r in references if r.sharing), key=lambda r: r.tau, reverse=True
        )
        pictures = [r.crop.pixels for r in self._references if r.crop.pixels is not None]
        self.told: dict[int, tuple[Conditioning, Conditioning]] = {}
        if seeing and family.reads_references:
            counts = {len(self.weights(step)) for step in steps} - {0}
            self.told = {count: seeing(pictures[:count]) for count in sorted(counts)}
        self._parts = [self._part(family, n, r) for n, r in enumerate(self._references)]

    def weights(self, step: int) -> list[float]:
        """Return how much each of the references counts that are shown in a step."""
        parts = [1 - self._schedule.share_above(step, r.tau) for r in self._references]
        return [part * r.sharing for part, r in zip(parts, self._references, strict=True) if part]

    def tokens(self, step: int) -> ReferenceTokens | None:
        """Return those that are shown in a step; `None` where none are."""
        weights = self.weights(step)
        if not weights:
            return None
        tokens, ids = zip(*self._parts[: len(weights)], strict=True)
        bias = None
        if any(weight != 1 for weight in weights):
            counts = [len(part) for part in tokens]
            each = torch.tensor(weights).log()
            bias = torch.cat([one.expand(n) for one, n in zip(each, counts, strict=True)])
            bias = bias.to(self._device)
        return ReferenceTokens(torch.cat(tokens)[None], torch.cat(ids), bias)

    @staticmethod
    def _part(family: Family, number: int, reference: Reference) -> tuple[Tensor, Tensor]:
        """Return the tokens of one reference (n, channels) and their ids (n, axes)."""
        crop = reference.crop
        given, at = crop.line[0], family.reference_ids(number, *crop.size)
        if reference.only_shown:
            cells = crop.cells.index_select(0, reference.rows)
            given, at = given.index_select(0, cells), at.index_select(0, cells)
        return given, at


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
    return Crop((rows, cols), words, _on(family, cells), digest, ends, pixels)


def canvas_cells(subject: PlacedSubject, chosen: Bools, layout: Layout) -> np.ndarray:
    """Return the cells of the canvas that are `chosen` (rows, columns) of a subject's crop."""
    rows, cols = np.nonzero(chosen)
    return (rows + subject.crop.row) * layout.grid.cols + cols + subject.crop.col


def _on(family: Family, numbers: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(numbers)).to(family.device)

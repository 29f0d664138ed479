"""References: a subject's crop as tokens, its own noise, and where its tokens go in the picture."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from standee.geometry import Bools, Cells

from . import images as pictures
from . import trajectory
from . import variation as perturb
from .families.base import Beside, Conditioning, Family
from .images import Array
from .injection import Tokens, capture
from .layout import Stage, Staged, StagedScene
from .settings import Settings, threshold

Prompts = Mapping[str, Conditioning]
"""Every prompt of a composition, encoded."""

NEVER = 1.0
"""A threshold that no noise level is above."""

LEAST = 0.02
"""A cell of which the cut-out covers less than this everywhere is not touched."""


@dataclass(frozen=True)
class Reference:
    """One subject (or the kept scene), ready to be injected.

    `size` is the crop's (rows, columns); `x0` and `noise` (rows * columns, channels) are its clean
    tokens and the noise at the end of its trajectory. `cells` (m,), ascending, are those of the
    crop that its own cut-out covers, whatever stands before it: the tokens that may be taken. Of
    the k cells that are visible in the picture, `take` (k,) says which of the crop's tokens each
    is, `put` (k,) where on the canvas, `owned` (k,) whether the cell is this subject's, so that
    its token is replaced, and `matte` (k, channels) how much of each latent the cut-out covers.

    Tokens are replaced while sigma > `tau`; after that they are shared with weight `sharing`. The
    latents are anchored while sigma > `anchor_tau`.
    """

    size: tuple[int, int]
    x0: Tensor
    noise: Tensor
    conditioning: Conditioning
    cells: Tensor
    take: Tensor
    put: Tensor
    owned: Tensor
    matte: Tensor
    tau: float
    sharing: float
    anchor_tau: float

    def at(self, sigma: Tensor) -> Tensor:
        """Return the reference's tokens (n, channels) at noise level `sigma`."""
        return trajectory.at(self.x0, self.noise, sigma)

    @property
    def replaced(self) -> Tensor:
        """The canvas cells (m,) whose tokens this reference replaces."""
        return self.put[self.owned]


def capture_tokens(family: Family, reference: Reference, sigma: Tensor) -> Tokens:
    """Run a reference's crop at `sigma` and return the tokens of its `cells` at every site."""
    with capture(family.sites, reference.cells) as tokens:
        family.velocity(
            reference.at(sigma)[None],
            sigma,
            reference.conditioning,
            family.grid_ids(*reference.size),
        )
    return tokens


def beside_picture(family: Family, references: Sequence[Reference]) -> Beside | None:
    """Return the references as the model's own input for them; `None` where there are none."""
    if not references:
        return None
    ids = [family.reference_ids(i, *reference.size) for i, reference in enumerate(references)]
    return Beside(torch.cat([r.x0 for r in references])[None], torch.cat(ids))


def own_noise(digest: str, seed: int, shape: tuple[int, ...]) -> Tensor:
    """Draw a reference's noise from its picture's digest and the seed: the same wherever it stands."""
    word = hashlib.sha256(f"{digest}:{seed}".encode()).digest()[:8]
    return gaussian(int.from_bytes(word, "big") >> 1, shape)


def gaussian(seed: int, shape: tuple[int, ...]) -> Tensor:
    """Draw normal noise on the host, so that one seed gives one picture on every device."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def subject_references(
    family: Family, staged: Stage, backdrop: Array | None, prompts: Prompts, settings: Settings
) -> list[Reference]:
    """Make the reference of each staged subject, back to front. `backdrop`: see `Stage.crops`."""
    references = []
    for subject, pixels in zip(staged.subjects, staged.crops(backdrop), strict=True):
        layer = subject.layer
        words = prompts[layer.prompt].trimmed(family.reference_text)
        tau = threshold(layer.fidelity, settings.tau)
        anchored = settings.anchor and layer.variation == 0
        reference = Reference(
            size=(subject.crop.rows, subject.crop.cols),
            conditioning=words,
            tau=tau + layer.variation * (1 - tau) / 2,
            sharing=layer.sharing if settings.sharing else 0.0,
            anchor_tau=threshold(layer.fidelity, settings.anchor_tau) if anchored else NEVER,
            **_trajectory(family, pixels, layer.picture, words, settings),
            **_cells(
                family, staged.grid, subject.crop, subject.matte, subject.covered, subject.owned
            ),
        )
        references.append(_perturbed(reference, subject, settings.seed))
    return references


def scene_references(
    family: Family, scene: StagedScene, staged: Stage, prompts: Prompts, settings: Settings
) -> list[Reference]:
    """Make the references of the scene: the whole canvas, injected where pixels are kept (section 3.4).

    What of it is around subjects is only anchored, and only as long as tokens are replaced: the scene goes on there,
    and then takes up the subjects' light and shadow.
    """
    tau = threshold(scene.scene.fidelity, settings.scene_tau)
    words = prompts[""].trimmed(family.reference_text)
    kept = Reference(
        size=(staged.grid.rows, staged.grid.cols),
        conditioning=words,
        tau=tau,
        sharing=0.0,
        anchor_tau=tau,
        **_trajectory(family, scene.pixels, scene.scene.picture, words, settings),
        **_cells(family, staged.grid, staged.grid, scene.matte, scene.covered, scene.owned),
    )
    if not scene.around.any():
        return [kept]
    nothing = np.zeros_like(scene.owned)
    cells = _cells(family, staged.grid, staged.grid, scene.around, nothing, nothing)
    around = replace(kept, tau=NEVER, anchor_tau=max(tau, settings.tau), **cells)
    return [kept, around]


def place_reference(
    family: Family,
    staged: Stage,
    place: Tensor,
    noise: Tensor,
    prompts: Prompts,
    settings: Settings,
) -> Reference:
    """Make the reference of the place around the subjects, of its clean tokens and noise (1, cells, channels).

    Like what of a scene is around them it is only anchored, as long as tokens are replaced: so the model does not go on
    with a subject beyond its cut-out, and then takes up its light and shadow.
    """
    cells = staged.grid.rows, staged.grid.cols
    nothing = np.zeros(cells, bool)
    return Reference(
        size=cells,
        x0=place[0],
        noise=noise[0],
        conditioning=prompts[""],
        tau=NEVER,
        sharing=0.0,
        anchor_tau=settings.tau,
        **_cells(family, staged.grid, staged.grid, staged.surroundings, nothing, nothing),
    )


def _trajectory(
    family: Family, pixels: Array, digest: str, prompt: Conditioning, settings: Settings
) -> dict[str, Any]:
    """Return both ends of a crop's trajectory: `x0` and `noise`."""
    x0 = family.encode_latents(pictures.to_tensor(pixels))
    rows, cols = pixels.shape[0] // family.patch, pixels.shape[1] // family.patch
    ids = family.grid_ids(rows, cols)
    noise = trajectory.invert(
        x0,
        own_noise(digest, settings.seed, tuple(x0.shape)).to(x0.device),
        settings.sigmas,
        settings.gamma,
        lambda tokens, sigma: family.velocity(tokens, sigma, prompt, ids),
    )
    return {"x0": x0[0], "noise": noise[0]}


def _cells(
    family: Family, grid: Cells, crop: Cells, matte: Array, covered: Bools, owned: Bools
) -> dict[str, Tensor]:
    """Return where a crop's visible cells come from and go: `cells`, `take`, `put`, `owned` and `matte`."""
    channels = family.channels // family.latents_per_cell
    latents = torch.from_numpy(matte).expand(1, channels, -1, -1).contiguous()
    weight = family.pack(latents)[0]
    seen = weight.amax(dim=1).view(crop.rows, crop.cols).cpu().numpy() > LEAST
    visible = owned | seen
    rows, cols = np.nonzero(visible)
    take = torch.from_numpy(rows * crop.cols + cols)
    put = torch.from_numpy((rows + crop.row - grid.row) * grid.cols + cols + crop.col - grid.col)
    cells = {"take": take, "put": put, "owned": torch.from_numpy(owned[visible])}
    cells["cells"] = torch.from_numpy(np.flatnonzero(covered))
    cells["matte"] = weight[take]
    return {name: tensor.to(family.device) for name, tensor in cells.items()}


def _perturbed(reference: Reference, subject: Staged, seed: int) -> Reference:
    """Shuffle a subject's tokens locally (section 3.3): other cells of it are taken, at the same places."""
    random = perturb.generator(subject.layer.id, seed)
    source = perturb.shuffle(subject.owned, subject.layer.variation, random)
    shuffled = torch.from_numpy(source).to(reference.take.device)
    return replace(reference, take=shuffled[reference.take])

"""Workloads: what of a job decides how much memory it takes, read from its composition."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from standee.composition import Composition
from standee.geometry import cells_of, token_grid

from ..capture import BATCH
from ..compose import plain_steps
from ..families.base import Family
from ..layout import reference_crop
from ..prompts import Texts
from ..settings import resolve


class Workload(Struct, frozen=True):
    """What of a job decides how much memory it takes. Sizes in cells.

    `crops`: (rows, columns, own cells) of each subject's reference, a scene's among them that comes in by its tokens.
    `steps`: so many noise levels, whose tokens are held at once; `plain`: steps come before any picture is
    encoded. `beside`: subjects are shown to the model, `canvas_beside` the collage or the scene; `anchored`: the canvas
    is encoded as well; `detail`: crops are decoded; `laid`: LoRAs lie over the model; `regions`: so many rectangles of
    words. `nets`: the folders of control nets by kind; `controls`: the kinds of the control pictures.
    """

    rows: int
    cols: int
    crops: tuple[tuple[int, int, int], ...] = ()
    prompts: tuple[str, ...] = ("",)
    guidance: float = 0.0
    anchored: bool = False
    count: int = 1
    steps: int = 1 + BATCH
    plain: bool = True
    beside: bool = False
    canvas_beside: bool = False
    detail: bool = True
    laid: bool = False
    regions: int = 0
    nets: tuple[tuple[str, Path], ...] = ()
    controls: tuple[str, ...] = ()


def workload_of(
    composition: Composition, family: Family, nets: Mapping[str, Path] | None = None
) -> Workload:
    """Return a composition's layout, at most what it takes: as if subjects filled their rectangles.

    `nets` are the folders of its control nets by kind. Raises `InvalidField` for what the model cannot do.
    """
    settings = resolve(family, composition)
    grid = token_grid(composition.canvas, family.patch)
    crops = []
    for layer in composition.layers:
        cells = cells_of(layer.rect, layer.rotation, family.patch).clip(grid)
        if layer.shown and layer.picture and cells.rows > 0 and cells.cols > 0:
            crop = reference_crop(cells)
            crops.append((crop.rows, crop.cols, cells.rows * cells.cols))
    by_tokens = bool(composition.scene) and not settings.anchor
    plain = 0 if by_tokens else plain_steps(settings.steps, crops)
    if by_tokens:
        crops.insert(0, (grid.rows, grid.cols, grid.rows * grid.cols))
    by_input = settings.share_by == "input" and settings.sharing
    edits = settings.mode == "edit" and family.takes_references
    collage = edits or bool(settings.collage and crops)
    anchored = collage or bool(settings.anchor and (composition.scene or crops))
    texts = Texts.of(composition, settings)
    others = composition.sampling.negative, "", *(one.prompt for one in composition.layers)
    return Workload(
        rows=grid.rows,
        cols=grid.cols,
        crops=tuple(crops),
        prompts=tuple(sorted({*texts.told(), *others})),
        regions=texts.regions,
        guidance=settings.guidance,
        anchored=anchored,
        count=composition.sampling.count,
        steps=min(settings.steps - plain, 1 + BATCH),
        plain=plain > 0,
        beside=(edits or by_input) and (family.takes_several or not collage),
        canvas_beside=collage or bool(composition.scene and not by_tokens and by_input),
        detail=bool(settings.detail),
        laid=bool(composition.sampling.loras),
        nets=tuple(sorted((nets or {}).items())),
        controls=tuple(
            sorted(
                kind
                for kind, *_ in {
                    (one.kind, one.strength, one.start, one.end)
                    for _, one in composition.counting_controls()
                }
            )
        ),
    )

"""Staging: the composition's pictures laid on the canvas, before any model runs.

It decides which cells each picture owns (by `standee.geometry`), how its soft cut-out lies on the latent pixels, and
what each reference crop looks like. Arrays are float32, 0..1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from msgspec.structs import replace as replace_field

from standee.arrangement import (
    Backdrop,
    kept_pixels,
    majority_cells,
    scene_rect,
    touched_pixels,
)
from standee.composition import Canvas, Composition, Layer, Rect, Scene
from standee.errors import InvalidField, TooLarge
from standee.geometry import (
    Arrangement,
    Bools,
    Cells,
    Placement,
    arrange,
    fit_picture,
    snap,
    token_grid,
)
from standee.wire.notes import SCENE_RESIZED, SUBJECT_NOWHERE, Note, note

from . import variation
from .pixels import images
from .pixels.foreground import own_colours
from .pixels.images import Array, Picture
from .pixels.kept_pixels import around_subjects, continued
from .pixels.mattes import hide_covered, matte_of

Read = Callable[[str], bytes]
"""Returns the bytes of the picture with this digest."""

MARGIN = 1
"""Cells of surroundings that a reference crop keeps around its rectangle, at least."""

LEAST_CROP = 16
"""A crop has as many cells a side, at least: models are made for pictures of 256 px and more."""

CORE = 0.9
"""How much of a cell a visible cut-out covers, at least, where its token is replaced. The anchor holds the rest."""

BAND = 0.06
"""How far around subjects the place they stand in is held, as a share of the canvas' shorter side, without a scene."""

FAINT = 4
"""The strongest of a cut-out's 255 grades at which it counts as empty."""

MAX_HELD = 512_000_000
"""The most px of all layers' pictures, as they are drawn, that are held at once."""

LEAST = 0.02
"""A latent pixel of which something shows less than this counts as free of it."""

NEUTRAL = 0.5
"""The grey under a cut-out where there is nothing else."""


@dataclass(frozen=True)
class PlacedSubject:
    """One subject on the canvas: its crop, the cells of it that it covers and owns, and its visible soft cut-out.

    `layer` and `picture` stand upright: of their rotation at most 45 degrees are left (see `images.stand`). `crop` is
    the rectangle (inside the canvas) and its margin. `owned`, the cells that are its in the picture, `core`, whose
    tokens are captured, and `seen`, the part of it whose tokens replace the picture's, have the shape (rows, columns)
    of `crop`, `matte` (rows * k, columns * k) too, in latent pixels. `share` (rows, columns) is how much of each cell
    its owner shows, 1 where nothing there is transparent.
    """

    index: int
    layer: Layer
    picture: Picture
    crop: Cells
    owned: Bools
    core: Bools
    seen: Bools
    matte: Array
    share: Array

    def paint(self, view: Rect, patch: int) -> tuple[Array, Array, Array]:
        """Render the subject where it stands, opaque, as seen in `view`; see `Picture.paint`."""
        rect = snap(self.layer.rect, patch).rect(patch)
        return self.picture.paint(rect, self.layer.fit, view, self.layer.rotation)


@dataclass(frozen=True)
class PlacedScene:
    """The scene on the canvas: its pixels, the mask of kept pixels, and the cells and latent pixels it owns.

    Its file has `size` px and is `drawn` in so many, across and down. `covered` are the cells that it would own without
    subjects. `around` and `ground` (rows * k, columns * k) are the
    kept pixels of the band around subjects, above their feet and below, which are free to change. The seam is softened
    over `feather` px.
    """

    scene: Scene
    pixels: Array
    kept: Array
    covered: Bools
    owned: Bools
    matte: Array
    around: Array
    ground: Array
    feather: float
    size: tuple[int, int]
    drawn: tuple[int, int]


@dataclass(frozen=True)
class Layout:
    """Everything staged, back to front. `arrangement` holds the scene first, where there is one, then the subjects.

    `regions` are rectangles of words, which stand like subjects, with a blank picture: nothing is captured of them.
    `absent` are visible layers of which nothing is seen. `around` (rows * k, columns * k), in latent pixels, is the
    band around the subjects and above their feet, `through` how much of what is behind them shows through them.
    """

    grid: Cells
    patch: int
    arrangement: Arrangement
    scene: PlacedScene | None
    subjects: tuple[PlacedSubject, ...]
    regions: tuple[PlacedSubject, ...]
    absent: tuple[PlacedSubject, ...]
    around: Array
    through: Array

    @cached_property
    def crops(self) -> list[Array]:
        """The pixels (height, width, 3) of each subject's reference crop.

        A cut-out stands on grey, a photograph keeps its own surroundings: what is captured of a subject depends on
        nothing but its picture and its size, and serves every place, prompt and seed.
        """
        crops = []
        for subject in self.subjects:
            colour, matte, extent = subject.paint(subject.crop.rect(self.patch), self.patch)
            weight = (extent if subject.picture.own_surroundings else matte)[..., None]
            crops.append((weight * colour + (1 - weight) * NEUTRAL).astype(np.float32))
        return crops

    def collage(self, backdrop: Array) -> Array:
        """Return the cut-outs pasted onto the canvas' pixels (height, width, 3), back to front.

        What a photograph mixed into their edges of its own surroundings is taken out.
        """
        pixels, canvas = backdrop, self.grid.rect(self.patch)
        for subject in self.subjects:
            colour, matte, _ = subject.paint(canvas, self.patch)
            if subject.picture.own_surroundings:
                colour = own_colours(colour, matte)
            weight = subject.layer.opacity * matte[..., None]
            pixels = weight * colour + (1 - weight) * pixels
        return pixels


def lay_out(
    composition: Composition, read: Read, patch: int, latent_px: int, seed: int = 0
) -> Layout:
    """Decode the pictures of a composition and lay them on its canvas.

    `seed` decides how the cut-outs of layers with `variation` grow or shrink (section 3.3 of the paper).
    Raises `InvalidField` where the canvas does not fit the model's patch, `BadPicture` and `TooLarge` with the path of
    the picture.
    """
    _check_canvas(composition.canvas, patch)
    grid = token_grid(composition.canvas, patch)
    scene = _place_scene(composition.scene, composition.canvas, read) if composition.scene else None
    asked = [(i, _asked(layer)) for i, layer in enumerate(composition.layers) if layer.shown]
    built = _build_all(asked, read, patch)
    layers = [(i, images.stand(layer)) for i, layer in asked]

    placements = [
        _vary(picture.standing(layer).place(patch), layer, seed)
        for (_, layer), picture in zip(layers, built, strict=True)
    ]
    if scene:
        placements.insert(0, Placement(grid, majority_cells(scene.kept > 0, patch), 0.0))
    arrangement = arrange(grid, placements)
    first = len(placements) - len(layers)

    crops = [reference_crop(placement.cells.clip(grid)) for placement in placements[first:]]
    k = patch // latent_px
    wholes = [
        matte_of(picture, layer, crop, patch, latent_px)
        for (_, layer), picture, crop in zip(layers, built, crops, strict=True)
    ]
    opacities = [layer.opacity for _, layer in layers]
    mattes, uncovered, through = hide_covered(wholes, opacities, crops, grid, k)
    subjects = [
        _place_subject(index, layer, picture, crop, arrangement, first + n, whole, matte)
        for n, ((index, layer), picture, crop, whole, matte) in enumerate(
            zip(layers, built, crops, wholes, mattes, strict=True)
        )
    ]
    shorter = min(composition.canvas.width, composition.canvas.height)
    blend = shorter * (composition.scene.blend if composition.scene else BAND)
    around, ground = around_subjects(arrangement, first, blend, patch)
    if scene:
        kept = scene.kept * ~touched_pixels(arrangement, first, blend, patch)
        matte = images.block_mean(kept, latent_px) * uncovered
        covered, owned, _ = _cells(arrangement, 0, grid)
        owned &= majority_cells(kept > 0, patch)
        around, ground = (part * (scene.kept - kept) for part in (around, ground))
        scene = replace(
            scene, kept=kept, covered=covered, owned=owned, matte=matte,
            around=images.block_mean(around, latent_px) * uncovered,
            ground=images.block_mean(ground, latent_px) * uncovered,
            feather=shorter * scene.scene.feather,
        )  # fmt: skip
    band = images.block_mean(around, latent_px) * uncovered
    glassy = min(opacities, default=1.0) < 1  # then what owns no cell may still be seen
    shows = [one.owned.any() or (glassy and one.matte.max() > LEAST) for one in subjects]
    seen, absent = (
        tuple(one for one, shown in zip(subjects, shows, strict=True) if shown == which)
        for which in (True, False)
    )
    pictured, regions = (
        tuple(one for one in seen if (one.layer.picture is None) == of_words)
        for of_words in (False, True)
    )
    return Layout(grid, patch, arrangement, scene, pictured, regions, absent, band, through)


def absent_subjects(layout: Layout) -> list[Note]:
    """Return a note of each subject that is nowhere in the picture, and why."""
    notes = []
    for subject in layout.absent:
        layer, seen = subject.layer, np.asarray(subject.picture.matte).max() > FAINT
        why = "hidden" if subject.core.any() else "off" if seen else "empty"
        name = layer.name or ("" if layer.picture else layer.prompt) or str(subject.index + 1)
        notes.append(note(SUBJECT_NOWHERE, f"$.layers[{subject.index}]", name=name, why=why))
    return notes


def resized_scene(layout: Layout) -> list[Note]:
    """Return a note of a scene that is drawn in another size than its file's: what is kept is kept of the drawn one."""
    scene = layout.scene
    if scene is None or not scene.kept.any() or scene.drawn == scene.size:
        return []
    (width, height), (across, down) = scene.size, scene.drawn
    return [
        note(SCENE_RESIZED, "$.scene.rect", width=width, height=height, across=across, down=down)
    ]


def reference_crop(cells: Cells) -> Cells:
    """Return the crop around a rectangle of cells: with a margin, and not smaller than models know pictures."""
    rows, cols = (max(MARGIN, -(-(LEAST_CROP - side) // 2)) for side in (cells.rows, cells.cols))
    return Cells(cells.row - rows, cells.col - cols, cells.rows + 2 * rows, cells.cols + 2 * cols)


def _place_subject(
    index: int,
    layer: Layer,
    picture: Picture,
    crop: Cells,
    arrangement: Arrangement,
    place: int,
    whole: Array,
    matte: Array,
) -> PlacedSubject:
    """Join what is known of a subject, which is placement number `place`.

    `whole` is its soft cut-out before others hide it, `matte` what it shows of it.
    One that fills no cell to its core, a thin one, gives the tokens of the cells that it owns.
    """
    covered, owned, share = _cells(arrangement, place, crop)
    k = matte.shape[0] // crop.rows
    core = covered & (images.block_mean(whole, k) >= CORE)
    seen = owned & (images.block_mean(matte, k) >= CORE * share)
    if not seen.any():
        core, seen = covered, owned
    return PlacedSubject(index, layer, picture, crop, owned, core, seen & core, matte, share)


def _asked(layer: Layer) -> Layer:
    """Return a layer as it is laid out: a rectangle of words fills its own, and does not vary."""
    return layer if layer.picture else replace_field(layer, fit="stretch", variation=0.0)


def _vary(placement: Placement, layer: Layer, seed: int) -> Placement:
    random = variation.generator(layer.id, seed)
    return replace(placement, covered=variation.morph(placement.covered, layer.variation, random))


def _cells(arrangement: Arrangement, index: int, crop: Cells) -> tuple[Bools, Bools, Array]:
    """Return, in the shape of `crop`, the cells that a placement covers and owns, and what their owners show."""
    placement, grid = arrangement.placements[index], arrangement.grid
    part = placement.cells.clip(grid)
    covered, owned = (np.zeros((crop.rows, crop.cols), bool) for _ in range(2))
    share = np.ones((crop.rows, crop.cols), np.float32)
    covered[part.within(crop)] = placement.covered[part.within(placement.cells)]
    owned[part.within(crop)] = arrangement.visible(index)[part.within(placement.cells)]
    share[part.within(crop)] = arrangement.share[part.within(grid)]
    return covered, owned, share


def _check_canvas(canvas: Canvas, patch: int) -> None:
    for side in ("width", "height"):
        size = getattr(canvas, side)
        if size % patch:
            raise InvalidField(
                f"The canvas {side} is {size} px; this model needs a multiple of {patch}.",
                path=f"$.canvas.{side}",
                fix=f"Use {max(patch, round(size / patch) * patch)}.",
            )


def _build_all(layers: Sequence[tuple[int, Layer]], read: Read, patch: int) -> list[Picture]:
    """Decode all layers' pictures, each reduced to what is drawn of it. Raises `TooLarge` where that is too much."""
    built, held = [], 0
    for index, layer in layers:
        picture = _build(layer, index, read, patch)
        built.append(picture)
        held += picture.colour.width * picture.colour.height
        if held > MAX_HELD:
            raise TooLarge(
                f"The pictures of all layers together have more than {MAX_HELD:,} px.",
                path=f"$.layers[{index}].picture",
                fix="Scale the largest ones to the size that they are drawn in.",
            )
    return built


def _build(layer: Layer, index: int, read: Read, patch: int) -> Picture:
    path, upright = f"$.layers[{index}]", images.stand(layer)
    picture, mask = images.BLANK, None
    if layer.picture:
        picture = images.stood(images.decode(read(layer.picture), f"{path}.picture"), layer)
    if layer.mask:
        mask = images.stood(images.decode(read(layer.mask), f"{path}.mask"), layer)
    placed = fit_picture(*picture.size, snap(upright.rect, patch).rect(patch), layer.fit)
    return Picture.build(picture, mask, (placed.w, placed.h))


def _place_scene(scene: Scene, canvas: Canvas, read: Read) -> PlacedScene:
    """Lay the scene on the canvas, continued from its edges over the rest; nothing of it is owned yet.

    Without a mask what is transparent of it is not kept, and continued too.
    """
    decoded = images.decode(read(scene.picture), "$.scene.picture")
    mask = images.decode(read(scene.kept), "$.scene.kept") if scene.kept else None
    picture = Picture.build(decoded.convert("RGB") if mask else decoded, mask)
    full, rect = Rect(0, 0, canvas.width, canvas.height), scene_rect(scene.rect, canvas)
    colour, _, extent = picture.paint(rect, scene.fit, full)
    if not extent.any():
        raise InvalidField(
            "The scene lies outside the canvas.",
            path="$.scene.rect",
            fix="Move it onto the canvas.",
        )
    rows, cols = np.nonzero(extent.any(axis=1))[0], np.nonzero(extent.any(axis=0))[0]
    inner = colour[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    around = (
        (rows[0], canvas.height - 1 - rows[-1]),
        (cols[0], canvas.width - 1 - cols[-1]),
        (0, 0),
    )
    pixels = np.pad(inner, around, mode="edge")
    backdrop = Backdrop(picture.stencil, picture.size, scene.rect, scene.fit)
    stays = kept_pixels(backdrop, canvas)
    if not picture.own_surroundings:
        pixels = continued(pixels, stays)
    placed = fit_picture(*picture.size, rect, scene.fit)
    drawn = round(placed.w), round(placed.h)
    no_cells, no_latents = np.zeros((0, 0), bool), np.zeros((0, 0), np.float32)
    kept = stays.astype(np.float32)
    return PlacedScene(
        scene, pixels, kept, no_cells, no_cells, no_latents, no_latents, no_latents, 0.0,
        picture.size, drawn,
    )  # fmt: skip

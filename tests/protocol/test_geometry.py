"""Rectangles to tokens: who owns which cell, checked against brute force where it fits."""

import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from standee.composition import Canvas, Fit, Rect
from standee.geometry import (
    NOBODY,
    Arrangement,
    Cells,
    Placement,
    arrange,
    cells_of,
    coverage,
    coverage_turned,
    fit_picture,
    place,
    snap,
    snap_turned,
    token_grid,
)
from standee.rotation import bounds_turned, centre, turned_about

PATCH = 16
SOLID = np.ones((64, 64))

positions = st.floats(-500, 500)
sizes = st.floats(0.1, 500)
rects = st.builds(Rect, positions, positions, sizes, sizes)
fits = st.sampled_from(["contain", "cover", "stretch"])


@st.composite
def placements(draw: st.DrawFn) -> Placement:
    cells = Cells(
        *(draw(st.integers(-8, 12)) for _ in "yx"), *(draw(st.integers(1, 8)) for _ in "hw")
    )
    bits = draw(st.lists(st.booleans(), min_size=64, max_size=64))
    return Placement(
        cells, np.array(bits[: cells.rows * cells.cols]).reshape(cells.rows, cells.cols)
    )


@st.composite
def arrangements(draw: st.DrawFn) -> Arrangement:
    grid = Cells(0, 0, draw(st.integers(1, 8)), draw(st.integers(1, 8)))
    return arrange(grid, draw(st.lists(placements(), max_size=4)))


def test_the_grid_of_a_canvas_is_its_size_in_cells() -> None:
    assert token_grid(Canvas(width=256, height=128), PATCH) == Cells(0, 0, 8, 16)


@pytest.mark.parametrize(
    ("rect", "cells"),
    [
        (Rect(0, 0, 32, 48), Cells(0, 0, 3, 2)),
        (Rect(7.9, 8, 32, 32), Cells(1, 0, 2, 2)),
        (Rect(-8, -8.1, 16, 16), Cells(-1, 0, 1, 1)),
        (Rect(100, 100, 0.01, 0.01), Cells(6, 6, 1, 1)),
        (Rect(-1000, 2000, 16, 16), Cells(125, -62, 1, 1)),
    ],
)
def test_a_rectangle_snaps_to_the_nearest_cells(rect: Rect, cells: Cells) -> None:
    assert snap(rect, PATCH) == cells


@given(rects)
def test_snapping_moves_no_edge_by_more_than_half_a_cell_unless_to_keep_one_cell(
    rect: Rect,
) -> None:
    cells = snap(rect, PATCH)
    snapped = cells.rect(PATCH)
    assert abs(snapped.x - rect.x) <= PATCH / 2
    assert abs(snapped.y - rect.y) <= PATCH / 2
    assert cells.cols == 1 or abs(snapped.x + snapped.w - rect.x - rect.w) <= PATCH / 2 + 1e-9
    assert cells.rows == 1 or abs(snapped.y + snapped.h - rect.y - rect.h) <= PATCH / 2 + 1e-9


@given(rects)
def test_snapping_twice_is_snapping_once(rect: Rect) -> None:
    once = snap(rect, PATCH)
    assert snap(once.rect(PATCH), PATCH) == once


@given(st.integers(1, 4000), st.integers(1, 4000), rects, fits)
def test_a_fitted_picture_is_centred_and_keeps_its_promise(
    width: int, height: int, rect: Rect, fit: Fit
) -> None:
    placed = fit_picture(width, height, rect, fit)
    assert placed.x + placed.w / 2 == pytest.approx(rect.x + rect.w / 2, abs=1e-6)
    assert placed.y + placed.h / 2 == pytest.approx(rect.y + rect.h / 2, abs=1e-6)
    if fit == "stretch":
        assert placed == rect
        return
    assert placed.w * height == pytest.approx(placed.h * width)
    if fit == "contain":
        assert placed.w <= rect.w * (1 + 1e-9)
        assert placed.h <= rect.h * (1 + 1e-9)
    else:
        assert placed.w >= rect.w * (1 - 1e-9)
        assert placed.h >= rect.h * (1 - 1e-9)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 9), st.integers(1, 9), st.data())
def test_coverage_is_the_mean_of_the_mask_over_each_cell(
    rows: int, cols: int, height: int, width: int, data: st.DataObject
) -> None:
    values = data.draw(
        st.lists(
            st.sampled_from([0.0, 0.25, 1.0]), min_size=height * width, max_size=height * width
        )
    )
    mask = np.array(values).reshape(height, width)
    cells = Cells(-1, 2, rows, cols)
    placed = cells.rect(PATCH)
    fine = np.kron(mask, np.ones((rows * PATCH, cols * PATCH)))  # height and width times too fine
    blocks = fine.reshape(rows, height * PATCH, cols, width * PATCH)
    assert coverage(mask, placed, cells, PATCH) == pytest.approx(blocks.mean(axis=(1, 3)))


def test_cells_outside_the_picture_are_not_covered() -> None:
    share = coverage(SOLID, Rect(16, 16, 24, 16), Cells(0, 0, 3, 4), PATCH)
    assert share == pytest.approx(np.array([[0, 0, 0, 0], [0, 1, 0.5, 0], [0, 0, 0, 0]]))


def test_a_cell_covered_by_exactly_half_belongs_to_the_subject() -> None:
    mask = np.zeros((3, 6))
    mask[:, :3] = 1.0
    assert (
        place(mask, Rect(0, 0, 48, 48), "stretch", PATCH).covered.tolist()
        == [[True, True, False]] * 3
    )


def test_a_cell_covered_by_less_than_half_belongs_to_somebody_else() -> None:
    mask = np.zeros((64, 64))
    mask[:, :23] = 1.0
    covered = place(mask, Rect(0, 0, 64, 64), "stretch", PATCH).covered
    assert covered[0].tolist() == [True, False, False, False]


def test_a_cut_out_too_thin_for_any_cell_keeps_the_cells_it_fills_most() -> None:
    mask = np.zeros((64, 64))
    mask[:, 20:24] = 1.0  # a pole: a quarter of the second column's cells
    mask[0:2, :] = 1.0  # with a wire: an eighth of the top cells
    covered = place(mask, Rect(0, 0, 64, 64), "stretch", PATCH).covered
    assert covered[:, 1].all()
    assert not covered[1:, [0, 2, 3]].any()


def test_an_empty_cut_out_covers_nothing() -> None:
    assert not place(np.zeros((64, 64)), Rect(0, 0, 64, 64), "contain", PATCH).covered.any()


@given(rects, fits, st.integers(1, 40), st.integers(1, 40))
def test_a_solid_picture_always_covers_a_cell(
    rect: Rect, fit: Fit, height: int, width: int
) -> None:
    placement = place(np.ones((height, width)), rect, fit, PATCH)
    assert placement.covered.shape == (placement.cells.rows, placement.cells.cols)
    assert placement.covered.any()


def test_the_later_placement_owns_the_cells_that_two_cover() -> None:
    back = place(SOLID, Rect(0, 0, 64, 64), "stretch", PATCH)
    front = place(SOLID, Rect(32, 32, 64, 64), "stretch", PATCH)
    arrangement = arrange(Cells(0, 0, 8, 8), [back, front])
    assert arrangement.visible(1).all()
    assert arrangement.hidden(0).sum() == 4
    assert arrangement.visible(0).sum() == 12
    assert arrangement.owner[7, 7] == NOBODY


def test_a_hole_in_the_front_shows_who_stands_behind() -> None:
    ring = np.ones((64, 64))
    ring[16:48, 16:48] = 0.0
    back = place(SOLID, Rect(0, 0, 64, 64), "stretch", PATCH)
    front = place(ring, Rect(0, 0, 64, 64), "stretch", PATCH)
    assert arrange(Cells(0, 0, 4, 4), [back, front]).visible(0).sum() == 4


@given(arrangements())
def test_every_covered_cell_is_visible_hidden_or_clipped_and_only_one_of_them(
    arrangement: Arrangement,
) -> None:
    for index, placement in enumerate(arrangement.placements):
        maps = [
            arrangement.visible(index).astype(int),
            arrangement.hidden(index).astype(int),
            arrangement.clipped(index).astype(int),
        ]
        assert (sum(maps) == placement.covered).all()


@given(arrangements())
def test_the_owner_of_each_cell_is_the_last_placement_that_covers_it(
    arrangement: Arrangement,
) -> None:
    grid = arrangement.grid
    owner: NDArray[np.int64] = np.full((grid.rows, grid.cols), NOBODY)
    for index, placement in enumerate(arrangement.placements):
        for (row, col), covered in np.ndenumerate(placement.covered):
            y, x = placement.cells.row + row, placement.cells.col + col
            if covered and 0 <= y < grid.rows and 0 <= x < grid.cols:
                owner[y, x] = index
    assert (arrangement.owner == owner).all()


@given(arrangements())
def test_cells_off_the_canvas_are_dropped_and_never_wrapped(arrangement: Arrangement) -> None:
    for index, placement in enumerate(arrangement.placements):
        rows, cols = np.nonzero(arrangement.clipped(index))
        y, x = rows + placement.cells.row, cols + placement.cells.col
        grid = arrangement.grid
        assert ((y < 0) | (x < 0) | (y >= grid.rows) | (x >= grid.cols)).all()


def test_growing_and_clipping_leave_the_canvas_part() -> None:
    grown = Cells(0, 5, 2, 3).grow(2)
    assert grown == Cells(-2, 3, 6, 7)
    assert grown.clip(Cells(0, 0, 8, 8)) == Cells(0, 3, 4, 5)
    assert Cells(20, 20, 2, 2).clip(Cells(0, 0, 8, 8)).rows == 0


@given(rects, st.floats(-360, 360))
def test_a_turned_rectangle_takes_up_the_cells_around_it(rect: Rect, rotation: float) -> None:
    placed = snap_turned(rect, rotation, PATCH)
    box, cells = bounds_turned(placed, rotation), cells_of(rect, rotation, PATCH).rect(PATCH)
    assert cells.x <= box.x + 1e-6
    assert cells.y <= box.y + 1e-6
    assert cells.x + cells.w >= box.x + box.w - 1e-6
    assert cells.y + cells.h >= box.y + box.h - 1e-6
    assert max(cells.w - box.w, cells.h - box.h) <= 2 * PATCH


@pytest.mark.parametrize("degrees", [-45.0, -10.0, 0.5, 30.0, 44.0])
def test_a_turned_cut_out_covers_what_each_px_says_when_it_is_turned_back(degrees: float) -> None:
    mask = np.zeros((40, 60))
    mask[5:30, 10:55] = 1
    window, cells = Rect(32, 48, 96, 64), Cells(-1, -1, 12, 12)
    share = coverage_turned(mask, window, window, degrees, cells, PATCH)
    ys, xs = (np.mgrid[: 12 * 64, : 12 * 64] + 0.5) / 4 - PATCH  # sixteen places in a px
    across, down = turned_about(xs, ys, centre(window), -degrees)
    inside = (across >= 32 + 16) & (across < 32 + 88) & (down >= 48 + 8) & (down < 48 + 48)
    expected = inside.reshape(12, 64, 12, 64).mean(axis=(1, 3))
    np.testing.assert_allclose(share, expected, atol=0.02)


def test_the_largest_layer_there_can_be_is_turned_in_little_time_and_memory() -> None:
    tracemalloc.start()
    began = time.process_time()
    placed = place(np.ones((1, 1)), Rect(-9000, -9000, 32768, 20000), "stretch", 16, rotation=40.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert placed.covered.sum() == pytest.approx(2048 * 1250, rel=0.001)
    assert time.process_time() - began < 10
    assert peak < 400e6


@given(rects, fits, st.floats(-360, 360))
def test_a_turned_layer_never_vanishes_and_moves_by_cells_as_it_is(
    rect: Rect, fit: Fit, rotation: float
) -> None:
    mask = np.zeros((7, 9))
    mask[3, 2:6] = 0.3
    here = place(mask, rect, fit, PATCH, rotation=rotation)
    moved = Rect(rect.x + 3 * PATCH, rect.y - 2 * PATCH, rect.w, rect.h)
    there = place(mask, moved, fit, PATCH, rotation=rotation)
    if fit == "contain":
        assert here.covered.any()
    stands, other = (snap_turned(one, rotation, PATCH) for one in (rect, moved))
    if other == Rect(stands.x + 3 * PATCH, stands.y - 2 * PATCH, stands.w, stands.h):
        assert (here.covered == there.covered).all()
        assert (there.cells.row, there.cells.col) == (here.cells.row - 2, here.cells.col + 3)

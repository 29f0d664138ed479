"""Who owns which cell: reduced cut-outs, masks of other sizes, what a scene keeps and what subjects free of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standee import Canvas, Rect
from standee.arrangement import (
    Backdrop,
    VisibleLayer,
    arrangement,
    kept_pixels,
    majority_cells,
    reduce_mask,
    touched_pixels,
)
from standee.geometry import NOBODY, Placement, arrange, token_grid
from standee.rotation import quarter_turned


def test_a_small_cutout_stays_as_it_is():
    alpha = np.random.default_rng(0).random((30, 20)).astype(np.float32)
    assert (reduce_mask(alpha, 30) == alpha).all()


def test_a_large_one_is_averaged_over_blocks_also_at_its_ragged_edges():
    alpha = np.random.default_rng(0).random((7, 10)).astype(np.float32)
    small = reduce_mask(alpha, 4)
    assert small.shape == (3, 4)
    assert small[0, 0] == pytest.approx(alpha[:2, :3].mean())
    assert small[1, 2] == pytest.approx(alpha[2:5, 5:7].mean())
    assert small[2, 3] == pytest.approx(alpha[5:, 7:].mean())


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 9), st.integers(0, 99))
def test_a_mirrored_or_turned_cutout_is_reduced_to_the_mirrored_or_turned_blocks(
    rows: int, cols: int, side: int, seed: int
) -> None:
    alpha = np.random.default_rng(seed).integers(0, 256, (rows, cols)).astype(np.uint8)
    small = reduce_mask(alpha, side)
    assert max(small.shape) <= side
    assert (reduce_mask(alpha[:, ::-1], side) == small[:, ::-1]).all()
    assert (reduce_mask(np.rot90(alpha), side) == np.rot90(small)).all()


def test_bytes_and_numbers_of_the_same_cutout_are_reduced_alike():
    alpha = np.random.default_rng(0).integers(0, 256, (41, 57)).astype(np.uint8)
    np.testing.assert_allclose(reduce_mask(alpha, 10), reduce_mask(alpha / 255, 10), atol=1e-6)


def test_a_picture_without_a_cutout_costs_no_memory():
    whole = reduce_mask(np.broadcast_to(np.uint8(255), (3001, 9000)))
    assert whole.shape == (334, 1000)
    assert whole.strides == (0, 0)
    assert whole[0, 0] == 1


def test_front_layers_own_the_cells_and_flips_are_mirrored():
    half = np.zeros((4, 4))
    half[:, :2] = 1
    back = VisibleLayer(np.ones((4, 4)), Rect(0, 0, 64, 64), "stretch")
    front = VisibleLayer(half, Rect(0, 0, 64, 64), "stretch", flip=True)
    owner = arrangement([back, front], Canvas(64, 64), 16).owner
    assert (owner[:, :2] == 0).all()
    assert (owner[:, 2:] == 1).all()


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_layer_on_its_side_owns_the_cells_of_the_turned_picture(quarters: int):
    alpha = np.random.default_rng(1).random((50, 30)) > 0.6
    rect = Rect(37, 20, 64, 96)
    layer = VisibleLayer(alpha.astype(np.float32), rect, "cover", rotation=90 * quarters)
    side = VisibleLayer(
        np.rot90(alpha, -quarters).astype(np.float32), quarter_turned(rect, quarters), "cover"
    )
    owner, expected = (arrangement([one], Canvas(160, 160), 16).owner for one in (layer, side))
    assert (owner == expected).all()
    assert (owner == 0).any()


def test_half_of_glass_is_owned_by_the_glass_and_less_by_what_is_behind_it():
    def owners(opacity: float) -> set[int]:
        behind = VisibleLayer(np.ones((4, 4)), Rect(0, 0, 32, 32))
        glass = VisibleLayer(np.ones((4, 4)), Rect(0, 0, 64, 64), opacity=opacity)
        owner = arrangement([behind, glass], Canvas(64, 64), 16).owner
        assert (owner[2:] == 1).all()  # where there is nothing behind it, it is the glass' anyhow
        return set(owner[:2, :2].ravel().tolist())

    assert owners(1.0) == owners(0.5) == {1}
    assert owners(0.49) == {0}


def test_a_scene_gives_way_to_the_faintest_subject():
    ghost = VisibleLayer(np.ones((4, 4)), Rect(0, 0, 32, 32), opacity=0.01)
    scene = Backdrop(np.ones((1, 1)), (64, 64), blend=0)
    owner = arrangement([ghost], Canvas(64, 64), 16, scene).owner
    assert (owner[:2, :2] == 1).all()
    assert (owner[2:] == 0).all()


def test_a_mask_of_another_shape_lies_over_the_whole_picture():
    standing = VisibleLayer(
        np.ones((4, 4)), Rect(0, 0, 64, 64), size=(200, 100)
    )  # contained: 64 x 32
    owner = arrangement([standing], Canvas(64, 64), 16).owner
    assert (owner == np.array([[NOBODY], [0], [0], [NOBODY]])).all()


def test_a_scene_without_a_mask_keeps_the_pixels_that_it_fills():
    scene = Backdrop(np.ones((1, 1)), (4, 4), Rect(15.7, 0, 32.2, 64), "cover")
    kept = kept_pixels(scene, Canvas(64, 64))
    assert kept[:, 16:48].all()
    assert kept.sum() == 64 * 32


def test_a_mask_of_the_canvas_own_size_keeps_the_very_pixels():
    mask = np.random.default_rng(0).integers(0, 256, (48, 64)).astype(np.uint8)
    kept = kept_pixels(Backdrop(mask, (64, 48)), Canvas(64, 48))
    assert (kept == (mask >= 128)).all()


def test_a_coarse_mask_is_interpolated():
    mask = np.zeros((4, 4))
    mask[1:3, 1:3] = 1
    kept = kept_pixels(Backdrop(mask, (64, 64)), Canvas(64, 64))
    assert not kept[16, 16]  # the corner of a mask's pixel: a quarter of it is kept
    assert kept[20, 28]
    assert (kept == kept[::-1, ::-1]).all()


def test_a_fine_mask_is_averaged():
    mask = np.zeros((512, 512))
    mask[:, ::2] = 1  # exactly half, whatever way a sum is rounded
    assert kept_pixels(Backdrop(mask, (512, 512)), Canvas(64, 64)).all()


def test_cells_that_subjects_free_belong_to_nobody():
    subject = VisibleLayer(np.ones((4, 4)), Rect(32, 32, 32, 32))
    scene = Backdrop(np.ones((1, 1)), (96, 96), blend=9 / 96)
    owner = arrangement([subject], Canvas(96, 96), 16, scene).owner
    assert (owner[2:4, 2:4] == 1).all()
    assert (owner[1, 2:4] == NOBODY).all()  # more than half of it is within 9 px
    assert owner[1, 1] == 0  # of the corner less is
    assert (owner[0] == 0).all()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.sampled_from([4, 8, 16]), st.floats(0, 70))
def test_distances_are_those_of_an_exact_transform(seed: int, patch: int, blend: float):
    cv2 = pytest.importorskip("cv2")
    random = np.random.default_rng(seed)
    rows, cols = random.integers(1, 9, 2)
    canvas = Canvas(max(16, int(cols) * patch), max(16, int(rows) * patch))
    grid = token_grid(canvas, patch)
    covered = random.random((grid.rows, grid.cols)) < random.choice([0.02, 0.2])
    found = arrange(grid, [Placement(grid, covered)])
    pixels = np.kron(covered, np.ones((patch, patch), bool))
    away = np.full(pixels.shape, np.inf)
    if pixels.any():
        away = cv2.distanceTransform((~pixels).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    near = touched_pixels(found, 0, blend, patch)
    clear = np.abs(away - blend) > 1e-3
    assert (near == (away <= blend))[clear].all()


def test_half_of_a_cells_pixels_are_most_of_it():
    pixels = np.zeros((16, 32), bool)
    pixels[:8, :16] = True
    pixels[:7, 16:] = True
    assert majority_cells(pixels, 16).tolist() == [[True, False]]

"""Opacity: what transparent layers show, let through, and give of their tokens."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from standee import Canvas, Composition, Layer, Rect, Scene
from standee_backend.engine.layout import Layout, lay_out

PATCH, LATENT_PX = 16, 8


def staged(shelf, *layers: Layer, scene: Scene | None = None) -> Layout:
    composition = Composition(canvas=Canvas(128, 128), layers=layers, scene=scene)
    return lay_out(composition, shelf.read, PATCH, LATENT_PX)


@pytest.fixture
def disc(shelf) -> Layer:
    return Layer(picture=shelf.disc("red", 80), rect=Rect(24, 24, 80, 80))


def faint(layer: Layer, opacity: float) -> Layer:
    return replace(layer, opacity=opacity)


def test_a_layer_at_zero_is_as_hidden(shelf, disc) -> None:
    gone = staged(shelf, faint(disc, 0.0))
    assert not gone.subjects
    assert not gone.absent
    assert (gone.arrangement.owner == -1).all()


def test_half_a_layer_lies_between_none_and_all_of_it_everywhere(shelf, disc) -> None:
    none, half, whole = (staged(shelf, faint(disc, opacity)) for opacity in (0.0, 0.5, 1.0))
    [faded], [solid] = half.subjects, whole.subjects
    np.testing.assert_allclose(faded.matte, solid.matte / 2, atol=1e-6)
    ground = np.linspace(0, 1, 128 * 128 * 3, dtype=np.float32).reshape(128, 128, 3)
    pasted = [one.collage(ground) for one in (none, half, whole)]
    np.testing.assert_allclose(pasted[1], (pasted[0] + pasted[2]) / 2, atol=1e-6)
    np.testing.assert_array_equal(pasted[0], ground)


def test_the_tokens_of_a_faint_layer_are_its_own_and_mixed_in_by_its_opacity(shelf, disc) -> None:
    [faded], [solid] = (staged(shelf, faint(disc, opacity)).subjects for opacity in (0.3, 1.0))
    np.testing.assert_array_equal(faded.core, solid.core)
    np.testing.assert_array_equal(faded.seen, solid.seen)
    np.testing.assert_allclose(faded.share[faded.seen], 0.3)
    assert (solid.share[solid.owned] == 1).all()


def test_behind_faint_glass_a_subject_keeps_its_cells_and_both_are_seen(shelf, disc) -> None:
    glass = Layer(picture=shelf.flat("blue", 128), rect=Rect(0, 0, 128, 128), opacity=0.2)
    layout = staged(shelf, disc, glass)
    behind, front = layout.subjects
    assert not layout.absent
    np.testing.assert_allclose(behind.share[behind.seen], 0.8)
    assert behind.seen.any()
    assert not (front.owned & behind.owned[: front.owned.shape[0], : front.owned.shape[1]]).all()
    collage = layout.collage(np.zeros((128, 128, 3), np.float32))
    np.testing.assert_allclose(collage[64, 64], (0.8, 0, 0.2), atol=0.02)


def test_what_shows_of_all_and_through_them_adds_up_to_what_they_cover(shelf, disc) -> None:
    scene = Scene(picture=shelf.flat("green", 128))
    glass = Layer(picture=shelf.flat("blue", 64), rect=Rect(48, 48, 64, 64), opacity=0.4)
    layout = staged(shelf, faint(disc, 0.7), glass, scene=scene)
    shown = np.zeros((16, 16))
    for subject in layout.subjects:
        part = subject.crop.clip(layout.grid)
        here, there = (
            tuple(slice(side.start * 2, side.stop * 2) for side in part.within(whole))
            for whole in (subject.crop, layout.grid)
        )
        shown[there] += subject.matte[here]
    assert layout.through.max() == pytest.approx(0.6)  # of the glass, where no disc is
    both = np.s_[7:10, 7:10]
    np.testing.assert_allclose(layout.through[both], 0.6 * 0.3, atol=1e-6)
    np.testing.assert_allclose((shown + layout.through)[both], 1, atol=1e-6)
    assert not layout.through[0, 0]

"""Control pictures laid on the canvas: where their layers stand, as far as they are seen."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from standee import Canvas, Composition, Control, Layer, Rect
from standee_backend.engine.control.staging import lay_controls
from standee_backend.engine.layout import lay_out

SIDE = 96


@pytest.fixture
def halves(shelf) -> str:
    """White on the left, grey on the right."""
    picture = np.full((48, 48, 3), 255, np.uint8)
    picture[:, 24:] = 102
    return shelf.add(picture)


def laid(shelf, layers: list[Layer], *control: Control) -> tuple[np.ndarray, np.ndarray]:
    composition = Composition(canvas=Canvas(SIDE, SIDE), layers=tuple(layers), control=control)
    layout = lay_out(composition, shelf.read, 16, 8)
    return lay_controls(composition.counting_controls(), composition, layout, shelf.read)


def layer(shelf, name: str = "a", **more) -> Layer:
    return Layer(
        **{"picture": shelf.flat("red", 48), "rect": Rect(0, 0, 48, 48), "id": name} | more
    )


def test_it_stands_where_its_layer_does_and_nothing_is_around(shelf, halves) -> None:
    pixels, cover = laid(shelf, [layer(shelf)], Control("depth", halves, layer="a"))
    assert pixels[8:40, 4:20].min() > 0.99
    assert np.allclose(pixels[8:40, 28:44], 0.4, atol=0.02)
    assert pixels[:, 52:].max() == pixels[52:].max() == 0
    assert np.array_equal(cover > 0.5, np.pad(np.ones((3, 3), bool), (0, 3)))


@pytest.mark.parametrize(
    ("how", "left", "right"),
    [
        ({"flip": True}, 0.4, 1.0),
        ({"rotation": 180.0}, 0.4, 1.0),
        ({"opacity": 0.5}, 0.5, 0.2),
    ],
)
def test_it_is_mirrored_turned_and_faint_as_its_layer(shelf, halves, how, left, right) -> None:
    pixels, cover = laid(shelf, [layer(shelf, **how)], Control("depth", halves, layer="a"))
    assert np.allclose(pixels[8:40, 4:20], left, atol=0.02)
    assert np.allclose(pixels[8:40, 28:44], right, atol=0.02)
    assert cover[1, 1] == pytest.approx(how.get("opacity", 1.0), abs=0.02)


def test_turned_by_an_odd_angle_it_follows(shelf, halves) -> None:
    turned = layer(shelf, rect=Rect(16, 16, 64, 64), rotation=30.0)
    pixels, _ = laid(shelf, [turned], Control("lines", halves, layer="a"))
    white = np.argwhere(pixels[..., 0] > 0.9).mean(axis=0) - 47.5
    expected = np.array([-np.sin(np.radians(30)), -np.cos(np.radians(30))]) * 16
    assert np.abs(white - expected).max() < 1


def test_a_layer_before_it_hides_it_down_to_the_canvas(shelf, halves) -> None:
    front = layer(shelf, "b", rect=Rect(0, 0, 24, 48), fit="stretch")
    scene = shelf.flat("#808080", SIDE)
    both = Control("depth", scene), Control("depth", halves, layer="a")
    pixels, cover = laid(shelf, [layer(shelf), front], *both)
    assert np.allclose(pixels[8:40, 4:12], 0.5, atol=0.01)
    assert np.allclose(pixels[8:40, 34:44], 0.4, atol=0.02)
    assert np.allclose(pixels[60:, 60:], 0.5, atol=0.01)
    assert cover.min() == 1
    behind, _ = laid(shelf, [front, layer(shelf)], *both)
    assert behind[8:40, 4:12].min() > 0.98
    _, alone = laid(shelf, [layer(shelf), front], both[1])
    assert alone[1, 0] < 0.01
    assert alone[1, 2] > 0.99


def test_of_a_rectangle_of_words_it_fills_the_rectangle(shelf, halves) -> None:
    words = Layer(rect=Rect(16, 32, 64, 32), id="a", prompt="a boat")
    pixels, cover = laid(shelf, [words], Control("depth", halves, layer="a"))
    assert pixels[36:60, 20:44].min() > 0.99
    assert np.allclose(pixels[36:60, 52:76], 0.4, atol=0.02)
    assert np.argwhere(cover > 0.5).tolist() == [[r, c] for r in (2, 3) for c in (1, 2, 3, 4)]


def test_a_cut_out_cuts_it_too(shelf, halves) -> None:
    disc = layer(shelf, picture=shelf.disc("red", 48))
    pixels, _ = laid(shelf, [disc], Control("depth", halves, layer="a"))
    assert pixels[0:4, 0:4].max() < 0.05
    assert pixels[20:28, 4:20].min() > 0.99


def test_of_the_canvas_it_covers_all_and_its_transparency_leaves_free(shelf) -> None:
    wide = np.zeros((48, 96, 4), np.uint8)
    wide[:, 24:72] = 255
    wide[24:, 24:72, 3] = 0
    pixels, cover = laid(shelf, [], Control("normal", shelf.add(Image.fromarray(wide))))
    assert pixels[:44, 4:-4].min() > 0.99, "it is cut to the canvas' shape, not squeezed"
    assert np.allclose(pixels[54:], [0.5, 0.5, 1.0], atol=0.02), "which faces the camera"
    assert cover[:2].min() > 0.95
    assert cover[4:].max() < 0.01
